"""Walks over surface expressions: in order, rewriting, and the numbers among them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bptt.syntax.tree import (
    Binary,
    Call,
    Concatenation,
    Expression,
    Name,
    Negate,
    Number,
    Part,
    Transpose,
    children,
)


def postorder(e: Expression) -> list[Expression]:
    """Every part of `e` and `e` itself, parts first, from left to right."""
    order: list[Expression] = []
    stack = [e]
    while stack:
        node = stack.pop()
        order.append(node)
        stack.extend(children(node))
    return order[::-1]


def names(e: Expression) -> list[Name]:
    """Every occurrence of a name, from left to right."""
    return [node for node in postorder(e) if isinstance(node, Name)]


def rewrite(e: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """`change` applied bottom-up: each part is rebuilt on its changed parts and then given to `change`."""
    old = children(e)
    new = tuple(rewrite(child, change) for child in old)
    same = all(a is b for a, b in zip(old, new, strict=True))
    return change(e if same else _with_children(e, new))


def _with_children(e: Expression, new: tuple[Expression, ...]) -> Expression:
    match e:
        case Transpose() | Negate() | Part():
            return replace(e, operand=new[0])
        case Binary():
            return replace(e, left=new[0], right=new[1])
        case Call():
            return replace(e, arguments=new)
        case Concatenation():
            return replace(e, items=new)
        case _:
            return e


def number(e: Expression) -> float | None:
    """The value of an expression made of numbers alone, None for any other."""
    parts = [number(child) for child in children(e)]
    match e, parts:
        case Number(), _:
            return e.value
        case Negate(), [float(a)]:
            return -a
        case Binary(operator="+"), [float(a), float(b)]:
            return a + b
        case Binary(operator="-"), [float(a), float(b)]:
            return a - b
        case Binary(operator="*" | "juxtaposed"), [float(a), float(b)]:
            return a * b
        case Binary(operator="/"), [float(a), float(b)] if b:
            return a / b
        case _:
            return None
