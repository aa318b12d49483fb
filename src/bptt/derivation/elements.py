"""The chain rule element by element, with every sum and every Kronecker delta in sight."""

from __future__ import annotations

from bptt.derivation.board import BATCH, LOSS, Value
from bptt.derivation.cotangents import Cotangents
from bptt.derivation.index_derivative import (
    IndexDerivative,
    Term,
    collapse,
    collapsed_letters,
    letters_of,
    through_values,
    total,
)
from bptt.derivation.index_form import EXAMPLE, Indices, plus
from bptt.derivation.matrix_form import (
    FUNCTION_NAMES,
)
from bptt.derivation.steps import Chain, chain
from bptt.derivation.wording import joined, prime_rule, primes_of
from bptt.formula.tree import (
    Apply,
    Derivative,
    Formula,
    Index,
    Indexed,
    Product,
    Size,
    Sum,
    Symbol,
    Text,
)
from bptt.ir.dims import ZERO
from bptt.ir.expr import Expr


class ElementChains:
    """Index forms of the derivatives on one board."""

    def __init__(self, derive: Cotangents) -> None:
        self.derive, self.board = derive, derive.board

    def chains(self, leaf: Expr, uses: list[Value], left: Derivative) -> tuple[list[Chain], Chain]:
        symbol = self.board.symbols[leaf]
        by = self.derive.places(leaf)
        over_batch = self.board.batch and self.board.is_constant(leaf)
        below = self.derive.element_of(symbol, leaf, by)
        start: Formula = Derivative(left.top, below, left.at)
        rule_terms: list[Formula] = []
        full: list[Term] = []
        local_chains: list[Chain] = []
        names_of_rules: list[str] = []
        for value in uses:
            at = tuple(Index(self.derive.index.letter(by, n)) for n in range(len(value.leaf.shape)))
            top = self.derive.element_of(value.symbol, value.leaf, at)
            over_examples = over_batch and not self.board.is_constant(value.leaf)
            differentiate = IndexDerivative(self.derive.index)
            before = differentiate(value.definition, at, leaf, by)
            names_of_rules += differentiate.rules
            after = collapse(before)
            local_left = Derivative(top, below)
            whole = Derivative(self.derive.spelt_out(value.definition, at, by, whole=True), below)
            if value.name != LOSS:
                links = [
                    (whole, "definition", ()),
                    (total(before), joined(list(differentiate.rules)[-3:]) or "a quantity by itself", ()),
                    (total(after), "Kronecker delta", self._collapse_reason(before, after)),
                    *self._value_links(total(after)),
                ]
                local_chains.append(chain(local_left, links, "index", self.derive.reading))
                outer = self.derive.element_of(self.derive.cotangent(value), value.leaf, at)
                factor = Term((outer,), (), ())
                rule_terms.append(self._summed(Product((outer, local_left)), at, value, over_examples))
                parts = [t.times(*factor.factors) for t in after]
                for k, size in reversed(list(zip(at, value.leaf.shape, strict=True))):
                    parts = [t.within(k.letter, size) for t in parts]
            else:
                rule_terms.append(self._summed(whole, (), value, over_examples))
                parts = before
            if over_examples:
                parts = [t.within(EXAMPLE.letter, BATCH) for t in parts]
            full += parts
        single = collapse(full)
        single = [_ordered(term, by) for term in single]
        names = self.derive.through_text(uses, symbol if over_batch else None)
        links = [
            (plus(rule_terms), "chain rule", names),
            (total(full), "the derivatives above put in" if local_chains else joined(names_of_rules), ()),
            (total(single), "Kronecker delta", self._collapse_reason(full, single)),
            *self._value_links(total(single)),
        ]
        return local_chains, chain(start, links, "index", self.derive.reading)

    def _summed(self, body: Formula, at: Indices, value: Value, over_batch: bool) -> Formula:
        for k, size in reversed(list(zip(at, value.leaf.shape, strict=True))):
            body = Sum(k.letter, body, size)
        return Sum(EXAMPLE.letter, body, BATCH) if over_batch else body

    def _collapse_reason(self, before: list[Term], after: list[Term]) -> Text:
        text: list[str | Formula] = []
        for letter, others in collapsed_letters(before, after).items():
            k = Symbol(letter)
            text += [*(["; "] if text else []), "of the sum over ", k, " only "]
            for number, other in enumerate(others):
                text += [*([" and "] if number else []), k, " = ", Symbol(other.letter)]
                if other.offset != ZERO:
                    text += [" + ", Size(other.offset)]
            text += [" is left" if len(others) == 1 else ", each in its own term, are left"]
        return tuple(text)

    def _value_links(self, formula: Formula) -> list[tuple[Formula, str, Text]]:
        """The step from σ′(a) to h (1 - h), if there is one."""
        primes = list(primes_of(formula))
        if not primes:
            return []
        names: dict[Formula, Formula] = {}
        for value in self.derive.values:
            e = value.definition
            if e.op in FUNCTION_NAMES and e.args and not e.args[0].args:
                argument = e.args[0]
                for prime in primes:
                    at = prime.argument.indices if isinstance(prime.argument, Indexed) else ()
                    plain = at[-len(e.shape) :] if e.shape else ()
                    if self.board.batch and self.board.layout == "column":
                        plain = at[: len(e.shape)]
                    element = self.derive.index(argument, plain)
                    if element == prime.argument and FUNCTION_NAMES[e.op] == prime.function:
                        names[Apply(prime.function, element)] = self.derive.index(e, plain)
        return [(through_values(formula, names), *prime_rule(primes))]


def _ordered(term: Term, by: Indices) -> Term:
    """An element of an outer product, with its factors in the order of the indices: h_i δ_j."""
    over_examples = all(letter == EXAMPLE.letter for letter, _ in term.sums)
    if not over_examples or term.deltas or len(by) != 2:
        return term
    first, second = (index.letter for index in by)

    def place(factor: Formula) -> int:
        letters = letters_of(factor)
        return 0 if first in letters else 1 if second in letters else 2

    return Term(tuple(sorted(term.factors, key=place)), (), term.sums)
