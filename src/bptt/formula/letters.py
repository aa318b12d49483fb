"""Over how many places an index runs, from how it is used: the axis of what it stands at.

Most uses need not ask, since an element `U_ij` brings its axes along. Three have to: a Kronecker delta, an
index with an offset, and an index that runs over the first part of a concatenation, or in one over the whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bptt.formula.shapes import ONE, counted_axis, shape_of
from bptt.formula.tree import Formula, Index, Indexed, Kronecker, Sum, Symbol, children
from bptt.ir.dims import ZERO, Dim

# For each letter that is bound, or known: its size, or the formula in which that is to be looked up.
Runs = Mapping[str, "Dim | Formula"]


def is_total(dim: Dim) -> bool:
    """Whether it is a sum of sizes, as the axis of a concatenation is: `e + h`, `2h`, `h + 1`."""
    return sum(factor for _, factor in dim.terms) + abs(dim.constant) > 1 and bool(dim.terms)


def extent(part: Indexed, axis: int, layout: str) -> Dim:
    """The size of what index number `axis` of `part` stands at."""
    counted = counted_axis(part)
    if counted is not None:
        return shape_of(part.base, layout)[counted]
    if isinstance(part.base, Symbol) and axis < len(part.base.shape):
        return part.base.shape[axis]
    rows, columns = shape_of(part.base, layout)
    if len(part.indices) == 2:
        return (rows, columns)[axis]
    return columns if rows == ONE else rows


def bound(runs: Runs, over: Sum) -> Runs:
    """What is known in the body of a sum over an index."""
    return {**runs, over.letter: over.body if over.size is None else over.size}


def run(
    letter: str, runs: Runs, whole: Formula, layout: str, asked: frozenset[str] = frozenset()
) -> Dim | None:
    """The size over which a letter runs, or None where nothing says it; `asked` are letters that wait for it.

    An axis that is indexed with the letter alone decides, and of several one that is no total; then a letter
    that a Kronecker delta makes equal; then an axis that is indexed with an offset, from there to its end.
    """
    scope = runs.get(letter, whole)
    if isinstance(scope, Dim):
        return scope
    total: Dim | None = None
    shifted: Dim | None = None
    equal: list[tuple[str, Runs]] = []
    for part, axis, inner in _uses(scope, letter, runs):
        if isinstance(part, Kronecker):
            index, other = (part.left, part.right)[axis], (part.left, part.right)[1 - axis]
            if other.offset == index.offset:
                equal.append((other.letter, inner))
            continue
        index, size = part.indices[axis], extent(part, axis, layout)
        if index.offset != ZERO:
            shifted = shifted or size - index.offset
        elif not is_total(size):
            return size
        else:
            total = total or size
    if total is not None:
        return total
    for other_letter, inner in equal:
        if other_letter not in asked | {letter}:
            found = run(other_letter, inner, whole, layout, asked | {letter})
            if found is not None:
                return found
    return shifted


def _uses(formula: Formula, letter: str, runs: Runs) -> Iterator[tuple[Indexed | Kronecker, int, Runs]]:
    """Where the letter stands free: the part, the number of the index, and what is known of letters there."""
    if isinstance(formula, (Indexed, Kronecker)):
        indices: tuple[Index, ...] = (
            formula.indices if isinstance(formula, Indexed) else (formula.left, formula.right)
        )
        for axis, index in enumerate(indices):
            if index.letter == letter:
                yield formula, axis, runs
    if isinstance(formula, Sum) and not formula.over_times:
        if formula.letter == letter:
            return
        runs = bound(runs, formula)
    for part in children(formula):
        yield from _uses(part, letter, runs)
