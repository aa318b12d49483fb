"""Displays in a terminal: rows aligned at their signs, the reasons beside them or below."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bptt.render.boxes import Box, beside, labelled, padded, text_box, width
from bptt.render.page import Display, Row
from bptt.render.terminal_text import plain, wrapped
from bptt.render.unicode_lines import box, lines, shape_text

MARGIN = 2
_NOTE_GAP = 4
_NOTE_MARK = "↳ "
# Left sides share a column as far as this part of the width; a longer one has a line to itself.
_LEFT_PART = 0.4
# Below this, a reason begins at the left instead of under the right side.
_LEAST_NOTE = 30

# The text in a style of rich, or as it is.
Styled = Callable[[str, str], str]


@dataclass(frozen=True)
class _Frame:
    """Where the parts of all rows of a display stand, in columns."""

    margin: int
    left: int
    sign: int
    columns: int

    @property
    def right(self) -> int:
        """Where the right sides begin."""
        return self.margin + (self.left and self.left + 1) + (self.sign and self.sign + 1)


@dataclass(frozen=True)
class _Drawn:
    """A row as lines of text without its reason, which goes behind the line `baseline` if it fits there and
    the right side is not broken.
    """

    text: tuple[str, ...]
    baseline: int
    is_broken: bool
    is_tall: bool
    note: str

    @property
    def end(self) -> int:
        return max(map(width, self.text))


def display_lines(display: Display, columns: int, layout: str, styled: Styled) -> Iterator[str]:
    """The lines of a display, at most `columns` wide unless something that cannot be broken is wider."""
    if display.title:
        yield " " * MARGIN + styled(display.title, "italic")
    frame = _frame(display, columns, layout)
    drawn = [_draw(row, frame, layout) for row in display.rows]
    note_at = _note_column(drawn, columns)
    was_tall = False
    for number, (row, one) in enumerate(zip(display.rows, drawn, strict=True)):
        if number and (one.is_tall or was_tall):
            yield ""
        was_tall = one.is_tall
        fits = _note_fits(one, note_at, columns)
        for place, line in enumerate(one.text):
            behind = one.note and fits and place == one.baseline
            yield padded(line, note_at) + styled(one.note, "dim") if behind else line
        if one.note and not fits:
            yield from _note_below(row, frame, styled)


def _frame(display: Display, columns: int, layout: str) -> _Frame:
    margin = 2 * MARGIN if display.title else MARGIN
    lefts = [_left(row, layout).width for row in display.rows if row.left is not None]
    left = max((one for one in lefts if one <= columns * _LEFT_PART), default=0)
    return _Frame(margin, left, max((width(row.sign) for row in display.rows), default=0), columns)


def _left(row: Row, layout: str) -> Box:
    """The left side; with shapes, that of the result stands below it."""
    if row.left is None:
        return text_box("")
    drawn = box(row.left)
    return labelled(drawn, shape_text(row.right, layout)) if row.shapes else drawn


def _draw(row: Row, frame: _Frame, layout: str) -> _Drawn:
    margin, left = text_box(" " * frame.margin), _left(row, layout)
    drawn: list[Box] = []
    if row.left is not None and left.width > frame.left:
        for indent, line in lines(row.left, frame.columns - frame.margin):
            drawn.append(beside([margin, text_box(" " * max(indent, 0)), line]))
        left = text_box("")
    before = sum(len(line.text) for line in drawn)
    (_, first), *others = lines(row.right, frame.columns - frame.right, layout if row.shapes else "")
    aligned = [text_box(" " * (frame.left - left.width)), left, text_box(" ")] if frame.left else []
    sign = text_box(padded(row.sign, frame.sign + 1) if frame.sign else "")
    drawn.append(beside([margin, *aligned, sign, first]))
    baseline = before + drawn[-1].baseline
    for indent, line in others:
        # Without a sign there is nothing for an operator to stand below.
        space = frame.right + (indent if frame.sign else max(indent, 0))
        drawn.append(beside([text_box(" " * space), line]))
    text = tuple(line.rstrip() for box in drawn for line in box.text)
    is_tall = any(len(box.text) > 1 for box in drawn)
    return _Drawn(text, baseline, bool(others), is_tall, plain(row.note))


def _note_column(drawn: list[_Drawn], columns: int) -> int:
    """Where the reasons begin: so that as many as possible stand beside their rows, as far left as can be."""
    candidates = sorted({one.end + _NOTE_GAP for one in drawn if one.note})
    return max(candidates, key=lambda at: sum(_note_fits(one, at, columns) for one in drawn), default=0)


def _note_fits(one: _Drawn, at: int, columns: int) -> bool:
    fits = one.end + _NOTE_GAP <= at and at + width(one.note) <= columns
    return fits and bool(one.note) and not one.is_broken


def _note_below(row: Row, frame: _Frame, styled: Styled) -> Iterator[str]:
    indent = frame.right if frame.columns - frame.right >= _LEAST_NOTE else 2 * MARGIN
    hanging = " " * width(_NOTE_MARK)
    for number, line in enumerate(wrapped(row.note, frame.columns - indent - len(hanging))):
        yield " " * indent + styled((hanging if number else _NOTE_MARK) + line, "dim")
