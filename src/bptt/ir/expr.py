"""Expressions: immutable, interned nodes. Equal structure is the same object, so `is` is equality."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any
from weakref import WeakValueDictionary

from bptt.ir.dims import Dim, Shape, show_shape
from bptt.ir.ops import FACTS, VARYING, Op


class ShapeError(ValueError):
    """Arguments whose shapes an operation cannot take. Lowering checks first, so this is a fault of ours."""


class Expr:
    """One operation applied to earlier expressions. Built only by `make`.

    `shape` is the shape for one example at one step. `varies` tells whether the value can differ between
    examples or steps; if not, it is computed from parameters and constants alone.
    """

    __slots__ = ("__weakref__", "args", "attr", "op", "shape", "varies")

    op: Op
    args: tuple[Expr, ...]
    attr: Any
    shape: Shape
    varies: bool

    def __repr__(self) -> str:
        inside = [repr(self.attr)] if self.attr is not None else []
        inside += [f"{a.op.name}…" if a.args else repr(a) for a in self.args]
        return f"{self.op.name}({', '.join(inside)}){show_shape(self.shape)}"


_interned: WeakValueDictionary[Hashable, Expr] = WeakValueDictionary()


def make(op: Op, args: tuple[Expr, ...] = (), attr: Any = None, shape: Shape | None = None) -> Expr:
    """The one expression with this structure. `shape` is given for leaves and BROADCAST, and follows for
    the rest.

    Raises ShapeError where the operation cannot take these arguments.
    """
    arity = FACTS[op].arity
    if (arity is None and not args) or (arity is not None and len(args) != arity):
        raise ShapeError(f"{op.name} takes {arity or 'some'} arguments, got {len(args)}")
    if shape is None:
        shape = SHAPE_RULES[op](args, attr)
    key = (op, args, attr, shape)
    found = _interned.get(key)
    if found is None:
        found = Expr()
        found.op, found.args, found.attr, found.shape = op, args, attr, shape
        found.varies = op in VARYING or any(a.varies for a in args)
        _interned[key] = found
    return found


def _elementwise(args: tuple[Expr, ...], attr: Any) -> Shape:
    shapes = {a.shape for a in args if a.shape}
    if len(shapes) > 1:
        raise ShapeError("elementwise on " + " and ".join(sorted(map(show_shape, shapes))))
    return shapes.pop() if shapes else ()


def _contract(args: tuple[Expr, ...], attr: tuple[int, int]) -> Shape:
    a, b = args
    i, j = attr
    if i >= len(a.shape) or j >= len(b.shape) or a.shape[i] != b.shape[j]:
        raise ShapeError(
            f"contraction of axis {i} of {show_shape(a.shape)} with axis {j} of {show_shape(b.shape)}"
        )
    return _without(a.shape, i) + _without(b.shape, j)


def _outer(args: tuple[Expr, ...], attr: Any) -> Shape:
    _need_rank(args, 1)
    return args[0].shape + args[1].shape


def _transpose(args: tuple[Expr, ...], attr: Any) -> Shape:
    _need_rank(args, 2)
    return args[0].shape[::-1]


def _lookup(args: tuple[Expr, ...], attr: int) -> Shape:
    table, token = args
    if len(table.shape) != 2 or table.shape[attr] != token.shape[0]:
        raise ShapeError(f"lookup along axis {attr} of {show_shape(table.shape)}")
    return _without(table.shape, attr)


def _scatter(args: tuple[Expr, ...], attr: int) -> Shape:
    token, vector = args
    _need_rank(args, 1)
    return token.shape + vector.shape if attr == 0 else vector.shape + token.shape


def _vector(args: tuple[Expr, ...], attr: Any) -> Shape:
    _need_rank(args, 1)
    return args[0].shape


def _vector_to_scalar(args: tuple[Expr, ...], attr: Any) -> Shape:
    _need_rank(args, 1)
    if len({a.shape for a in args}) > 1:
        raise ShapeError("vectors of different sizes")
    return ()


def _concat(args: tuple[Expr, ...], attr: int) -> Shape:
    first = args[0].shape
    if any(len(a.shape) != len(first) or _without(a.shape, attr) != _without(first, attr) for a in args):
        raise ShapeError("concatenation of " + ", ".join(show_shape(a.shape) for a in args))
    total = Dim()
    for a in args:
        total = total + a.shape[attr]
    return first[:attr] + (total,) + first[attr + 1 :]


def _slice(args: tuple[Expr, ...], attr: tuple[int, Dim, Dim]) -> Shape:
    axis, start, stop = attr
    shape = args[0].shape
    if axis >= len(shape):
        raise ShapeError(f"slice of axis {axis} of {show_shape(shape)}")
    return shape[:axis] + (stop - start,) + shape[axis + 1 :]


def _need_rank(args: tuple[Expr, ...], rank: int) -> None:
    for a in args:
        if len(a.shape) != rank:
            raise ShapeError(f"rank {rank} needed, got {show_shape(a.shape)}")


def _without(shape: Shape, axis: int) -> Shape:
    return shape[:axis] + shape[axis + 1 :]


def _given(args: tuple[Expr, ...], attr: Any) -> Shape:
    raise ShapeError("the shape of this operation has to be given")


def _scalar(args: tuple[Expr, ...], attr: Any) -> Shape:
    return ()


SHAPE_RULES = {
    **dict.fromkeys((Op.PARAM, Op.TOKEN, Op.INPUT, Op.CARRY, Op.VALUE, Op.MASK, Op.BROADCAST), _given),
    **dict.fromkeys((Op.CONST, Op.SIZE, Op.SUM), _scalar),
    **dict.fromkeys((Op.ADD, Op.MUL, Op.DIV, Op.NEG, Op.POW), _elementwise),
    **dict.fromkeys(
        (Op.EXP, Op.LOG, Op.SQRT, Op.TANH, Op.SIGMOID, Op.RELU, Op.STEP, Op.SOFTPLUS), _elementwise
    ),
    **dict.fromkeys((Op.SOFTMAX, Op.LOG_SOFTMAX), _vector),
    **dict.fromkeys((Op.LOGSUMEXP, Op.CROSS_ENTROPY), _vector_to_scalar),
    Op.CONTRACT: _contract,
    Op.OUTER: _outer,
    Op.TRANSPOSE: _transpose,
    Op.LOOKUP: _lookup,
    Op.SCATTER: _scatter,
    Op.CONCAT: _concat,
    Op.SLICE: _slice,
}
