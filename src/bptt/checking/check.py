"""A document to its report: read, understood, judged, and what is wrong with it found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from bptt.checking.equations import Sayable, epochs
from bptt.checking.judge import Judged
from bptt.checking.meaning import Mode, Quantity, Reader
from bptt.checking.names import EQUALS, Lettering, Unclear, lettering
from bptt.checking.report import Report
from bptt.checking.statements import read, read_formula
from bptt.checking.survey import Survey, differentiates, is_claim
from bptt.checking.understanding import prepare
from bptt.checking.verdicts import Epoch, Found, report
from bptt.checking.written import Letter, Reading, Scripts, Statement, Terms, Written
from bptt.formula.shapes import LAYOUTS
from bptt.formula.tree import NOW, Symbol, shift_time
from bptt.source import Source

_HEADER = re.compile(r"<!--\s*bptt:(.*?)-->", re.DOTALL)


def check_document(
    source: Source, *, model: str | None = None, layout: str | None = None, form: str | None = None
) -> Report:
    """Every claim of a document about a gradient, judged.

    `form` says how it is written, one of `documents.FORMS`; without it the name and the text tell.
    """
    reading = read(source, form)
    header = _HEADER.search(source.text)
    if header is not None:
        layout, statements = _header(header[1], layout)
        reading = replace(reading, statements=(*statements, *reading.statements))
    letters = lettering(reading)
    found = list(_Document(reading, letters, layout).judge())
    return report(source, found)


def _header(text: str, layout: str | None) -> tuple[str | None, list[Statement]]:
    """What a comment at the head of a document says of the model: `layout = row`, and equations in LaTeX."""
    statements: list[Statement] = []
    for line in text.splitlines():
        word, _, value = (part.strip() for part in line.partition("="))
        if word == "layout" and value in LAYOUTS:
            layout = layout or value
        elif line.strip():
            statements += read_formula(line.strip())
    return layout, statements


class _Document:
    def __init__(self, reading: Reading, letters: Lettering, layout: str | None) -> None:
        self.reading, self.letters, self.layout = reading, letters, layout
        self.survey = Survey(reading, letters)
        sayable = Sayable(letters)
        numbered = enumerate(reading.statements)
        stated = [s for number, statement in numbered if (s := sayable.equation(number, statement))]
        sections = [statement.section for statement in reading.statements]
        claims = [n for n, statement in enumerate(reading.statements) if is_claim(statement.left)]
        self.epochs = [Epoch(*epoch) for epoch in epochs(stated, sections, claims)]
        self.equations = {s.number for s in stated}
        self.losses = self.survey.losses({s.equation.target.id for s in stated})

    def judge(self) -> Iterator[Found]:
        for number, statement in enumerate(self.reading.statements):
            epoch = next(e for e in reversed(self.epochs) if e.start <= number)
            prepare(epoch, self.survey, self.losses, self.layout)
            if epoch.meanings is None or epoch.judge is None:
                if is_claim(statement.left):
                    for link in statement.links:
                        yield Found(Judged(statement, link, missing=epoch.trouble), epoch)
                continue
            if is_claim(statement.left):
                assert statement.left is not None
                for link in statement.links:
                    if link.sign in EQUALS:
                        yield Found(epoch.judge.judge(statement, statement.left, link), epoch)
            elif (
                number not in self.equations
                or self.survey.name(statement.left) not in epoch.meanings.quantities
            ):
                yield from self._abbreviation(statement, epoch)
                yield from self._identity(statement, epoch)

    def _identity(self, statement: Statement, epoch: Epoch) -> Iterator[Found]:
        """J = … = …: what it is first said to be is what the rest has to equal."""
        assert epoch.judge is not None
        if not isinstance(statement.left, Letter) or self.survey.name(statement.left) not in self.losses:
            return
        for link in statement.links[1:]:
            if link.sign in EQUALS:
                yield Found(epoch.judge.judge(statement, statement.links[0].right, link), epoch)

    def _abbreviation(self, statement: Statement, epoch: Epoch) -> Iterator[Found]:
        """A name for something: what it is first said to be is what it is; the rest are claims."""
        left = statement.left
        assert epoch.meanings is not None and epoch.judge is not None
        if not isinstance(left, Letter) or not statement.links or statement.links[0].sign not in EQUALS:
            return
        try:
            name = self.letters.resolve(left)
        except Unclear:
            return
        known = epoch.meanings.quantities | dict.fromkeys(self.losses)
        if len(name.indices) > 1 or name.turned or name.name in known:
            return
        for place, link in enumerate(statement.links):
            right = _whole(link.right, name.indices[0].letter) if name.indices else link.right
            if right is None:
                continue
            try:
                formula = Reader(epoch.meanings, Mode("loose"))(right)
            except Unclear:
                continue
            offset = name.time.offset if name.time is not None and name.time.letter == "t" else 0
            formula = shift_time(formula, -offset)
            epoch.meanings.quantities[name.name] = Quantity(Symbol(name.name, (), NOW), formula)
            for later in statement.links[place + 1 :]:
                if later.sign in EQUALS and any(map(differentiates, (link.right, later.right))):
                    yield Found(epoch.judge.judge(statement, left, later), epoch)
            return


def _whole(part: Written, index: str) -> Written | None:
    """A vector whose element is written as a sum of elements: p - y of p_k - y_k."""
    match part:
        case Terms(terms=terms):
            whole = [_whole(term, index) for term in terms]
            return None if None in whole else replace(part, terms=tuple(w for w in whole if w is not None))
        case Letter(scripts=Scripts(below=(*others, Letter(name=last)))) if last == index:
            return replace(part, scripts=replace(part.scripts, below=tuple(others)))
    return None
