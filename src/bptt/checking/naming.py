"""Names that are given at the end of a line: ∂E/∂u_j = y_j − t_j := e_j says what e_j is."""

from __future__ import annotations

from collections.abc import Iterator

from bptt.checking.written import Differential, Letter, Link, Nabla, Statement, Written

_GIVES = frozenset({":=", "=:"})


def with_definitions(statements: list[Statement]) -> list[Statement]:
    """The statements, each with what it gives a name to behind it."""
    return [found for statement in statements for found in (statement, *_given(statement))]


def _given(statement: Statement) -> Iterator[Statement]:
    """What stands before the name is what it means: a value rather than the derivative it is of."""
    if not isinstance(statement.left, Differential | Nabla):
        return
    value: Written = statement.left
    for link in statement.links:
        if link.sign in _GIVES and isinstance(link.right, Letter):
            meaning = Link(":=", value, link.span)
            yield Statement(
                link.right, (meaning,), link.span, section=statement.section, conditions=statement.conditions
            )
        value = link.right
