"""The derivative of one quantity of a model by another: what each equation on the way contributes."""

from __future__ import annotations

from collections.abc import Iterator

from bptt.autodiff.reverse import reverse
from bptt.derivation.board import Value
from bptt.derivation.derive import Deriver
from bptt.derivation.jacobian import StepJacobian, add_maps
from bptt.derivation.matrix_form import Unwritable
from bptt.derivation.steps import Chain
from bptt.derivation.whole import role
from bptt.formula.tree import Derivative, Formula, Identity, Indexed
from bptt.ir import build
from bptt.ir.expr import Expr


class Path:
    """All ways from a leaf of the board up to the value `top`."""

    def __init__(self, deriver: Deriver, top: Value, leaf: Expr) -> None:
        self.deriver, self.top, self.leaf = deriver, top, leaf
        below = deriver.below_values([top])
        # In the order of computation.
        self.values = [
            v
            for v in deriver.values
            if (v is top or v.leaf in below) and v.leaf is not leaf and leaf in deriver.below_values([v])
        ]

    def local(self) -> Iterator[Chain]:
        """The derivatives of the equations on the way, element by element, from the leaf up."""
        symbols = {value.symbol for value in self.values}
        for leaf in [self.leaf, *(value.leaf for value in self.values if value is not self.top)]:
            name = self.deriver.board.symbols[leaf].name
            for chain in self.deriver.derivation(leaf, name, role(leaf)).local:
                if isinstance(chain.left, Derivative):
                    above = chain.left.top
                    if (above.base if isinstance(above, Indexed) else above) in symbols:
                        yield chain

    def matrix(self) -> Formula | None:
        """The Jacobian as it is multiplied with in this layout; None where it is no matrix."""
        if len(self.leaf.shape) != 1 or len(self.top.leaf.shape) != 1:
            return None
        step = StepJacobian(self.deriver)
        maps: dict[Expr, Formula] = {self.top.leaf: Identity(self.top.leaf.shape[0])}
        try:
            for value in reversed(self.values):
                for inner in sorted(self.deriver.leaves(value), key=lambda e: str(e.attr)):
                    if inner is self.leaf or any(inner is v.leaf for v in self.values):
                        passed = reverse({value.definition: [value.cotangent]}, [inner])[inner]
                        if not build.is_zero(passed):
                            part = step.compose(maps[value.leaf], step.linear(passed, value.cotangent))
                            maps[inner] = add_maps([maps[inner], part]) if inner in maps else part
        except Unwritable:
            return None
        return maps.get(self.leaf)
