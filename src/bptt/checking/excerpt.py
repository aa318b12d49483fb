"""Lines of a document with carets below a part of them, cut to the columns of a page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate

from bptt.render.boxes import width
from bptt.source import Span

MOST_LINES = 3
_TAB = "    "
_CUT = "…"
# What would move the cursor, or turn the direction of writing.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def harmless(text: str) -> str:
    """The text with the signs that steer a terminal replaced; tabs and ends of lines stay."""
    return _CONTROL.sub("\ufffd", text)


def excerpt(span: Span, columns: int) -> list[tuple[str, str]]:
    """The lines that the span touches, at most MOST_LINES of them, each with the line of carets below it.

    Both have the line's number before them. Of a line that is too long the part around the span is shown,
    of a span that is too long its beginning. A tab is shown as four spaces.
    """
    source = span.source
    begin = span.start + len(span.text) - len(span.text.lstrip())
    end = max(begin, span.start + len(span.text.rstrip()))
    first = source.line_and_column(begin)[0]
    last = source.line_and_column(max(begin, end - 1))[0]
    offset = begin - source.line_and_column(begin)[1] + 1
    rows = []
    for number in range(first, min(last, first + MOST_LINES - 1) + 1):
        text = source.line_text(number)
        inside = text[max(begin - offset, 0) : end - offset]
        start = max(begin - offset, 0) + len(inside) - len(inside.lstrip())
        stop = max(start + 1, min(end - offset, len(text.rstrip())))
        if inside.strip() or first == last:
            rows.append(_row(number, text.rstrip(), start, stop, columns))
        offset += len(text) + 1
    if last >= first + MOST_LINES:
        rows.append((f"{'':>4} | {_CUT}", ""))
    return rows


def _row(number: int, text: str, start: int, stop: int, columns: int) -> tuple[str, str]:
    prefix = f"{number:>4} | "
    room = columns - len(prefix)
    # Of a line without end no more is looked at than can be shown, and some more for what takes no room.
    base, limit = max(0, start - 4 * columns), start + 4 * columns
    near = harmless(text[base:limit])
    cells = [_TAB if character == "\t" else character for character in near]
    widths = [width(cell) for cell in cells]
    start, stop = min(start - base, len(cells)), min(stop - base, len(cells))
    is_whole = len(near) == len(text) and sum(widths) <= room
    left, right = (0, len(cells)) if is_whole else _shown(widths, start, stop, room - 2 * len(_CUT))
    before = _CUT if base or left else ""
    after = _CUT if limit < len(text) or right < len(cells) else ""
    shown = before + "".join(cells[left:right]) + after
    reach = list(accumulate(widths[left:right], initial=len(before)))
    at = reach[min(start, right) - left]
    # A mark above a letter takes no column of its own.
    carets = max(1, reach[min(stop, right) - left] - at)
    margin = " " * (len(prefix) - 2) + "| "
    return (prefix + shown).rstrip(), margin + " " * at + "^" * carets


def _shown(widths: Sequence[int], start: int, stop: int, room: int) -> tuple[int, int]:
    """From which cell to which a line is shown: those from `start` to `stop`, and as many around them as
    there is room for.
    """
    left = right = min(start, len(widths))
    while right < min(stop, len(widths)) and widths[right] <= room:
        room -= widths[right]
        right += 1
    is_growing = True
    while is_growing:
        is_growing = False
        if left > 0 and widths[left - 1] <= room:
            left -= 1
            room -= widths[left]
            is_growing = True
        if right < len(widths) and widths[right] <= room:
            room -= widths[right]
            right += 1
            is_growing = True
    return left, right
