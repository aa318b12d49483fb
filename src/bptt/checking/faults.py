"""What is wrong with a claim that does not hold: the smallest change that makes it right, and why.

Without such a change a claim is not called wrong. It may be right under a convention that nobody thought of;
a slip of the pen is something else: one or two small things away from the truth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from bptt.checking.counterexample import counterexample
from bptt.checking.edits import Edit
from bptt.checking.judge import Agreement, Judge, Judged, letters, mentions_loss, same, scaled
from bptt.checking.meaning import Mode
from bptt.checking.mend import Mend, Pool, mend, pool_of
from bptt.checking.pool import letters_of, renamed
from bptt.checking.report import Counterexample
from bptt.checking.restrictions import Restriction
from bptt.checking.written import Letter
from bptt.derivation.derive import Deriver
from bptt.derivation.matrix_form import Unwritable
from bptt.derivation.steps import Chain, Derivation
from bptt.derivation.through_time import ThroughTime
from bptt.derivation.whole import role, targets
from bptt.formula.evaluate import Unbound
from bptt.formula.shapes import BATCH, NonConforming
from bptt.formula.tree import (
    Derivative,
    Formula,
    Indexed,
    Number,
    Product,
    Quotient,
    Size,
    Symbol,
    TokenPart,
    Transpose,
    transform,
)

# A bound for what has no end; the search counts its evaluations.
SECONDS = 1.0
MOST_SEARCHES = 100


@dataclass(frozen=True)
class Fault:
    """The mend, the claim as it was read, and numbers that show that it is wrong."""

    mend: Mend
    formula: Formula
    example: Counterexample | None = None


class Faults:
    """Finds faults of claims judged at one model's points; `sign` is that of the document's J relative to
    the cross-entropy.
    """

    def __init__(self, judge: Judge, sign: float) -> None:
        self.judge, self.sign = judge, sign
        self.board = judge.worlds[0].board
        self.deriver = Deriver(self.board)
        self._searches = 0
        self._hopeless: set[tuple[Formula, Formula, bool, Restriction]] = set()

    def find(self, judged: Judged) -> Fault | None:
        """None where no small change makes the claim right, or its left side has no value; and for what comes
        after more claims that do not hold than a document has that is meant well.
        """
        if judged.left is None or judged.right is None or judged.is_zero or judged.unsure:
            return None
        claim = judged.left, judged.right, isinstance(judged.statement.left, Letter), judged.where
        if claim in self._hopeless or self._searches >= MOST_SEARCHES:
            return None
        self._searches += 1
        found = self._find(judged)
        if found is None:
            self._hopeless.add(claim)
        return found

    def _find(self, judged: Judged) -> Fault | None:
        assert judged.left is not None and judged.right is not None
        is_labelled = self.judge.is_labelled(judged.left, judged.right, judged.where)
        mode = Mode("even", *self.judge.layout)
        how = Agreement(loss=self.judge.losses[0], mode=mode, labelled=is_labelled)
        points = self.judge.points(how, judged.where)
        try:
            truths = [values(judged.left) for values in points]
        except (NonConforming, Unbound, KeyError, IndexError, ValueError):
            return None

        sign = self.sign if mentions_loss(judged.left) != mentions_loss(judged.right) else 1.0

        def is_right(formula: Formula) -> int:
            found = {1, -1}
            for values, truth in zip(points, truths, strict=True):
                try:
                    value = values(formula, dict(zip(truth.letters, truth.array.shape, strict=False)))
                except (NonConforming, Unbound, KeyError, IndexError, ValueError):
                    return 0
                found &= {s for s in found if same(truth, scaled(value, sign * s))}
                if not found:
                    return 0
            return max(found)

        found = self._other_derivative(judged, is_right) or mend(
            judged.right,
            is_right,
            self._pool(judged.left),
            seconds=SECONDS,
            layout="" if is_element(judged.left) else self.judge.meanings.layout,
            letters=set(letters(judged.left)),
            placed=points[0].places,
        )
        if found is None or not _is_small(found, judged.left, judged.right, set(points[0].places)):
            return None
        if isinstance(judged.left, Derivative) and found.formula in (
            judged.left,
            replace(judged.left, at=None),
        ):
            # That a thing is itself is no mend.
            return None
        at_class = is_labelled and self.judge.meanings.labels.keys() & set(letters(judged.left))
        if at_class and found.kind != "sign" and _vector(judged.left) is None:
            # What stands at the true class may be a whole vector.
            return None
        example = counterexample(points[0], judged.left, judged.right, sign)
        return Fault(found, judged.right, example)

    def _other_derivative(self, judged: Judged, is_right: Callable[[Formula], int]) -> Mend | None:
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
                return Mend(other, (edit,), edit.cost)
        return None

    def _pool(self, left: Formula) -> Pool | None:
        """What the right formula is made of, in the letters of the claim."""
        derivation = self._derivation(left)
        if derivation is None:
            return None
        chains: list[Chain | None] = [derivation.index]
        if not is_element(left):
            chains = [derivation.matrix, derivation.written_out, *derivation.forms]
            chains += self._readings(derivation)
        results = [renamed(c.result, _letters(c.left, left)) for c in chains if c is not None]
        pools = [pool_of(result) for result in results if result is not None]
        vector = _vector(left)
        if vector is not None:
            pools = [_of_vectors(derivation.index, vector), Pool(factors=(vector, Transpose(vector)))]
        if pools and self.board.batch:
            # What each of many examples counts where J is the mean of their losses.
            number = next(iter(self.judge.meanings.counts.values()), BATCH)
            pools.append(Pool(factors=(Quotient(Number(1.0), Size(number)),)))
        return sum(pools[1:], pools[0]) if pools else None

    def _readings(self, derivation: Derivation) -> list[Chain]:
        if not self.board.recurrent:
            return []
        try:
            return ThroughTime(self.deriver).of(targets(self.board)[derivation.name])
        except Unwritable:
            return []

    def _derivation(self, left: Formula) -> Derivation | None:
        if not isinstance(left, Derivative) or not isinstance(left.top, Symbol) or left.top.name != "J":
            return None
        bottom = left.bottom.base if isinstance(left.bottom, Indexed) else left.bottom
        if isinstance(bottom, TokenPart):
            bottom = bottom.table
        for name, leaf in targets(self.board).items():
            if self.board.symbols[leaf] == bottom:
                try:
                    return self.deriver.derivation(leaf, name, role(leaf))
                except Unwritable:
                    return None
        return None


def _without_bar(formula: Formula) -> Formula:
    return replace(formula, at=None) if isinstance(formula, Derivative) else formula


def _is_small(found: Mend, left: Formula, right: Formula, placed: set[str]) -> bool:
    """Whether the change is a slip. A letter that nothing explains, as it is not `placed`, may stand for
    something (k, the true word): then only a change of that letter is one. And to replace all that is there
    explains nothing.
    """
    kinds = [edit.kind for edit in found.edits if edit.kind != "sign"]
    replaced = {"missing-factor", "extra"} <= {edit.kind for edit in found.edits} or found.place is right
    if replaced and found.kind in ("missing-factor", "extra", "missing-term"):
        return _is_divided(found.formula, right)
    unexplained = set(letters(right)) - set(letters(left)) - placed
    return not unexplained or (len(kinds) == 1 and kinds[0] in ("index", "typo", "missing-sum"))


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


def _letters(right: Formula, claimed: Formula) -> dict[str, str]:
    """The letters of the derivation's left side, each with that of the claim."""
    return dict(zip(letters(right), letters(claimed), strict=False))


def _vector(left: Formula) -> Indexed | None:
    """The row or column of a matrix by which is differentiated."""
    match left:
        case Derivative(bottom=Indexed(along=int()) as vector):
            return vector
        case _:
            return None


def _of_vectors(chain: Chain | None, vector: Indexed) -> Pool:
    """What is right for each element of a matrix, (ŷ_i − y_i) v_j, as it is for each of its vectors:
    (ŷ_w − y_w) v.
    """
    match chain.left if chain is not None else None:
        case Derivative(bottom=Indexed(indices=(rows, columns))):
            along, counted = (columns, rows) if vector.along else (rows, columns)
            assert chain is not None
            whole = transform(
                chain.result,
                lambda part: part.base if isinstance(part, Indexed) and part.indices == (along,) else part,
            )
            result = renamed(whole, {counted.letter: vector.indices[0].letter})
            if result is not None and along.letter not in letters_of(result):
                return pool_of(result)
    return Pool()
