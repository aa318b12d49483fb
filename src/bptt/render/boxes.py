"""Lines of text beside each other: what is drawn over several lines has a baseline, where its row is read."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_BRACKETS = {"(": "⎛⎜⎝", ")": "⎞⎟⎠", "[": "⎡⎢⎣", "]": "⎤⎥⎦"}
COLUMN_GAP = 2
_LEAST_COLUMN = 4


def width(text: str) -> int:
    """The columns of a terminal that the text takes: none for marks above a letter, two for wide ones."""
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.category(character) in ("Mn", "Me", "Cf")
        else 2
        if unicodedata.east_asian_width(character) in "WF"
        else 1
        for character in text
    )


def padded(text: str, columns: int, align: str = "<") -> str:
    """The text with spaces around it, up to so many columns: at the left, the right or in the middle (^)."""
    space = max(columns - width(text), 0)
    before = {"<": 0, ">": space, "^": space // 2}[align]
    return " " * before + text + " " * (space - before)


@dataclass(frozen=True)
class Box:
    """Lines of equal width; `baseline` is the place of the one that the text around it is on.

    `label` is a line as wide, empty where there is none. It goes below the whole line in the end, so that
    the labels of one line are all at the same height and no bracket reaches around them.
    """

    lines: tuple[str, ...]
    baseline: int = 0
    label: str = ""

    @property
    def width(self) -> int:
        return width(self.lines[0])

    @property
    def height(self) -> int:
        return len(self.lines)

    @property
    def text(self) -> tuple[str, ...]:
        """The lines, the label below them."""
        return (*self.lines, self.label) if self.label else self.lines


def text_box(text: str) -> Box:
    return Box((text,))


def beside(boxes: Sequence[Box]) -> Box:
    """From left to right, all on one baseline."""
    above = max((box.baseline for box in boxes), default=0)
    below = max((box.height - box.baseline for box in boxes), default=1)
    lines = [""] * (above + below)
    for box in boxes:
        top = above - box.baseline
        blank = " " * box.width
        for place in range(len(lines)):
            lines[place] += box.lines[place - top] if 0 <= place - top < box.height else blank
    has_label = any(box.label for box in boxes)
    label = "".join(padded(box.label, box.width) for box in boxes) if has_label else ""
    return Box(tuple(lines), above, label)


def labelled(box: Box, label: str) -> Box:
    """The box with a label for the middle below it."""
    columns = max(box.width, width(label))
    lines = tuple(padded(line, columns, "^") for line in box.lines)
    return Box(lines, box.baseline, padded(label, columns, "^") if label else "")


def bracket(sign: str, inner: Box) -> Box:
    """An opening or closing bracket as high as what it holds."""
    if inner.height == 1:
        return text_box(sign)
    parts = _BRACKETS[sign]
    return Box((parts[0], *[parts[1]] * (inner.height - 2), parts[2]), inner.baseline)


def in_brackets(opening: str, inner: Box, closing: str) -> Box:
    return beside([bracket(opening, inner), inner, bracket(closing, inner)])


def narrowed(widths: Sequence[int], columns: int) -> list[int]:
    """The widths, or less for the widest of them, so that together they take so many columns."""
    widths = list(widths)
    while sum(widths) > columns and max(widths) > _LEAST_COLUMN:
        widths[widths.index(max(widths))] -= 1
    return widths


def stacked(boxes: Sequence[Box]) -> Box:
    """One below the other, from the left; the baseline is in the middle."""
    columns = max(box.width for box in boxes)
    lines = tuple(padded(line, columns) for box in boxes for line in box.lines)
    return Box(lines, (len(lines) - 1) // 2)


def matrix(rows: Sequence[Sequence[Box]], on_the_point: bool = False, row_gap: bool = False) -> Box:
    """Rows of cells in square brackets, the columns aligned: numbers on the point, all else in the middle.

    With `row_gap` an empty line keeps the rows apart.
    """
    columns = [_column(column, on_the_point) for column in zip(*rows, strict=True)]
    gap = text_box(" " * COLUMN_GAP)
    drawn: list[Box] = []
    for first, *others in zip(*columns, strict=True):
        drawn += [text_box("")] if row_gap and drawn else []
        drawn.append(beside([first, *(box for cell in others for box in (gap, cell))]))
    return in_brackets("[", stacked(drawn), "]")


def _column(cells: Sequence[Box], on_the_point: bool) -> list[Box]:
    if on_the_point:
        places = max(width(_behind_point(cell)) for cell in cells)
        cells = [
            Box((padded(cell.lines[0], cell.width + places - width(_behind_point(cell))),)) for cell in cells
        ]
    columns = max(cell.width for cell in cells)
    align = ">" if on_the_point else "^"
    return [Box(tuple(padded(line, columns, align) for line in cell.lines), cell.baseline) for cell in cells]


def _behind_point(cell: Box) -> str:
    """The decimal places with their point, of a number."""
    return cell.lines[0][len(cell.lines[0].partition(".")[0]) :]
