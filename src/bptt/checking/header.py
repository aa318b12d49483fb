r"""What a document says of itself in comments: how vectors lie, what J is, which model it is about.

In Markdown a comment `<!-- bptt: … -->` with as many lines as it takes, in LaTeX a line `% bptt: …` for each:

    layout = row                    or column
    objective = log-likelihood      or cross-entropy
    model = elman                   a model that is shipped with bptt
    h^{(t)} = \tanh(a^{(t)})        an equation in LaTeX

A document comes from anybody, so it can name no file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from bptt.checking.statements import read_formula
from bptt.checking.written import Statement
from bptt.derivation.board import OBJECTIVES
from bptt.formula.shapes import LAYOUTS
from bptt.models import shipped
from bptt.source import Source

_MARKDOWN = re.compile(r"<!--\s*bptt:")
# The comments of an annotated copy begin with the sign of a verdict.
_LATEX = re.compile(r"^[ \t]*%+[ \t]*bptt:(?![ \t]*[✓≈✗?])(.*)$", re.MULTILINE)
MOST_LINES = 100
_CHOICE = re.compile(r"\s*(layout|objective|model)\s*=\s*([\w-]+)\s*")


@dataclass(frozen=True)
class Header:
    """None for what is not said. `statements` are the equations, as if the document began with them."""

    layout: str | None = None
    objective: str | None = None
    model: str | None = None
    statements: tuple[Statement, ...] = ()


def header_of(source: Source) -> Header:
    """What the comments of a document say; what is said twice counts once, as it is said first."""
    known = {"layout": LAYOUTS, "objective": OBJECTIVES, "model": tuple(shipped())}
    said: dict[str, str] = {}
    statements: list[Statement] = []
    for line in islice(_lines(source.text), MOST_LINES):
        choice = _CHOICE.fullmatch(line)
        if choice is not None and choice[2] in known[choice[1]]:
            said.setdefault(choice[1], choice[2])
        elif line.strip():
            statements += read_formula(line.strip())
    return Header(said.get("layout"), said.get("objective"), said.get("model"), tuple(statements))


def _lines(text: str) -> Iterator[str]:
    for match in _MARKDOWN.finditer(text):
        end = text.find("-->", match.end())
        if end < 0:
            break
        yield from text[match.end() : end].splitlines()
    for match in _LATEX.finditer(text):
        yield match[1]
