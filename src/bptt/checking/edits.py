"""Every formula that is one edit away from a wrong one, with what was done, in words for a student."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bptt.checking.changes import RULES
from bptt.checking.fitting import Fitting
from bptt.checking.pool import Pool, negated, pool_of, sign_of
from bptt.checking.scene import Scene, places, put
from bptt.formula.tree import Formula, Text
from bptt.render.unicode import show

__all__ = ["SIGN", "Edit", "Pool", "edits", "pool_of"]

# What a sign costs that is wrong beside something else, or alone.
SIGN = 0.5


@dataclass(frozen=True)
class Edit:
    """`formula` is what comes out, `kind` a key of report.KINDS, `text` what was done. `place` is the part of
    the formula before that is at fault, the very object.
    """

    formula: Formula
    kind: str
    text: Text
    place: Formula
    cost: float

    @property
    def words(self) -> str:
        return "".join(part if isinstance(part, str) else show(part) for part in self.text)


def turned(formula: Formula) -> Edit:
    """The negative."""
    return Edit(negated(formula), "sign", ("the sign is the other way round",), sign_of(formula), SIGN)


def edits(
    formula: Formula, pool: Pool | None = None, layout: str = "", fitting: Fitting | None = None
) -> Iterator[Edit]:
    """All single edits, the cheapest first, always in the same order; some may be the same formula.

    `pool` is what can be put in. With a layout, factors are not put in where nothing beside them fits;
    `fitting` remembers what was found out for other formulas of that layout.
    """
    yield turned(formula)
    scene = Scene(formula, pool or Pool(), fitting or Fitting(layout))
    known = tuple(places(formula))
    for cost, rule in RULES:
        for place in known:
            for change in rule(place, scene):
                at_fault = place.part if change.place is None else change.place
                yield Edit(put(formula, place.path, change.part), change.kind, change.text, at_fault, cost)
