"""A page in the Markdown of GitHub.

Formulas in a line stand in $`…`$, those of their own in ```math: what is between $ and $ alone is read as
Markdown first, which takes underscores for emphasis and backslashes away. Where a cell of a table would end
at a bar, formulas have \\vert.
"""

from __future__ import annotations

import re
from html import escape

from bptt.render import unicode
from bptt.render.latex_display import MATHJAX, environment
from bptt.render.latex_formula import show
from bptt.render.page import Block, Code, Display, Graph, Page, Paragraph, Section, Table, Text

_SPECIAL = re.compile(r"[\\`*_\[\]#|~]")
_STARTS_A_BLOCK = re.compile(r"^(\s*)([-+=]|\d+(?=[.)]))", re.MULTILINE)
# The shape of a node in the drawing, by its kind.
_NODES = {
    "input": ('(["', '"])'),
    "parameter": ('["', '"]'),
    "value": ('("', '")'),
    "state": ('[["', '"]]'),
    "objective": ('(("', '"))'),
}


def render(page: Page) -> str:
    """The page, with its sections as headings; folded ones open at a click."""
    parts = [f"# {_escaped(page.title)}", *(_block(section, page, 2) for section in page.sections)]
    return "\n\n".join(parts) + "\n"


def _block(block: Block, page: Page, level: int) -> str:
    match block:
        case Section(title=title, blocks=blocks, folded=folded):
            inner = "\n\n".join(_block(part, page, level + 1) for part in blocks)
            if folded:
                # Nothing is read as Markdown, nor as mathematics, within the tags.
                summary = f"<summary><b>{_plain(title)}</b></summary>"
                return f"<details>\n{summary}\n\n{inner}\n\n</details>"
            return f"{'#' * min(level, 6)} {_text(title, page)}\n\n{inner}"
        case Paragraph(text):
            return _STARTS_A_BLOCK.sub(_harmless, _text(text, page))
        case Display(title=title):
            heading = f"*{_escaped(title)}*\n\n" if title else ""
            return f"{heading}```math\n{environment(block, page, MATHJAX)}\n```"
        case Table(header, rows):
            lines = [_cells(header, page), "|" + " --- |" * len(header), *(_cells(row, page) for row in rows)]
            return "\n".join(lines)
        case Code(code):
            fence = "`" * max(3, 1 + max(map(len, re.findall("`+", code)), default=0))
            return f"{fence}\n{code.rstrip()}\n{fence}"
        case Graph():
            return _mermaid(block)


def _text(text: Text, page: Page) -> str:
    return "".join(
        _escaped(part) if isinstance(part, str) else f"$`{show(part, page.timed)}`$" for part in text
    )


def _cells(cells: tuple[Text, ...], page: Page) -> str:
    return "| " + " | ".join(_text(cell, page).replace("\n", " ") for cell in cells) + " |"


def _escaped(words: str) -> str:
    """Words that mean nothing to Markdown, to HTML and to the reader of mathematics."""
    return _in_html(_SPECIAL.sub(r"\\\g<0>", words))


def _in_html(words: str) -> str:
    """Words within tags; a dollar by itself would begin mathematics."""
    return escape(words, quote=False).replace("$", "<span>$</span>")


def _harmless(start: re.Match[str]) -> str:
    """What would begin a list or underline a heading, with a backslash."""
    space, sign = start.groups()
    return f"{space}&#{ord(sign[0])};{sign[1:]}"


def _plain(text: Text) -> str:
    return _in_html("".join(part if isinstance(part, str) else unicode.show(part) for part in text))


def _mermaid(graph: Graph) -> str:
    """The drawing in the language of mermaid: what leads to the next step is dashed."""
    places = {key: f"n{place}" for place, (key, _, _) in enumerate(graph.nodes)}
    lines = ["flowchart LR"]
    for key, symbol, kind in graph.nodes:
        before, after = _NODES[kind]
        label = re.sub(r"[^\w\s,.+-]", lambda found: f"#{ord(found.group())};", unicode.show(symbol))
        lines.append(f"    {places[key]}{before}{label}{after}")
    for source, target, later in graph.edges:
        arrow = '-. "next step" .->' if later else "-->"
        lines.append(f"    {places[source]} {arrow} {places[target]}")
    body = "\n".join(lines)
    return f"```mermaid\n{body}\n```"
