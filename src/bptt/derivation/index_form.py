"""An expression of the IR element by element: `Σ_i h_i U_ik + b_k`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bptt.derivation.board import BATCH, Board
from bptt.derivation.matrix_form import FUNCTION_NAMES, MatrixForm, negate
from bptt.formula.tree import (
    Add,
    Apply,
    Derivative,
    Formula,
    Index,
    Indexed,
    Kronecker,
    Neg,
    Number,
    Power,
    Product,
    Quotient,
    Size,
    Sum,
    Symbol,
    children,
    rebuild,
    transform,
)
from bptt.ir import build
from bptt.ir.expr import Expr
from bptt.ir.ops import Op

Indices = tuple[Index, ...]
EXAMPLE = Index("n")  # the example of a batch


class IndexForm:
    """Writes elements of the expressions of a board. Letters for inner sums are taken from the board's, as
    they are free. With `leaves_only` an expression that has a name is written out all the same: what is to be
    differentiated must not hide what it is differentiated by.
    """

    def __init__(
        self,
        board: Board,
        known: Callable[[Expr], Formula | None] = lambda e: None,
        leaves_only: bool = False,
    ) -> None:
        self.board, self.known, self.leaves_only = board, known, leaves_only

    def indexed(self, symbol: Formula, leaf: Expr, at: Indices) -> Formula:
        """An element of a named quantity, or of its derivative; in a batch, that of example n."""
        match symbol:
            case Derivative(top, bottom, time):
                return Derivative(top, self.indexed(bottom, leaf, at), time)
            case Add(terms):
                return Add(tuple(self.indexed(term, leaf, at) for term in terms))
            case Neg(operand):
                return Neg(self.indexed(operand, leaf, at))
        if self.board.batch and not self.board.is_constant(leaf):
            rows = self.board.layout == "row"
            if isinstance(symbol, Symbol) and symbol.shape:
                rows = symbol.shape[0] == BATCH
            at = (EXAMPLE, *at) if rows else (*at, EXAMPLE)
        return Indexed(symbol, at) if at else symbol

    def letter(self, taken: Indices, number: int = 0) -> str:
        """The first letter that is not in use."""
        used = {index.letter for index in taken}
        return [c for c in self.board.letters if c not in used][number]

    def __call__(self, e: Expr, at: Indices, taken: Indices = (), *, whole: bool = False) -> Formula:
        """The element of `e` at `at`; `taken` are further indices whose letters are in use around it. With
        `whole` the outermost operation is written even where it has a name.
        """
        if not whole:
            found = self.known(e)
            if found is None and not (self.leaves_only and e.args):
                found = self.board.symbol(e)
            if found is not None:
                return self.indexed(found, e, at)
        return self._write(e, at, taken)

    def _write(self, e: Expr, at: Indices, taken: Indices) -> Formula:
        used = (*at, *taken)

        def element(a: Expr, indices: Indices | None = None) -> Formula:
            return self(a, (at if a.shape else ()) if indices is None else indices, used)

        match e.op:
            case Op.CONST:
                return Neg(Number(-e.attr)) if e.attr < 0 else Number(e.attr)
            case Op.SIZE:
                return Size(e.attr)
            case Op.ADD:
                return plus([element(a) for a in e.args])
            case Op.NEG:
                return negate(element(e.args[0]))
            case Op.MUL:
                return times([element(a) for a in e.args])
            case Op.DIV:
                return Quotient(element(e.args[0]), element(e.args[1]))
            case Op.POW:
                return Power(element(e.args[0]), e.attr)
            case Op.CONTRACT:
                a, b = e.args
                letter, size = self.letter(used), a.shape[e.attr[0]]
                left, right = contracted(e, at, Index(letter))
                inner = (*used, Index(letter))
                return Sum(letter, times([self(a, left, inner), self(b, right, inner)]), size)
            case Op.OUTER:
                return times([element(e.args[0], at[:1]), element(e.args[1], at[1:])])
            case Op.TRANSPOSE:
                return element(e.args[0], at[::-1])
            case Op.SUM:
                return self.summed(e.args[0], used, lambda indices: self(e.args[0], indices, used))
            case Op.BROADCAST:
                return element(e.args[0], ())
            case Op.SOFTMAX:
                return self.indexed(Apply("softmax", self._vector(e.args[0])), e, at)
            case Op.LOG_SOFTMAX:
                return self.indexed(Apply("log_softmax", self._vector(e.args[0])), e, at)
            case Op.LOGSUMEXP:
                a = e.args[0]
                return Apply("log", self.summed(a, used, lambda i: Apply("exp", self(a, i, used))))
            case Op.CROSS_ENTROPY:
                logits, target = e.args
                p = build.apply(Op.SOFTMAX, logits)  # ŷ, by its name or written out
                terms = self.summed(
                    target, used, lambda i: times([self(target, i, used), Apply("log", self(p, i, used))])
                )
                return negate(terms)
            case Op.CONCAT:
                return self.indexed(self._vector(e), e, at)
            case Op.SLICE:
                axis, start, _ = e.attr
                moved = [Index(i.letter, i.offset + start) if n == axis else i for n, i in enumerate(at)]
                return element(e.args[0], tuple(moved))
            case op if op in FUNCTION_NAMES:
                return Apply(FUNCTION_NAMES[op], element(e.args[0]))
        raise ValueError(f"no index form of {e.op.name}")

    def _vector(self, e: Expr) -> Formula:
        """An expression inside an index form that is clearer as a whole vector: `softmax(a)_k`."""
        return MatrixForm(self.board, self.known)(e)

    def summed(self, e: Expr, taken: Indices, body: Callable[[Indices], Formula]) -> Formula:
        """Σ over all elements of `e`."""
        letters = [self.letter(taken, number) for number in range(len(e.shape))]
        result = body(tuple(map(Index, letters)))
        for letter, size in reversed(list(zip(letters, e.shape, strict=True))):
            result = Sum(letter, result, size)
        return result


def contracted(e: Expr, at: Indices, inner: Index) -> tuple[Indices, Indices]:
    """The indices of both factors of a contraction, for the element `at` of the result."""
    i, j = e.attr
    free = len(e.args[0].shape) - 1
    left, right = list(at[:free]), list(at[free:])
    left.insert(i, inner)
    right.insert(j, inner)
    return tuple(left), tuple(right)


def plus(terms: list[Formula]) -> Formula:
    flat: list[Formula] = []
    for term in terms:
        flat += term.terms if isinstance(term, Add) else [term]
    flat = [term for term in flat if term != Number(0.0)]
    if not flat:
        return Number(0.0)
    return flat[0] if len(flat) == 1 else Add(tuple(flat))


def times(factors: list[Formula]) -> Formula:
    """The product of numbers: a sign stands in front, factors of one are left out."""
    flat: list[Formula] = []
    minus = False
    for factor in factors:
        if isinstance(factor, Neg):
            minus, factor = not minus, factor.operand
        flat += factor.factors if isinstance(factor, Product) else [factor]
    flat = [f for f in flat if f != Number(1.0)]
    if Number(0.0) in flat:
        return Number(0.0)
    whole: Formula = Number(1.0) if not flat else flat[0] if len(flat) == 1 else Product(tuple(flat))
    return negate(whole) if minus else whole


def rename(formula: Formula, letter: str, to: Index) -> Formula:
    """The formula with another index in the place of a letter, where no sum inside it binds that letter."""

    def moved(index: Index) -> Index:
        return Index(to.letter, to.offset + index.offset) if index.letter == letter else index

    match formula:
        case Sum(letter=bound, size=size) if size is not None and bound == letter:
            return formula
        case Sum(letter=bound, body=body, size=size) if size is not None and bound == to.letter:
            # The letter that comes in is bound here: the sum runs over another one.
            used = letters_of(body) | {letter, bound}
            free = next(c for c in "ijklmnpruvwsabcdfgxyz" if c not in used)
            return replace(formula, letter=free, body=rename(rename(body, bound, Index(free)), letter, to))
        case Indexed(base, indices):
            return Indexed(base, tuple(map(moved, indices)))
        case Kronecker(left, right):
            return Kronecker(moved(left), moved(right))
        case _:
            return rebuild(formula, tuple(rename(part, letter, to) for part in children(formula)))


def letters_of(formula: Formula) -> set[str]:
    """The letters of all indices in a formula."""
    found: set[str] = set()

    def visit(part: Formula) -> Formula:
        if isinstance(part, Indexed):
            found.update(index.letter for index in part.indices)
        elif isinstance(part, Kronecker):
            found.update((part.left.letter, part.right.letter))
        return part

    transform(formula, visit)
    return found
