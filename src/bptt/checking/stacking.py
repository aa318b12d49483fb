"""Vectors that are cut into pieces: z = W x + U h + b and z = [î; f̂; ô; ĝ], which both hold.

The second says what î, f̂, ô and ĝ are, if nothing else does: the parts of z, in this order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bptt.checking.equations import Stated
from bptt.syntax import tree
from bptt.syntax.tree import Equation


def unstacked(equations: Sequence[Stated]) -> list[Stated]:
    """The equations with one for each part in the place of a statement that cuts a vector into its parts."""
    defined = {stated.equation.target.id for stated in equations}
    made = {s.equation.target.id for s in equations if not isinstance(s.equation.value, tree.Concatenation)}
    found: list[Stated] = []
    for stated in equations:
        parts = list(_parts(stated.equation))
        cuts = (
            stated.equation.target.id in made
            and len(parts) > 1
            and not defined & {p.target.id for p in parts}
        )
        found += [Stated(stated.number, part) for part in parts] if cuts else [stated]
    return found


def _parts(equation: Equation) -> Iterator[Equation]:
    """An equation for each name of a concatenation of nothing but names; none for anything else."""
    value = equation.value
    if not isinstance(value, tree.Concatenation):
        return
    names = [item for item in value.items if isinstance(item, tree.Name) and not item.lag]
    if len({name.id for name in names}) < len(value.items):
        return
    ids = tuple(name.id for name in names)
    for place, name in enumerate(names):
        yield Equation(name, tree.Part(equation.target, ids, place, name.span), equation.span)
