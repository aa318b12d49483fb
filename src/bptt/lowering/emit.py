"""Surface expressions with known shapes to IR. Rows and columns become vectors of rank 1."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field

from bptt.ir import build
from bptt.ir.dims import Dim, Shape
from bptt.ir.expr import Expr
from bptt.lowering.functions import ELEMENTWISE, OF_VECTORS
from bptt.lowering.inference import Pair
from bptt.lowering.sizes import ONE
from bptt.lowering.surface import number
from bptt.syntax.tree import (
    JUXTAPOSED,
    Binary,
    Call,
    Concatenation,
    Expression,
    Name,
    Negate,
    Number,
    Part,
    Transpose,
)


def erase(pair: Pair) -> Shape:
    """The shape without its axes of size 1."""
    return tuple(d for d in pair if d != ONE)


def carry_name(variable: str, lag: int) -> str:
    """What the carry is called that holds a variable as it was `lag` steps ago."""
    return variable if lag == 1 else f"{variable}@{lag}"


@dataclass
class Emitter:
    """Emits one expression after the other; `definitions` holds those that are there already.

    `pair` gives the shape of a surface expression, `named` that of a name; `numbers` are the sizes that
    are used as numbers; `tokens` is what is given at each step; `scalings` are the juxtaposed products with
    a scalar.
    """

    pair: Callable[[Expression], Pair]
    named: Callable[[str], Pair]
    numbers: Mapping[str, Expr]
    scalings: set[int]
    tokens: Container[str] = ()
    definitions: dict[str, Expr] = field(default_factory=dict)
    masks: int = 0

    def emit(self, e: Expression) -> Expr:
        match e:
            case Number():
                return build.const(e.value)
            case Name():
                return self._name(e)
            case Transpose():
                inner = self.emit(e.operand)
                return build.transpose(inner) if len(inner.shape) == 2 else inner
            case Negate():
                return build.neg(self.emit(e.operand))
            case Concatenation():
                # A scalar among the items is a vector of size 1.
                items = [self.emit(item) for item in e.items]
                return build.concat(
                    [item if item.shape else build.broadcast(item, (ONE,)) for item in items], 0
                )
            case Part():
                shapes = [erase(self.named(name)) for name in e.items]
                sizes = [shape[0] if shape else ONE for shape in shapes]
                start = sum(sizes[: e.place], Dim())
                return build.part(self.emit(e.operand), 0, start, start + sizes[e.place])
            case Call():
                return self._call(e)
            case Binary(operator="**"):
                exponent = number(e.right)
                assert exponent is not None
                return build.power(self.emit(e.left), exponent)
            case Binary():
                return self._binary(e)

    def _name(self, e: Name) -> Expr:
        if e.lag:
            return build.carry(carry_name(e.id, e.lag), erase(self.named(e.id)))
        if e.id in self.tokens:
            shape = erase(self.named(e.id))
            return build.token(e.id, shape[0]) if len(shape) == 1 else build.given(e.id, shape)
        if e.id in self.definitions:
            return self.definitions[e.id]
        if e.id in self.numbers:
            return self.numbers[e.id]
        return build.param(e.id, erase(self.named(e.id)))

    def _call(self, e: Call) -> Expr:
        inner = self.emit(e.arguments[0])
        match e.function:
            case "sum":
                return build.total(inner)
            case "mean":
                mean = build.total(inner)
                for d in inner.shape:
                    mean = build.div(mean, build.size(d))
                return mean
            case "dropout":
                rate = number(e.arguments[1])
                assert rate is not None
                self.masks += 1
                return build.mul(inner, build.mask(self.masks - 1, rate, inner.shape))
            case _:
                return build.apply({**ELEMENTWISE, **OF_VECTORS}[e.function], inner)

    def _binary(self, e: Binary) -> Expr:
        a, b = self.emit(e.left), self.emit(e.right)
        match e.operator:
            case "+":
                return build.add(a, b)
            case "-":
                return build.sub(a, b)
            case "*":
                return build.mul(a, b)
            case "/":
                return build.div(a, b)
            case _ if e.operator == JUXTAPOSED and id(e) in self.scalings:
                return build.mul(a, b)
            case _:
                return self._product(e, a, b)

    def _product(self, e: Binary, a: Expr, b: Expr) -> Expr:
        inner = self.pair(e.left)[1]
        if inner != ONE:
            return build.contract(a, b, (len(a.shape) - 1, 0))
        return build.outer(a, b) if a.shape and b.shape else build.mul(a, b)
