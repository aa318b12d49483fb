"""First values of parameters, by the part that each plays in the equations.

| part | values |
|---|---|
| look-up table (met by a token) | normal, standard deviation 0.1 |
| square matrix that meets a carried state | Q, orthogonal (Saxe, McClelland & Ganguli 2014) |
| the same where the state is carried on whole, h + f(h W) | (Q - I) / 2 |
| other matrix | uniform, variance 1 / number of inputs (LeCun et al. 1998) |
| vector or number that multiplies | one |
| other vector or number, and whatever a state starts from | zero |

Of h + f(h W) a step multiplies small changes by I + W. With an orthogonal W that doubles some of them, and
nothing bounds the state: it runs away. (I + Q) / 2 lengthens nothing.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bptt.ir import build
from bptt.ir.dims import VOCABULARY
from bptt.ir.expr import Expr
from bptt.ir.model import Model
from bptt.ir.ops import Op
from bptt.ir.traversal import substitute, topological

TABLE_DEVIATION = 0.1

Array = NDArray[np.float32]


@dataclass
class Part:
    """What a parameter's uses say of it.

    `inputs` is the axis that sums in a product, `recurrent` the carries that a square matrix meets there.
    """

    table: bool = False
    recurrent: frozenset[str] = frozenset()
    factor: bool = False
    inputs: int | None = None


def find_parts(model: Model) -> dict[str, Part]:
    """The part of every parameter in the equations (not in what states start from)."""
    parts = {name: Part() for name in model.params}
    carried: dict[Expr, frozenset[str]] = {}
    for e in topological([*model.definitions.values(), model.objective]):
        own = frozenset({e.attr}) if e.op is Op.CARRY else frozenset()
        carried[e] = own.union(*(carried[a] for a in e.args))
        for position, a in enumerate(e.args):
            if a.op is not Op.PARAM:
                continue
            part = parts[a.attr]
            if e.op is Op.CONTRACT and len(a.shape) == 2:
                other = e.args[1 - position]
                part.inputs = e.attr[position]
                part.table |= other.op is Op.TOKEN
                if a.shape[0] == a.shape[1]:
                    part.recurrent |= carried[other]
            elif e.op in (Op.MUL, Op.DIV):
                part.factor = True
    return parts


def carried_whole(model: Model, parts: Mapping[str, Part]) -> set[str]:
    """The states that, but for products with recurrent matrices, are what they were plus something."""
    recurrent = {
        build.param(name, shape): build.zeros(shape)
        for name, shape in model.params.items()
        if parts[name].recurrent
    }
    whole = set()
    for state in model.states:
        carry = build.carry(state.name, state.shape)
        update = substitute(state.update, recurrent)
        terms = update.args if update.op is Op.ADD else (update,)
        if carry in terms and sum(carry in topological([term]) for term in terms) == 1 and len(terms) > 1:
            whole.add(state.name)
    return whole


def initial_parameters(model: Model, sizes: Mapping[str, int], seed: int) -> dict[str, Array]:
    """Values for every parameter; the same seed, name and shape give the same values in any model."""
    values = {}
    # Of a one-hot vector, however long, a single entry counts.
    counted = {**sizes, str(VOCABULARY): 1}
    parts = find_parts(model)
    whole = carried_whole(model, parts)
    for name, part in parts.items():
        dims = model.params[name]
        shape = tuple(dim.evaluate(sizes) for dim in dims)
        random = np.random.default_rng((seed, zlib.crc32(name.encode())))
        if len(shape) < 2:
            value = np.full(shape, 1.0 if part.factor else 0.0)
        elif part.table:
            value = random.standard_normal(shape) * TABLE_DEVIATION
        elif part.recurrent:
            value = _orthogonal(shape[0], random)
            if part.recurrent & whole:
                value = (value - np.eye(shape[0])) / 2
        else:
            axis = part.inputs if part.inputs is not None else 0 if model.layout == "row" else 1
            bound = np.sqrt(3 / dims[axis].evaluate(counted))
            value = random.uniform(-bound, bound, shape)
        values[name] = np.ascontiguousarray(value, dtype=np.float32)
    return values


def _orthogonal(size: int, random: np.random.Generator) -> NDArray[np.float64]:
    q, r = np.linalg.qr(random.standard_normal((size, size)))
    # The signs make the draw uniform over all orthogonal matrices (Mezzadri 2007).
    return np.asarray(q * np.sign(np.diag(r)))
