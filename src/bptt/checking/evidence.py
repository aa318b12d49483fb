"""What speaks for a meaning of a name: the claims that use it, and how many of them hold so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from bptt.checking.abbreviations import Definition, definition
from bptt.checking.judge import Agreement, Judge, same
from bptt.checking.meaning import Reader
from bptt.checking.meanings import Meanings, Mode, Quantity
from bptt.checking.names import EQUALS, TIMES, Unclear
from bptt.checking.survey import Survey, is_claim
from bptt.checking.written import Link, Statement, Written
from bptt.derivation.board import LOSS
from bptt.formula.evaluate import Unbound
from bptt.formula.shapes import NonConforming
from bptt.formula.tree import NOW, Formula, Symbol, children, rebuild

# The world of the quick test: tokens are no one-hot vectors there, so that little holds by chance.
QUICK = 1
# A bound on how many claims are tried with one meaning or another.
MOST_TRIALS = 500


@dataclass(frozen=True)
class Use:
    """A claim, with the names in it that no equation defines."""

    number: int
    statement: Statement
    left: Written
    link: Link
    names: frozenset[str]

    @property
    def line(self) -> int:
        return self.link.span.line


@dataclass(frozen=True)
class Score:
    """The claims that hold under a meaning: those that say something, and those that repeat the meaning."""

    telling: tuple[Use, ...] = ()
    idle: tuple[Use, ...] = ()

    @property
    def rank(self) -> tuple[int, int]:
        return len(self.telling), len(self.idle)


class _Asked(dict[str, Quantity]):
    """Quantities that make one up for a name that is not among them, and remember it."""

    def __init__(self, known: dict[str, Quantity]) -> None:
        super().__init__(known)
        self.names: set[str] = set()

    def get(self, name: str, default: object = None) -> Quantity:
        if name in self:
            return self[name]
        self.names.add(name)
        return Quantity(Symbol(name, (), NOW))


class Evidence:
    """The definitions and the claims of a part of a document, in which one model holds, with its names that
    no equation defines.
    """

    def __init__(
        self, statements: Sequence[tuple[int, Statement]], survey: Survey, meanings: Meanings, judge: Judge
    ) -> None:
        self.survey, self.meanings = survey, meanings
        quick = slice(QUICK, QUICK + 1)
        self.judge = Judge(meanings, judge.worlds[quick], judge.losses, judge.until, judge.certain[quick])
        self.trials = 0
        self.definitions: dict[str, list[Definition]] = {}
        known = meanings.quantities.keys() | meanings.losses | TIMES | meanings.lettering.indices
        for number, statement in statements:
            said = definition(number, statement, survey)
            if said is not None and said.name not in known and not is_claim(statement.left):
                self.definitions.setdefault(said.name, []).append(said)
        self.uses = [use for number, statement in statements for use in self._uses(number, statement)]
        used = (name for use in self.uses for name in sorted(use.names))
        self.names = [n for n in dict.fromkeys([*self.definitions, *used]) if n not in meanings.quantities]

    def of(self, name: str, *, after: int = -1, but: int = -1) -> list[Use]:
        """The claims that use the name and otherwise only names with a meaning: those behind statement
        `after`, without statement `but`.
        """
        known = self.meanings.quantities.keys() | {name}
        return [
            u for u in self.uses if name in u.names <= known and u.number > after and u.number != but
        ]  # fmt: skip

    def score(self, name: str, quantity: Quantity, uses: Iterable[Use], least: int = 0) -> Score:
        """What holds if the name is this quantity; given up where fewer than `least` claims can hold."""
        before, inner = self.meanings.quantities.get(name), dict(self.meanings.inner)
        self.meanings.quantities[name] = quantity
        telling: list[Use] = []
        idle: list[Use] = []
        left = list(uses)
        try:
            while left and len(telling) + len(left) >= least and self.trials < MOST_TRIALS:
                use = left.pop(0)
                self.trials += 1
                judged = self.judge.judge(use.statement, use.left, use.link)
                if any(not a.turned for a in judged.agreements):
                    (idle if _untimed(judged.left) == _untimed(judged.right) else telling).append(use)
        finally:
            self.meanings.inner.clear()
            self.meanings.inner.update(inner)
            if before is None:
                del self.meanings.quantities[name]
            else:
                self.meanings.quantities[name] = before
        return Score(tuple(telling), tuple(idle))

    def are_equal(self, one: Formula, other: Formula) -> bool:
        """Whether two formulas have the same value."""
        (values,) = self.judge.points(Agreement(loss=self.judge.losses[0]))
        try:
            return one == other or same(values(one), values(other))
        except (NonConforming, Unbound, KeyError, IndexError, ValueError):
            return False

    def formula(self, written: Written) -> Formula | None:
        """What is written, where it can be read."""
        try:
            return Reader(self.meanings, Mode())(written)
        except (Unclear, ValueError):
            return None

    def _uses(self, number: int, statement: Statement) -> Iterator[Use]:
        if statement.left is None:
            return
        said = definition(number, statement, self.survey)
        if not is_claim(statement.left) and (said is None or said.name not in self.definitions):
            return
        for link in statement.links:
            names = self._unknown(statement.left, link.right) if link.sign in EQUALS else set()
            if names:
                yield Use(number, statement, statement.left, link, frozenset(names))

    def _unknown(self, *parts: Written) -> set[str]:
        asked = _Asked(self.meanings.quantities)
        reader = Reader(replace(self.meanings, quantities=asked, spans={}), Mode())
        for part in parts:
            try:
                reader(part)
            except (Unclear, ValueError):
                continue
        return asked.names


def _untimed(formula: Formula | None) -> Formula | None:
    """The formula with J not of any step."""
    if formula is None or isinstance(formula, Symbol):
        return Symbol(LOSS) if isinstance(formula, Symbol) and formula.name == LOSS else formula
    parts = [_untimed(part) for part in children(formula)]
    return rebuild(formula, tuple(part for part in parts if part is not None)) if parts else formula
