"""Equations of several gates in one: a column of gates is a column of functions of one stacked vector.

(i; f; o; g) = (σ; σ; σ; tanh) W [h; x] says that W [h; x] is cut into as many parts, and that a function is
applied to each. It is taken apart into the equations that say so, with names for the parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bptt.checking.written import (
    Bracketed,
    Call,
    Chain,
    Letter,
    Link,
    Listed,
    Scripts,
    Statement,
    Table,
    Written,
    mapped,
    walk,
)

# Names for what is cut, as far as the document has no such letter; the parts are called by it and the gate.
_NAMES = ("z", "a", "u", "stacked")
_CUTS = frozenset({"matrix", "pmatrix", "bmatrix", "array", "Bmatrix", "smallmatrix"})


def with_gates(statements: list[Statement]) -> list[Statement]:
    """The statements with an equation for each gate, and columns of letters as vectors put together."""
    if not any(isinstance(part, Table) for part in _parts(statements)):
        return statements
    used = {part.name for part in _parts(statements) if isinstance(part, Letter)}
    name = next((name for name in _NAMES if name not in used), _NAMES[-1])
    return [one for statement in statements for one in _apart(statement, name)]


def _apart(statement: Statement, name: str) -> Iterator[Statement]:
    left = statement.left
    if isinstance(left, Letter):
        links = tuple(replace(link, right=_with_columns(link.right)) for link in statement.links)
        yield replace(statement, links=links)
        return
    gates = _column(left)
    functions, rest = _applied(statement.links[0].right) if len(statement.links) == 1 else ([], None)
    if not gates or len(gates) != len(functions) or rest is None:
        yield statement
        return
    (link,) = statement.links
    stacked = Letter(name, gates[0].span, replace(gates[0].scripts, primes=0))
    parts = [replace(gate, name=f"{name}_{gate.name}") for gate in gates]
    whole = Bracketed(Listed(tuple(parts), link.right.span), link.right.span, Scripts(), "[")
    yield _equation(statement, stacked, _with_columns(rest), link)
    yield _equation(statement, stacked, whole, link)
    for gate, function, part in zip(gates, functions, parts, strict=True):
        yield _equation(statement, gate, Call(function, (part,), function.span), link)


def _equation(statement: Statement, left: Letter, right: Written, link: Link) -> Statement:
    return replace(statement, left=left, links=(replace(link, right=right),))


def _applied(right: Written) -> tuple[list[Letter], Written | None]:
    """The functions in a column at the beginning of a product, and what they are applied to."""
    if not isinstance(right, Chain) or right.signs[0] not in ("", "∘", "·"):
        return [], None
    functions = _column(right.factors[0])
    if any(function.scripts != Scripts() for function in functions):
        return [], None
    rest = right.factors[1:]
    inner = rest[0] if len(rest) == 1 else Chain(rest, right.signs[1:], rest[0].span.to(rest[-1].span))
    return functions, inner


def _column(node: Written | None) -> list[Letter]:
    """The letters of a column of nothing else."""
    if not isinstance(node, Table) or node.kind not in _CUTS or node.scripts != Scripts():
        return []
    cells = [row[0] for row in node.rows if len(row) == 1]
    letters = [cell for cell in cells if isinstance(cell, Letter)]
    return letters if len(letters) == len(node.rows) > 1 else []


def _with_columns(node: Written) -> Written:
    def change(part: Written) -> Written:
        letters = _column(part)
        return Bracketed(Listed(tuple(letters), part.span), part.span, Scripts(), "[") if letters else part

    return mapped(node, change)


def _parts(statements: list[Statement]) -> Iterator[Written]:
    for statement in statements:
        for side in (statement.left, *(link.right for link in statement.links)):
            if side is not None:
                yield from walk(side)
