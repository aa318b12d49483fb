"""The gradients of one step, derived: for each quantity the chain rule from name to name, in both notations.

The two notations come about in different ways. The index form differentiates each equation element by
element and lets Kronecker deltas collapse the sums (index_derivative.py); the matrix form is the reverse
sweep that the compiled gradient is made from (autodiff/reverse.py), put down in rows or columns. That they
agree, and agree with the numbers, is tested line by line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

from bptt.autodiff.reverse import reverse
from bptt.autodiff.rules import RULES
from bptt.derivation.board import BATCH, LOSS, Board, Value
from bptt.derivation.index_derivative import (
    IndexDerivative,
    Term,
    collapse,
    collapsed_letters,
    letters_of,
    through_values,
    total,
)
from bptt.derivation.index_form import EXAMPLE, IndexForm, Indices, plus
from bptt.derivation.matrix_form import (
    FUNCTION_NAMES,
    MatrixForm,
    Unwritable,
    add,
    hadamard,
    negate,
    product,
)
from bptt.derivation.steps import Chain, Definition, Derivation, chain
from bptt.formula.tree import (
    NOW,
    Add,
    Apply,
    Derivative,
    Diag,
    Formula,
    Hadamard,
    Index,
    Indexed,
    Kronecker,
    Neg,
    Number,
    Ones,
    Product,
    Quotient,
    Size,
    Sum,
    Symbol,
    Text,
    TokenPart,
    children,
    shift_time,
    transform,
)
from bptt.ir import build
from bptt.ir.dims import ZERO
from bptt.ir.expr import Expr
from bptt.ir.model import State
from bptt.ir.ops import Op
from bptt.ir.traversal import topological

# A formula with more symbols than this is no easier to read written out than with its derivatives named.
LONGEST = 28
SPELT_OUT = {
    "sigmoid": "the derivative of the sigmoid is its value times one minus its value",
    "tanh": "the derivative of tanh is one minus the square of its value",
    "relu": "relu has slope one where it lets something through, and zero elsewhere",
    "softplus": "the derivative of softplus is the sigmoid",
    "exp": "exp is its own derivative",
    "log": "the derivative of log is one over what it is taken of",
    "sqrt": "the derivative of the root is one over twice the root",
}


class Deriver:
    """Derives on one board; see `derivation` and `all`."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.reading = "step" if board.recurrent else "once"
        self.loss = board.loss.symbol
        self._cotangents = {v.cotangent: v for v in board.values.values()}
        self.matrix = MatrixForm(board, self._known)
        self.index = IndexForm(board, self._known)
        self.spelt_out = IndexForm(board, self._known, leaves_only=True)
        self._leaves = {v.name: {e for e in topological([v.definition]) if not e.args} for v in self.values}
        self.active = self._values_of_the_loss()

    @property
    def values(self) -> list[Value]:
        return list(self.board.values.values())

    def leaves(self, value: Value) -> set[Expr]:
        """What the equation of a value names."""
        return self._leaves[value.name]

    def _values_of_the_loss(self) -> set[str]:
        """What the loss of the step is made of, and itself."""
        active = {LOSS}
        for value in reversed(self.values):
            if any(value.leaf in self._leaves[name] for name in active):
                active.add(value.name)
        return active

    # What is known of ∂J by a value when it is used for the next derivative.

    def cotangent(self, value: Value) -> Formula:
        """How ∂J by a value is written where it is used: δ, ŷ - y, or ∂J/∂h."""
        if value.error is not None:
            return value.error
        if self.is_softmax_error(value):
            return self._softmax_error(value)
        mark = NOW if self.is_partial(value.leaf) else None
        return Derivative(self.loss, value.symbol, mark)

    def _known(self, leaf: Expr) -> Formula | None:
        value = self._cotangents.get(leaf)
        return None if value is None else self.cotangent(value)

    @cached_property
    def _cross_entropy(self) -> Expr | None:
        """The cross-entropy, where the objective is that of a softmax of a named value, up to its sign."""
        e = self.board.loss.definition
        e = e.args[0] if e.op is Op.NEG else e
        is_plain = e.op is Op.CROSS_ENTROPY and e.args[0].op is Op.VALUE and not e.args[1].args
        return e if is_plain else None

    def is_softmax_error(self, value: Value) -> bool:
        """Whether the value is what the softmax in the loss is applied to, and nothing else needs it."""
        e = self._cross_entropy
        return e is not None and e.args[0] is value.leaf and [u.name for u in self.uses(value.leaf)] == [LOSS]

    def _softmax_error(self, value: Value) -> Formula:
        assert self._cross_entropy is not None
        logits, target = self._cross_entropy.args
        error = build.sub(build.apply(Op.SOFTMAX, logits), target)
        minus = self.board.loss.definition.op is Op.NEG
        written = self.matrix(error)
        return negate(written) if minus else written

    def uses(self, leaf: Expr) -> list[Value]:
        """The values of the loss whose equations hold the leaf, in the order of computation."""
        return [v for v in self.values if v.name in self.active and leaf in self.leaves(v)]

    # Definitions.

    def define(self, value: Value) -> Definition:
        at = self.places(value.leaf)
        try:
            matrix: Formula | None = self.matrix(value.definition, whole=True)
        except Unwritable:
            matrix = None
        element = self.index(value.definition, at, whole=True)
        left = self.index.indexed(value.symbol, value.leaf, at)
        if value.name == LOSS and self.board.batch:
            left, element = value.symbol, Sum(EXAMPLE.letter, element, BATCH)
        return Definition(value.symbol, matrix, left, element, self.meaning(value))

    def meaning(self, value: Value) -> str:
        if value.name == LOSS:
            return f"the {self.kind} of one step" if self.board.recurrent else f"the {self.kind}"
        if value.name == self.board.model.output:
            return "the distribution of the next token"
        if value.activation == self.board.model.output:
            return "the logits, which the softmax is applied to"
        if value.activation:
            return "what the non-linearity is applied to"
        return "carried on" if any(s.variable == value.name for s in self.board.model.states) else ""

    def places(self, leaf: Expr, skip: int = 0) -> Indices:
        """Letters for the axes of a quantity."""
        return tuple(Index(self.board.letters[skip + axis]) for axis in range(len(leaf.shape)))

    # Derivations of one step.

    def derivation(self, leaf: Expr, name: str, role: str) -> Derivation:
        """The gradient by a leaf of the board: a value, a parameter, a token, or a carried value."""
        symbol = self.board.symbols[leaf]
        uses = self.uses(leaf)
        left = self.left(leaf)
        if not uses:
            zero = chain(
                left, [(Number(0.0), "no dependence", self._no_use(leaf, symbol))], "matrix", self.reading
            )
            index = Chain(left, zero.steps, "index", self.reading)
            return Derivation(name, symbol, role, leaf.shape, (), (), index, zero)
        if len(uses) == 1 and self._cross_entropy is not None and uses[0].name == LOSS:
            value = next((v for v in self.values if v.leaf is leaf), None)
            if value is not None and self.is_softmax_error(value):
                return self._softmax_with_cross_entropy(value)
        local, index = self._index_chains(leaf, uses, left)
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

    def left(self, leaf: Expr, later: int = 0) -> Derivative:
        """∂J by a leaf, `later` steps later; marked where it is the part of a single step."""
        symbol = self.board.symbols[leaf]
        whole = Derivative(self.loss, symbol, NOW if self.is_partial(leaf) else None)
        shifted = shift_time(whole, later)
        assert isinstance(shifted, Derivative)
        return shifted

    def is_partial(self, leaf: Expr) -> bool:
        """Whether the loss of the step depends on the quantity through earlier steps, too (which are held
        fixed here): a parameter that the carried values are made with.
        """
        if not self.board.recurrent:
            return False
        if leaf.op is Op.CARRY:
            return self._is_held_apart(leaf)
        is_constant = leaf.op is Op.PARAM or leaf in self.board.constants
        return is_constant and any(leaf in self.below(s) for s in self.board.model.states)

    def _is_held_apart(self, carry: Expr) -> bool:
        """Whether the variable, at its own time, also acts through something else that is carried."""
        state = self.board.state(carry.attr)
        others = [s for s in self.board.model.states if s.variable != state.variable]
        own = self.board.values.get(state.variable)
        if state.lag > 1 or any(s.variable == state.variable and s.lag > 1 for s in self.board.model.states):
            return True
        return own is not None and any(own.leaf in self.below(s) for s in others)

    def below(self, state: State) -> set[Expr]:
        """Every leaf and every named value that the new value of a state is made of."""
        value = self.board.values.get(state.variable)
        return set() if state.lag > 1 or value is None else self.below_values([value])

    def below_values(self, values: Iterable[Value]) -> set[Expr]:
        """The leaves of the values and of all that they are made of."""
        found: set[Expr] = set()
        by_leaf = {v.leaf: v for v in self.values}
        stack = [v.leaf for v in values]
        while stack:
            leaf = stack.pop()
            if leaf not in found:
                found.add(leaf)
                stack += self.leaves(by_leaf[leaf]) if leaf in by_leaf else ()
        return found

    @property
    def kind(self) -> str:
        """What J is called."""
        return "loss" if self.board.objective == "cross-entropy" else "log-likelihood"

    def _no_use(self, leaf: Expr, symbol: Symbol) -> Text:
        if not self.board.recurrent:
            return (self.loss, " does not need ", symbol)
        starts = [s.initial for s in self.board.model.states if s.initial is not None]
        if all(leaf not in self.leaves(v) for v in self.values) and leaf in topological(starts):
            return ("no step holds ", symbol, "; the first one starts from it")
        return (self.loss, " of step t does not need ", symbol, "; that of later steps may")

    # Index form.

    def element_of(self, formula: Formula, leaf: Expr, at: Indices) -> Formula:
        return self.index.indexed(formula, leaf, at)

    def _index_chains(self, leaf: Expr, uses: list[Value], left: Derivative) -> tuple[list[Chain], Chain]:
        symbol = self.board.symbols[leaf]
        by = self.places(leaf)
        over_batch = self.board.batch and self.board.is_constant(leaf)
        below = self.element_of(symbol, leaf, by)
        start: Formula = Derivative(left.top, below, left.at)
        rule_terms: list[Formula] = []
        full: list[Term] = []
        local_chains: list[Chain] = []
        names_of_rules: list[str] = []
        for value in uses:
            at = tuple(Index(self.index.letter(by, n)) for n in range(len(value.leaf.shape)))
            top = self.element_of(value.symbol, value.leaf, at)
            over_examples = over_batch and not self.board.is_constant(value.leaf)
            differentiate = IndexDerivative(self.index)
            before = differentiate(value.definition, at, leaf, by)
            names_of_rules += differentiate.rules
            after = collapse(before)
            local_left = Derivative(top, below)
            whole = Derivative(self.spelt_out(value.definition, at, by, whole=True), below)
            if value.name != LOSS:
                links = [
                    (whole, "definition", ()),
                    (total(before), joined(list(differentiate.rules)[-3:]) or "a quantity by itself", ()),
                    (total(after), "Kronecker delta", self._collapse_reason(before, after)),
                    *self._value_links(total(after)),
                ]
                local_chains.append(chain(local_left, links, "index", self.reading))
                outer = self.element_of(self.cotangent(value), value.leaf, at)
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
        names = self._through_text(uses, symbol if over_batch else None)
        links = [
            (plus(rule_terms), "chain rule", names),
            (total(full), "the derivatives above put in" if local_chains else joined(names_of_rules), ()),
            (total(single), "Kronecker delta", self._collapse_reason(full, single)),
            *self._value_links(total(single)),
        ]
        return local_chains, chain(start, links, "index", self.reading)

    def _summed(self, body: Formula, at: Indices, value: Value, over_batch: bool) -> Formula:
        for k, size in reversed(list(zip(at, value.leaf.shape, strict=True))):
            body = Sum(k.letter, body, size)
        return Sum(EXAMPLE.letter, body, BATCH) if over_batch else body

    def _through_text(self, uses: list[Value], shared: Symbol | None = None) -> Text:
        """Why the chain rule has these terms; `shared` is a parameter that a whole batch uses."""
        if uses and uses[0].name == LOSS and len(uses) == 1:
            return ("it stands in ", self.loss, " itself")
        text: list[str | Formula] = [self.loss, " depends on it through "]
        for number, value in enumerate(uses):
            joint = " and " if number == len(uses) - 1 else ", "
            text += ([joint] if number else []) + [value.symbol]
        if shared is not None:
            text += [", and every example uses the same ", shared]
        elif self.board.batch:
            text += [", of the same example alone"]
        return tuple(text)

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
        primes = list(_primes(formula))
        if not primes:
            return []
        names: dict[Formula, Formula] = {}
        for value in self.values:
            e = value.definition
            if e.op in FUNCTION_NAMES and e.args and not e.args[0].args:
                argument = e.args[0]
                for prime in primes:
                    at = prime.argument.indices if isinstance(prime.argument, Indexed) else ()
                    plain = at[-len(e.shape) :] if e.shape else ()
                    if self.board.batch and self.board.layout == "column":
                        plain = at[: len(e.shape)]
                    element = self.index(argument, plain)
                    if element == prime.argument and FUNCTION_NAMES[e.op] == prime.function:
                        names[Apply(prime.function, element)] = self.index(e, plain)
        return [(through_values(formula, names), *self._prime_rule(primes))]

    def _prime_rule(self, primes: list[Apply]) -> tuple[str, Text]:
        functions = list(dict.fromkeys(prime.function for prime in primes))
        words = [SPELT_OUT[f] for f in functions if f in SPELT_OUT]
        return "the derivative written out", ("; ".join(words),) if words else ()

    # Matrix form.

    def parts(
        self, leaf: Expr, value: Value, write: MatrixForm | None = None
    ) -> tuple[list[Formula], list[Formula], list[str]]:
        """What one equation passes back to a leaf: with σ′ as it is called, and through its value; and the
        names of the rules. `write` knows how the derivatives by the values are written.
        """
        write = write or self.matrix
        collected: list[tuple[Expr, Expr, Expr]] = []
        rules: dict[str, None] = {}

        def observe(e: Expr, g: Expr, a: Expr, part: Expr) -> None:
            if e.op is not Op.ADD:
                rules[RULES[e.op].name] = None
            if a is leaf:
                collected.append((e, g, part))

        seed = build.const(1.0) if value.name == LOSS else value.cotangent
        found = reverse({value.definition: [seed]}, [leaf], observe)[leaf]
        if value.definition is leaf:
            return [write(found)], [write(found)], ["the same quantity"]
        # What is the same for all examples is added up where each of them uses it, and not once more.
        added_up = self.board.is_constant(value.leaf)
        for_all = self.board.batch and self.board.is_constant(leaf) and not added_up
        primed, plain = [], []
        for e, g, part in collected:
            written = write(part)
            plain.append(written if added_up else self._over_examples(written, leaf, part))
            if e.op in FUNCTION_NAMES and e.op in _WITH_PRIMES and not for_all:
                primed.append(hadamard([write(g), Apply(FUNCTION_NAMES[e.op], write(leaf), prime=True)]))
            else:
                primed.append(plain[-1])
        return primed, plain, list(rules)

    def _over_examples(self, written: Formula, leaf: Expr, part: Expr) -> Formula:
        """In a batch every example uses the same parameter. An outer product adds them up by itself; any
        other part of the gradient is a row (or column) an example, and ones in front add them up.
        """
        if not self.board.batch:
            return written
        if not self.board.is_constant(leaf):
            same = part.shape and self.board.is_constant(part)
            return self.matrix.for_every_example(written) if same else written
        sign = part.args[0] if part.op is Op.NEG else part
        if sign.op is Op.OUTER:
            return written
        if len(leaf.shape) != 1:
            raise Unwritable("a sum over the examples of anything but vectors")
        ones = Ones((BATCH,))
        return product([ones, written] if self.matrix.row else [written, ones])

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
            functions = [p for part in primed for p in _primes(part)]
            links.append((add(plain), *self._prime_rule(functions)))
        return chain(left, links, "matrix", self.reading)

    def _matrix_reason(self, leaf: Expr, uses: list[Value], parts: list[Formula]) -> Text:
        if not self.board.batch or not self.board.is_constant(leaf):
            return self._through_text(uses)
        text = self._through_text(uses, self.board.symbols[leaf])
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
            return self._softmax_error(value)
        plain: list[Formula] = []
        for user in self.uses(value.leaf):
            plain += self.parts(value.leaf, user)[1]
        return add(plain) if plain else Number(0.0)

    # The lemma that every language model begins with.

    def _softmax_with_cross_entropy(self, value: Value) -> Derivation:
        """∂J/∂θ for J = CE(y, softmax(θ)): the logarithm takes the softmax apart first."""
        assert self._cross_entropy is not None
        logits, target = self._cross_entropy.args
        (i,) = self.places(logits)
        j = Index(self.index.letter((i,)))
        k = Index(self.index.letter((i, j)))
        size_of = logits.shape[0]
        theta = {index: self.index(logits, (index,)) for index in (i, j, k)}
        y = {index: self.index(target, (index,)) for index in (i, j)}
        probability = {index: self.index(build.apply(Op.SOFTMAX, logits), (index,)) for index in (i, j)}
        exponential = {index: Apply("exp", theta[index]) for index in (i, j, k)}
        minus = self.board.loss.definition.op is Op.NEG

        def signed(formula: Formula) -> Formula:
            return negate(formula) if minus else formula

        partition = Sum(j.letter, exponential[j], size_of)
        picked = Sum(j.letter, Product((y[j], theta[j])), size_of)
        left = Derivative(self.loss, theta[i])
        in_words = Symbol("y")
        loss_links: list[tuple[Formula, str, Text]] = [
            (signed(negate(Sum(j.letter, Product((y[j], Apply("log", probability[j]))), size_of))),
             "definition", ()),
            (signed(negate(Sum(j.letter, Product((y[j], Add((theta[j], negate(Apply("log",
                Sum(k.letter, exponential[k], size_of))))))), size_of))),
             "logarithm of the softmax", ()),
            (signed(Add((Apply("log", partition), negate(picked)))),
             "the target is a distribution", ("the elements of ", in_words, " add up to 1")),
        ]  # fmt: skip
        ratio = Quotient(exponential[i], partition)
        delta = Kronecker(j, i)
        links: list[tuple[Formula, str, Text]] = [
            (Derivative(signed(Add((Apply("log", partition), negate(picked)))), theta[i]),
             "the loss as above", ()),
            (signed(Add((
                Product((Quotient(Number(1.0), partition),
                         Sum(j.letter, Product((exponential[j], delta)), size_of))),
                negate(Sum(j.letter, Product((y[j], delta)), size_of))))),
             "derivative of log and derivative of exp", ()),
            (signed(Add((ratio, negate(y[i])))), "Kronecker delta",
             ("of each sum over ", Symbol(j.letter), " only ", Symbol(j.letter), " = ", Symbol(i.letter),
              " is left")),
            (signed(Add((probability[i], negate(y[i])))), "softmax", ("this ratio is the softmax",)),
        ]  # fmt: skip
        if self.board.batch:
            loss_links = [(Sum(EXAMPLE.letter, f, BATCH), rule, why) for f, rule, why in loss_links]
            first, rule, _ = links[1]
            alone: Text = ("of the sum over the examples only that of ", value.symbol, "'s own depends on it")
            links = [(first, rule, alone), *links[2:]]
        loss = chain(self.loss, loss_links, "index", self.reading)
        matrix = chain(
            Derivative(self.loss, value.symbol),
            [(self._softmax_error(value), RULES[Op.CROSS_ENTROPY].name, ())],
            "matrix",
            self.reading,
        )
        defined = (self.define(self.board.loss),)
        index = chain(left, links, "index", self.reading)
        return Derivation(
            value.name, value.symbol, "value", value.leaf.shape, defined, (loss,), index, matrix
        )


_WITH_PRIMES = frozenset({Op.TANH, Op.SIGMOID, Op.RELU, Op.SOFTPLUS, Op.EXP, Op.LOG, Op.SQRT})


def _is_scaled(formula: Hadamard) -> bool:
    """Whether it is something times what holds no derivative, element by element."""

    def holds_derivative(part: Formula) -> bool:
        return isinstance(part, Derivative) or any(map(holds_derivative, children(part)))

    return not any(map(holds_derivative, formula.factors[1:]))


def joined(words: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _primes(formula: Formula) -> Iterator[Apply]:
    if isinstance(formula, Apply) and formula.prime:
        yield formula
    for part in children(formula):
        yield from _primes(part)


def size(formula: Formula) -> int:
    """How many symbols are written."""
    return isinstance(formula, Symbol) + sum(size(part) for part in children(formula))


def tidy(part: Formula) -> Formula:
    """Products within products in line, double signs gone."""
    match part:
        case Product(factors):
            return product(list(factors))
        case Add(terms):
            return add(terms)
        case Hadamard(factors):
            return hadamard(list(factors))
        case Neg(operand):
            return negate(operand)
    return part


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
