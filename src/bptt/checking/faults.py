"""What is wrong with a claim that does not hold: the smallest change that makes it right, and why.

Without such a change a claim is not called wrong: it may be right under a convention that nobody thought of,
and a slip of the pen is something else, one or two small things away from the truth. How much is taken for a
slip depends on the document: where everything else holds, its names and conventions have been understood.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from bptt.checking.counterexample import counterexample
from bptt.checking.derived import Derived, letter_sizes, vector_of
from bptt.checking.edits import Edit
from bptt.checking.judge import TOLERANCE, Judge, Judged, Tried, letters, mentions_loss, same, scaled
from bptt.checking.mend import DEAREST, Mend, Pool, mend, pool_of
from bptt.checking.pool import items_of, parts_of
from bptt.checking.report import Counterexample
from bptt.checking.restrictions import Restriction
from bptt.checking.scene import hadamard
from bptt.checking.standing import Standing
from bptt.checking.values import Values
from bptt.checking.written import Letter
from bptt.formula.evaluate import Unbound
from bptt.formula.shapes import BATCH, NonConforming
from bptt.formula.tensor import Tensor
from bptt.formula.tree import (
    Derivative,
    Formula,
    Hadamard,
    Kronecker,
    Number,
    Ones,
    Product,
    Quotient,
    Size,
    Symbol,
    Transpose,
    children,
    transform,
)

# Evaluations for one claim, for all claims that one model judges, and for each claim after these.
BUDGET, TOGETHER, AFTERWARDS = 2000, 20_000, 200
# So many right formulas, those that are most like the claim, are compared with it.
FORMS = 6
# What costs as much puts something else in the place of a factor, whatever that is.
FOREIGN = 2.8
WORTHLESS = (NonConforming, Unbound, KeyError, IndexError, ValueError)


@dataclass(frozen=True)
class Fault:
    """The mend, the claim as it was read, and numbers that show that it does not hold."""

    mend: Mend
    formula: Formula
    example: Counterexample | None = None


@dataclass(frozen=True)
class _Reading:
    """A way to understand a claim, with the values of its left side at the points of the judge."""

    tried: Tried
    points: tuple[Values, ...]
    truths: tuple[Tensor, ...]


class Faults:
    """Finds faults of claims judged at one model's points."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.board = judge.worlds[0].board
        self.left = TOGETHER
        self._derived: Derived | None = None
        self._hopeless: set[tuple[Formula, Formula, bool, Restriction]] = set()

    @property
    def derived(self) -> Derived:
        if self._derived is None:
            self._derived = Derived(self.board)
        return self._derived

    def find(self, judged: Judged, standing: Standing) -> Fault | None:
        """None where no small change makes the claim right, or its left side has no value."""
        if judged.left is None or judged.right is None or judged.unsure:
            return None
        if judged.misfit is not None and _holds_ones(judged.right):
            # How many ones there are, and how they lie, is more often misread than miswritten.
            return None
        if judged.is_vanishing and not standing.is_trusted:
            return None
        is_named = isinstance(judged.statement.left, Letter)
        if isinstance(judged.left, Product) and not is_named:
            # ∇ PP, taken apart: a name was not understood.
            return None
        claim = judged.left, judged.right, is_named, judged.where
        if claim in self._hopeless:
            return None
        found = self._find(judged, standing)
        if found is None:
            self._hopeless.add(claim)
        return found

    def _find(self, judged: Judged, standing: Standing) -> Fault | None:
        assert judged.left is not None and judged.right is not None
        readings = self._readings(judged, standing)
        if not readings:
            return None
        sign = -1.0 if standing.flipped else 1.0
        is_right = self._judge(readings, judged.left, sign)
        found = self._other_derivative(judged, is_right)
        if found is None:
            forms = self._forms(judged.left, judged.right, standing, is_right)
            found = self._search(readings, is_right, forms)
        at_class: set[str] = set()
        if vector_of(judged.left) is None and self.judge.is_labelled(judged.left, judged.right, judged.where):
            at_class = set(self.judge.meanings.labels)
        placed = set(readings[0].points[0].places)
        if found is None or found[0].formula in _itself(judged.left):
            return None
        if not _is_small(*found, judged.left, at_class, placed, standing.is_trusted):
            return None
        turn = sign if mentions_loss(judged.left) != mentions_loss(judged.right) else 1.0
        return Fault(*found, counterexample(readings[0].points[0], readings[0].tried.left, found[1], turn))

    def _readings(self, judged: Judged, standing: Standing) -> list[_Reading]:
        """Those in which the left side has a value that is not zero; where other claims show in which of
        them this document is meant, only these.
        """
        assert judged.left is not None and judged.right is not None
        is_labelled = self.judge.is_labelled(judged.left, judged.right, judged.where)
        found = []
        for tried in (tried for tried in judged.tried if tried.how.labelled == is_labelled):
            points = tuple(self.judge.points(tried.how, judged.where))
            try:
                truths = tuple(values(tried.left) for values in points)
            except WORTHLESS:
                continue
            if any(np.any(np.abs(truth.array) > TOLERANCE) for truth in truths):
                found.append(_Reading(tried, points, truths))
        usual = [reading for reading in found if standing.has_way(reading.tried)]
        return usual or found

    def _judge(self, readings: list[_Reading], left: Formula, sign: float) -> Callable[[Formula], int]:
        """Whether a formula is right in one of the readings (1), or its negative is (-1)."""
        ways: dict[tuple[object, ...], _Reading] = {}
        for reading in readings:
            how = reading.tried.how
            lies = how.mode.flipped, how.mode.lying
            ways.setdefault((lies, how.every_use, how.loss, how.labelled), reading)
        about_loss = mentions_loss(left)

        def agrees(reading: _Reading, formula: Formula, turn: float) -> int:
            found = {1, -1}
            for values, truth in zip(reading.points, reading.truths, strict=True):
                try:
                    value = values(formula, dict(zip(truth.letters, truth.array.shape, strict=False)))
                except WORTHLESS:
                    return 0
                found &= {s for s in found if same(truth, scaled(value, s * turn))}
                if not found:
                    return 0
            return max(found)

        def is_right(formula: Formula) -> int:
            turn = sign if about_loss != mentions_loss(formula) else 1.0
            said = [agrees(reading, formula, turn) for reading in ways.values()]
            return max(said) if 1 in said else min(said)

        return is_right

    def _other_derivative(
        self, judged: Judged, is_right: Callable[[Formula], int]
    ) -> tuple[Mend, Formula] | None:
        """For a name that is said to be a derivative of J and is not: which derivative it is."""
        right = judged.right
        if not isinstance(judged.statement.left, Letter) or not isinstance(right, Derivative):
            return None
        bottom = right.bottom
        if not isinstance(bottom, Symbol) or bottom.time is None or not mentions_loss(right.top):
            return None
        for value in self.board.values.values():
            named = replace(value.symbol, time=bottom.time)
            if is_right(other := replace(right, bottom=named)) == 1:
                same_letter = named.name.rstrip("0123456789") == bottom.name.rstrip("0123456789")
                text = ("it is the derivative by ", named, ", not by ", bottom)
                edit = Edit(other, "index" if same_letter else "typo", text, bottom, 1.0)
                return Mend(other, (edit,), edit.cost), right
        return None

    def _forms(
        self, left: Formula, right: Formula, standing: Standing, is_right: Callable[[Formula], int]
    ) -> list[Formula]:
        """Right formulas for the left side, those first that are most like the claim; where none can be
        derived, what is right elsewhere in the document.
        """
        sizes = letter_sizes([left, right])
        forms = [r for other, r in standing.rights if other == left]
        forms += self.derived.forms(left, sizes)
        forms = [form for form in dict.fromkeys(forms) if is_right(form)]
        if not forms:
            is_index = is_element(left)
            forms = [r for other, r in standing.rights if is_element(other) == is_index]
        items = frozenset(items_of(right))
        return sorted(forms, key=lambda form: len(items ^ frozenset(items_of(form))))[:FORMS]

    def _search(
        self, readings: list[_Reading], is_right: Callable[[Formula], int], forms: list[Formula]
    ) -> tuple[Mend, Formula] | None:
        """The cheapest mend, and the formula that it mends."""
        pools = [pool_of(form) for form in forms]
        vector = vector_of(readings[0].tried.left)
        if vector is not None:
            pools = [*map(pool_of, self.derived.of_vectors(readings[0].tried.left))]
            pools.append(Pool(factors=(vector, Transpose(vector))))
        if self.board.batch:
            # What each of many examples counts where J is the mean of their losses.
            number = next(iter(self.judge.meanings.counts.values()), BATCH)
            pools.append(Pool(factors=(Quotient(Number(1.0), Size(number)),)))
        pool = sum(pools[1:], pools[0]) if pools else None
        best: tuple[Mend, Formula] | None = None
        dearest = DEAREST
        for left, right in dict.fromkeys((r.tried.left, _flat(r.tried.right)) for r in readings):
            layout = "" if is_element(left) else self.judge.meanings.layout
            found = mend(
                right,
                self._counted(is_right),
                pool,
                dearest=dearest,
                budget=max(min(BUDGET, self.left), AFTERWARDS),
                layout=layout,
                letters=set(letters(left)),
                placed=readings[0].points[0].places,
            )
            if found is not None:
                best, dearest = (found, right), found.cost - 0.01
        return best

    def _counted(self, is_right: Callable[[Formula], int]) -> Callable[[Formula], int]:
        def counted(formula: Formula) -> int:
            self.left -= 1
            return is_right(formula)

        return counted


def _holds_ones(formula: Formula) -> bool:
    return isinstance(formula, Ones) or any(map(_holds_ones, children(formula)))


def _is_small(
    found: Mend, right: Formula, left: Formula, at_class: set[str], placed: set[str], is_trusted: bool
) -> bool:
    """Whether the change is a slip. A letter that nothing explains, as it is not `placed`, may stand for
    something (k, the true word): then only a change of that letter is one. To replace all that is there
    explains nothing, unless everything else in the document holds.
    """
    if _deltas(found.formula) > _deltas(right):
        # Kronecker's delta is left out by whoever says elsewhere that two indices are, or are not, the same.
        return False
    kinds = [edit.kind for edit in found.edits if edit.kind != "sign"]
    unexplained = set(letters(right)) - set(letters(left)) - placed
    if at_class & set(letters(left)) and kinds:
        # What stands at the true class may be a whole vector.
        return False
    if unexplained:
        return len(kinds) == 1 and kinds[0] in ("index", "typo", "missing-sum")
    if is_trusted and len(kinds) <= 1 and found.cost < FOREIGN:
        return True
    replaced = {"missing-factor", "extra"} <= {edit.kind for edit in found.edits} or found.place is right
    if replaced and found.kind in ("missing-factor", "extra", "missing-term"):
        return _is_divided(found.formula, right)
    return True


def _flat(formula: Formula) -> Formula:
    """a ∘ b ∘ c as one product, which is read as (a ∘ b) ∘ c."""
    return transform(formula, lambda part: hadamard(part.factors) if isinstance(part, Hadamard) else part)


def _itself(left: Formula) -> tuple[Formula, ...]:
    """What is no mend: that a thing is itself."""
    return (left, replace(left, at=None)) if isinstance(left, Derivative) else (left,)


def _deltas(formula: Formula) -> int:
    return sum(isinstance(part, Kronecker) for part in parts_of(formula))


def _is_divided(formula: Formula, right: Formula) -> bool:
    """Whether a formula is 1/N of what was claimed."""
    factors = right.factors if isinstance(right, Product) else (right,)
    match formula:
        case Product((Quotient(Number(1.0), Size()), *rest)):
            return tuple(rest) == factors
    return False


def is_element(left: Formula) -> bool:
    """Whether the left side is written with indices."""
    return any(True for _ in letters(left))
