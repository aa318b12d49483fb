"""The right formulas for what a claim is about, in the forms in which people write them.

What is derived from the model goes from one equation to the next. Authors write the same with everything put
in, with σ′ or with h(1 − h), and for steps before this one; so all of these are at hand when a wrong formula
is compared with the right one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from bptt.checking.pool import free_letters, letters_of, parts_of, renamed
from bptt.derivation.board import LOSS, Board, put_on_board
from bptt.derivation.derive import Deriver
from bptt.derivation.matrix_form import Unwritable
from bptt.derivation.steps import Derivation
from bptt.derivation.through_time import ThroughTime
from bptt.derivation.whole import role, targets
from bptt.formula.shapes import NonConforming
from bptt.formula.tree import (
    Apply,
    Derivative,
    Formula,
    Indexed,
    Number,
    Sum,
    Symbol,
    TokenPart,
    children,
    rebuild,
    shift_time,
    transform,
)
from bptt.ir.dims import Dim
from bptt.ir.expr import Expr

# Nobody writes longer ones on a line.
LONGEST = 60
# So many times what is known of derivatives is put in for them.
MOST_LEVELS = 6
USUAL = "jklmnpq"
# Over what the letters of a claim run; None where that is not known.
Sizes = Mapping[str, "Dim | None"]


@dataclass(frozen=True)
class _Step:
    """A derivative by one equation: as it is left, with primes, and the letters of what it is taken by."""

    plain: Formula
    primed: Formula
    letters: tuple[str, ...]


class Derived:
    """Right formulas on one board, and on the one that goes from the loss to the logits at once."""

    def __init__(self, board: Board) -> None:
        self.loss, self.is_batch = board.loss.symbol, board.batch
        # Of many examples, the values of a document lie otherwise than those of a board.
        boards = [board] if board.batch else [board, put_on_board(board.model, board.layout, fused=True)]
        self.derivers = [Deriver(one) for one in boards]
        self.targets = [targets(one) for one in boards]
        self.carried = {state.variable for state in board.model.states}
        self.errors = {v.error: v.symbol for d in self.derivers for v in d.values if v.error is not None}
        self.values = {v.symbol: v.name for d in self.derivers for v in d.values}
        self._derivations: dict[tuple[int, str], Derivation | None] = {}
        self._forms: dict[tuple[str, str], tuple[tuple[Formula, tuple[str, ...]], ...]] = {}

    def forms(self, left: Formula, sizes: Sizes | None = None) -> tuple[Formula, ...]:
        """What ∂J/∂x is in several forms, the shortest first; () where it is none that can be derived.

        With indices on the left it is written with indices, and sums run over those of `sizes` that fit.
        """
        target = self._target(left)
        if target is None:
            return ()
        assert isinstance(left, Derivative)
        name, steps = target
        found = []
        if isinstance(left.bottom, Indexed) and (self.is_batch or left.bottom.along is not None):
            return ()
        if isinstance(left.bottom, Indexed):
            for form, letters in self._grown(name, "index"):
                claimed = [index.letter for index in left.bottom.indices]
                if len(claimed) == len(letters):
                    apart = renamed(_apart(form, _fresh("γ")), dict(zip(letters, claimed, strict=True)))
                    found += (
                        [_in_letters(apart, sizes or {}, frozenset(claimed))] if apart is not None else []
                    )
        else:
            found += [form for form, _ in self._grown(name, "matrix")]
            found += self._others(name) if not steps else []
        named = (form for form in found if not any(map(_is_nameless, parts_of(form))))
        moved = dict.fromkeys(self._of(left.top, shift_time(form, steps)) for form in named)
        if steps < 0 and not left.at:
            moved |= dict.fromkeys(later for form in moved for later in self._up_to_now(form, sizes))
        return tuple(moved)

    def _up_to_now(self, form: Formula, sizes: Sizes | None) -> Iterator[Formula]:
        """With what is known of the one derivative in it that is by a step in between."""
        inner = next((part for part in parts_of(form) if isinstance(part, Derivative)), None)
        for known in self.forms(inner, sizes)[:MOST_LEVELS] if inner is not None else ():
            whole = transform(form, lambda part, put=known: put if part == inner else part)  # type: ignore[misc]
            if whole != form and _size(whole) <= LONGEST:
                yield whole

    def of_vectors(self, left: Formula) -> Iterator[Formula]:
        """What is right for each element of a matrix, (ŷ_i − y_i) v_j, as it is for each of its vectors:
        (ŷ_w − y_w) v.
        """
        vector, target = vector_of(left), self._target(left)
        if vector is None or target is None:
            return
        for step in self._steps(target[0], "index"):
            if len(step.letters) == 2:
                along, counted = step.letters[:: -1 if vector.along else 1]
                whole = transform(step.plain, lambda part, letter=along: _unlettered(part, letter))  # type: ignore[misc]
                result = renamed(whole, {counted: vector.indices[0].letter})
                if result is not None and along not in letters_of(result):
                    yield result

    def _target(self, left: Formula) -> tuple[str, int] | None:
        """The name of what the derivative is taken by, and how many steps later than there."""
        if not isinstance(left, Derivative) or not isinstance(left.top, Symbol) or left.top.name != LOSS:
            return None
        bottom = left.bottom.base if isinstance(left.bottom, Indexed) else left.bottom
        bottom = bottom.table if isinstance(bottom, TokenPart) else bottom
        if not isinstance(bottom, Symbol):
            return None
        time = left.at or bottom.time
        steps = (time.offset if time else 0) - (left.top.time.offset if left.top.time else 0)
        names = [n for n, leaf in self.targets[0].items() if self._is(leaf, bottom)]
        # What is carried acts on a later loss as it was carried in, and on that of its own step as it is.
        carried = next((name for name in names if name.endswith("]")), "")
        if steps < 0 and carried:
            return carried, steps - self._symbol(self.targets[0][carried]).time.offset  # type: ignore[union-attr]
        plain = next((name for name in names if name != carried), "")
        return (plain, steps) if plain else None

    def _symbol(self, leaf: Expr) -> Symbol:
        return self.derivers[0].board.symbols[leaf]

    def _is(self, leaf: Expr, symbol: Symbol) -> bool:
        own = self._symbol(leaf)
        return (own.name, own.of) == (symbol.name, symbol.of)

    # Derivations, and what is put into them.

    def _grown(self, name: str, notation: str) -> tuple[tuple[Formula, tuple[str, ...]], ...]:
        """The derivative as it follows from the next equation, and with more and more put in."""
        key = name, notation
        if key not in self._forms:
            found: dict[Formula, tuple[str, ...]] = {}
            for step in self._steps(name, notation):
                for primed in (False, True):
                    form = step.primed if primed else step.plain
                    for _ in range(MOST_LEVELS):
                        if _size(form) > LONGEST:
                            break
                        found.setdefault(form, step.letters)
                        form = self._with_more(form, notation, primed)
            self._forms[key] = tuple(sorted(found.items(), key=lambda item: _size(item[0])))
        return self._forms[key]

    def _steps(self, name: str, notation: str) -> Iterator[_Step]:
        for derivation in self._of_name(name):
            chain = derivation.index if notation == "index" else derivation.matrix
            if chain is None or chain.result == Number(0.0):
                continue
            bottom = chain.left.bottom if isinstance(chain.left, Derivative) else chain.left
            before = [step.after for step in chain.steps if any(map(_is_prime, parts_of(step.after)))]
            primed = before[-1] if before else chain.result
            yield _Step(self._plainly(chain.result), self._plainly(primed), tuple(free_letters(bottom)))

    def _of_name(self, name: str) -> Iterator[Derivation]:
        for number, deriver in enumerate(self.derivers):
            key = number, name
            if key not in self._derivations:
                leaf = self.targets[number].get(name)
                try:
                    found = None if leaf is None else deriver.derivation(leaf, name, role(leaf))
                except Unwritable:
                    found = None
                self._derivations[key] = found
            derivation = self._derivations[key]
            if derivation is not None:
                yield derivation

    def _plainly(self, formula: Formula) -> Formula:
        """∂J/∂a for every δ, which the document may not know."""

        def change(part: Formula) -> Formula:
            match part:
                case Symbol() if part in self.errors:
                    return Derivative(self.loss, self.errors[part])
                case Indexed(Derivative(top, bottom, at), indices):
                    return Derivative(top, Indexed(bottom, indices), at)
            return part

        return transform(formula, change)

    def _with_more(self, formula: Formula, notation: str, primed: bool) -> Formula:
        """With the derivatives by values of this step in the place of their names."""
        fresh = _fresh("β")

        def put(part: Formula) -> Formula:
            if not isinstance(part, Derivative):
                parts = children(part)
                return rebuild(part, tuple(map(put, parts))) if parts else part
            bottom = part.bottom.base if isinstance(part.bottom, Indexed) else part.bottom
            name = self.values.get(bottom) if isinstance(bottom, Symbol) and part.top == self.loss else None
            # The last one goes to the logits at once.
            steps = list(self._steps(name, notation)) if name is not None else []
            if not steps:
                return part
            form = steps[-1].primed if primed else steps[-1].plain
            if not isinstance(part.bottom, Indexed):
                return form
            here = (index.letter for index in part.bottom.indices)
            return renamed(_apart(form, fresh), dict(zip(steps[-1].letters, here, strict=True))) or part

        return put(formula)

    def _others(self, name: str) -> Iterator[Formula]:
        """With a diagonal matrix, for the row of the token alone, and through time."""
        for derivation in self._of_name(name):
            yield from (self._plainly(chain.result) for chain in derivation.forms)
        leaf = self.targets[-1].get(name)
        if leaf is not None and self.carried:
            try:
                chains = ThroughTime(self.derivers[-1]).of(leaf)
            except Unwritable:
                return
            yield from (self._plainly(chain.result) for chain in chains)

    def _of(self, top: Formula, formula: Formula) -> Formula:
        """With the loss that is asked for, whatever the steps of the rest."""

        def change(part: Formula) -> Formula:
            match part:
                case Derivative(Symbol(name=name), bottom, at) if name == LOSS:
                    return Derivative(top, bottom, at)
            return part

        return transform(formula, change)


def vector_of(left: Formula) -> Indexed | None:
    """The row or column of a matrix by which is differentiated."""
    match left:
        case Derivative(bottom=Indexed(along=int()) as vector):
            return vector
        case _:
            return None


def _unlettered(part: Formula, letter: str) -> Formula:
    """The vector of which it is this element."""
    is_element = isinstance(part, Indexed) and [index.letter for index in part.indices] == [letter]
    return part.base if is_element and isinstance(part, Indexed) else part


def _size(formula: Formula) -> int:
    return sum(1 for _ in parts_of(formula))


def _is_nameless(part: Formula) -> bool:
    """Whether it is what a function is applied to, without a name in the equations."""
    return isinstance(part, Symbol) and part.of != ""


def _is_prime(part: Formula) -> bool:
    return isinstance(part, Apply) and part.prime


# Letters.


def _fresh(letter: str) -> Iterator[str]:
    return (f"{letter}{number}" for number in count())


def _apart(formula: Formula, fresh: Iterator[str]) -> Formula:
    """With letters of their own for the sums, so that two of them never meet."""
    parts = tuple(_apart(part, fresh) for part in children(formula))
    formula = rebuild(formula, parts) if parts else formula
    if not isinstance(formula, Sum) or formula.over_times:
        return formula
    letter = next(fresh)
    body = renamed(formula.body, {formula.letter: letter})
    return formula if body is None else Sum(letter, body, formula.size)


def _in_letters(formula: Formula, sizes: Sizes, taken: frozenset[str]) -> Formula:
    """With sums over letters that the claim has, where these run over as much, and over usual ones."""
    if not isinstance(formula, Sum) or formula.over_times:
        parts = children(formula)
        return rebuild(formula, tuple(_in_letters(p, sizes, taken) for p in parts)) if parts else formula
    try:
        size = letters_of(formula.body).get(formula.letter)
    except NonConforming:
        size = None
    fitting = [letter for letter, known in sizes.items() if letter not in taken and known in (None, size)]
    letter = next(iter([*fitting, *(usual for usual in USUAL if usual not in taken)]), formula.letter)
    body = renamed(formula.body, {formula.letter: letter})
    if body is None:
        return formula
    return Sum(letter, _in_letters(body, sizes, taken | {letter}), formula.size)


def letter_sizes(formulas: Sequence[Formula]) -> dict[str, Dim | None]:
    """Over what the letters of these formulas run, bound ones too."""
    found: dict[str, Dim | None] = {}
    for formula in formulas:
        for part in parts_of(formula):
            if isinstance(part, Indexed) and isinstance(part.base, Symbol):
                for index, size in zip(part.indices, part.base.shape, strict=False):
                    found.setdefault(index.letter, size)
    return found
