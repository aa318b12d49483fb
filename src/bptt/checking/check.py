"""A document to its report: read, understood, judged, and what is wrong with it found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import replace

from bptt.checking.abbreviations import Abbreviations, definition
from bptt.checking.applications import with_functions
from bptt.checking.belonging import belonging
from bptt.checking.epochs import epochs
from bptt.checking.equations import Sayable
from bptt.checking.evidence import Evidence
from bptt.checking.example_evidence import examples_of
from bptt.checking.faces import told_apart
from bptt.checking.gates import with_gates
from bptt.checking.given import Given
from bptt.checking.header import header_of
from bptt.checking.hypotheses import Hypotheses
from bptt.checking.judge import Judge, Judged
from bptt.checking.last_step import with_last_step
from bptt.checking.layers import with_layers
from bptt.checking.names import EQUALS, Lettering, Resolved, lettering
from bptt.checking.naming import with_definitions
from bptt.checking.objectives import settle_objective
from bptt.checking.primes import with_primes
from bptt.checking.probabilities import with_elements
from bptt.checking.repeated import joined
from bptt.checking.report import Remark, Report
from bptt.checking.stacking import unstacked
from bptt.checking.statements import read
from bptt.checking.steps import with_steps
from bptt.checking.survey import Survey, differentiates, is_claim
from bptt.checking.synonyms import uniform
from bptt.checking.understanding import prepare, shows_layout
from bptt.checking.variables import judged_for_all
from bptt.checking.verdicts import Epoch, Found, best, report
from bptt.checking.words import with_words
from bptt.checking.written import Call, Differential, Link, Nabla, Reading, Statement, Written
from bptt.formula.shapes import LAYOUTS
from bptt.lowering.surface import names as names_in
from bptt.source import Source
from bptt.syntax.tree import Equation


def check_document(
    source: Source, *, model: str | None = None, layout: str | None = None, form: str | None = None
) -> Report:
    """Every claim of a document about a gradient, judged.

    `form` says how it is written, one of `documents.FORMS`; without it the name and the text tell. `model` is
    a shipped one, a file, or equations: what the document does not define is taken from there.
    """
    return examine(source, model=model, layout=layout, form=form)[0]


def examine(
    source: Source, *, model: str | None = None, layout: str | None = None, form: str | None = None
) -> tuple[Report, list[Found]]:
    """The report on a document, and for each of its claims, in order, what it was judged by."""
    reading = read(source, form)
    header = header_of(source)
    reading = replace(reading, statements=(*header.statements, *reading.statements))
    layout, model, objective = layout or header.layout, model or header.model, header.objective
    if model is None:
        return _judged(reading, layout, objective)
    given = Given(model)
    layouts = (layout,) if layout is not None else sorted(LAYOUTS, key=lambda name: name != given.layout)
    return best([_judged(given.before(reading, name), name, objective) for name in layouts])


def _judged(reading: Reading, layout: str | None, objective: str | None) -> tuple[Report, list[Found]]:
    """The report; where nothing shows how vectors lie, that of the layout in which more holds."""
    reading = plain(reading)
    document = _Document(reading, lettering(reading), layout)
    first = _report(document, objective)
    if layout is not None or document.layouts:
        return first
    return best([first, _report(_Document(reading, lettering(reading), "column"), objective)])


def _report(document: _Document, objective: str | None) -> tuple[Report, list[Found]]:
    found = list(document.judge())
    whole = report(document.reading.source, found, objective)
    chosen = joined(whole.claims)
    claims = tuple(claim for _, claim in chosen)
    remarks = (*whole.remarks, *_unread(document.reading))
    return replace(whole, claims=claims, remarks=remarks), [found[number] for number, _ in chosen]


def _unread(reading: Reading) -> Iterator[Remark]:
    """What was passed over, by the reason."""
    lines: dict[str, list[int]] = {}
    for part in reading.unread:
        lines.setdefault(part.reason, []).append(part.span.line)
    for reason, at in lines.items():
        yield Remark(f"not read: {reason}", tuple(at))


def plain(reading: Reading) -> Reading:
    """The document in one way of writing, as far as that can be told without knowing its model."""
    statements = with_definitions(uniform(with_last_step(told_apart(reading.statements))))
    statements = with_words(with_primes(statements), reading.source.text)
    statements = with_elements(statements)
    statements = with_steps(with_functions(with_layers(with_gates(statements))))
    return replace(reading, statements=tuple(statements))


def _all_behind(names: Set[str], equations: Mapping[str, Equation]) -> frozenset[str]:
    """The names, and all that they are made of."""
    found: set[str] = set()
    ahead = list(names)
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead += [n.id for n in names_in(equations[name].value)] if name in equations else []
    return frozenset(found)


def _judged_link(judge: Judge, statement: Statement, left: Written, link: Link) -> Judged:
    if isinstance(left, Call):
        return judged_for_all(judge, statement, left, link)
    return judge.judge(statement, left, link)


def _only_derivative(statement: Statement) -> Statement:
    """What a statement says a name is, without what it is equal to."""
    links = tuple(link for link in statement.links if isinstance(link.right, Differential | Nabla))
    return replace(statement, links=links)


class _Document:
    def __init__(self, reading: Reading, letters: Lettering, layout: str | None) -> None:
        self.reading, self.letters, self.layout = reading, letters, layout
        self.examples = examples = examples_of(reading, letters)
        single = reading
        totals = frozenset() if examples is None else examples.totals
        if examples is not None:
            # The equations are those of one example, the claims speak of all.
            self.letters = letters = replace(
                letters, examples=examples.above, examples_last=not examples.rows,
                indices=letters.indices | examples.letters,
            )  # fmt: skip
            single = replace(reading, statements=tuple(map(examples.one, reading.statements)))
        self.survey = Survey(single, letters, totals)
        if self.survey.labels:
            self.letters = replace(letters, indices=letters.indices | self.survey.labels)
            self.survey = Survey(single, self.letters, totals)
        self.losses = self.survey.losses
        sayable = Sayable(
            self.letters,
            self.losses,
            self.survey.targets,
            defined=self.survey.defined,
            families=self.survey.families,
        )
        numbered = enumerate(single.statements)
        said = unstacked([s for n, statement in numbered for s in sayable.equations(n, statement)])
        stated = [s for s in said if s.equation.target.id not in self.survey.derivatives]
        stated = belonging(stated, self.survey.differentiated, self.losses)
        sections = [statement.section for statement in reading.statements]
        claims = [n for n, statement in enumerate(reading.statements) if is_claim(statement.left)]
        self.epochs = [Epoch(*epoch) for epoch in epochs(stated, sections, claims, self.losses)]
        for epoch in self.epochs:
            names = [n.name for _, s in self._within(epoch) for n in self.survey.resolved(s)]
            epoch.mentioned = frozenset(names)
        self.equations = {s.number for s in stated}
        self.abbreviations = Abbreviations(self.survey, self.losses)
        self.layouts = self._prepare()

    def _prepare(self) -> set[str]:
        """Prepares the epochs. The layouts that their products show; where that is one, it is that of all."""
        for epoch in self.epochs:
            prepare(epoch, self.survey, self.layout, self.examples)
        shown = {e.model.layout for e in self.epochs if e.model is not None and shows_layout(e.model)}
        if self.layout is None and len(shown) == 1:
            (layout,) = shown
            for epoch in self.epochs:
                if epoch.model is not None and epoch.model.layout != layout:
                    prepare(epoch, self.survey, layout, self.examples)
        for epoch in self.epochs:
            self._note_unread(epoch)
        return shown

    def _note_unread(self, epoch: Epoch) -> None:
        """Notes what the model has to take as given although the document says how it is made of other
        things: of a derivative by these the model tells nothing.
        """
        epoch.missing, epoch.upstream = "", frozenset()
        if epoch.model is None or epoch.meanings is None:
            return
        known = epoch.meanings.quantities
        for number, statement in self._within(epoch):
            said = definition(number, statement, self.survey)
            if said is None or said.name in epoch.model.definitions or said.name not in known:
                continue
            made_of = {n.name for link in said.links for n in self._names(link.right)} - {said.name}
            if made_of & known.keys() and not any(map(differentiates, (k.right for k in said.links))):
                epoch.missing = f"what {said.name} is made of, in a form that can be read"
                epoch.upstream |= _all_behind(made_of, epoch.equations)

    def _names(self, part: Written) -> Iterator[Resolved]:
        return self.survey.resolved(Statement(part, (), part.span))

    def judge(self) -> Iterator[Found]:
        for number, statement in enumerate(self.reading.statements):
            epoch = next(e for e in reversed(self.epochs) if e.start <= number)
            if epoch.meanings is None or epoch.judge is None:
                if is_claim(statement.left):
                    for link in statement.links:
                        yield Found(Judged(statement, link, missing=epoch.trouble), epoch)
                continue
            if epoch.settled is None:
                if epoch.judge.worlds[0].board.batch:
                    settle_objective(epoch.judge, self._statements(epoch))
                evidence = Evidence(self._statements(epoch), self.survey, epoch.meanings, epoch.judge)
                epoch.settled = Hypotheses(evidence).settle()
            if is_claim(statement.left):
                assert statement.left is not None
                for link in statement.links:
                    if link.sign in EQUALS and id(link) not in epoch.settled.saying:
                        yield Found(_judged_link(epoch.judge, statement, statement.left, link), epoch)
            else:
                yield from self.abbreviations.named(number, statement, epoch)
                if not self._is_equation(number, statement, epoch):
                    yield from self.abbreviations.identity(statement, epoch)

    def _is_equation(self, number: int, statement: Statement, epoch: Epoch) -> bool:
        """Whether the model of an epoch is made of this statement, among others."""
        assert epoch.meanings is not None
        return number in self.equations and self.survey.name(statement.left) in epoch.meanings.quantities

    def _statements(self, epoch: Epoch) -> list[tuple[int, Statement]]:
        """The statements of an epoch, with their numbers, that are no equations of its model."""
        found = [(n, s) for n, s in self._within(epoch) if not self._is_equation(n, s, epoch)]
        anew = {self.survey.name(s.left) for _, s in found}
        earlier = enumerate(self.reading.statements[: epoch.start])
        kept = [(n, s) for n, s in earlier if self.survey.names_derivative(s) not in {"", *anew}]
        return [*((n, _only_derivative(s)) for n, s in kept), *found]

    def _within(self, epoch: Epoch) -> list[tuple[int, Statement]]:
        """The statements of an epoch, with their numbers."""
        later = [e.start for e in self.epochs if e.start > epoch.start]
        end = min(later, default=len(self.reading.statements))
        return list(enumerate(self.reading.statements[epoch.start : end], epoch.start))
