"""Formulas in LaTeX: what amsmath and amssymb know, and MathJax too."""

from __future__ import annotations

import re

from bptt.formula.tree import Formula
from bptt.render.latex_text import SIGNS, greek_command, upright
from bptt.render.marks import (
    Bold,
    Brackets,
    Call,
    Digits,
    Evaluated,
    Fence,
    Fraction,
    Known,
    Letter,
    Limits,
    Line,
    Mark,
    Matrix,
    Root,
    Script,
    Sign,
    Space,
    Stack,
    Under,
    Word,
    is_tall,
)
from bptt.render.typeset import typeset

# Words that LaTeX knows as functions, with the space around them.
_FUNCTIONS = {"tanh": r"\tanh", "exp": r"\exp", "log": r"\log"}
_NEXT = r" \\ "
_ENDS_IN_COMMAND = re.compile(r"\\[A-Za-z]+$")


def show(formula: Formula, timed: bool, raised: bool = False) -> str:
    """The formula for mathematics mode; with `raised` times stand at the head, in brackets."""
    return write(typeset(formula, timed, raised))


def sign(text: str) -> str:
    """The commands for a sign, or for several with spaces between; what has no command stands as text."""
    return " ".join(SIGNS.get(part) or rf"\mathrel{{\text{{{upright(part)}}}}}" for part in text.split())


def write(mark: Mark, is_small: bool = False) -> str:
    """The mark in LaTeX; what is small (in a script) is written without spaces."""
    match mark:
        case Letter(name, accent):
            letter = greek_command(f"\\{name}") if len(name) > 1 else name
            return rf"\{accent}{{{letter}}}" if accent else letter
        case Word(text):
            return _FUNCTIONS.get(text) or rf"\mathrm{{{upright(text)}}}"
        case Digits(text):
            return text
        case Bold(text):
            return rf"\mathbf{{{text}}}"
        case Sign(text):
            return sign(text)
        case Space():
            return r"\,"
        case Line(items):
            return _joined([write(item, is_small) for item in items], is_small)
        case Call(function, Brackets() as argument):
            # TeX would put a space before a bracket that grows.
            gap = r"\!" if is_tall(argument) else ""
            return write(function, is_small) + gap + write(argument, is_small)
        case Call(function, argument):
            return f"{write(function, is_small)} {write(argument, is_small)}"
        case Script(base, None, Sign("′")):
            return f"{write(base)}'"
        case Script(base, below, above):
            # A power is read last, whose a thing is first.
            scripts = [_script("_", below), _script("^", above)]
            return _base(base) + "".join(scripts if isinstance(above, Sign | Digits) else reversed(scripts))
        case Limits(operator, below, above):
            return sign(operator) + _script("_", below) + _script("^", above)
        case Fraction(top, bottom):
            return rf"\frac{{{write(top)}}}{{{write(bottom)}}}"
        case Root(body):
            return rf"\sqrt{{{write(body)}}}"
        case Brackets(body, left, right):
            inner = write(body, is_small)
            return rf"\left{left}{inner}\right{right}" if is_tall(body) else f"{left}{inner}{right}"
        case Fence(text, is_large):
            side = "l" if text in "([" else "r"
            return rf"\Bigg{side}{text}" if is_large else text
        case Evaluated(body, below):
            return rf"\left.{write(body)}\right\vert{_script('_', below)}"
        case Matrix(rows):
            cells = _NEXT.join(" & ".join(map(write, row)) for row in rows)
            return rf"\begin{{bmatrix}} {cells} \end{{bmatrix}}"
        case Stack(stacked):
            lines = [f"& {write(stacked[0])}", *(rf"& \quad {write(line)}" for line in stacked[1:])]
            return rf"\begin{{aligned}} {_NEXT.join(lines)} \end{{aligned}}"
        case Under(body, note):
            return rf"\underset{{{write(note, True)}}}{{{write(body)}}}"
        case Known(body=body):
            return write(body, is_small)


def _base(base: Mark) -> str:
    inner = base.body if isinstance(base, Known) else base
    return f"{{{write(base)}}}" if isinstance(inner, Script | Line) else write(base)


def _script(place: str, mark: Mark | None) -> str:
    return "" if mark is None else f"{place}{{{write(mark, True)}}}"


def _joined(parts: list[str], is_small: bool) -> str:
    text = ""
    for place, part in enumerate(parts):
        following = parts[place + 1] if place + 1 < len(parts) else ""
        if part == r"\," and following.startswith(tuple(_FUNCTIONS.values())):
            continue
        needed = _ENDS_IN_COMMAND.search(text) and part[0].isalpha()
        wanted = text not in ("", "-") and text[-1] not in "([" and part[0] not in ",)]" and not is_small
        text += f" {part}" if needed or wanted else part
    return text
