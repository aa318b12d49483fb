"""How a formula changes with something that is moved by real numbers.

Second derivatives are taken so: complex steps are used up by the first. Differences of sixth order are
accurate to about ten digits here, where everything is of the order of one.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bptt.checking.world import Array, Node, World
from bptt.formula.tensor import Tensor

STEP = 1e-2
WEIGHTS = ((1, 45.0), (2, -9.0), (3, 1.0))


def slope(world: World, node: Node, direction: Array, value: Callable[[World], Tensor]) -> Tensor:
    """The derivative of a value of the world, as something in it moves in a direction."""
    total: Array | None = None
    axes: tuple[str, ...] = ()
    for distance, weight in WEIGHTS:
        ahead, behind = (
            value(world.shifted(node, sign * distance * STEP * direction)) for sign in (1.0, -1.0)
        )
        change = weight * (ahead.array - behind.array)
        total, axes = (change if total is None else total + change), ahead.axes
    assert total is not None
    return Tensor(np.asarray(total / (60 * STEP)), axes)
