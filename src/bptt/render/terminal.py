"""A page as text for a terminal: Unicode mathematics on lines of a given width."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import assert_never

from bptt.formula.tree import BEFORE
from bptt.render.boxes import padded, width
from bptt.render.page import Block, Code, Display, Graph, Page, Paragraph, Section, Table, Text
from bptt.render.terminal_display import MARGIN, Styled, display_lines
from bptt.render.terminal_table import table_lines
from bptt.render.terminal_text import wrapped
from bptt.render.unicode import show

# Below the title of the page, of a section, and of the sections in it.
_UNDERLINES = ("═", "─", "╌")
_LEADS_TO = " ← "


def render(page: Page, width: int = 80, colour: bool = False) -> str:
    """The page as text, each line ended. Lines are at most `width` columns wide, unless something that
    cannot be broken (a name, a line of code) is wider. `colour` sets headings and reasons off with the
    escape sequences of terminals, and changes nothing else.
    """
    return "".join(line + "\n" for line in _Terminal(page.layout, width, _styled(colour)).page(page))


def _styled(colour: bool) -> Styled:
    if not colour:
        return lambda text, style: text
    # Imported where it is needed: it takes longer than a whole page.
    from rich.color import ColorSystem
    from rich.style import Style

    return lambda text, style: Style.parse(style).render(text, color_system=ColorSystem.STANDARD)


class _Terminal:
    def __init__(self, layout: str, columns: int, styled: Styled) -> None:
        self._layout, self._columns, self._styled = layout, columns, styled

    def page(self, page: Page) -> Iterator[str]:
        yield from self._heading((page.title,), 0)
        for section in page.sections:
            yield ""
            yield from self._section(section, 1)

    def _section(self, section: Section, depth: int) -> Iterator[str]:
        yield from self._heading(section.title, depth)
        for block in section.blocks:
            yield ""
            yield from self._block(block, depth)

    def _heading(self, title: Text, depth: int) -> Iterator[str]:
        lines = wrapped(title, self._columns)
        yield from (self._styled(line, "bold") for line in lines)
        yield _UNDERLINES[min(depth, len(_UNDERLINES) - 1)] * max(map(width, lines))

    def _block(self, block: Block, depth: int) -> Iterator[str]:
        match block:
            case Paragraph(text):
                yield from wrapped(text, self._columns)
            case Display():
                yield from display_lines(block, self._columns, self._layout, self._styled)
            case Table():
                yield from table_lines(block, self._columns, self._styled)
            case Code(text):
                yield from (f"{' ' * MARGIN}{line}".rstrip() for line in text.splitlines())
            case Graph():
                yield from self._graph(block)
            case Section():
                yield from self._section(block, depth + 1)
            case _:
                assert_never(block)

    def _graph(self, graph: Graph) -> Iterator[str]:
        """Every value and what it is computed from, in the order of the nodes."""
        labels = {key: label for key, label, _ in graph.nodes}
        sources = {
            key: [
                show(replace(labels[start], time=BEFORE) if later else labels[start])
                for start, end, later in graph.edges
                if end == key
            ]
            for key in labels
        }
        names = {key: show(label) for key, label in labels.items() if sources[key]}
        column = max(map(width, names.values()), default=0)
        hanging = " " * (MARGIN + column + width(_LEADS_TO))
        for key, name in names.items():
            lines = wrapped((", ".join(sources[key]),), self._columns - len(hanging))
            yield " " * MARGIN + padded(name, column, ">") + _LEADS_TO + lines[0]
            yield from (hanging + line for line in lines[1:])
