"""What the names stand for that no equation of the model defines.

A document writes δ for a derivative that it has, and says so, says it twice and differently, or does not say
it at all. Its own claims tell which it is: each thing that the name could be is tried, and it is the one
under which most of the claims hold that use the name. A claim that would hold of anything shows nothing: if
δ is what ∂J/∂θ is said to be, that line is no evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from bptt.checking.abbreviations import Definition, definition
from bptt.checking.judge import Agreement, Judge, same
from bptt.checking.meaning import Meanings, Mode, Quantity, Reader
from bptt.checking.names import EQUALS, TIMES, Unclear, walk
from bptt.checking.report import Remark
from bptt.checking.settled import Meaning, Settled
from bptt.checking.survey import Survey, is_claim
from bptt.checking.written import Differential, Letter, Link, Nabla, Statement, Written
from bptt.derivation.board import LOSS
from bptt.formula.evaluate import Unbound
from bptt.formula.shapes import NonConforming
from bptt.formula.tensor import Tensor
from bptt.formula.tree import NOW, Derivative, Formula, Neg, Symbol, children, rebuild
from bptt.render.unicode import show

# The world of the quick test: tokens are no one-hot vectors there, so that little holds by chance.
QUICK = 1
# How many claims have to hold; one is enough where nothing else comes into question.
ENOUGH = 2


@dataclass(frozen=True)
class Use:
    """A claim, with the names in it that no equation defines."""

    number: int
    statement: Statement
    left: Written
    link: Link
    names: frozenset[str]


@dataclass(frozen=True)
class Score:
    """How many claims hold under a meaning: those that say something, and those that repeat the meaning."""

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


class Hypotheses:
    """Settles the names of one part of a document, in which one model holds."""

    def __init__(
        self,
        statements: Sequence[tuple[int, Statement]],
        survey: Survey,
        meanings: Meanings,
        judge: Judge,
    ) -> None:
        self.survey, self.meanings = survey, meanings
        self.judge = Judge(meanings, judge.worlds[QUICK : QUICK + 1], judge.losses, judge.until)
        self.board = judge.worlds[0].board
        self.settled = Settled()
        known = meanings.quantities.keys() | meanings.losses | TIMES
        self.definitions: dict[str, list[Definition]] = {}
        for number, statement in statements:
            said = definition(number, statement, survey)
            if said is not None and said.name not in known and not is_claim(statement.left):
                self.definitions.setdefault(said.name, []).append(said)
        self.uses = [use for number, statement in statements for use in self._uses(number, statement)]
        self.unknown = list(
            dict.fromkeys([*self.definitions, *(name for use in self.uses for name in sorted(use.names))])
        )

    def settle(self) -> Settled:
        """Gives every name a meaning of which that is possible, in an order in which one needs another."""
        waiting = [name for name in self.unknown if name not in self.meanings.quantities]
        for attempt in (self._as_said, self._by_evidence):
            progress = True
            while progress:
                progress = False
                for name in list(waiting):
                    if attempt(name):
                        waiting.remove(name)
                        progress = True
                        if attempt == self._by_evidence:
                            waiting = [n for n in waiting if not self._as_said(n)]
        return self.settled

    # What uses a name.

    def _uses(self, number: int, statement: Statement) -> Iterator[Use]:
        if statement.left is None:
            return
        said = definition(number, statement, self.survey)
        if not is_claim(statement.left) and (said is None or said.name not in self.definitions):
            return
        for link in statement.links:
            if link.sign in EQUALS:
                names = self._unknown(statement.left, link.right)
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

    def _of(self, name: str, after: int = -1) -> list[Use]:
        """The claims that use the name and otherwise only names with a meaning."""
        known = self.meanings.quantities.keys() | {name}
        return [u for u in self.uses if name in u.names and u.names <= known and u.number > after]

    # What a name could be, and what speaks for it.

    def _score(self, name: str, quantity: Quantity, uses: Iterable[Use]) -> Score:
        before, inner = self.meanings.quantities.get(name), dict(self.meanings.inner)
        self.meanings.quantities[name] = quantity
        telling: list[Use] = []
        idle: list[Use] = []
        try:
            for use in uses:
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

    def _value(self, formula: Formula) -> Tensor | None:
        try:
            return self.judge.points(Agreement(loss=self.judge.losses[0]))[0](formula)
        except (NonConforming, Unbound, KeyError, IndexError, ValueError):
            return None

    def _equal(self, one: Formula, other: Formula) -> bool:
        a, b = self._value(one), self._value(other)
        return a is not None and b is not None and same(a, b)

    # Names of which the document says what they are.

    def _as_said(self, name: str) -> bool:
        """Whether the definitions of a name can be read; then what it is from each of them on."""
        current: Formula | None = None
        for said in self.definitions.get(name, ()):
            readable = [(link, f) for link in said.links for f in said.formulas(link, self.meanings)]
            if not readable:
                if current is not None:
                    self.settled.claims.add(said.number)
                continue
            if current is not None and not self._is_new(name, current, readable, said):
                self.settled.claims.add(said.number)
                continue
            link, formula = self._chosen(name, readable, said)
            meaning = Meaning(link, Quantity(Symbol(name, (), NOW), formula))
            self.settled.defined[said.number] = meaning
            if current is None:
                self.meanings.quantities[name] = meaning.quantity
            current = formula
        return current is not None

    def _is_new(
        self, name: str, current: Formula, readable: list[tuple[Link, Formula]], said: Definition
    ) -> bool:
        """Whether a later definition gives the name another meaning; otherwise it is a claim about it."""
        if any(self._equal(current, formula) for _, formula in readable):
            return False
        uses = self._of(name, said.number)
        old = self._score(name, Quantity(Symbol(name, (), NOW), current), uses)
        new = max(
            (self._score(name, Quantity(Symbol(name, (), NOW), f), uses) for _, f in readable),
            key=lambda score: score.rank,
        )
        if old.rank != new.rank:
            return new.rank > old.rank
        # Nothing tells: a derivative that is given a value is the same derivative.
        return not isinstance(current, Derivative) or any(isinstance(f, Derivative) for _, f in readable)

    def _chosen(
        self, name: str, readable: list[tuple[Link, Formula]], said: Definition
    ) -> tuple[Link, Formula]:
        """What a definition says; where it says things that differ, the one under which more claims hold."""
        different: list[tuple[Link, Formula]] = []
        for link, formula in readable:
            if not any(self._equal(formula, other) or formula == other for _, other in different):
                different.append((link, formula))
        if len(different) < 2:
            return readable[0]
        if (value := self._of_unknown_sign(different)) is not None:
            return value
        uses = [use for use in self._of(name) if use.number != said.number]
        scores = [self._score(name, Quantity(Symbol(name, (), NOW), f), uses) for _, f in different]
        best = max(range(len(different)), key=lambda k: (scores[k].rank, -k))
        if len({link.span for link, _ in different}) > 1:
            self._remark_difference(name, different, best, len(scores[best].telling), len(uses))
        return different[best]

    def _of_unknown_sign(self, different: list[tuple[Link, Formula]]) -> tuple[Link, Formula] | None:
        """Where J is never defined: of a derivative and its opposite, the one with a sign that is known."""
        if self.survey.losses & self.survey.defined or len(different) != 2:
            return None
        (_, one), (_, other) = different
        derivatives = [isinstance(formula, Derivative) for _, formula in different]
        if sum(derivatives) != 1 or not self._equal(one, Neg(other)):
            return None
        return different[derivatives.index(False)]

    def _remark_difference(
        self, name: str, different: list[tuple[Link, Formula]], best: int, holds: int, of: int
    ) -> None:
        shown = " and ".join(show(formula) for _, formula in different)
        text = f"{show(Symbol(name))} is said to be {shown}, which cannot all hold"
        if holds:
            text += f"; taken as {show(different[best][1])}, as {holds} of {of} claims hold so"
        lines = {link.span.line for link, _ in different}
        self.settled.remarks.append(Remark(text, tuple(sorted(lines))))

    # Names of which it does not.

    def _by_evidence(self, name: str) -> bool:
        """Whether the claims that use a name tell what it is."""
        uses = self._of(name)
        if not uses:
            return False
        found: list[tuple[Score, Quantity]] = []
        for quantity in self._candidates(name, uses):
            score = self._score(name, quantity, uses)
            if score.telling:
                found.append((score, quantity))
        found.sort(key=lambda pair: pair[0].rank, reverse=True)
        if not found:
            return self._in_passing(name, uses)
        score, quantity = found[0]
        rivals = [q for s, q in found[1:] if s.rank == score.rank and not self._same(q, quantity)]
        is_alone = len(found) == 1 and quantity.formula is not None
        if rivals or (len(score.telling) < ENOUGH and not is_alone):
            return False
        self.meanings.quantities[name] = quantity
        self.settled.taken[name] = quantity
        self.settled.claims |= {said.number for said in self.definitions.get(name, ())}
        lines = sorted({use.link.span.line for use in (*score.telling, *score.idle)})
        number = len(score.telling) + len(score.idle)
        text = f"{show(Symbol(name))} is taken to be {_shown(quantity)}: "
        text += "a claim holds so" if number == 1 else f"{number} claims hold so"
        self.settled.remarks.append(Remark(text, tuple(lines)))
        return True

    def _in_passing(self, name: str, uses: list[Use]) -> bool:
        """Whether a name only ends a chain: `∂J/∂s = y - p = error` says what it is."""
        ends = [u for u in uses if isinstance(u.link.right, Letter) and u.names == {name}]
        said = [self._formula(use.left) for use in ends]
        if len(ends) < len(uses) or not said or said[0] is None or any(f != said[0] for f in said):
            return False
        self.meanings.quantities[name] = Quantity(Symbol(name, (), NOW), said[0])
        self.settled.saying |= {id(use.link) for use in ends}
        return True

    def _formula(self, written: Written) -> Formula | None:
        try:
            return Reader(self.meanings, Mode())(written)
        except (Unclear, ValueError):
            return None

    def _same(self, one: Quantity, other: Quantity) -> bool:
        return self._equal(one.formula or one.symbol, other.formula or other.symbol)

    def _candidates(self, name: str, uses: list[Use]) -> Iterator[Quantity]:
        """Derivatives of J by every value of the model, and their opposites; and every quantity by another
        name. What is differentiated by is a quantity.
        """
        for symbol in dict.fromkeys([*self._values(), *self._parameters()]):
            # A capital is a matrix, and no other letter's vector.
            if len(symbol.shape) == 2 if name[0].isupper() else symbol.name.lower() != name:
                yield Quantity(symbol)
        if any(name in self._bottoms(use) for use in uses):
            return
        losses = [Symbol(LOSS)]
        if self.board.recurrent:
            losses.append(Symbol(LOSS, (), NOW))
        own = Symbol(name, (), NOW)
        for value in self._values():
            for loss in losses:
                yield Quantity(own, Derivative(loss, value))
        for value in self._values():
            for loss in losses:
                yield Quantity(own, Neg(Derivative(loss, value)))

    def _bottoms(self, use: Use) -> set[str]:
        """The names by which a claim differentiates."""
        found = (p for p in walk([use.left, use.link.right]) if isinstance(p, Differential | Nabla))
        return {self.survey.name(p.bottom if isinstance(p, Differential) else p.by) for p in found}

    def _parameters(self) -> list[Symbol]:
        return [q.symbol for q in self.meanings.quantities.values() if q.formula is None]

    def _values(self) -> list[Symbol]:
        """What changes from example to example: the values of the model, and what it reads."""
        made = [v.symbol for v in self.board.values.values() if v.name != LOSS and "·" not in v.name]
        given = [q.symbol for q in self.meanings.quantities.values() if q.formula is None]
        return list(dict.fromkeys([*made, *(s for s in given if s.time is not None)]))


def _untimed(formula: Formula | None) -> Formula | None:
    """The formula with J not of any step."""
    if formula is None or isinstance(formula, Symbol):
        return Symbol(LOSS) if isinstance(formula, Symbol) and formula.name == LOSS else formula
    parts = children(formula)
    return (
        rebuild(formula, tuple(p for part in parts if (p := _untimed(part)) is not None))
        if parts
        else formula
    )


def _shown(quantity: Quantity) -> str:
    return show(quantity.formula if quantity.formula is not None else quantity.symbol)
