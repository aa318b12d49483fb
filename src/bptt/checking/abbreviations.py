"""Names that a document gives to what it has derived: δ = ŷ - y, and the rest of that chain are claims."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from bptt.checking.meaning import Mode, Quantity, Reader
from bptt.checking.names import EQUALS, Unclear
from bptt.checking.survey import Survey, differentiates
from bptt.checking.verdicts import Epoch, Found
from bptt.checking.written import Letter, Scripts, Statement, Terms, Written
from bptt.formula.tree import NOW, Symbol, shift_time


@dataclass(frozen=True)
class Abbreviations:
    """The abbreviations of a document; `losses` are the names of what it derives."""

    survey: Survey
    losses: Collection[str]

    def identity(self, statement: Statement, epoch: Epoch) -> Iterator[Found]:
        """J = … = …: what it is first said to be is what the rest has to equal."""
        assert epoch.judge is not None
        if not isinstance(statement.left, Letter) or self.survey.name(statement.left) not in self.losses:
            return
        for link in statement.links[1:]:
            if link.sign in EQUALS:
                yield Found(epoch.judge.judge(statement, statement.links[0].right, link), epoch)

    def named(self, statement: Statement, epoch: Epoch) -> Iterator[Found]:
        """A name for something: what it is first said to be is what it is; the rest are claims."""
        left = statement.left
        assert epoch.meanings is not None and epoch.judge is not None
        if not isinstance(left, Letter) or not statement.links or statement.links[0].sign not in EQUALS:
            return
        try:
            name = self.survey.letters.resolve(left)
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
