"""An expression of the IR as matrices in an order: which factor stands first, and which is turned over.

In the IR a vector has one axis; here it lies (row) or stands (column). Each product of the IR sums over one
axis of each factor, and the layout decides how that is written: Σ_i v_i M_ij is `v M` with rows and `Mᵀ v`
with columns.
"""

from __future__ import annotations

from collections.abc import Callable

from bptt.derivation.board import BATCH, Board
from bptt.formula.tree import (
    Add,
    Apply,
    Concatenation,
    CrossEntropy,
    Formula,
    Hadamard,
    Neg,
    Number,
    Ones,
    Part,
    Power,
    Product,
    Quotient,
    Size,
    Symbol,
    Transpose,
    Zeros,
)
from bptt.ir import build
from bptt.ir.expr import Expr
from bptt.ir.ops import Op

FUNCTION_NAMES = {
    Op.TANH: "tanh", Op.SIGMOID: "sigmoid", Op.RELU: "relu", Op.STEP: "step", Op.SOFTPLUS: "softplus",
    Op.EXP: "exp", Op.LOG: "log", Op.SQRT: "sqrt", Op.SOFTMAX: "softmax", Op.LOG_SOFTMAX: "log_softmax",
    Op.LOGSUMEXP: "logsumexp",
}  # fmt: skip


class Unwritable(Exception):
    """There is no usual matrix notation for this expression; the message says what stands in the way."""


class MatrixForm:
    """Writes expressions of a board. `known` gives formulas for leaves that the board has no symbol for
    (cotangents).
    """

    def __init__(self, board: Board, known: Callable[[Expr], Formula | None] = lambda e: None) -> None:
        self.board, self.known = board, known
        self.row = board.layout == "row"

    def __call__(self, e: Expr, *, whole: bool = False) -> Formula:
        """The formula of `e`; with `whole` its outermost operation is written even where it has a name."""
        if not whole:
            found = self.known(e) or self.board.symbol(e)
            if found is not None:
                if len(e.shape) > 1:
                    self._one_example(e, "a matrix")
                return found
        return self._write(e)

    def _write(self, e: Expr) -> Formula:
        match e.op:
            case Op.CONST:
                return Neg(Number(-e.attr)) if e.attr < 0 else Number(e.attr)
            case Op.SIZE:
                return Size(e.attr)
            case Op.ADD:
                return add(self._broadcast(a, e) for a in e.args)
            case Op.NEG:
                return negate(self(e.args[0]))
            case Op.MUL:
                return self._multiply(e)
            case Op.DIV:
                return self._divide(e)
            case Op.POW:
                return Power(self(e.args[0]), e.attr)
            case Op.CONTRACT:
                return self._contract(e)
            case Op.OUTER:
                return self._outer(self(e.args[0]), self(e.args[1]))
            case Op.TRANSPOSE:
                self._one_example(e, "transposed matrices")
                return transpose(self(e.args[0]))
            case Op.SUM:
                return self._total(e)
            case Op.BROADCAST:
                return self._filled(e)
            case Op.CROSS_ENTROPY:
                logits, target = e.args
                self._one_example(e, "the loss")
                return CrossEntropy(self(target), self(build.apply(Op.SOFTMAX, logits)))
            case Op.CONCAT:
                if len(e.shape) != 1:
                    raise Unwritable("matrices set side by side")
                return Concatenation(tuple(self._zeros_or(a) for a in e.args))
            case Op.SLICE:
                if len(e.shape) != 1:
                    raise Unwritable("a part of a matrix")
                self._one_example(e, "a part of a vector")
                return Part(self(e.args[0]), e.attr[1], e.attr[2])
            case op if op in FUNCTION_NAMES:
                return Apply(FUNCTION_NAMES[op], self(e.args[0]))
        raise Unwritable(e.op.name.lower())

    def _one_example(self, e: Expr, what: str) -> None:
        if self.board.batch and not self.board.is_constant(e):
            raise Unwritable(f"{what} of every example of a batch")

    def _zeros_or(self, e: Expr) -> Formula:
        return Zeros(e.shape) if build.is_zero(e) else self(e)

    def _broadcast(self, e: Expr, whole: Expr) -> Formula:
        """An operand of an elementwise operation: in a batch a parameter serves every example."""
        written = self(e)
        batch = self.board.batch and not self.board.is_constant(whole)
        if batch and self.board.is_constant(e) and e.shape:
            return self.for_every_example(written)
        if batch and not e.shape and whole.shape and e.op is not Op.CONST:
            raise Unwritable("a number of every example beside its vector")
        return written

    def for_every_example(self, vector: Formula) -> Formula:
        """The matrix with the same row (or column) for every example."""
        ones = Transpose(Ones((BATCH,)))
        return product([ones, vector] if self.row else [vector, ones])

    def _multiply(self, e: Expr) -> Formula:
        a, b = e.args
        if bool(a.shape) != bool(b.shape) or not e.shape:
            scalar, other = (a, b) if not a.shape else (b, a)
            if self.board.batch and not self.board.is_constant(scalar):
                if e.shape:
                    raise Unwritable("a number of every example times its vector")
                if not self.board.is_constant(other):
                    return hadamard([self(scalar), self(other)])
            return product([self(scalar), self(other)])
        return hadamard([self._broadcast(a, e), self._broadcast(b, e)])

    def _divide(self, e: Expr) -> Formula:
        a, b = e.args
        return Quotient(self._broadcast(a, e), self._broadcast(b, e))

    def _contract(self, e: Expr) -> Formula:
        a, b = e.args
        i, j = e.attr
        if len(b.shape) == 1:
            self._one_example(e, "a product of two vectors")
            left, right = self(a), self(b)
            return product([left, transpose(right)] if self.row else [transpose(left), right])
        if len(a.shape) == 1:
            if not self.board.is_constant(b):
                self._one_example(e, "a matrix")
            vector, table = self(a), self(b)
            if self.row:
                return product([vector, table if j == 0 else transpose(table)])
            return product([table if j == 1 else transpose(table), vector])
        self._one_example(e, "a matrix")
        left, right = self(a), self(b)
        return product([left if i == 1 else transpose(left), right if j == 0 else transpose(right)])

    def _outer(self, a: Formula, b: Formula) -> Formula:
        """Summed over the examples, if there is a batch: the product does that by itself."""
        return product([transpose(a), b] if self.row else [a, transpose(b)])

    def _total(self, e: Expr) -> Formula:
        (a,) = e.args
        self._one_example(e, "a sum")
        if a.op is Op.MUL and all(len(f.shape) == 1 for f in a.args):
            left, right = map(self, a.args)
            return product([left, transpose(right)] if self.row else [transpose(left), right])
        return Apply("sum", self(a))

    def _filled(self, e: Expr) -> Formula:
        (a,) = e.args
        if build.is_zero(e):
            return Zeros(e.shape)
        self._one_example(e, "a number in every place")
        return Ones(e.shape) if build.is_const(a, 1.0) else product([self(a), Ones(e.shape)])


def add(terms: object) -> Formula:
    """The sum, flat, with minus signs in front of its terms and a factor they begin with taken out."""
    flat: list[Formula] = []
    for term in terms:  # type: ignore[attr-defined]
        flat += term.terms if isinstance(term, Add) else [term]
    if len(flat) == 1:
        return flat[0]
    return _factored(flat) or Add(tuple(flat))


def _factored(terms: list[Formula]) -> Formula | None:
    """g ∘ a - g ∘ b is g ∘ (a - b): one derivative, passed on to a quantity that is used twice."""
    signs, bodies = [], []
    for term in terms:
        signs.append(isinstance(term, Neg))
        bodies.append(term.operand if isinstance(term, Neg) else term)
    if not all(isinstance(body, Hadamard) for body in bodies):
        return None
    first = bodies[0].factors[0]  # type: ignore[union-attr]
    if any(body.factors[0] != first for body in bodies):  # type: ignore[union-attr]
        return None
    rests = [hadamard(list(body.factors[1:])) for body in bodies]  # type: ignore[union-attr]
    inner = Add(tuple(Neg(rest) if minus else rest for minus, rest in zip(signs, rests, strict=True)))
    return Hadamard((first, inner))


def negate(a: Formula) -> Formula:
    match a:
        case Neg(inner):
            return inner
        case Add(terms) if any(isinstance(term, Neg) for term in terms):
            turned = [negate(term) for term in terms]
            # What is positive stands first.
            return Add(tuple(sorted(turned, key=lambda term: isinstance(term, Neg))))
        case Product((first, *rest)) if isinstance(first, Add) and isinstance(negate(first), Add):
            return Product((negate(first), *rest))
        case Hadamard((first, *rest)) if isinstance(first, Add) and isinstance(negate(first), Add):
            return Hadamard((negate(first), *rest))
        case _:
            return Neg(a)


def product(factors: list[Formula]) -> Formula:
    """Factors side by side; a sign comes out in front, a factor that is a product is written in line."""
    flat: list[Formula] = []
    minus = False
    for factor in factors:
        if isinstance(factor, Neg):
            minus, factor = not minus, factor.operand
        flat += factor.factors if isinstance(factor, Product) else [factor]
    flat = [f for f in flat if f != Number(1.0)] or [Number(1.0)]
    whole = flat[0] if len(flat) == 1 else Product(tuple(flat))
    return negate(whole) if minus else whole


def hadamard(factors: list[Formula]) -> Formula:
    flat: list[Formula] = []
    minus = False
    for factor in factors:
        if isinstance(factor, Neg):
            minus, factor = not minus, factor.operand
        flat += factor.factors if isinstance(factor, Hadamard) else [factor]
    whole = flat[0] if len(flat) == 1 else Hadamard(tuple(flat))
    return negate(whole) if minus else whole


def transpose(a: Formula) -> Formula:
    """A product is turned over factor by factor, in the reverse order."""
    match a:
        case Transpose(inner):
            return inner
        case Product(factors) if not any(isinstance(f, Number | Size) for f in factors):
            return Product(tuple(transpose(f) for f in reversed(factors)))
        case Neg(inner):
            return negate(transpose(inner))
        case Number() | Size() | Symbol(shape=()):
            return a
        case _:
            return Transpose(a)
