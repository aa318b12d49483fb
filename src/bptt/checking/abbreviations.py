"""Names that a document gives to what it has derived: δ = ŷ - y, and the rest of that chain are claims."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from bptt.checking.meaning import Reader
from bptt.checking.meanings import Meanings, Mode
from bptt.checking.names import EQUALS, Unclear
from bptt.checking.survey import Survey, differentiates
from bptt.checking.verdicts import Epoch, Found
from bptt.checking.written import (
    Bracketed,
    Call,
    Chain,
    Differential,
    Letter,
    Link,
    Nabla,
    Numeral,
    Scripts,
    Statement,
    Terms,
    Written,
)
from bptt.formula.tree import Formula, shift_time

# How a definition is read where that is a choice; ∘ parts products in most of them.
MODES = (Mode("loose"), Mode())


@dataclass(frozen=True)
class Definition:
    """A statement that begins with a name of its own: statement `number` says what `name` is. `offset` is
    how many steps from t the name stands there, `index` the letter of its element.
    """

    number: int
    statement: Statement
    left: Letter
    name: str
    offset: int = 0
    index: str = ""

    @property
    def links(self) -> list[Link]:
        return [link for link in self.statement.links if link.sign in EQUALS]

    def formula(self, link: Link, meanings: Meanings) -> Formula | None:
        """What a link says the name is at time t; None where that cannot be read (yet)."""
        return next(iter(self.formulas(link, meanings)), None)

    def formulas(self, link: Link, meanings: Meanings) -> list[Formula]:
        """The same in all readings that make a difference."""
        right = _whole(link.right, self.index) if self.index else link.right
        found: dict[Formula, None] = {}
        for mode in MODES if right is not None else ():
            assert right is not None
            try:
                found[shift_time(Reader(meanings, mode)(right), -self.offset)] = None
            except (Unclear, ValueError):
                continue
        return list(found)


def definition(number: int, statement: Statement, survey: Survey) -> Definition | None:
    """What a statement defines, if its left side is a plain name."""
    left = statement.left
    if not isinstance(left, Letter) or not statement.links or statement.links[0].sign not in EQUALS:
        return None
    try:
        name = survey.letters.resolve(left)
    except Unclear:
        return None
    if len(name.indices) > 1 or name.turned or name.primes or name.power is not None or name.token:
        return None
    offset = name.time.offset if name.time is not None and name.time.letter == "t" else 0
    index = name.indices[0].letter if name.indices else ""
    return Definition(number, statement, left, name.name, offset, index)


@dataclass(frozen=True)
class Abbreviations:
    """The abbreviations of a document; `losses` are the names of what it derives."""

    survey: Survey
    losses: Collection[str]

    def identity(self, statement: Statement, epoch: Epoch) -> Iterator[Found]:
        """J = … = …: what it is first said to be is what the rest has to equal. What it is said to be in a
        later line may be another loss, unless it is the same.
        """
        assert epoch.judge is not None
        if (
            not isinstance(statement.left, Letter | Call)
            or self.survey.name(statement.left) not in self.losses
        ):
            return
        again = self._said_before(statement)
        for link in statement.links[:1] if again else ():
            judged = epoch.judge.judge(statement, statement.left, link)
            if link.sign in EQUALS and judged.agreements:
                yield Found(judged, epoch)
        for link in statement.links[1:]:
            if link.sign in EQUALS:
                yield Found(epoch.judge.judge(statement, statement.links[0].right, link), epoch)

    def _said_before(self, statement: Statement) -> bool:
        """Whether an earlier line of the section says what the same loss is."""
        for other in self.survey.reading.statements:
            if other.span == statement.span:
                return False
            if other.left == statement.left and other.links and other.section == statement.section:
                return True
        return False

    def named(self, number: int, statement: Statement, epoch: Epoch) -> Iterator[Found]:
        """A name for something: what it is taken to be (see hypotheses), and all else are claims."""
        said = definition(number, statement, self.survey)
        assert epoch.meanings is not None and epoch.judge is not None and epoch.settled is not None
        if said is None or said.name in self.losses:
            return
        meaning = epoch.settled.defined.get(number)
        if meaning is not None:
            epoch.meanings.quantities[said.name] = meaning.quantity
        elif number not in epoch.settled.claims:
            return
        for link in said.links:
            if meaning is None:
                yield Found(epoch.judge.judge(statement, said.left, link), epoch)
            elif link is not meaning.link and any(map(differentiates, (meaning.link.right, link.right))):
                judged = epoch.judge.judge(statement, said.left, link)
                if isinstance(link.right, Differential | Nabla) and not said.offset:
                    # Between a derivative and a value, it is the value that is claimed, if it can be.
                    turned = epoch.judge.judge(statement, link.right, meaning.link)
                    judged = turned if turned.agreements else judged
                yield Found(judged, epoch)


def _counts(letter: Letter, index: str) -> bool:
    """Whether the index stands below a letter."""
    return any(isinstance(item, Letter) and item.name == index for item in letter.scripts.below)


def _whole(part: Written, index: str) -> Written | None:
    """A vector whose element is written as a sum of elements: p - y of p_k - y_k."""
    match part:
        case Terms(terms=terms):
            whole = [_whole(term, index) for term in terms]
            return None if None in whole else replace(part, terms=tuple(w for w in whole if w is not None))
        case Numeral():
            return part
        case Differential(top=Letter() as top, bottom=bottom, operand=None) if not _counts(top, index):
            inner = _whole(bottom, index)
            return None if inner is None else replace(part, bottom=inner)
        case Bracketed(inner=inner, kind="(" | "[", scripts=Scripts((), _, 0)):
            value = _whole(inner, index)
            return None if value is None else replace(part, inner=value)
        case Call(arguments=(argument,), scripts=Scripts((), (), 0)):
            value = _whole(argument, index)
            return None if value is None else replace(part, arguments=(value,))
        case Chain(factors=factors, signs=signs) if set(signs) <= {"", "·", "∘"}:
            # Of elements a product is one element by element.
            whole = [_whole(factor, index) for factor in factors]
            kept = tuple(w for w in whole if w is not None)
            return None if len(kept) < len(whole) else replace(part, factors=kept, signs=("∘",) * len(signs))
        case Letter(scripts=Scripts(below=(*others, Letter(name=last)))) if last == index:
            return replace(part, scripts=replace(part.scripts, below=tuple(others)))
    return None
