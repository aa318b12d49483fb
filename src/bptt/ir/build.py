"""Constructors of expressions that settle what has more than one spelling.

Sums are flat, negations and numbers stand in one place, contractions have the vector first and absorb
transposes. Nothing here changes what an author would recognise; rewriting for a purpose is the business of
`passes`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bptt.ir.dims import VOCABULARY, Dim, Shape
from bptt.ir.expr import Expr, make
from bptt.ir.ops import Op


def param(name: str, shape: Shape) -> Expr:
    return make(Op.PARAM, attr=name, shape=shape)


def token(name: str, size: Dim = VOCABULARY) -> Expr:
    """`x`, the token at this step, or `y`, the one that follows: one of `size`."""
    return make(Op.TOKEN, attr=name, shape=(size,))


def given(name: str, shape: Shape = ()) -> Expr:
    """A number (or array) that is given for each example and step (an INPUT)."""
    return make(Op.INPUT, attr=name, shape=shape)


def carry(name: str, shape: Shape) -> Expr:
    return make(Op.CARRY, attr=name, shape=shape)


def value(name: str, shape: Shape) -> Expr:
    return make(Op.VALUE, attr=name, shape=shape)


def mask(key: int, rate: float, shape: Shape) -> Expr:
    return make(Op.MASK, attr=(key, rate), shape=shape)


def const(number: float) -> Expr:
    return make(Op.CONST, attr=float(number))


def size(dim: Dim) -> Expr:
    return const(dim.constant) if not dim.terms else make(Op.SIZE, attr=dim)


def is_const(e: Expr, number: float | None = None) -> bool:
    return e.op is Op.CONST and (number is None or e.attr == number)


def is_zero(e: Expr) -> bool:
    return is_const(e, 0.0) or (e.op is Op.BROADCAST and is_const(e.args[0], 0.0))


def zeros(shape: Shape) -> Expr:
    return broadcast(const(0.0), shape)


def add(*terms: Expr) -> Expr:
    """The sum, flattened, without zeros (unless only they give it its shape)."""
    flat: list[Expr] = []
    for term in terms:
        flat += term.args if term.op is Op.ADD else (term,)
    shape = next((t.shape for t in flat if t.shape), ())
    kept = [t for t in flat if not is_zero(t)]
    if not kept:
        return zeros(shape)
    if shape and not any(t.shape for t in kept):
        kept[0] = broadcast(kept[0], shape)
    return kept[0] if len(kept) == 1 else make(Op.ADD, tuple(kept))


def neg(a: Expr) -> Expr:
    if a.op is Op.NEG:
        return a.args[0]
    if a.op is Op.CONST:
        return const(-a.attr)
    if is_zero(a):
        return a
    return make(Op.NEG, (a,))


def sub(a: Expr, b: Expr) -> Expr:
    return add(a, neg(b))


def mul(a: Expr, b: Expr) -> Expr:
    """The elementwise product; a sign moves out in front, factors of one vanish, zero swallows."""
    if is_zero(a) or is_zero(b):
        return zeros(a.shape or b.shape)
    if is_const(a, 1.0) or (_is_ones(a) and b.shape):
        return b
    if is_const(b, 1.0) or (_is_ones(b) and a.shape):
        return a
    if b.op is Op.CONST:
        a, b = b, a
    if a.op is Op.CONST and b.op is Op.CONST:
        return const(a.attr * b.attr)
    if is_const(a, -1.0):
        return neg(b)
    if a.op is Op.CONST and b.op is Op.MUL and b.args[0].op is Op.CONST:
        return mul(const(a.attr * b.args[0].attr), b.args[1])
    if a.op is Op.NEG:
        return neg(mul(a.args[0], b))
    if b.op is Op.NEG:
        return neg(mul(a, b.args[0]))
    # A scalar in every place, times a value of that shape, is the scalar times the value.
    if a.op is Op.BROADCAST and b.shape:
        return mul(a.args[0], b)
    if b.op is Op.BROADCAST and a.shape:
        return mul(a, b.args[0])
    return make(Op.MUL, (a, b))


def _is_ones(e: Expr) -> bool:
    return e.op is Op.BROADCAST and is_const(e.args[0], 1.0)


def div(a: Expr, b: Expr) -> Expr:
    if is_const(b, 1.0):
        return a
    if is_zero(a):
        return zeros(a.shape or b.shape)
    if a.op is Op.NEG:
        return neg(div(a.args[0], b))
    return make(Op.DIV, (a, b))


def power(a: Expr, exponent: float) -> Expr:
    if exponent == 1.0:
        return a
    if exponent == 0.0:
        return broadcast(const(1.0), a.shape)
    return make(Op.POW, (a,), float(exponent))


def apply(op: Op, a: Expr) -> Expr:
    """A function of one argument: elementwise, or a softmax."""
    return make(op, (a,))


def contract(a: Expr, b: Expr, axes: tuple[int, int]) -> Expr:
    """Sum over axis `axes[0]` of `a` and `axes[1]` of `b`; the axes of `a` that stay come before those of
    `b`.

    Transposes of the arguments are absorbed in the axes. With a matrix and a vector the vector stands
    first: the result is the same vector, and whether it is written `v M` or `M' v` is a matter of layout.
    """
    i, j = axes
    if is_zero(a) or is_zero(b):
        return zeros(a.shape[:i] + a.shape[i + 1 :] + b.shape[:j] + b.shape[j + 1 :])
    if a.op is Op.TRANSPOSE:
        return contract(a.args[0], b, (1 - i, j))
    if b.op is Op.TRANSPOSE:
        return contract(a, b.args[0], (i, 1 - j))
    if len(a.shape) == 2 and len(b.shape) == 1:
        return make(Op.CONTRACT, (b, a), (j, i))
    return make(Op.CONTRACT, (a, b), (i, j))


def outer(a: Expr, b: Expr) -> Expr:
    if is_zero(a) or is_zero(b):
        return zeros(a.shape + b.shape)
    return make(Op.OUTER, (a, b))


def transpose(a: Expr) -> Expr:
    if a.op is Op.TRANSPOSE:
        return a.args[0]
    if a.op is Op.OUTER:
        return outer(a.args[1], a.args[0])
    return make(Op.TRANSPOSE, (a,))


def total(a: Expr) -> Expr:
    """The sum of all elements; of a scalar, itself."""
    if not a.shape:
        return a
    if is_zero(a):
        return const(0.0)
    return make(Op.SUM, (a,))


def broadcast(a: Expr, shape: Shape) -> Expr:
    return a if not shape else make(Op.BROADCAST, (a,), shape, shape)


def cross_entropy(logits: Expr, target: Expr) -> Expr:
    return make(Op.CROSS_ENTROPY, (logits, target))


def concat(items: Sequence[Expr], axis: int) -> Expr:
    return items[0] if len(items) == 1 else make(Op.CONCAT, tuple(items), axis)


def part(a: Expr, axis: int, start: Dim, stop: Dim) -> Expr:
    """The slice `start` to `stop` of `axis`: a slice of a slice is one slice, a whole axis is `a` itself."""
    if start == Dim() and stop == a.shape[axis]:
        return a
    if a.op is Op.SLICE and a.attr[0] == axis:
        inner = a.attr[1]
        return part(a.args[0], axis, inner + start, inner + stop)
    return make(Op.SLICE, (a,), (axis, start, stop))


def rebuild(e: Expr, args: tuple[Expr, ...]) -> Expr:
    """The same operation on other arguments, through the constructors above."""
    if args == e.args:
        return e
    constructor = _CONSTRUCTORS.get(e.op)
    if constructor is not None:
        return constructor(e.attr, args)
    return make(e.op, args, e.attr, e.shape if e.op is Op.BROADCAST else None)


_CONSTRUCTORS: dict[Op, Callable[[Any, tuple[Expr, ...]], Expr]] = {
    Op.ADD: lambda attr, args: add(*args),
    Op.MUL: lambda attr, args: mul(*args),
    Op.DIV: lambda attr, args: div(*args),
    Op.NEG: lambda attr, args: neg(*args),
    Op.POW: lambda attr, args: power(args[0], attr),
    Op.CONTRACT: lambda attr, args: contract(args[0], args[1], attr),
    Op.OUTER: lambda attr, args: outer(*args),
    Op.TRANSPOSE: lambda attr, args: transpose(*args),
    Op.SUM: lambda attr, args: total(*args),
    Op.CONCAT: lambda attr, args: concat(args, attr),
    Op.SLICE: lambda attr, args: part(args[0], *attr),
}
