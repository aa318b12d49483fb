"""What a formula looks like, before anybody says in which language: letters, scripts, fractions, brackets.

typeset.py makes marks of formulas; latex.py and mathml.py write marks down. Signs are Unicode characters.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Letter:
    """One Latin letter, or a Greek one by its name; `accent` is "hat", "tilde", "bar" or nothing."""

    name: str
    accent: str = ""


@dataclass(frozen=True, slots=True)
class Word:
    """A name of several letters, upright."""

    text: str


@dataclass(frozen=True, slots=True)
class Digits:
    text: str


@dataclass(frozen=True, slots=True)
class Bold:
    text: str


@dataclass(frozen=True, slots=True)
class Sign:
    """An operator or a punctuation mark; as the first of a line it is a prefix."""

    text: str


@dataclass(frozen=True, slots=True)
class Space:
    """A thin space."""


@dataclass(frozen=True, slots=True)
class Line:
    """Marks side by side."""

    items: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function and its argument, which is in Brackets or stands bare."""

    function: Mark
    argument: Mark


@dataclass(frozen=True, slots=True)
class Script:
    """A base with something at its foot, at its head, or both."""

    base: Mark
    below: Mark | None = None
    above: Mark | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """∑ or ∏ with what stands below and above it."""

    sign: str
    below: Mark
    above: Mark | None = None


@dataclass(frozen=True, slots=True)
class Fraction:
    top: Mark
    bottom: Mark


@dataclass(frozen=True, slots=True)
class Root:
    body: Mark


@dataclass(frozen=True, slots=True)
class Brackets:
    body: Mark
    left: str = "("
    right: str = ")"


@dataclass(frozen=True, slots=True)
class Fence:
    """One bracket of a pair that stands on two lines; a large one where what it holds is tall."""

    sign: str
    is_large: bool


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A bar behind the body, with `below` at its foot."""

    body: Mark
    below: Mark


@dataclass(frozen=True, slots=True)
class Matrix:
    rows: tuple[tuple[Mark, ...], ...]


@dataclass(frozen=True, slots=True)
class Stack:
    """The lines of a broken formula, below each other."""

    lines: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Under:
    """A small note beneath the body."""

    body: Mark
    note: Mark


@dataclass(frozen=True, slots=True)
class Known:
    """A symbol of the page, by (name, of): what a reader may ask about."""

    key: tuple[str, str]
    body: Mark


Mark = (
    Letter
    | Word
    | Digits
    | Bold
    | Sign
    | Space
    | Line
    | Call
    | Script
    | Limits
    | Fraction
    | Root
    | Brackets
    | Fence
    | Evaluated
    | Matrix
    | Stack
    | Under
    | Known
)


def is_tall(mark: Mark) -> bool:
    """Whether brackets around it have to grow."""
    match mark:
        case Limits() | Fraction() | Matrix() | Stack() | Under() | Evaluated():
            return True
        case Line(items):
            return any(map(is_tall, items))
        case Script(body) | Brackets(body) | Known(body=body) | Root(body):
            return is_tall(body)
        case Call(function, argument):
            return is_tall(function) or is_tall(argument)
        case _:
            return False


def width(mark: Mark | None) -> float:
    """About how wide it is, in em."""
    match mark:
        case Letter() | Bold():
            return 0.6
        case Word(text) | Digits(text):
            return 0.5 * len(text)
        case Sign(text):
            return 0.3 if text in ",′" else 1.3
        case Line(items):
            return sum(map(width, items))
        case Call(function, argument):
            return width(function) + width(argument) + 0.2
        case Script(base, below, above):
            return width(base) + 0.7 * max(width(below), width(above))
        case Limits(_, below, above):
            return max(1.4, 0.7 * width(below), 0.7 * width(above)) + 0.2
        case Fraction(a, b):
            return max(width(a), width(b)) + 0.3
        case Under(a, b):
            return max(width(a), 0.7 * width(b))
        case Root(body) | Brackets(body):
            return width(body) + 0.8
        case Evaluated(body, below):
            return width(body) + 0.3 + 0.7 * width(below)
        case Matrix(rows):
            return sum(max(map(width, column)) + 1 for column in zip(*rows, strict=True))
        case Stack(lines):
            return max(map(width, lines)) + 1.5
        case Known(body=body):
            return width(body)
        case _:
            return 0.2
