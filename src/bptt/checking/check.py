"""A document to its report: read, understood, judged, and what is wrong with it found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from bptt.checking.equations import Sayable, epochs, understand
from bptt.checking.judge import Judge, Judged
from bptt.checking.meaning import FUNCTIONS, Meanings, Mode, Quantity, Reader
from bptt.checking.names import EQUALS, Lettering, Unclear, lettering, walk
from bptt.checking.report import Report
from bptt.checking.statements import read, read_formula
from bptt.checking.verdicts import Epoch, Found, report
from bptt.checking.world import NOW as NOW_STEP
from bptt.checking.world import World
from bptt.checking.written import (
    Big,
    Call,
    Differential,
    Letter,
    Nabla,
    Reading,
    Scripts,
    Statement,
    Terms,
    Written,
)
from bptt.derivation.board import LOSS, Board, put_on_board
from bptt.errors import EquationError
from bptt.formula.shapes import LAYOUTS
from bptt.formula.tree import NOW, Symbol, Time, shift_time
from bptt.ir.ops import Op
from bptt.source import Source
from bptt.syntax import tree
from bptt.syntax.tree import Equation

# Names of what is minimised, where the document does not define them as anything else.
USUAL_LOSSES = frozenset({"J", "L", "E", "C", "CE", "SCE", "loss", "Loss", "ell"})
_HEADER = re.compile(r"<!--\s*bptt:(.*?)-->", re.DOTALL)
# Words that say that J is the loss of all steps.
_SUMMED = re.compile(r"(?:summed|sum) over (?:all )?(?:the )?(?:time )?steps|total loss", re.IGNORECASE)
LOGARITHMS = frozenset({"log", "ln", "CE", "CrossEntropy", "H"})
SEEDS = ((1, True), (2, False), (3, False))


def check_document(source: Source, *, model: str | None = None, layout: str | None = None) -> Report:
    """Every claim of a document about a gradient, judged."""
    reading = read(source)
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
        sayable = Sayable(letters)
        numbered = enumerate(reading.statements)
        stated = [s for number, statement in numbered if (s := sayable.equation(number, statement))]
        sections = [statement.section for statement in reading.statements]
        claims = [n for n, statement in enumerate(reading.statements) if is_claim(statement.left)]
        self.epochs = [Epoch(*epoch) for epoch in epochs(stated, sections, claims)]
        self.equations = {s.number for s in stated}
        self.last = self._last()
        self.total = self._meanings_of_loss()
        self.losses = self._losses(stated_names={s.equation.target.id for s in stated})

    def _last(self) -> int:
        """The largest number that tells a step."""
        times = [0]
        for statement in self.reading.statements:
            rights = [link.right for link in statement.links]
            for part in walk([*([statement.left] if statement.left else []), *rights]):
                if isinstance(part, Letter):
                    try:
                        time = self.letters.resolve(part).time
                    except Unclear:
                        continue
                    if time is not None and not time.letter:
                        times.append(time.offset)
        return max(times)

    def _meanings_of_loss(self) -> tuple[str, ...]:
        """What J without a time may be: that of all steps, where the document says so; that of some later
        step or of all, where something comes from step t+1; otherwise that of step t.
        """
        summed = any(map(self._sums_over_times, self.reading.statements))
        if summed or _SUMMED.search(self.reading.source.text):
            return ("all",)
        ahead = any(time.letter == "t" and time.offset > 0 for time in self._times_of_claims())
        return ("all", "later") if ahead else ("now",)

    def _sums_over_times(self, statement: Statement) -> bool:
        if not isinstance(statement.left, Letter | Call) or is_claim(statement.left):
            return False
        sums = [part for part in walk([link.right for link in statement.links]) if isinstance(part, Big)]
        below = [p for part in sums for p in walk(list(part.below))]
        return any(isinstance(p, Letter) and p.name in ("t", "tau") for p in below)

    def _times_of_claims(self) -> Iterator[Time]:
        for statement in self.reading.statements:
            if is_claim(statement.left):
                for part in walk([link.right for link in statement.links]):
                    if isinstance(part, Letter):
                        try:
                            time = self.letters.resolve(part).time
                        except Unclear:
                            continue
                        if time is not None:
                            yield time

    def _losses(self, stated_names: set[str]) -> frozenset[str]:
        """What derivatives are taken of, never by, and that the document defines as no other quantity."""
        above, below, others = set(USUAL_LOSSES), set(stated_names), set[str]()
        for statement in self.reading.statements:
            rights = [link.right for link in statement.links]
            for part in walk([*([statement.left] if statement.left else []), *rights]):
                top, bottom = _sides(part)
                above |= self._name(top)
                below |= self._name(bottom)
            if not any(isinstance(part, Call) and part.function.name in LOGARITHMS for part in walk(rights)):
                others |= self._name(statement.left) - USUAL_LOSSES
        return frozenset(above - below - others)

    def _name(self, part: Written | None) -> set[str]:
        if isinstance(part, Call) and part.function.name not in FUNCTIONS:
            return {part.function.name}
        if not isinstance(part, Letter):
            return set()
        try:
            return {self.letters.resolve(part).name}
        except Unclear:
            return set()

    def judge(self) -> Iterator[Found]:
        for number, statement in enumerate(self.reading.statements):
            epoch = next(e for e in reversed(self.epochs) if e.start <= number)
            self._prepare(epoch)
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
            elif number not in self.equations or not self._name(statement.left) & set(
                epoch.meanings.quantities
            ):
                yield from self._abbreviation(statement, epoch)
                yield from self._identity(statement, epoch)

    def _is_known(self, statement: Statement, meanings: Meanings) -> bool:
        """Whether the model took the equation up."""
        return not self._name(statement.left).isdisjoint(meanings.quantities)

    def _identity(self, statement: Statement, epoch: Epoch) -> Iterator[Found]:
        """J = … = …: what it is first said to be is what the rest has to equal."""
        assert epoch.judge is not None
        if not isinstance(statement.left, Letter) or not self._name(statement.left) & self.losses:
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
                if later.sign in EQUALS and any(map(_differentiates, (link.right, later.right))):
                    yield Found(epoch.judge.judge(statement, left, later), epoch)
            return

    def _defined(self) -> set[str]:
        """The names on left sides."""
        said = [s for s in self.reading.statements if s.links and s.links[0].sign in EQUALS]
        return {name for statement in said for name in self._name(statement.left)}

    def _look_up(self, epoch: Epoch, names: list[str]) -> None:
        """A vector of every step that nothing defines is what the token picks from a table: the one of which
        the document takes such a part, or one without a name.
        """
        assert epoch.model is not None
        tables = [t for t in self._tables() if t not in epoch.model.params]
        equations = dict(epoch.equations)
        for name in names:
            table = tables.pop(0) if tables else f"{name}_table"
            span = self.reading.source.span(0, 0)
            first, second = tree.Name("x", span=span), tree.Name(table, span=span)
            if epoch.model.layout == "column":
                first, second = second, first
            picked = tree.Binary("@", first, second, span, span)
            equations[name] = Equation(tree.Name(name, span=span), picked, span)
        try:
            epoch.model = understand(equations, self.reading.source)
        except EquationError:
            return
        epoch.equations = equations

    def _tables(self) -> list[str]:
        """Matrices of which a token picks a part somewhere."""
        found: dict[str, None] = {}
        for statement in self.reading.statements:
            rights = [link.right for link in statement.links]
            for part in walk([*([statement.left] if statement.left else []), *rights]):
                if isinstance(part, Letter):
                    try:
                        resolved = self.letters.resolve(part)
                    except Unclear:
                        continue
                    if resolved.token is not None:
                        found[resolved.name] = None
        return list(found)

    def _timed(self) -> set[str]:
        """The names that bear a time somewhere."""
        found: set[str] = set()
        for statement in self.reading.statements:
            rights = [link.right for link in statement.links]
            for part in walk([*([statement.left] if statement.left else []), *rights]):
                if isinstance(part, Letter):
                    try:
                        resolved = self.letters.resolve(part)
                    except Unclear:
                        continue
                    if resolved.time is not None:
                        found.add(resolved.name)
        return found

    def _prepare(self, epoch: Epoch) -> None:
        if epoch.board is not None or epoch.trouble:
            return
        if not epoch.equations:
            epoch.trouble = "the equations of the model"
            return
        try:
            epoch.model = understand(epoch.equations, self.reading.source)
        except EquationError as error:
            epoch.trouble = f"a model that can be understood ({str(error).splitlines()[0]})"
            return
        if self.layout is not None and not any(len(shape) == 2 for shape in epoch.model.params.values()):
            # Where there is a product, it says itself how vectors lie.
            epoch.model = replace(epoch.model, layout=self.layout)
        epoch.board = put_on_board(epoch.model, fused=False)
        timed = self._timed()
        looked_up = [n for n in epoch.model.params if n in timed and n not in self._defined()]
        if looked_up:
            self._look_up(epoch, looked_up)
        epoch.missing = next((f"what {name} is" for name in epoch.model.params if name in timed), "")
        quantities = dict(_quantities(epoch.board))
        carried = frozenset(s.variable for s in epoch.model.states)
        epoch.meanings = Meanings(
            self.letters, quantities, self.losses, epoch.board.layout, carried, self.last, NOW_STEP
        )
        worlds = [World(epoch.board, seed, plain) for seed, plain in SEEDS]
        epoch.judge = Judge(epoch.meanings, worlds, self.total, NOW_STEP if self.last else 0)


def _quantities(board: Board) -> Iterator[tuple[str, Quantity]]:
    for leaf, symbol in board.symbols.items():
        if not leaf.args and leaf.op is not Op.CARRY and not symbol.of and symbol.name != LOSS:
            yield symbol.name, Quantity(symbol)
    for value in board.values.values():
        if value.name != LOSS and "·" not in value.name:
            yield value.name, Quantity(value.symbol)


def _whole(part: Written, index: str) -> Written | None:
    """A vector whose element is written as a sum of elements: p - y of p_k - y_k."""
    match part:
        case Terms(terms=terms):
            whole = [_whole(term, index) for term in terms]
            return None if None in whole else replace(part, terms=tuple(w for w in whole if w is not None))
        case Letter(scripts=Scripts(below=(*others, Letter(name=last)))) if last == index:
            return replace(part, scripts=replace(part.scripts, below=tuple(others)))
    return None


def _sides(part: Written) -> tuple[Written | None, Written | None]:
    """What a derivative is of, and by."""
    if isinstance(part, Differential):
        return part.top, part.bottom
    return (part.operand, part.by) if isinstance(part, Nabla) else (None, None)


def is_claim(left: Written | None) -> bool:
    """Whether what is on the left is a derivative."""
    return left is not None and _differentiates(left)


def _differentiates(formula: Written) -> bool:
    return any(isinstance(part, Differential | Nabla) for part in walk([formula]))
