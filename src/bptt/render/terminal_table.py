"""Tables in a terminal: columns as wide as what they hold, or as the width of the page leaves them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest

from bptt.render.boxes import narrowed, padded, width
from bptt.render.page import Table, Text
from bptt.render.terminal_display import MARGIN, Styled
from bptt.render.terminal_text import plain, wrapped

_GAP = 3
_NUMBER = re.compile(r"[+−-]?[0-9][0-9.,·⁻⁰¹²³⁴⁵⁶⁷⁸⁹e+-]*(?: ?%)?")


def table_lines(table: Table, columns: int, styled: Styled) -> Iterator[str]:
    """The lines of a table, columns of numbers to the right. Rows are set apart where cells are wrapped."""
    header = (table.header,) if any(plain(cell) for cell in table.header) else ()
    widths = _widths([*header, *table.rows], columns - MARGIN)
    aligns = [">" if _is_numeric(cells) else "<" for cells in zip(*table.rows, strict=True)]
    aligns = aligns or ["<"] * len(widths)
    for titles in header:
        yield from (styled(line, "bold") for line in _row_lines(titles, widths, aligns))
        yield " " * MARGIN + "─" * (sum(widths) + _GAP * (len(widths) - 1))
    rows = [list(_row_lines(row, widths, aligns)) for row in table.rows]
    is_wrapped = any(len(row) > 1 for row in rows)
    for number, row in enumerate(rows):
        if number and is_wrapped:
            yield ""
        yield from row


def _widths(rows: list[tuple[Text, ...]], columns: int) -> list[int]:
    """The width of every column: what it needs, or less for the widest ones where the page is too narrow."""
    widths = [max(width(plain(cell)) for cell in cells) for cells in zip(*rows, strict=True)]
    return narrowed(widths, columns - _GAP * (len(widths) - 1))


def _is_numeric(cells: tuple[Text, ...]) -> bool:
    return all(_NUMBER.fullmatch(plain(cell)) for cell in cells)


def _row_lines(row: tuple[Text, ...], widths: list[int], aligns: list[str]) -> Iterator[str]:
    cells = [wrapped(cell, columns) for cell, columns in zip(row, widths, strict=True)]
    for parts in zip_longest(*cells, fillvalue=""):
        line = (" " * _GAP).join(map(padded, parts, widths, aligns))
        yield (" " * MARGIN + line).rstrip()
