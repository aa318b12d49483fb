"""The smallest mend of a wrong formula: best-first search over the edits that make it right.

What is right, numbers decide (`is_right`), so a mend is never a guess about meaning; which of several right
formulas was meant, the costs of the edits decide.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace

from bptt.checking.edits import SIGN, Edit, Pool, edits, pool_of
from bptt.checking.pool import letters_of, negated
from bptt.checking.spellings import Spellings
from bptt.formula.shapes import NonConforming, Pair, shape_of
from bptt.formula.tree import Formula, children

__all__ = ["Edit", "Mend", "Pool", "mend", "pool_of"]

# Of several edits, the one that is spoken of: what changes the meaning most comes first.
TELLING = (
    "missing-term", "missing-factor", "missing-sum", "extra", "order", "shape", "transpose", "index", "typo",
    "sign",
)  # fmt: skip
# Two errors are explained by two edits only where no single one explains them.
_FURTHER = 1.0
# No edit is cheaper, but for a sign.
_CHEAPEST = 0.9
# Candidates that are rejected by their shape count as so many evaluations.
_REJECTED = 0.1


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
    budget: int = 4000,
    seconds: float = 0.5,
    layout: str = "",
    shape: Pair | None = None,
    letters: Collection[str] | None = None,
) -> Mend | None:
    """The cheapest right formula within `most` edits, a sign not counted; None where none is found in
    `budget` evaluations and `seconds`. It is always the same one, unless time runs out.

    `is_right` says 1 for a right formula, -1 where its negative is, 0 for neither. One that says True or
    False will do; it is asked for the negatives too. It is not asked for what cannot be right: with `layout`,
    formulas that do not conform in matrix notation; with `shape` and `letters`, those of another shape, or
    with other letters standing free. For a formula that is right already there is nothing to mend: None.
    """
    search = _Search(formula, is_right, pool or Pool(), most, layout, shape, letters)
    return search.run(budget, time.monotonic() + seconds)


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
    ) -> None:
        self.wrong, self.is_right, self.pool, self.most = formula, is_right, pool, most
        self.layout, self.shape = layout, shape
        self.letters = None if letters is None else set(letters)
        # Cost, number in the order of finding, node, and what to do with it or the stream that it is from.
        self.queue: list[tuple[float, int, _Node, Iterator[Edit] | str]] = []
        self.found = 0
        self.spent = 0.0
        self.known = Spellings()
        self.tried = {self.known.meaning(formula)}

    def run(self, budget: int, deadline: float) -> Mend | None:
        self._push(0.0, _Node(self.wrong), "try")
        while self.queue and self.spent < budget and time.monotonic() < deadline:
            _, _, node, todo = heapq.heappop(self.queue)
            if todo == "right":
                return self._mend(node) if node.edits else None
            if todo == "try":
                self._try(node)
            elif todo == "negative":
                self.spent += 1
                if self.is_right(negated(node.formula)):
                    return self._mend(self._negative(node))
            elif todo == "go on":
                self._next(node, edits(node.formula, self.pool, self.layout))
            else:
                assert not isinstance(todo, str)
                self._next(replace(node, edits=node.edits[:-1]), todo)
                self._try(node)
        return None

    def _push(self, cost: float, node: _Node, todo: Iterator[Edit] | str) -> None:
        self.found += 1
        heapq.heappush(self.queue, (cost, self.found, node, todo))

    def _next(self, node: _Node, stream: Iterator[Edit]) -> None:
        """Puts the next new edit of the node into the queue."""
        before = sum(edit.cost for edit in node.edits)
        for edit in stream:
            key = self.known.meaning(edit.formula)
            if key not in self.tried:
                self.tried.add(key)
                cost = before + edit.cost + _FURTHER * len(node.edits)
                self._push(cost, _Node(edit.formula, (*node.edits, edit), cost), stream)
                return
            self.spent += _REJECTED / 10

    def _try(self, node: _Node) -> None:
        if self._can_be_right(node.formula):
            self.spent += 1
            said = self.is_right(node.formula)
            if said is False:
                self._push(node.cost + SIGN, node, "negative")
            elif said < 0:
                self._push(node.cost + SIGN, self._negative(node), "right")
            elif said > 0:
                self._push(node.cost, node, "right")
        else:
            self.spent += _REJECTED
        if len(node.edits) < self.most:
            self._push(node.cost + _CHEAPEST + _FURTHER, node, "go on")

    def _can_be_right(self, formula: Formula) -> bool:
        try:
            if self.layout:
                shape = shape_of(formula, self.layout)
                if self.shape is not None and shape != self.shape:
                    return False
            free = letters_of(formula)
        except NonConforming:
            return False
        return self.letters is None or set(free) == self.letters

    # The result.

    def _negative(self, node: _Node) -> _Node:
        text = ("the sign is the other way round",)
        edit = Edit(negated(node.formula), "sign", text, node.formula, SIGN)
        return _Node(edit.formula, (*node.edits, edit), node.cost + SIGN)

    def _mend(self, node: _Node) -> Mend:
        """With the places of later edits in the formula as it was at first."""
        origins = {id(part): part for part in _parts(self.wrong)}
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
        return Mend(node.formula, tuple(made), node.cost)


def _parts(formula: Formula) -> Iterator[Formula]:
    yield formula
    for part in children(formula):
        yield from _parts(part)


def _counterparts(before: Formula, after: Formula) -> Iterator[tuple[Formula, Formula]]:
    """Parts that were made anew, each with what stood there."""
    if after is before:
        return
    yield after, before
    old, new = children(before), children(after)
    if type(before) is type(after) and len(old) == len(new):
        for a, b in zip(old, new, strict=True):
            yield from _counterparts(a, b)
