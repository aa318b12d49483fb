"""The gradients of one step, derived: for each quantity the chain rule from name to name, in both notations.

The two notations come about in different ways. The index form differentiates each equation element by
element and lets Kronecker deltas collapse the sums (index_derivative.py); the matrix form is the reverse
sweep that the compiled gradient is made from (autodiff/reverse.py), put down in rows or columns. That they
agree, and agree with the numbers, is tested line by line.
"""

from __future__ import annotations

from collections.abc import Iterator

from bptt.autodiff.reverse import reverse
from bptt.derivation.board import BATCH, LOSS, Value
from bptt.derivation.cotangents import Cotangents
from bptt.derivation.elements import ElementChains
from bptt.derivation.matrix_form import (
    Unwritable,
    add,
    hadamard,
    product,
)
from bptt.derivation.softmax import softmax_with_cross_entropy
from bptt.derivation.steps import Chain, Derivation, chain
from bptt.derivation.wording import LONGEST, joined, prime_rule, primes_of, size, tidy
from bptt.formula.tree import (
    Derivative,
    Diag,
    Formula,
    Hadamard,
    Number,
    Ones,
    Product,
    Size,
    Text,
    TokenPart,
    children,
    transform,
)
from bptt.ir.expr import Expr
from bptt.ir.ops import Op


class Deriver(Cotangents):
    """Derives on one board; see `derivation`."""

    def derivation(self, leaf: Expr, name: str, role: str) -> Derivation:
        """The gradient by a leaf of the board: a value, a parameter, a token, or a carried value."""
        symbol = self.board.symbols[leaf]
        uses = self.uses(leaf)
        left = self.left(leaf)
        if not uses:
            zero = chain(
                left, [(Number(0.0), "no dependence", self.no_use(leaf, symbol))], "matrix", self.reading
            )
            index = Chain(left, zero.steps, "index", self.reading)
            return Derivation(name, symbol, role, leaf.shape, (), (), index, zero)
        if len(uses) == 1 and self.cross_entropy is not None and uses[0].name == LOSS:
            value = next((v for v in self.values if v.leaf is leaf), None)
            if value is not None and self.is_softmax_error(value):
                return softmax_with_cross_entropy(self, value)
        local, index = ElementChains(self).chains(leaf, uses, left)
        matrix, obstacle = None, ""
        try:
            matrix = self._matrix_chain(leaf, uses, left)
        except Unwritable as reason:
            obstacle = str(reason)
        written = None if matrix is None else self._written_out(matrix)
        defined = tuple(self.define(v) for v in uses)
        forms = () if matrix is None else tuple(self._other_forms(leaf, uses, matrix))
        return Derivation(
            name, symbol, role, leaf.shape, defined, tuple(local), index, matrix, obstacle, written, (), forms
        )

    def _matrix_chain(self, leaf: Expr, uses: list[Value], left: Derivative) -> Chain:
        if self.board.batch and len(leaf.shape) == 2 and not self.board.is_constant(leaf):
            raise Unwritable("a matrix for every example of a batch")
        primed, plain, rules = [], [], []
        for value in uses:
            first, second, names = self.parts(leaf, value)
            primed += first
            plain += second
            rules += [name for name in names if name not in rules]
        links: list[tuple[Formula, str, Text]] = [
            (add(primed), joined(["chain rule", *rules[-2:]]), self._matrix_reason(leaf, uses, primed)),
        ]
        if primed != plain:
            functions = [p for part in primed for p in primes_of(part)]
            links.append((add(plain), *prime_rule(functions)))
        return chain(left, links, "matrix", self.reading)

    def _matrix_reason(self, leaf: Expr, uses: list[Value], parts: list[Formula]) -> Text:
        if not self.board.batch or not self.board.is_constant(leaf):
            return self.through_text(uses)
        text = self.through_text(uses, self.board.symbols[leaf])
        ones = [p for part in parts if isinstance(part, Product) for p in part.factors if isinstance(p, Ones)]
        if ones:
            return (*text, "; ", ones[0], ", B ones, adds up what the examples ask of it")
        return (*text, "; the product adds up what the examples ask of it, its inner size is ", Size(BATCH))

    def _written_out(self, matrix: Chain) -> Chain | None:
        """The result with every intermediate derivative put in, if that is not too long to help."""
        known: dict[Formula, Formula] = {}
        for value in self.values:
            if value.name in self.active and value.name != LOSS:
                try:
                    known[self.cotangent(value)] = self._gradient_of(value)
                except Unwritable:
                    return None
        after = matrix.result
        for _ in self.values:
            new = transform(after, lambda part: known.get(part, part))
            new = transform(new, tidy)
            if new == after:
                break
            after = new
        if after == matrix.result or size(after) > LONGEST:
            return None
        return chain(matrix.left, [(after, "every derivative put in", ())], "matrix", self.reading)

    def _other_forms(self, leaf: Expr, uses: list[Value], matrix: Chain) -> Iterator[Chain]:
        if self.board.batch:
            return
        if isinstance(matrix.result, Hadamard) and len(leaf.shape) == 1 and _is_scaled(matrix.result):
            first, *rest = matrix.result.factors
            diagonal = Diag(hadamard(rest))
            factors = [first, diagonal] if self.matrix.row else [diagonal, first]
            reason: Text = ("a diagonal matrix scales the elements one by one",)
            yield chain(matrix.left, [(product(factors), "with a diagonal matrix", reason)], "matrix",
                        self.reading)  # fmt: skip
        if leaf.op is Op.PARAM and len(leaf.shape) == 2 and len(uses) == 1:
            found = reverse({uses[0].definition: [uses[0].cotangent]}, [leaf])[leaf]
            if found.op is Op.OUTER:
                yield from self._row_of_the_token(leaf, matrix, found.args)

    def _row_of_the_token(self, leaf: Expr, matrix: Chain, factors: tuple[Expr, ...]) -> Iterator[Chain]:
        """An outer product with a one-hot vector has one row (or column) that is not zero."""
        left = matrix.left
        assert isinstance(left, Derivative)
        token, other = factors if factors[0].op is Op.TOKEN else factors[::-1]
        table, x = self.board.symbols[leaf], self.board.symbols.get(token)
        if token.op is Op.TOKEN and x is not None:
            reason: Text = (x, " is one-hot, so of ", table, " only what it picks gets a gradient")
            links: list[tuple[Formula, str, Text]] = [(self.matrix(other), "one-hot input", reason)]
            yield chain(Derivative(left.top, TokenPart(table, x), left.at), links, "matrix", self.reading)

    def _gradient_of(self, value: Value) -> Formula:
        if self.is_softmax_error(value):
            return self.softmax_error(value)
        plain: list[Formula] = []
        for user in self.uses(value.leaf):
            plain += self.parts(value.leaf, user)[1]
        return add(plain) if plain else Number(0.0)


def _is_scaled(formula: Hadamard) -> bool:
    """Whether it is something times what holds no derivative, element by element."""

    def holds_derivative(part: Formula) -> bool:
        return isinstance(part, Derivative) or any(map(holds_derivative, children(part)))

    return not any(map(holds_derivative, formula.factors[1:]))
