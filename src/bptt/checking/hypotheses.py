"""What the names stand for that no equation of the model defines.

A document writes δ for a derivative that it has, and says so, says it twice and differently, or does not say
it at all. Its own claims tell which it is: each thing that the name could be is tried, and it is the one
under which most of the claims hold that use the name. A claim that would hold of anything shows nothing: if
δ is what ∂J/∂θ is said to be, that line is no evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bptt.checking.abbreviations import Definition
from bptt.checking.belonging import is_error
from bptt.checking.candidates import candidates, derivatives
from bptt.checking.evidence import Evidence, Score, Use
from bptt.checking.meanings import Quantity
from bptt.checking.report import Remark
from bptt.checking.settled import Meaning, Settled
from bptt.checking.written import Call, Letter, Link
from bptt.formula.tree import NOW, Derivative, Formula, Neg, Symbol
from bptt.render.unicode import show

# How many claims have to hold; of an error one is enough where nothing else comes into question.
ENOUGH = 2
# What a definition says, and where.
Said = tuple[Link, Formula]


class Hypotheses:
    """Settles the names of one part of a document."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence, self.meanings = evidence, evidence.meanings
        self.board = evidence.judge.worlds[0].board
        self.settled = Settled()
        self._tried: dict[str, list[Use]] = {}

    def settle(self) -> Settled:
        """Gives every name a meaning of which that is possible, in an order in which one needs another."""
        waiting = list(self.evidence.names)
        attempts = (self._as_said, self._as_argument, self._by_use)
        while name := next((n for attempt in attempts for n in waiting if attempt(n)), None):
            waiting.remove(name)
        return self.settled

    # Names of which the document says what they are.

    def _as_said(self, name: str) -> bool:
        """Whether the definitions of a name can be read; then what it is from each of them on."""
        current: Formula | None = None
        for said in self.evidence.definitions.get(name, ()):
            readable = [(link, f) for link in said.links for f in said.formulas(link, self.meanings)]
            if current is None and readable:
                if self._is_mistaken(name, readable, said):
                    return True
                current = self._define(name, self._chosen(name, readable, said), said)
            elif current is not None and readable and self._is_new(name, current, readable, said):
                current = self._define(name, self._chosen(name, readable, said), said)
            elif current is not None:
                self.settled.claims.add(said.number)
        return current is not None

    def _define(self, name: str, chosen: Said, said: Definition) -> Formula:
        link, formula = chosen
        meaning = Meaning(link, _abbreviation(name, formula))
        self.settled.defined[said.number] = meaning
        # What is said later is what is meant before, too, where nothing else is.
        self.meanings.quantities.setdefault(name, meaning.quantity)
        return formula

    def _is_new(self, name: str, current: Formula, readable: list[Said], said: Definition) -> bool:
        """Whether a later definition gives the name another meaning; otherwise it is a claim about it."""
        if any(self.evidence.are_equal(current, formula) for _, formula in readable):
            return False
        uses = self.evidence.of(name, after=said.number)
        old = self._score(name, current, uses)
        new = max((self._score(name, f, uses) for _, f in readable), key=lambda score: score.rank)
        if old.rank != new.rank:
            return new.rank > old.rank
        # Nothing tells: a derivative that is given a value is the same derivative.
        return not isinstance(current, Derivative) or any(isinstance(f, Derivative) for _, f in readable)

    def _chosen(self, name: str, readable: list[Said], said: Definition) -> Said:
        """What a definition says; where it says things that differ, the one under which more claims hold."""
        different: list[Said] = []
        for link, formula in readable:
            if not any(self.evidence.are_equal(formula, other) for _, other in different):
                different.append((link, formula))
        if len(different) < 2:
            return readable[0]
        if (value := self._of_unknown_sign(different)) is not None:
            return value
        uses = self.evidence.of(name, but=said.number)
        scores = [self._score(name, formula, uses) for _, formula in different]
        best = max(range(len(different)), key=lambda k: (scores[k].rank, -k))
        if len({id(link) for link, _ in different}) > 1:
            self._remark_difference(name, different, different[best], scores[best], len(uses))
        return different[best]

    def _of_unknown_sign(self, different: list[Said]) -> Said | None:
        """Where J is never defined: of a derivative and its opposite, the one with a sign that is known."""
        survey = self.evidence.survey
        if survey.losses & survey.defined or len(different) != 2:
            return None
        (_, one), (_, other) = different
        derivatives = [isinstance(formula, Derivative) for _, formula in different]
        if sum(derivatives) != 1 or not self.evidence.are_equal(one, Neg(other)):
            return None
        return different[derivatives.index(False)]

    def _remark_difference(
        self, name: str, different: list[Said], best: Said, score: Score, number: int
    ) -> None:
        shown = " and ".join(show(formula) for _, formula in different)
        text = f"{show(Symbol(name))} is said to be {shown}, which cannot all hold"
        if score.telling:
            text += f"; it is taken to be {show(best[1])}, as {len(score.telling)} of {number} claims hold so"
        self._remark(text, (link.span.line for link, _ in different))

    def _is_mistaken(self, name: str, readable: list[Said], said: Definition) -> bool:
        """Whether no claim holds with what a name is said to be, but several with a derivative of J: then
        that is meant, and what is said is a claim about it.
        """
        uses = self.evidence.of(name, but=said.number)
        if len(uses) < ENOUGH or any(isinstance(formula, Derivative) for _, formula in readable):
            return False
        if any(self._score(name, formula, uses).telling for _, formula in readable):
            return False
        found = self._best(name, derivatives(name, self.evidence, self.board), uses)
        if found is None or len(found[0].telling) < ENOUGH:
            return False
        self._take(name, found[1], found[0])
        return True

    # Names of which it does not.

    def _as_argument(self, name: str) -> bool:
        """Whether only functions are spoken of: in σ′(a) = σ(a)(1 - σ(a)), a may be anything."""
        uses = self.evidence.of(name)
        if not uses or not all(isinstance(use.left, Call) for use in uses):
            return False
        values = (v.symbol for v in self.board.values.values() if len(v.symbol.shape) == 1)
        symbol = next(values, None)
        if symbol is not None:
            self.meanings.quantities[name] = Quantity(symbol)
            self.settled.arguments[name] = symbol.name
        return symbol is not None

    def _by_use(self, name: str) -> bool:
        """Whether the claims that use a name tell what it is."""
        uses = self.evidence.of(name)
        if not uses or self._tried.get(name) == uses:
            return False
        self._tried[name] = uses
        found = self._best(name, candidates(name, self.evidence, self.board, uses), uses)
        if found is None:
            return self._in_passing(name, uses)
        self._take(name, found[1], found[0])
        return True

    def _best(
        self, name: str, possible: Iterable[Quantity], uses: list[Use]
    ) -> tuple[Score, Quantity] | None:
        """The meaning under which most claims hold; None where it is not the only one, or too few hold."""
        found: list[tuple[Score, Quantity]] = []
        most = 0
        for quantity in possible:
            score = self.evidence.score(name, quantity, uses, most)
            if score.telling:
                found.append((score, quantity))
                most = max(most, len(score.telling))
        if not found:
            return None
        # What a bias is added to has the same derivative, and is what people give two names.
        score, quantity = max(found, key=lambda pair: (pair[0].rank, pair[1].symbol.time is not None))
        others = [q for _, q in found if q is not quantity and not self._are_same(q, quantity)]
        rivals = [q for s, q in found if s.rank == score.rank and q in others]
        if quantity.symbol.time is not None:
            rivals = [q for q in rivals if q.symbol.time is not None]
        is_alone = not others and quantity.formula is not None and is_error(name)
        if rivals or (len(score.telling) < ENOUGH and not is_alone):
            return None
        return score, quantity

    def _take(self, name: str, quantity: Quantity, score: Score) -> None:
        self.meanings.quantities[name] = quantity
        shown = show(quantity.formula if quantity.formula is not None else quantity.symbol)
        self.settled.taken[name] = f"{show(Symbol(name))} is {shown}"
        self.settled.claims |= {said.number for said in self.evidence.definitions.get(name, ())}
        holding = [*score.telling, *score.idle]
        number = "a claim holds" if len(holding) == 1 else f"{len(holding)} claims hold"
        text = f"{show(Symbol(name))} is taken to be {shown}: {number} so"
        self._remark(text, (use.line for use in holding))
        for use in self.evidence.of(name):
            if use not in holding and self._holds_otherwise(name, use):
                self.settled.doubtful[id(use.link)] = (
                    f"what {show(Symbol(name))} is here; elsewhere it is {shown}"
                )

    def _holds_otherwise(self, name: str, use: Use) -> bool:
        """Whether a claim holds with another meaning of the name than the rest of the document has."""
        possible = derivatives(name, self.evidence, self.board)
        return any(self.evidence.score(name, quantity, [use]).telling for quantity in possible)

    def _in_passing(self, name: str, uses: list[Use]) -> bool:
        """Whether a name only ends a chain: `∂J/∂s = y - p = error` says what it is."""
        ends = [u for u in uses if isinstance(u.link.right, Letter) and u.names == {name}]
        said = [self.evidence.formula(use.left) for use in ends]
        if len(ends) < len(uses) or said[0] is None or any(f != said[0] for f in said):
            return False
        self.meanings.quantities[name] = _abbreviation(name, said[0])
        self.settled.saying |= {id(use.link) for use in ends}
        return True

    # Both.

    def _score(self, name: str, formula: Formula, uses: Sequence[Use]) -> Score:
        return self.evidence.score(name, _abbreviation(name, formula), uses)

    def _are_same(self, one: Quantity, other: Quantity) -> bool:
        return self.evidence.are_equal(one.formula or one.symbol, other.formula or other.symbol)

    def _remark(self, text: str, lines: Iterable[int]) -> None:
        self.settled.remarks.append(Remark(text, tuple(sorted(set(lines)))))


def _abbreviation(name: str, formula: Formula) -> Quantity:
    return Quantity(Symbol(name, (), NOW), formula)
