"""First values of parameters, by the part that each plays in the equations.

| part | values |
|---|---|
| look-up table (met by a token) | normal, standard deviation 0.1 |
| square matrix that meets a carried state | orthogonal (Saxe, McClelland & Ganguli 2014) |
| other matrix | uniform, variance 1 / number of inputs (LeCun et al. 1998) |
| vector or number that multiplies | one |
| other vector or number, and whatever a state starts from | zero |
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bptt.ir.expr import Expr
from bptt.ir.model import Model
from bptt.ir.ops import Op
from bptt.ir.traversal import topological

TABLE_DEVIATION = 0.1

Array = NDArray[np.float32]


@dataclass
class Part:
    """What a parameter's uses say of it; `inputs` is the axis that sums, where it is a matrix in a product."""

    table: bool = False
    recurrent: bool = False
    factor: bool = False
    inputs: int | None = None


def find_parts(model: Model) -> dict[str, Part]:
    """The part of every parameter in the equations (not in what states start from)."""
    parts = {name: Part() for name in model.params}
    carried: dict[Expr, bool] = {}
    for e in topological([*model.definitions.values(), model.objective]):
        carried[e] = e.op is Op.CARRY or any(carried[a] for a in e.args)
        for position, a in enumerate(e.args):
            if a.op is not Op.PARAM:
                continue
            part = parts[a.attr]
            if e.op is Op.LOOKUP:
                part.table = True
            elif e.op is Op.CONTRACT and len(a.shape) == 2:
                part.inputs = e.attr[position]
                part.recurrent |= a.shape[0] == a.shape[1] and carried[e.args[1 - position]]
            elif e.op in (Op.MUL, Op.DIV):
                part.factor = True
    return parts


def initial_parameters(model: Model, sizes: Mapping[str, int], seed: int) -> dict[str, Array]:
    """Values for every parameter; the same seed, name and shape give the same values in any model."""
    parts = find_parts(model)
    return {
        name: _values(
            parts[name],
            tuple(dim.evaluate(sizes) for dim in shape),
            0 if model.layout == "row" else 1,
            np.random.default_rng((seed, zlib.crc32(name.encode()))),
        )
        for name, shape in model.params.items()
    }


def _values(part: Part, shape: tuple[int, ...], input_axis: int, random: np.random.Generator) -> Array:
    if len(shape) < 2:
        return np.full(shape, 1.0 if part.factor else 0.0, np.float32)
    if part.table:
        return (random.standard_normal(shape) * TABLE_DEVIATION).astype(np.float32)
    if part.recurrent:
        return _orthogonal(shape[0], random)
    inputs = shape[input_axis if part.inputs is None else part.inputs]
    bound = np.sqrt(3 / inputs)
    return random.uniform(-bound, bound, shape).astype(np.float32)


def _orthogonal(size: int, random: np.random.Generator) -> Array:
    q, r = np.linalg.qr(random.standard_normal((size, size)))
    # The signs make the draw uniform over all orthogonal matrices (Mezzadri 2007).
    return np.ascontiguousarray(q * np.sign(np.diag(r)), dtype=np.float32)
