"""A page as a LaTeX document that compiles as it stands, and as a fragment for a notebook."""

from __future__ import annotations

from collections.abc import Iterator

from bptt.render.latex_display import DOCUMENT, MATHJAX, environment, mathematics, words
from bptt.render.latex_formula import show
from bptt.render.latex_text import escape
from bptt.render.page import Block, Code, Display, Graph, Page, Paragraph, Section, Table
from bptt.render.typeset import text_width

__all__ = ["fragment", "render", "show"]

_PREAMBLE = r"""\documentclass[10pt,fleqn]{article}
\usepackage{amsmath,amssymb}
\usepackage[a4paper,margin=2.2cm]{geometry}
\allowdisplaybreaks
\setlength{\mathindent}{1em}
\setcounter{tocdepth}{1}
\setlength{\parindent}{0pt}
\setlength{\parskip}{0.5\baselineskip}
"""
_LEVELS = ("section", "subsection", "subsubsection", "paragraph")
# With so many sections there is a table of contents.
_CONTENTS = 6
# What a cell of a table is at most before its column gets a width of its own, in em.
_WIDEST_CELL = 18.0


def render(page: Page) -> str:
    """The whole document: pdflatex, with amsmath, amssymb and geometry alone."""
    parts = [
        f"{_PREAMBLE}\\title{{{escape(page.title)}}}\n\\author{{}}\n\\date{{}}\n",
        "\\begin{document}\n\\maketitle\n",
        *(["\\tableofcontents\n"] if len(page.sections) >= _CONTENTS else []),
        *(_section(section, page, 0) for section in page.sections),
        "\\end{document}\n",
    ]
    return "\n".join(parts)


def fragment(page: Page) -> str:
    """Words and displays between dollars, for a notebook: titles and displays, as MathJax sets them."""
    return "\n\n".join(_fragment(page.sections, page))


def _section(section: Section, page: Page, depth: int) -> str:
    level = _LEVELS[min(depth, len(_LEVELS) - 1)]
    blocks = [_block(block, page, depth) for block in section.blocks]
    text = "\n".join([f"\\{level}{{{words(section.title, page)}}}\n", *blocks])
    # An empty line before a display would be a paragraph of its own.
    return text.replace("\n\n\\begin{alignat", "\n\\begin{alignat")


def _block(block: Block, page: Page, depth: int) -> str:
    match block:
        case Section():
            return _section(block, page, depth + 1)
        case Paragraph(text):
            return words(text, page) + "\n"
        case Display(title=title):
            heading = f"\\textit{{{escape(title)}}}\n" if title else ""
            return heading + environment(block, page, DOCUMENT) + "\n"
        case Table():
            return _table(block, page)
        case Code(code):
            return _code(code)
        case Graph():
            return _graph(block, page)


def _table(table: Table, page: Page) -> str:
    """Columns as wide as they are; where that is too much, the wide ones share what is left."""
    rows = (table.header, *table.rows)
    widths = [max(text_width(row[place], page.timed) for row in rows) for place in range(len(table.header))]
    kinds = ["l"] * len(widths)
    if sum(widths) + len(widths) > DOCUMENT.width:
        wide = [place for place, width in enumerate(widths) if width > _WIDEST_CELL]
        narrow = sum(width for width in widths if width <= _WIDEST_CELL)
        for place in wide:
            share = max((DOCUMENT.width - narrow - len(widths)) / len(wide), 6.0)
            kinds[place] = f"p{{{share:.0f}em}}"
    lines = ["{}" + " & ".join(words(cell, page) for cell in row) + r" \\" for row in rows]
    lines.insert(1, r"\hline")
    begin, end = rf"\begin{{tabular}}{{@{{}}{''.join(kinds)}@{{}}}}", r"\end{tabular}"
    return "\n".join([r"{\renewcommand{\arraystretch}{1.3}", begin, *lines, f"{end}}}", ""])


def _code(code: str) -> str:
    """Lines in a fixed-width face; not `verbatim`, which knows no Greek letters."""
    lines = [escape(line).replace(" ", "~") or "~" for line in code.rstrip("\n").split("\n")]
    body = " \\\\\n".join(lines)
    return f"{{\\ttfamily\\small\\raggedright\n{body}\n\n}}\n"


def _graph(graph: Graph, page: Page) -> str:
    """What is computed from what, as a list: drawing needs packages that not everybody has."""
    symbols = {key: f"${show(symbol, page.timed)}$" for key, symbol, _ in graph.nodes}
    lines = []
    for key, name in symbols.items():
        now = [symbols[source] for source, target, later in graph.edges if target == key and not later]
        before = [symbols[source] for source, target, later in graph.edges if target == key and later]
        sources = ", ".join(now) + (f"; one step before: {', '.join(before)}" if before else "")
        if sources:
            lines.append(rf"\item {name} from {sources.removeprefix('; ')}")
    if not lines:
        return ""
    return "\\begin{itemize}\\setlength{\\itemsep}{0pt}\n" + "\n".join(lines) + "\n\\end{itemize}\n"


def _fragment(blocks: tuple[Block, ...], page: Page) -> Iterator[str]:
    for block in blocks:
        match block:
            case Section(title=title, blocks=inner):
                yield f"${mathematics(title, page, command='textbf')}$"
                yield from _fragment(inner, page)
            case Paragraph(text):
                yield "".join(
                    part.replace("$", r"\$") if isinstance(part, str) else f"${show(part, page.timed)}$"
                    for part in text
                )
            case Display():
                yield f"$$\n{environment(block, page, MATHJAX)}\n$$"
            case Table(header, rows):
                lines = [" & ".join(mathematics(cell, page) for cell in row) for row in (header, *rows)]
                body = " \\\\\n".join(lines)
                yield f"$$\n\\begin{{array}}{{{'l' * len(header)}}}\n{body}\n\\end{{array}}\n$$"
            case Code() | Graph():
                pass
