"""The tree as LaTeX: times as `^{(t)}`, products side by side, a row of `aligned` for each statement."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from bptt.syntax.latex_names import INDICES
from bptt.syntax.spelling import GREEK_NAMES
from bptt.syntax.tree import (
    BINARY_PRECEDENCE,
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
    children,
)
from bptt.syntax.unparse import format_number

_FRACTION = BINARY_PRECEDENCE["**"]
_ATOM = 7
_COMMANDS = {"sigmoid": r"\sigma", "tanh": r"\tanh", "exp": r"\exp", "log": r"\log"}
_ACCENT_COMMANDS = {"hat": r"\hat", "tilde": r"\tilde", "bar": r"\bar"}
_GREEK = sorted(GREEK_NAMES - {"omicron", "Omicron"})  # TeX writes these two as Latin letters
_LETTER = "|".join(_GREEK) + "|[A-Za-z]"
_PARTS = re.compile(
    rf"(?P<letter>{_LETTER})(?P<accent>{'|'.join(_ACCENT_COMMANDS)})?(?:_(?P<label>[A-Za-z]+))?(?P<digits>[0-9]*)"
)
_CALLABLE = re.compile(r"(?:\\mathrm\{[^{}]*\}|\\sigma|\\phi|(?<![A-Za-z\\])[fg])$")
# The tokens, the tokenised inputs: what has a time without being defined.
_INPUTS = ("x", "y")


def to_latex(node: Document | Statement | Expression) -> str:
    """LaTeX of a document (an `aligned` environment), of a statement, or of an expression.

    `@` is written like the product whose kind the shapes decide, side by side, and is read back as that one.
    Names that vary with time (the inputs, what the node defines, what it names with a time) bear `^{(t)}`.
    """
    return _Writer(_timed(node)).show(node)


def _timed(node: Document | Statement | Expression) -> frozenset[str]:
    names = set(_INPUTS)
    statements: Iterable[Statement] = node.statements if isinstance(node, Document) else ()
    values: list[Expression] = []
    for part in [*statements, node]:
        match part:
            case Equation(target, value) | InitialState(target, value):
                names.add(target.id)
                values.append(value)
            case OutputStatement(output):
                names.add(output.id)
            case Document() | SizeStatement() | ShapeStatement():
                pass
            case _:
                values.append(part)
    while values:
        value = values.pop()
        if isinstance(value, Name) and value.lag != 0:
            names.add(value.id)
        values += children(value)
    return frozenset(names)


class _Writer:
    def __init__(self, timed: frozenset[str]) -> None:
        self._timed = timed

    def show(self, node: Document | Statement | Expression) -> str:
        match node:
            case Document(statements):
                rows = " \\\\\n".join(self._row(statement, "&") for statement in statements)
                return f"\\begin{{aligned}}\n{rows}\n\\end{{aligned}}"
            case Equation() | InitialState() | SizeStatement() | ShapeStatement() | OutputStatement():
                return self._row(node, "")
            case _:
                return self._expression(node)

    def _row(self, statement: Statement, align: str) -> str:
        match statement:
            case Equation(target, value):
                return f"{self._name(target)} {align}= {self._expression(value)}"
            case InitialState(target, value):
                return f"{_letters(target.id)}^{{(0)}} {align}= {self._expression(value)}"
            case SizeStatement(name, size):
                return rf"\operatorname{{size}}({_letters(name.id)}) {align}= {size}"
            case ShapeStatement(target, dimensions):
                sizes = r" \times ".join(
                    format_number(size.value) if isinstance(size, Number) else _letters(size.id)
                    for size in dimensions
                )
                space = rf"\mathbb{{R}}^{{{sizes}}}" if dimensions else r"\mathbb{R}"
                return rf"{_letters(target.id)} {align}\in {space}"
            case OutputStatement(output):
                return rf"x^{{(t+1)}} {align}\sim {self._name(output)}"

    def _expression(self, node: Expression, outer: int = 0) -> str:
        """The LaTeX of `node`, in brackets where it binds less tightly than `outer`."""
        text, strength = self._show(node)
        return _bracketed(text) if strength < outer else text

    def _show(self, node: Expression) -> tuple[str, int]:
        """LaTeX of an expression, and how tightly its outermost operator binds."""
        match node:
            case Number(value):
                return _number(value), _ATOM
            case Name():
                return self._name(node), _ATOM
            case Transpose(operand):
                return f"{self._base(operand)}^{{\\top}}", _ATOM - 1
            case Negate(operand):
                return f"-{self._right(operand, NEGATION_PRECEDENCE)}", NEGATION_PRECEDENCE
            case Binary("/", left, right):
                return rf"\frac{{{self._expression(left)}}}{{{self._expression(right)}}}", _FRACTION
            case Binary("**", left, right):
                return self._power(left, right), _FRACTION
            case Binary("@" | "juxtaposed", left, right):
                return self._side_by_side(left, right)
            case Binary("*", Number() as left, right) if not isinstance(right, Number):
                return self._side_by_side(left, right)
            case Binary("*", left, right):
                strength = BINARY_PRECEDENCE["*"]
                text = rf"{self._expression(left, strength)} \odot {self._right(right, strength + 1)}"
                return text, strength
            case Binary(operator, left, right):
                strength = BINARY_PRECEDENCE[operator]
                text = f"{self._expression(left, strength)} {operator} {self._right(right, strength + 1)}"
                return text, strength
            case Call("sqrt", (argument,)):
                return rf"\sqrt{{{self._expression(argument)}}}", _ATOM
            case Call(function, arguments):
                name = _COMMANDS.get(function) or rf"\operatorname{{{_escaped(function)}}}"
                return name + _bracketed(", ".join(map(self._expression, arguments))), _ATOM
            case Concatenation(items):
                return rf"\left[{', '.join(map(self._expression, items))}\right]", _ATOM
            case Part(operand, items, place):
                return rf"{self._base(operand)}[{items[place]}]", _ATOM

    def _side_by_side(self, left: Expression, right: Expression) -> tuple[str, int]:
        strength = BINARY_PRECEDENCE["@"]
        first, second = self._expression(left, strength), self._right(right, strength + 1)
        # After a word or \sigma, a bracket would hold the argument of a function.
        is_call = _CALLABLE.search(first) and second.startswith(r"\left(")
        is_number = isinstance(left, Number) and second[0].isdigit()
        return first + (r" \cdot " if is_call or is_number else " ") + second, strength

    def _right(self, node: Expression, outer: int) -> str:
        """A right operand: a minus after an operator is put in brackets."""
        return (
            _bracketed(self._expression(node)) if isinstance(node, Negate) else self._expression(node, outer)
        )

    def _power(self, base: Expression, exponent: Expression) -> str:
        if isinstance(exponent, Number):
            return f"{self._base(base)}^{{{_number(exponent.value)}}}"
        # A letter above a letter would be a label, and T a transpose.
        above = self._expression(exponent)
        above = f"({above})" if above == "T" else above
        return f"{_bracketed(self._expression(base))}^{{{above}}}"

    def _base(self, base: Expression) -> str:
        """What an exponent can stand on: in brackets, unless it is an atom with nothing above it."""
        text, strength = self._show(base)
        is_free = strength == _ATOM and not (isinstance(base, Name) and self._has_time(base))
        return text if is_free and text != "e" else _bracketed(text)

    def _has_time(self, name: Name) -> bool:
        return name.lag != 0 or name.id in self._timed

    def _name(self, name: Name) -> str:
        if not self._has_time(name):
            return _letters(name.id)
        return f"{_letters(name.id)}^{{(t{-name.lag:+d})}}" if name.lag else f"{_letters(name.id)}^{{(t)}}"


def _bracketed(text: str) -> str:
    return rf"\left({text}\right)"


def _number(value: float) -> str:
    """Decimal digits without an exponent, for `e` is a letter here."""
    return format(Decimal(format_number(value)), "f")


class NameParts(NamedTuple):
    """A name as it is set: `yhat` is y with a hat, `W_e` is W with the label e, `b1` is b with a 1."""

    letter: str  # one Latin letter, or the name of a Greek one
    accent: str  # a word of _ACCENT_COMMANDS, or nothing
    label: str
    digits: str

    @property
    def is_label_upright(self) -> bool:
        """Of a label that would be taken for an index or a time, or that is a word."""
        if len(self.label) > 1:
            return self.label not in _GREEK
        return self.label in ("t", "T") or self.label in INDICES


def name_parts(name: str) -> NameParts | None:
    """The parts of a name; None where it is a word that is set upright."""
    parts = _PARTS.fullmatch(name)
    return parts and NameParts(*(parts[group] or "" for group in NameParts._fields))


def _letters(name: str) -> str:
    """A name without a time: `W_e` is W_{e}, `yhat` is \\hat{y}, `b1` is b_{1}, `theta` is \\theta."""
    parts = name_parts(name)
    if parts is None:
        return rf"\mathrm{{{_escaped(name)}}}"
    text = f"\\{parts.letter}" if len(parts.letter) > 1 else parts.letter
    if parts.accent:
        text = f"{_ACCENT_COMMANDS[parts.accent]}{{{text}}}"
    label = f"\\{parts.label}" if parts.label in _GREEK else parts.label
    if parts.is_label_upright:
        label = rf"\mathrm{{{label}}}"
    below = label + parts.digits
    return f"{text}_{{{below}}}" if below else text


def _escaped(name: str) -> str:
    return name.replace("_", r"\_")
