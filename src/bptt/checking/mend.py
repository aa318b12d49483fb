"""The smallest mend of a wrong formula: best-first search over the edits that make it right.

What is right, numbers decide (`is_right`), so a mend is never a guess about meaning; which of several right
formulas was meant, the costs of the edits decide.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from functools import partial
from math import inf

from bptt.checking.edits import SIGN, Edit, Pool, edits, pool_of, turned
from bptt.checking.fitting import Fitting
from bptt.checking.pool import items_of, letters_of, negated, parts_of
from bptt.checking.spellings import Spellings
from bptt.checking.terms import compare_terms
from bptt.formula.shapes import NonConforming, Pair
from bptt.formula.tree import Formula, children

__all__ = ["Edit", "Mend", "Pool", "compare_terms", "mend", "pool_of"]

# Of several edits, the one that is spoken of: what changes the meaning most comes first.
TELLING = (
    "missing-term", "missing-factor", "missing-sum", "extra", "order", "shape", "transpose", "index", "typo",
    "sign",
)  # fmt: skip
# With what costs more every formula could be made of every other: two factors replaced, three left out.
DEAREST = 4.0
# Two errors are explained by two edits only where no single one explains them.
_FURTHER = 1.0
# Larger formulas are not looked into: nobody would believe what is found there.
MOST_PARTS = 500
MOST_LEVELS = 80
# No edit is cheaper, but for a sign.
_CHEAPEST = 0.9
# Candidates that are rejected by their shape count as so many evaluations, and those that were seen before.
_REJECTED = 0.3
_SEEN = 0.1


@dataclass(frozen=True)
class Mend:
    """`formula` is right; `edits` lead to it one after the other, each with its place in the wrong formula.
    `kind` is that of the most telling one.
    """

    formula: Formula
    edits: tuple[Edit, ...]
    cost: float

    @property
    def kind(self) -> str:
        return min((edit.kind for edit in self.edits), key=TELLING.index)

    @property
    def words(self) -> str:
        return ", and ".join(edit.words for edit in self.edits)

    @property
    def place(self) -> Formula:
        """The part of the wrong formula that is most at fault."""
        return min(self.edits, key=lambda edit: TELLING.index(edit.kind)).place


def mend(
    formula: Formula,
    is_right: Callable[[Formula], int],
    pool: Pool | None = None,
    *,
    most: int = 2,
    dearest: float = DEAREST,
    budget: int = 4000,
    seconds: float = inf,
    layout: str = "",
    shape: Pair | None = None,
    letters: Collection[str] | None = None,
    placed: Collection[str] = (),
) -> Mend | None:
    """The cheapest right formula within `most` edits, a sign not counted, that cost `dearest` at most; None
    where none is found in `budget` evaluations and `seconds`, or the formula has more than MOST_PARTS parts
    or MOST_LEVELS brackets one in the other. Without `seconds` it is always the same one.

    `is_right` says 1 for a right formula, -1 where its negative is, 0 for neither. One that says True or
    False will do; it is asked for the negatives too. It is not asked for what cannot be right: with `layout`,
    formulas that do not conform in matrix notation; with `shape` and `letters`, those of another shape, or
    with other letters standing free, apart from those that are `placed`. For a formula that is right already
    there is nothing to mend: None.
    """
    if _is_too_large(formula):
        return None
    search = _Search(formula, is_right, pool or Pool(), most, layout, shape, letters, placed)
    return search.run(dearest, budget, time.monotonic() + seconds)


def _is_too_large(formula: Formula) -> bool:
    number = 0
    rest = [(formula, 1)]
    while rest:
        part, level = rest.pop()
        number += 1
        if number > MOST_PARTS or level > MOST_LEVELS:
            return True
        rest += [(inner, level + 1) for inner in children(part)]
    return False


@dataclass(frozen=True, slots=True)
class _Node:
    formula: Formula
    edits: tuple[Edit, ...] = ()
    cost: float = 0.0


class _Search:
    def __init__(
        self,
        formula: Formula,
        is_right: Callable[[Formula], int],
        pool: Pool,
        most: int,
        layout: str,
        shape: Pair | None,
        letters: Collection[str] | None,
        placed: Collection[str],
    ) -> None:
        self.wrong, self.is_right, self.pool, self.most = formula, is_right, pool, most
        self.layout, self.shape = layout, shape
        self.fitting = Fitting(layout)
        self.placed = set(placed)
        self.letters = None if letters is None else set(letters) - self.placed
        # What to do next: the cheapest first, and of equals what was found first.
        self.queue: list[tuple[float, int, Callable[[], Mend | None]]] = []
        self.found = 0
        self.deadline = inf
        self.budget = inf
        self.spent = 0.0
        self.spellings = Spellings()
        self.tried = {self.spellings.meaning(formula)}
        self.negative: set[int] = set()
        self.right_items = frozenset(item for whole in self.pool.wholes for item in items_of(whole))
        self.distance = self._distance(formula)

    def run(self, dearest: float, budget: int, deadline: float) -> Mend | None:
        self.deadline, self.budget = deadline, budget
        self._later(0.0, partial(self._try, _Node(self.wrong)))
        while self.queue and self.spent < budget and time.monotonic() < deadline:
            cost, _, step = heapq.heappop(self.queue)
            result = step() if cost <= dearest else None
            if result is not None or cost > dearest:
                return result
        return None

    def _later(self, cost: float, step: Callable[[], Mend | None]) -> None:
        self.found += 1
        heapq.heappush(self.queue, (cost, self.found, step))

    def _try(self, node: _Node) -> None:
        """Asks whether it is right, and leaves for later what follows from the answer."""
        if self._can_be_right(node.formula):
            self.spent += 1
            said = self.is_right(node.formula)
            if said > 0:
                self._later(node.cost, partial(self._mend, node))
            elif said < 0:
                self.negative.add(self.spellings.meaning(node.formula))
                self._later(node.cost + SIGN, partial(self._mend, self._negative(node)))
            elif type(said) is not int:
                self._later(node.cost + SIGN, partial(self._try_negative, node))
        else:
            self.spent += _REJECTED
        if len(node.edits) < self.most:
            cost = node.cost + _FURTHER * bool(node.edits)
            self._later(cost + _CHEAPEST, partial(self._weigh, node, cost))

    def _try_negative(self, node: _Node) -> Mend | None:
        self.spent += 1
        return self._mend(self._negative(node)) if self.is_right(negated(node.formula)) else None

    def _weigh(self, node: _Node, cost: float) -> None:
        """Goes on from here; but later, if the edits so far have not brought the formula closer to the right
        one in what it is made of.
        """
        if not node.edits or self.distance == 0 or self._distance(node.formula) < self.distance:
            self._open(node, cost)
        else:
            self._later(cost + _CHEAPEST + _FURTHER, partial(self._open, node, cost + _FURTHER))

    def _open(self, node: _Node, cost: float) -> None:
        self._next(node, cost, edits(node.formula, self.pool, self.layout, self.fitting))

    def _next(self, node: _Node, cost: float, stream: Iterator[Edit]) -> None:
        """The next formula in the stream that is none of those before."""
        for edit in stream:
            if self.spent > self.budget or time.monotonic() > self.deadline:
                return
            meaning = self.spellings.meaning(edit.formula)
            self.spent += _SEEN
            # Where the negative of a formula is right, the formula with that sign may be one edit away too.
            if meaning not in self.tried or meaning in self.negative:
                self.tried.add(meaning)
                child = _Node(edit.formula, (*node.edits, edit), cost + edit.cost)
                self._later(child.cost, partial(self._visit, child, node, cost, stream))
                return

    def _visit(self, child: _Node, node: _Node, cost: float, stream: Iterator[Edit]) -> None:
        self._try(child)
        self._next(node, cost, stream)

    def _distance(self, formula: Formula) -> int:
        return len(frozenset(items_of(formula)) ^ self.right_items)

    def _can_be_right(self, formula: Formula) -> bool:
        if self.layout:
            shape = self.fitting.shape(formula)
            if shape is None or (self.shape is not None and shape != self.shape):
                return False
        try:
            free = letters_of(formula)
        except NonConforming:
            return False
        return self.letters is None or set(free) - self.placed == self.letters

    # The result.

    def _negative(self, node: _Node) -> _Node:
        edit = turned(node.formula)
        return _Node(edit.formula, (*node.edits, edit), node.cost + SIGN)

    def _mend(self, node: _Node) -> Mend | None:
        """With the places of later edits in the formula as it was at first."""
        if not node.edits:
            self.queue.clear()
            return None
        origins = {id(part): part for part in parts_of(self.wrong)}
        made: list[Edit] = []
        before = self.wrong
        for edit in node.edits:
            place = origins.get(id(edit.place))
            if place is None:
                place = made[-1].place if made else self.wrong
            made.append(replace(edit, place=place))
            for new, old in _counterparts(before, edit.formula):
                origins.setdefault(id(new), origins.get(id(old), place))
            before = edit.formula
        return Mend(node.formula, tuple(made), round(node.cost, 2))


def _counterparts(before: Formula, after: Formula) -> Iterator[tuple[Formula, Formula]]:
    """Parts that were made anew, each with what stood there."""
    if after is before:
        return
    yield after, before
    old, new = children(before), children(after)
    if type(before) is type(after) and len(old) == len(new):
        for a, b in zip(old, new, strict=True):
            yield from _counterparts(a, b)
