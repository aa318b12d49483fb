"""What is known of the derivative by every quantity of a board: its name, its uses, what it depends on."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from bptt.autodiff.reverse import reverse
from bptt.autodiff.rules import RULES
from bptt.derivation.board import BATCH, LOSS, Board, Value
from bptt.derivation.index_form import EXAMPLE, IndexForm, Indices
from bptt.derivation.matrix_form import (
    FUNCTION_NAMES,
    MatrixForm,
    Unwritable,
    hadamard,
    negate,
    product,
)
from bptt.derivation.steps import Definition
from bptt.derivation.wording import WITH_PRIMES
from bptt.formula.tree import (
    NOW,
    Apply,
    Derivative,
    Formula,
    Index,
    Ones,
    Sum,
    Symbol,
    Text,
    shift_time,
)
from bptt.ir import build
from bptt.ir.expr import Expr
from bptt.ir.model import State
from bptt.ir.ops import Op
from bptt.ir.traversal import topological


class Cotangents:
    """The derivatives of one step's loss on one board, and how they are written where they are used."""

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
            return self.softmax_error(value)
        mark = NOW if self.is_partial(value.leaf) else None
        return Derivative(self.loss, value.symbol, mark)

    def _known(self, leaf: Expr) -> Formula | None:
        value = self._cotangents.get(leaf)
        return None if value is None else self.cotangent(value)

    @cached_property
    def cross_entropy(self) -> Expr | None:
        """The cross-entropy, where the objective is that of a softmax of a named value, up to its sign."""
        e = self.board.loss.definition
        e = e.args[0] if e.op is Op.NEG else e
        is_plain = e.op is Op.CROSS_ENTROPY and e.args[0].op is Op.VALUE and not e.args[1].args
        return e if is_plain else None

    def is_softmax_error(self, value: Value) -> bool:
        """Whether the value is what the softmax in the loss is applied to, and nothing else needs it."""
        e = self.cross_entropy
        return e is not None and e.args[0] is value.leaf and [u.name for u in self.uses(value.leaf)] == [LOSS]

    def softmax_error(self, value: Value) -> Formula:
        assert self.cross_entropy is not None
        logits, target = self.cross_entropy.args
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

    def no_use(self, leaf: Expr, symbol: Symbol) -> Text:
        if not self.board.recurrent:
            return (self.loss, " does not need ", symbol)
        starts = [s.initial for s in self.board.model.states if s.initial is not None]
        if all(leaf not in self.leaves(v) for v in self.values) and leaf in topological(starts):
            return ("no step holds ", symbol, "; the first one starts from it")
        return (self.loss, " of step t does not need ", symbol, "; that of later steps may")

    # What one equation passes back.

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
            if e.op in FUNCTION_NAMES and e.op in WITH_PRIMES and not for_all:
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

    def element_of(self, formula: Formula, leaf: Expr, at: Indices) -> Formula:
        return self.index.indexed(formula, leaf, at)

    def through_text(self, uses: list[Value], shared: Symbol | None = None) -> Text:
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
