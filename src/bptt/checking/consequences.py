"""Whether a claim in matrices repeats one in elements.

∂J/∂H_ij with a wrong index, and then ∂J/∂H with factors in an order that has no product: where all sizes are
the same, both have a value, and if it is one value, the second error is the first.
"""

from __future__ import annotations

import numpy as np

from bptt.checking.judge import Judge, Judged, same
from bptt.checking.values import Values
from bptt.checking.world import World
from bptt.formula.evaluate import Unbound
from bptt.formula.shapes import NonConforming
from bptt.formula.tensor import matrix
from bptt.formula.tree import Derivative, Indexed

SIZE = 4
SEED = 4


def repeats(earlier: Judged, now: Judged, judge: Judge) -> bool:
    """Whether `now`, about a whole, says what `earlier` says about its elements."""
    match earlier.left, now.left:
        case (
            Derivative(top, Indexed(base, indices)),
            Derivative(whole_top, whole),
        ) if (top, base) == (whole_top, whole) and len(indices) == 2:
            letters = [index.letter for index in indices]
        case _:
            return False
    if earlier.right is None or now.right is None:
        return False
    world = judge.worlds[0]
    square = World(world.board, SEED, False, world.targets, size=SIZE)
    values = Values(square, loss=judge.losses[0], until=judge.until)
    try:
        elements = values(earlier.right, dict.fromkeys(letters, SIZE))
        value = values(now.right)
    except (NonConforming, Unbound, KeyError, IndexError, ValueError):
        return False
    if set(elements.axes) != set(letters):
        return False
    array = np.transpose(elements.array, [elements.axes.index(letter) for letter in letters])
    return same(matrix(array), value) or same(matrix(-array), value)
