"""A page as one HTML file that needs nothing else, or as a fragment for a notebook; formulas are MathML."""

from __future__ import annotations

import re
from html import escape

from bptt.formula.shapes import oriented
from bptt.render import graph, mathml
from bptt.render.marks import Line, Mark, Sign
from bptt.render.page import Block, Code, Display, Graph, Meaning, Page, Paragraph, Row, Section, Table, Text
from bptt.render.style import DOCUMENT_SCRIPT, DOCUMENT_STYLE, SCRIPT, STYLE
from bptt.render.typeset import text_width, typeset_lines, typeset_shape

# A line of a display is broken where it gets wider than this, in em.
_WIDEST = 48.0
# A cell of a table that is narrower than this is not broken.
_SHORTEST = 12.0


def render(page: Page) -> str:
    """The whole file: the sections with a table of contents, and what is known of every symbol."""
    title = escape(page.title)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{STYLE}{DOCUMENT_STYLE}</style>\n</head>\n<body>\n"
        f'<main class="bptt">\n<h1>{title}</h1>\n{_contents(page)}\n{_sections(page)}\n{_known(page)}\n'
        f"</main>\n<script>{SCRIPT}{DOCUMENT_SCRIPT}</script>\n</body>\n</html>\n"
    )


def fragment(page: Page) -> str:
    """The page in an element of its own, with its style: for a notebook."""
    return (
        f'<div class="bptt">\n<style>{STYLE}</style>\n<h1>{escape(page.title)}</h1>\n'
        f"{_sections(page)}\n{_known(page)}\n<script>{SCRIPT}</script>\n</div>\n"
    )


def _contents(page: Page) -> str:
    """Links to the sections; those within them would hide what there is."""
    links = (
        f'<li><a href="#{_key(section)}">{_text(section.title, page, is_plain=True)}</a></li>'
        for section in page.sections
    )
    return f'<nav aria-label="Contents"><ol>{"".join(links)}</ol></nav>'


def _key(section: Section) -> str:
    return escape(section.key.replace(" ", "-"))


def _sections(page: Page) -> str:
    return "\n".join(_section(section, page, 2) for section in page.sections)


def _section(section: Section, page: Page, level: int) -> str:
    title = f"<h{min(level, 6)}>{_text(section.title, page)}</h{min(level, 6)}>"
    blocks = "\n".join(_block(block, page, level) for block in section.blocks)
    if section.folded:
        return f'<details id="{_key(section)}"><summary>{title}</summary>\n{blocks}\n</details>'
    return f'<section id="{_key(section)}">{title}\n{blocks}\n</section>'


def _block(block: Block, page: Page, level: int) -> str:
    match block:
        case Section():
            return _section(block, page, level + 1)
        case Paragraph(text):
            return f"<p>{_text(text, page)}</p>"
        case Display(rows, title):
            heading = f'<p class="heading">{escape(title)}</p>\n' if title else ""
            lines = "\n".join(_row(row, page) for row in rows)
            return heading + _wide(f'<div class="display">\n{lines}\n</div>')
        case Table(header, rows):
            head = "".join(f'<th scope="col">{_text(cell, page)}</th>' for cell in header)
            body = "\n".join(f"<tr>{''.join(_cell(cell, page) for cell in row)}</tr>" for row in rows)
            return _wide(f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>")
        case Code(code):
            return f"<pre><code>{escape(code)}</code></pre>"
        case Graph():
            return _wide(graph.draw(block))


def _cell(cell: Text, page: Page) -> str:
    kind = ' class="short"' if text_width(cell, page.timed) < _SHORTEST else ""
    return f"<td{kind}>{_text(cell, page)}</td>"


def _wide(content: str) -> str:
    """Reached with the keyboard: to scroll what is wide, and to walk from symbol to symbol."""
    return f'<div class="wide" tabindex="0" role="group">{content}</div>'


def _row(row: Row, page: Page) -> str:
    """The left side, what it is with its sign, and why."""
    left = mathml.show(row.left, page.timed, display=True) if row.left is not None else ""
    first, *rest = typeset_lines(row.right, page.timed, _WIDEST, page.layout if row.shapes else None)
    lines = [mathml.line(row.sign, first), *map(_continued, rest)]
    why = f'<div class="why">{_text(row.note, page)}</div>'
    return f'<div class="left">{left}</div><div class="right">{"".join(lines)}</div>{why}'


def _continued(mark: Mark) -> str:
    assert isinstance(mark, Line) and isinstance(mark.items[0], Sign)
    return mathml.line(mark.items[0].text, Line(mark.items[1:]))


def _text(text: Text, page: Page, is_plain: bool = False) -> str:
    """Words with formulas among them; plain is what stands in a link, where no symbol can be asked for."""
    parts = (escape(part) if isinstance(part, str) else mathml.show(part, page.timed) for part in text)
    return re.sub(' data-symbol="[^"]*"', "", "".join(parts)) if is_plain else "".join(parts)


def _known(page: Page) -> str:
    """What is known of the symbols: the script takes it from here."""
    items = "\n".join(_meaning(key, meaning, page) for key, meaning in page.meanings.items())
    return f'<template>\n{items}\n</template>\n<div class="tip" role="status" hidden></div>'


def _meaning(key: tuple[str, str], meaning: Meaning, page: Page) -> str:
    shape = typeset_shape(*oriented(meaning.shape, page.layout))
    size = mathml.element(shape) if meaning.shape else "a number"
    of = mathml.symbol(key, "data-of")
    return f"<div {of}><p>{size}</p><p>{_text(meaning.definition, page)}</p></div>"
