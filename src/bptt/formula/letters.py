"""Over how many places an index runs, from how it is used: the axis of what it stands at.

Most uses need not ask, since an element `U_ij` brings its axes along; a Kronecker delta and an index with an
offset have to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bptt.formula.shapes import shape_of
from bptt.formula.tree import Formula, Index, Indexed, Kronecker, Sum, Symbol, children
from bptt.ir.dims import ZERO, Dim

# For each letter that is bound, or known: how many places, or the formula in which it is to be looked up.
Runs = Mapping[str, "int | Formula"]


def bound(runs: Runs, sum_: Sum, sizes: Mapping[str, int]) -> Runs:
    """What holds in the body of a sum over an index."""
    return {**runs, sum_.letter: sum_.body if sum_.size is None else sum_.size.evaluate(sizes)}


def places(letter: str, runs: Runs, whole: Formula, sizes: Mapping[str, int], layout: str) -> int | None:
    """The number of places of a letter, or None where nothing says it.

    An axis that is indexed with the letter alone decides; then a letter that a Kronecker delta makes equal to
    it; then an axis that is indexed with an offset, from where the offset puts the first place to the end.
    """
    return _places(letter, runs, whole, sizes, layout, frozenset())


def _places(
    letter: str, runs: Runs, whole: Formula, sizes: Mapping[str, int], layout: str, asked: frozenset[str]
) -> int | None:
    scope = runs.get(letter, whole)
    if isinstance(scope, int):
        return scope
    shifted: int | None = None
    equal: list[tuple[str, Runs]] = []
    for part, index, axis, inner in _uses(scope, letter, runs, sizes):
        if isinstance(part, Kronecker):
            other = (part.left, part.right)[1 - axis]
            if other.offset == index.offset:
                equal.append((other.letter, inner))
            continue
        size = _extent(part, axis, layout).evaluate(sizes)
        if index.offset == ZERO:
            return size
        shifted = size - index.offset.evaluate(sizes) if shifted is None else shifted
    for other_letter, inner in equal:
        if other_letter not in asked | {letter}:
            found = _places(other_letter, inner, whole, sizes, layout, asked | {letter})
            if found is not None:
                return found
    return shifted


def _uses(
    formula: Formula, letter: str, runs: Runs, sizes: Mapping[str, int]
) -> Iterator[tuple[Indexed | Kronecker, Index, int, Runs]]:
    """Where the letter stands free: the part, the index, its place among the indices, what is bound there."""
    if isinstance(formula, (Indexed, Kronecker)):
        indices = formula.indices if isinstance(formula, Indexed) else (formula.left, formula.right)
        for axis, index in enumerate(indices):
            if index.letter == letter:
                yield formula, index, axis, runs
    if isinstance(formula, Sum) and not formula.over_times:
        if formula.letter == letter:
            return
        runs = bound(runs, formula, sizes)
    for part in children(formula):
        yield from _uses(part, letter, runs, sizes)


def _extent(part: Indexed, axis: int, layout: str) -> Dim:
    """The size of the axis of `part` that its index number `axis` runs over."""
    if isinstance(part.base, Symbol) and axis < len(part.base.shape):
        return part.base.shape[axis]
    rows, columns = shape_of(part.base, layout)
    if len(part.indices) == 2:
        return (rows, columns)[axis]
    return columns if rows == Dim.number(1) else rows
