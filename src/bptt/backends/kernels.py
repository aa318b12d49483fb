"""Every operation in NumPy, on arrays with any leading axes (examples, steps and examples, or none).

A value that varies has leading axes, one that does not has none; a row of this table sees the arrays aligned
so that NumPy's broadcasting does the right thing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from bptt.ir.expr import Expr
from bptt.ir.ops import ELEMENTWISE, Op

Array = npt.NDArray[Any]


def dropout_mask(
    seed: int, key: int, rate: float, indices: npt.NDArray[np.uint32]
) -> npt.NDArray[np.float64]:
    """0 or 1/(1-rate) for each index: a hash of (seed, key, index), the same on every backend and thread
    count.
    """
    x = indices * np.uint32(0x9E3779B1) + np.uint32((seed * 0x85EBCA77 + key * 0xC2B2AE3D) & 0xFFFFFFFF)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x7FEB352D)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x846CA68B)
    x ^= x >> np.uint32(16)
    kept = x.astype(np.float64) >= np.floor(rate * 2.0**32)
    return np.where(kept, 1.0 / (1.0 - rate), 0.0)


def evaluate(e: Expr, args: list[Array], sizes: Mapping[str, int]) -> Array:
    """The value of one operation (not a leaf other than SIZE) from the values of its arguments."""
    if e.op in ELEMENTWISE:
        args = [_aligned(a, array, len(e.shape)) for a, array in zip(e.args, args, strict=True)]
    return KERNELS[e.op](e, args, sizes)


def _aligned(e: Expr, array: Array, rank: int) -> Array:
    """A scalar gets unit axes where the other operand has a vector or matrix."""
    missing = rank - len(e.shape)
    return array.reshape(array.shape + (1,) * missing) if missing and e.varies else array


def one_hot(token: Array, vocabulary: int, dtype: np.dtype[Any]) -> Array:
    """The token ids as one-hot vectors; what are vectors already stay what they are."""
    if not np.issubdtype(token.dtype, np.integer):
        return token
    dense = np.zeros((*token.shape, vocabulary), dtype)
    np.put_along_axis(dense, token[..., None], np.ones((), dtype), axis=-1)
    return dense


def _is_dense(token: Array) -> bool:
    return not np.issubdtype(token.dtype, np.integer)


def _sigmoid(e: Expr, args: list[Array], sizes: Mapping[str, int]) -> Array:
    (a,) = args
    # The argument of exp is never positive, so nothing overflows.
    decay = np.exp(-np.abs(a))
    return np.where(a >= 0, 1.0, decay) / (1.0 + decay)


def _softplus(e: Expr, args: list[Array], sizes: Mapping[str, int]) -> Array:
    (a,) = args
    return np.maximum(a, 0.0) + np.log1p(np.exp(-np.abs(a)))


def _logsumexp(a: Array) -> Array:
    top = a.max(axis=-1, keepdims=True)
    return np.log(np.exp(a - top).sum(axis=-1, keepdims=True)) + top


def _softmax(e: Expr, args: list[Array], sizes: Mapping[str, int]) -> Array:
    (a,) = args
    powers = np.exp(a - a.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _cross_entropy(e: Expr, args: list[Array], sizes: Mapping[str, int]) -> Array:
    logits, target = args
    if _is_dense(target):
        return -(target * (logits - _logsumexp(logits))).sum(axis=-1)
    # Logits of parameters alone are the same for every token.
    each = np.broadcast_to(logits, (*target.shape, logits.shape[-1]))
    picked = np.take_along_axis(each, target[..., None], axis=-1)
    return (_logsumexp(logits) - picked)[..., 0]


_AXES = "ij"


def _contract(e: Expr, args: list[Array], sizes: Mapping[str, int]) -> Array:
    a, b = args
    i, j = e.attr
    rank_a, rank_b = len(e.args[0].shape), len(e.args[1].shape)
    if rank_a == 1 and rank_b == 1:
        return (a * b).sum(axis=-1)
    if rank_a == 1 and not e.args[1].varies:
        return a @ (b if j == 0 else b.T)
    letters_a, letters_b = ["p", "q"][:rank_a], ["r", "s"][:rank_b]
    letters_a[i] = letters_b[j] = "k"
    kept = [x for x in (*letters_a, *letters_b) if x != "k"]
    return np.einsum(f"...{''.join(letters_a)},...{''.join(letters_b)}->...{''.join(kept)}", a, b)


def _lookup(e: Expr, args: list[Array], sizes: Mapping[str, int]) -> Array:
    table, token = args
    rows = table if e.attr == 0 else np.swapaxes(table, -1, -2)
    if not e.args[0].varies:
        return token @ rows if _is_dense(token) else rows[token]
    # Each example has a table of its own.
    if _is_dense(token):
        return (token[..., None, :] @ rows)[..., 0, :]
    return np.take_along_axis(rows, token[..., None, None], axis=-2)[..., 0, :]


def _scatter(e: Expr, args: list[Array], sizes: Mapping[str, int]) -> Array:
    token, vector = args
    dense = one_hot(token, e.args[0].shape[0].evaluate(sizes), vector.dtype)
    return (
        dense[..., :, None] * vector[..., None, :]
        if e.attr == 0
        else vector[..., :, None] * dense[..., None, :]
    )


def _broadcast(e: Expr, args: list[Array], sizes: Mapping[str, int]) -> Array:
    (a,) = args
    shape = tuple(dim.evaluate(sizes) for dim in e.shape)
    return np.broadcast_to(a.reshape(a.shape + (1,) * len(shape)), a.shape + shape)


def _concat(e: Expr, args: list[Array], sizes: Mapping[str, int]) -> Array:
    rank = len(e.shape)
    lead = np.broadcast_shapes(*(a.shape[: a.ndim - rank] for a in args))
    return np.concatenate(
        [np.broadcast_to(a, lead + a.shape[a.ndim - rank :]) for a in args], axis=e.attr - rank
    )


def _slice(e: Expr, args: list[Array], sizes: Mapping[str, int]) -> Array:
    axis, start, stop = e.attr
    after = len(e.shape) - 1 - axis
    return args[0][(..., slice(start.evaluate(sizes), stop.evaluate(sizes)), *(slice(None),) * after)]


def _total(e: Expr, args: list[Array], sizes: Mapping[str, int]) -> Array:
    (a,) = args
    return a.sum(axis=tuple(range(-len(e.args[0].shape), 0)))


def _sum_of_terms(e: Expr, args: list[Array], sizes: Mapping[str, int]) -> Array:
    result = args[0]
    for a in args[1:]:
        result = result + a
    return result


KERNELS: dict[Op, Callable[[Expr, list[Array], Mapping[str, int]], Array]] = {
    Op.ADD: _sum_of_terms,
    Op.MUL: lambda e, args, sizes: args[0] * args[1],
    Op.DIV: lambda e, args, sizes: args[0] / args[1],
    Op.NEG: lambda e, args, sizes: -args[0],
    Op.POW: lambda e, args, sizes: args[0] ** e.attr,
    Op.EXP: lambda e, args, sizes: np.exp(args[0]),
    Op.LOG: lambda e, args, sizes: np.log(args[0]),
    Op.SQRT: lambda e, args, sizes: np.sqrt(args[0]),
    Op.TANH: lambda e, args, sizes: np.tanh(args[0]),
    Op.SIGMOID: _sigmoid,
    Op.RELU: lambda e, args, sizes: np.maximum(args[0], 0),
    Op.STEP: lambda e, args, sizes: (args[0] > 0).astype(args[0].dtype),
    Op.SOFTPLUS: _softplus,
    Op.CONTRACT: _contract,
    Op.OUTER: lambda e, args, sizes: args[0][..., :, None] * args[1][..., None, :],
    Op.TRANSPOSE: lambda e, args, sizes: np.swapaxes(args[0], -1, -2),
    Op.LOOKUP: _lookup,
    Op.SCATTER: _scatter,
    Op.SUM: _total,
    Op.BROADCAST: _broadcast,
    Op.SOFTMAX: _softmax,
    Op.LOG_SOFTMAX: lambda e, args, sizes: args[0] - _logsumexp(args[0]),
    Op.LOGSUMEXP: lambda e, args, sizes: _logsumexp(args[0])[..., 0],
    Op.CROSS_ENTROPY: _cross_entropy,
    Op.CONCAT: _concat,
    Op.SLICE: _slice,
}
# Operations that take token ids as they are; for all others a token is made a one-hot vector first.
READS_IDS = frozenset({Op.LOOKUP, Op.SCATTER, Op.CROSS_ENTROPY})
