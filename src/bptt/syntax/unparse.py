"""The tree as text in the equation language: the canonical spelling, without needless brackets."""

from __future__ import annotations

from itertools import groupby

from bptt.syntax.tree import (
    BINARY_PRECEDENCE,
    JUXTAPOSED,
    NEGATION_PRECEDENCE,
    Binary,
    Call,
    Concatenation,
    Document,
    Equation,
    Expression,
    InitialState,
    Name,
    Negate,
    Number,
    OutputStatement,
    Part,
    ShapeStatement,
    SizeStatement,
    Statement,
    Transpose,
)

_POSTFIX = 6
_ATOM = 7


def unparse(node: Document | Statement | Expression) -> str:
    """The canonical text of a document (lines, each ended), of a statement, or of an expression.

    A product of LaTeX whose kind only the shapes decide (JUXTAPOSED) is written `×`.
    """
    match node:
        case Document(statements):
            lines: list[str] = []
            for kind, group in groupby(statements, type):
                texts = [unparse(statement) for statement in group]
                if kind is SizeStatement:
                    texts = ["size " + ", ".join(text.removeprefix("size ") for text in texts)]
                lines += texts
            return "".join(line + "\n" for line in lines)
        case Equation(target, value):
            return f"{_name(target)} = {_expression(value)}"
        case InitialState(target, value):
            return f"{target.id}[0] = {_expression(value)}"
        case SizeStatement(name, size):
            return f"size {name.id} = {size}"
        case ShapeStatement(target, dimensions):
            return f"{target.id} : {', '.join(_expression(dimension) for dimension in dimensions) or '()'}"
        case OutputStatement(output):
            return f"x[t+1] ~ {_name(output)}"
        case _:
            return _expression(node)


def format_number(value: float) -> str:
    """The shortest text that is read back as `value`; whole numbers without a point."""
    return str(int(value)) if value.is_integer() and value < 1e15 else repr(value)


def _expression(node: Expression, outer: int = 0) -> str:
    """The text of `node`, in brackets where it binds less tightly than `outer`."""
    text, strength = _show(node)
    return f"({text})" if strength < outer else text


def _show(node: Expression) -> tuple[str, int]:
    """Text of an expression, and how tightly its outermost operator binds."""
    match node:
        case Number(value):
            return format_number(value), _ATOM
        case Name():
            return _name(node), _ATOM
        case Transpose(Number(value)):
            return f"({format_number(value)}).T", _POSTFIX
        case Transpose(operand):
            return f"{_expression(operand, _POSTFIX)}.T", _POSTFIX
        case Negate(operand):
            return f"-{_expression(operand, NEGATION_PRECEDENCE)}", NEGATION_PRECEDENCE
        case Binary("**", left, right):
            strength = BINARY_PRECEDENCE["**"]
            return f"{_expression(left, strength + 1)} ** {_expression(right, strength)}", strength
        case Binary(operator, left, right):
            written = "×" if operator == JUXTAPOSED else operator
            strength = BINARY_PRECEDENCE["@" if operator == JUXTAPOSED else operator]
            return f"{_expression(left, strength)} {written} {_expression(right, strength + 1)}", strength
        case Call(function, arguments):
            return f"{function}({', '.join(map(_expression, arguments))})", _ATOM
        case Concatenation(items):
            return f"[{', '.join(map(_expression, items))}]", _ATOM
        case Part(operand, items, place):
            return f"{_expression(operand, _POSTFIX)}[{items[place]}]", _ATOM


def _name(name: Name) -> str:
    return name.id if name.lag == 0 else f"{name.id}[t{-name.lag:+d}]"
