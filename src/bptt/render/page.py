"""A page of mathematics, before anybody knows where it will be shown.

Sections hold blocks, a block holds text and formulas; text is words with formulas among them. Each renderer
(terminal, Markdown, LaTeX, HTML) sets these few kinds of things and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bptt.formula.tree import Formula, Symbol, Text
from bptt.ir.dims import Shape


@dataclass(frozen=True)
class Paragraph:
    text: Text


@dataclass(frozen=True)
class Row:
    """One line of a display: `left sign right`, and beside it why. `left` is None where it is carried over
    from the row before. With `shapes` the shape stands under every factor of `right`.
    """

    right: Formula
    left: Formula | None = None
    sign: str = "="
    note: Text = ()
    shapes: bool = False


@dataclass(frozen=True)
class Display:
    """Lines aligned at their signs. `title` stands before them ("index form")."""

    rows: tuple[Row, ...]
    title: str = ""


@dataclass(frozen=True)
class Table:
    header: tuple[Text, ...]
    rows: tuple[tuple[Text, ...], ...]


@dataclass(frozen=True)
class Code:
    """Text as it stands, in a fixed-width face."""

    text: str


@dataclass(frozen=True)
class Graph:
    """A drawing of what is computed from what. Nodes are (key, label, kind), kind one of "input",
    "parameter", "value", "state", "objective"; an edge is (from, to, later), `later` where it leads to the
    next time step.
    """

    nodes: tuple[tuple[str, Symbol, str], ...]
    edges: tuple[tuple[str, str, bool], ...]


@dataclass(frozen=True)
class Section:
    """`key` is unique on the page. `folded` sections open at a click, where a reader can click."""

    title: Text
    key: str
    blocks: tuple[Block, ...]
    folded: bool = False


Block = Paragraph | Display | Table | Code | Graph | Section


@dataclass(frozen=True)
class Meaning:
    """What is known of a symbol wherever it stands: its shape, and what it is, in words or as a formula."""

    shape: Shape
    definition: Text


@dataclass(frozen=True)
class Page:
    """`meanings` are by (name, of). `layout` says how vectors lie; `timed` whether anything has a step
    before.
    """

    title: str
    sections: tuple[Section, ...]
    layout: str
    timed: bool
    meanings: dict[tuple[str, str], Meaning] = field(default_factory=dict)
