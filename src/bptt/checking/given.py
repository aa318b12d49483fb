"""The equations that somebody gives with a document: those of a model, where the document states none.

They are put before the document as if it began with them, in its own spelling of the names, and without those
that it defines itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from bptt.checking.equations import Sayable
from bptt.checking.names import Unclear, lettering, walk
from bptt.checking.statements import read_formula
from bptt.checking.written import Letter, Reading
from bptt.lowering import lower
from bptt.lowering.surface import rewrite
from bptt.models import source_of
from bptt.syntax import parse, to_latex
from bptt.syntax.tree import JUXTAPOSED, Binary, Document, Equation, Expression, Name


class Given:
    """A shipped model, a file, or equations themselves; InputError or EquationError where it is no model."""

    def __init__(self, model: str) -> None:
        self.source = source_of(model)
        document = parse(self.source)
        self.layout = lower(document).layout
        self._equations = [s for s in document.statements if isinstance(s, Equation)]

    def before(self, reading: Reading, layout: str) -> Reading:
        """The document with the equations before it, their vectors in this layout."""
        equations = self._equations
        if layout != self.layout:
            equations = [replace(e, value=rewrite(e.value, _turned)) for e in equations]
        spelt = _spellings(reading, self._put_before(reading, equations))
        stated = _stated(reading)

        def named(name: Name) -> Name:
            return replace(name, id=spelt.get(name.id.replace("_", ""), name.id))

        def put(e: Expression) -> Expression:
            return named(e) if isinstance(e, Name) else e

        renamed = [replace(e, target=named(e.target), value=rewrite(e.value, put)) for e in equations]
        added = [e for e in renamed if e.target.id not in stated]
        return self._put_before(reading, added)

    def _put_before(self, reading: Reading, equations: Sequence[Equation]) -> Reading:
        if not equations:
            return reading
        statements = read_formula(to_latex(Document(tuple(equations), self.source)), self.source.name)
        return replace(reading, statements=(*statements, *reading.statements))


def _spellings(reading: Reading, whole: Reading) -> dict[str, str]:
    """The names of the document by how they are spelt without underscores: W_r by Wr. In the `whole`, with
    the equations before it, r is known to be no index.
    """
    letters = lettering(whole)
    spelt: dict[str, str] = {}
    for statement in reading.statements:
        for part in walk([p for p in (statement.left, *(link.right for link in statement.links)) if p]):
            if isinstance(part, Letter):
                with suppress(Unclear):
                    name = letters.resolve(part).name
                    spelt.setdefault(name.replace("_", ""), name)

    return spelt


def _stated(reading: Reading) -> frozenset[str]:
    """The names that the document defines."""
    sayable = Sayable(lettering(reading))
    found = (sayable.equation(number, statement) for number, statement in enumerate(reading.statements))
    return frozenset(stated.equation.target.id for stated in found if stated)


def _turned(e: Expression) -> Expression:
    """`x @ M` as `M @ x`: rows as columns, every matrix being the transpose of what it was."""
    if isinstance(e, Binary) and e.operator in ("@", JUXTAPOSED):
        return replace(e, left=e.right, right=e.left)
    return e
