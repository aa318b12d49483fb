"""Values of single expressions, and their derivatives by finite differences, for tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from bptt.backends.base import Array
from bptt.backends.kernels import READS_IDS, evaluate, one_hot
from bptt.ir import build
from bptt.ir.dims import Dim, Shape
from bptt.ir.expr import Expr
from bptt.ir.ops import Op
from bptt.ir.traversal import topological

# Sizes of all axes that tests use: all different, so that no transposed matrix passes by luck.
SIZES = {"h": 3, "k": 4, "m": 2, "V": 5}
H, K, M, V = (Dim.named(name) for name in SIZES)


def a(*shape: Dim) -> Expr:
    return build.param("a", shape)


def b(*shape: Dim) -> Expr:
    return build.param("b", shape)


def c(*shape: Dim) -> Expr:
    return build.param("c", shape)


def numbers(shape: Shape) -> tuple[int, ...]:
    return tuple(dim.evaluate(SIZES) for dim in shape)


def value_of(e: Expr, leaves: Mapping[Expr, Array], dtype: type = np.float64) -> Array:
    """The value of `e` for one example at one step; tokens are given as ids."""
    env: dict[Expr, Array] = {leaf: np.asarray(array) for leaf, array in leaves.items()}
    for node in topological([e]):
        if node.op is Op.CONST:
            env[node] = np.asarray(node.attr, dtype)
        elif node not in env:
            args = [
                one_hot(env[arg], SIZES["V"], np.dtype(dtype))
                if arg.op is Op.TOKEN and node.op not in READS_IDS
                else env[arg]
                for arg in node.args
            ]
            env[node] = evaluate(node, args, SIZES)
    return env[e]


def drawn(roots: Iterable[Expr], rng: np.random.Generator, positive: bool = False) -> dict[Expr, Array]:
    """Random numbers for the leaves below: away from zero, where kinks are, by at least 0.2."""
    leaves: dict[Expr, Array] = {}
    for e in topological(roots):
        if e.op is Op.TOKEN:
            leaves[e] = np.asarray(rng.integers(SIZES["V"]), np.int32)
        elif not e.args and e.op not in (Op.CONST, Op.SIZE):
            size = rng.uniform(0.2, 1.5, numbers(e.shape))
            leaves[e] = size if positive else size * rng.choice([-1.0, 1.0], size.shape)
    return leaves


def slopes(e: Expr, leaf: Expr, leaves: Mapping[Expr, Array], h: float = 2e-3) -> Array:
    """The derivative of the scalar `e` by each element of a leaf, by central differences of sixth order."""

    def moved(index: tuple[int, ...], by: float) -> float:
        array = np.array(leaves[leaf], np.float64)
        array[index] += by
        return float(value_of(e, {**leaves, leaf: array}))

    result = np.empty(np.shape(leaves[leaf]))
    for index in np.ndindex(result.shape):
        one, two, three = (moved(index, n * h) - moved(index, -n * h) for n in (1, 2, 3))
        result[index] = (45 * one - 9 * two + three) / (60 * h)
    return result
