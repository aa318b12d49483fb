"""The lines of a display in LaTeX, aligned at their signs, with the reasons beside or below them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bptt.formula.tree import Formula
from bptt.render.latex_formula import show, sign, write
from bptt.render.latex_text import escape, escape_in_mathjax
from bptt.render.line_breaks import height
from bptt.render.marks import Mark, width
from bptt.render.page import Display, Page, Row, Text
from bptt.render.typeset import text_width, typeset, typeset_lines

# A column of reasons narrower than this (in em) is not worth having: they go below their lines.
_NARROWEST_NOTE = 12.0
_GAP = 3.0


@dataclass(frozen=True)
class Style:
    """How wide a line is, in em, and whether MathJax sets it: it breaks no lines of words by itself."""

    width: float
    is_mathjax: bool


DOCUMENT = Style(44.5, is_mathjax=False)
MATHJAX = Style(60.0, is_mathjax=True)


@dataclass(frozen=True)
class _Line:
    """A row of the page whose formula is broken to fit."""

    left: Mark | None
    sign: str
    right: list[Mark]
    note: Text


def environment(display: Display, page: Page, style: Style) -> str:
    """The rows of the display, as an environment of its own; for MathJax as one within mathematics."""
    rows = list(_rows(display, page, style))
    body = " \\\\\n".join(rows)
    if style.is_mathjax:
        return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"
    return f"\\begin{{alignat*}}{{2}}\n{body}\n\\end{{alignat*}}"


def _rows(display: Display, page: Page, style: Style) -> Iterator[str]:
    left = max((_left_width(row, page) for row in display.rows), default=0)
    lines = _broken(display.rows, page, style.width - left)
    room = 0.0
    if any(row.note for row in display.rows):
        narrow = _broken(display.rows, page, style.width - left - _NARROWEST_NOTE - _GAP)
        beside = style.width - left - _GAP - max(width(mark) for line in narrow for mark in line.right)
        # Reasons below take a line each: a formula may be broken for their column as long as that is less.
        if beside >= _NARROWEST_NOTE and _height(narrow) <= _height(lines) + len(lines):
            lines, room = narrow, beside
    for line in lines:
        beside = room > 0
        notes = _notes(line.note, room if beside else style.width - left - _GAP, page, style)
        above = _unmistakable(write(line.left)) if line.left is not None else ""
        for place, mark in enumerate(line.right):
            before = f"{above} &{sign(line.sign)}" if not place else r"&\qquad"
            after = rf" &\qquad& {notes.pop(0)}" if beside and notes else ""
            yield f"{before} {write(mark)}{after}".strip()
        yield from (rf"& &\qquad& {note}" if beside else rf"&\qquad {note}" for note in notes)


def _height(lines: list[_Line]) -> int:
    return sum(height(mark) for line in lines for mark in line.right)


def _unmistakable(start: str) -> str:
    """The start of a row, not to be taken for the option of the \\\\ before it."""
    return f"{{}}{start}" if start.startswith("[") else start


def _left_width(row: Row, page: Page) -> float:
    return 1.5 + (width(typeset(row.left, page.timed)) if row.left is not None else 0)


def _broken(rows: Iterable[Row], page: Page, limit: float) -> list[_Line]:
    return [
        _Line(
            typeset(row.left, page.timed) if row.left is not None else None,
            row.sign,
            typeset_lines(row.right, page.timed, limit, page.layout if row.shapes else None),
            row.note,
        )
        for row in rows
    ]


def _notes(note: Text, room: float, page: Page, style: Style) -> list[str]:
    """The reason in lines: one for a document, which breaks it in a box; as many as it takes for MathJax."""
    if not note:
        return []
    if style.is_mathjax:
        return [mathematics(line, page) for line in _wrapped(note, room, page)]
    return [rf"\parbox[t]{{{int(room)}em}}{{\small\raggedright {words(note, page)}}}"]


def _wrapped(text: Text, room: float, page: Page) -> list[Text]:
    """The text in lines of at most `room` em, broken at spaces and formulas."""
    lines: list[list[str | Formula]] = [[]]
    used = 0.0
    for part in text:
        for piece in re.findall(r"\S*\s*", part)[:-1] if isinstance(part, str) else [part]:
            wide = text_width((piece,), page.timed)
            if lines[-1] and used + wide > room:
                lines.append([])
                used = 0.0
            used += wide
            if isinstance(piece, str) and lines[-1] and isinstance(lines[-1][-1], str):
                lines[-1][-1] += piece
            else:
                lines[-1].append(piece)
    return [tuple(line) for line in lines]


def words(text: Text, page: Page) -> str:
    """Words with formulas among them, in a document."""
    return "".join(escape(part) if isinstance(part, str) else f"${show(part, page.timed)}$" for part in text)


def mathematics(text: Text, page: Page, command: str = "text") -> str:
    """Formulas with words among them, in mathematics that MathJax sets."""
    return " ".join(
        rf"\{command}{{{escape_in_mathjax(part)}}}" if isinstance(part, str) else show(part, page.timed)
        for part in text
    )
