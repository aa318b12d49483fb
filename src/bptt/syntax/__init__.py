"""Text to surface tree and back: the equation language and its spelling in LaTeX."""

import re

from bptt.source import Source
from bptt.syntax.latex import parse_latex
from bptt.syntax.parser import parse_equations
from bptt.syntax.to_latex import to_latex
from bptt.syntax.tree import Document
from bptt.syntax.unparse import unparse

__all__ = ["parse", "parse_equations", "parse_latex", "to_latex", "unparse"]

_COMMENT = re.compile(r"#[^\n]*")
_SIGN_OF_LATEX = re.compile(r"\\(?:[A-Za-z]|[\\(\[])|\$")


def parse(source: Source) -> Document:
    """The document of a text in either spelling.

    It is LaTeX if, comments (`# …`) aside, it has a command, a `\\\\` or a `$`; the equation language has
    none of these. Raises EquationError, with one diagnostic, where the text cannot be read.
    """
    is_latex = _SIGN_OF_LATEX.search(_COMMENT.sub("", source.text))
    return parse_latex(source) if is_latex else parse_equations(source)
