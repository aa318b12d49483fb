"""What fits together, remembered: thousands of candidates share most of their parts."""

from __future__ import annotations

from bptt.checking.pool import Pool, parts_of
from bptt.formula.letters import extent, is_total
from bptt.formula.shapes import NUMBER, NonConforming, Pair, shape_of
from bptt.formula.tree import (
    Add,
    Apply,
    Diag,
    Formula,
    Hadamard,
    Indexed,
    Kronecker,
    Neg,
    Power,
    Product,
    Quotient,
    Sum,
    Symbol,
    Transpose,
    children,
    rebuild,
)
from bptt.ir.dims import ZERO, Dim

_COMPOSED = Add | Apply | Diag | Hadamard | Neg | Power | Product | Quotient | Sum | Transpose


class Fitting:
    """Shapes of formulas in a layout, "" where it is not known, and the letters of pools."""

    def __init__(self, layout: str = "") -> None:
        self.layout = layout
        # By identity; the formula is kept, so that no other gets its identity.
        self._shapes: dict[int, tuple[Formula, Pair | None]] = {}
        self._letters: dict[int, tuple[Pool, dict[str, set[Dim]]]] = {}

    def shape(self, formula: Formula) -> Pair | None:
        """None where it does not conform. (In rows, where the layout is not known.)"""
        known = self._shapes.get(id(formula))
        if known is None:
            known = formula, self._computed(formula)
            self._shapes[id(formula)] = known
        return known[1]

    def _computed(self, formula: Formula) -> Pair | None:
        if isinstance(formula, _COMPOSED):
            parts = []
            for part in children(formula):
                if isinstance(part, _COMPOSED):
                    shape = self.shape(part)
                    if shape is None:
                        return None
                    # A name for whatever has this shape.
                    part = Symbol("", () if shape == NUMBER else shape)
                parts.append(part)
            formula = rebuild(formula, tuple(parts))
        try:
            return shape_of(formula, self.layout or "row")
        except (NonConforming, ValueError):
            return None

    def axis(self, part: Indexed, k: int) -> tuple[Dim, ...]:
        """The size of an axis, where an index that fits it has to run over it all."""
        if part.indices[k].offset != ZERO:
            return ()
        try:
            size = extent(part, k, self.layout or "row")
        except (NonConforming, ValueError):
            return ()
        return () if is_total(size) else (size,)

    def letters(self, formula: Formula, pool: Pool) -> dict[str, set[Dim]]:
        """The letters of the formula and of the pool, and over what they run."""
        known = self._letters.get(id(pool))
        if known is None:
            own: dict[str, set[Dim]] = {}
            for given in (*pool.factors, *pool.sums):
                self._add(given, own)
            known = pool, own
            self._letters[id(pool)] = known
        found: dict[str, set[Dim]] = {}
        self._add(formula, found)
        for letter, sizes in known[1].items():
            found.setdefault(letter, set()).update(sizes)
        return found

    def _add(self, formula: Formula, found: dict[str, set[Dim]]) -> None:
        for part in parts_of(formula):
            match part:
                case Indexed(indices=indices):
                    for k, index in enumerate(indices):
                        found.setdefault(index.letter, set()).update(self.axis(part, k))
                case Kronecker(left, right):
                    found.setdefault(left.letter, set())
                    found.setdefault(right.letter, set())
