"""How deeply an equation may nest: everything after the parser may then walk the tree by recursion."""

from __future__ import annotations

from bptt.errors import EquationError
from bptt.source import Span
from bptt.syntax.tree import Expression, children

MAX_DEPTH = 64


def too_deep(span: Span) -> EquationError:
    return EquationError.at(
        span,
        f"this equation is nested more than {MAX_DEPTH} levels deep",
        hint="name a part of it in an equation of its own",
    )


def check_depth(expression: Expression) -> None:
    """Refuse a tree deeper than MAX_DEPTH; a long sum is deep, too, as each `+` holds all before it."""
    level: list[Expression] = [expression]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in children(node)]
        if not level:
            return
    raise too_deep(expression.span)
