"""Text to surface tree and back: the equation language and its spelling in LaTeX."""

from bptt.source import Source
from bptt.syntax.parser import parse_equations
from bptt.syntax.tree import Document
from bptt.syntax.unparse import unparse

__all__ = ["parse", "parse_equations", "unparse"]


def parse(source: Source) -> Document:
    """The document of a text."""
    return parse_equations(source)
