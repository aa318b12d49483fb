"""What each operation of the IR costs for one token: a table of polynomials in the sizes.

An operation is one multiplication, addition, comparison or evaluation of a function, for one element. A
product of a vector and an (n, m) matrix is n·m multiplications and as many additions: 2·n·m. Signs, views
(slices, scalars in every place) and products with one-hot vectors cost nothing: they are taken into what
they stand beside, or are look-ups, whose elements are counted as copied. docs/cost.md shows the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bptt.analysis.polynomial import Polynomial
from bptt.ir import build
from bptt.ir.expr import Expr
from bptt.ir.ops import LEAVES, Op
from bptt.ir.traversal import topological

NOTHING = Polynomial()
ONE = Polynomial.number(1)


@dataclass(frozen=True)
class Work:
    """Counts of one kind of work each: the operations of products, of elementwise arithmetic, evaluations of
    functions; and `copied`, the elements that are moved without arithmetic.
    """

    products: Polynomial = NOTHING
    elementwise: Polynomial = NOTHING
    functions: Polynomial = NOTHING
    copied: Polynomial = NOTHING

    def __add__(self, other: Work) -> Work:
        return Work(
            self.products + other.products,
            self.elementwise + other.elementwise,
            self.functions + other.functions,
            self.copied + other.copied,
        )

    @property
    def operations(self) -> Polynomial:
        return self.products + self.elementwise + self.functions

    @property
    def steps(self) -> Polynomial:
        """Everything that takes time, copies too: what O() is said of."""
        return self.operations + self.copied


NO_WORK = Work()


def total(works: Iterable[Work]) -> Work:
    return sum(works, NO_WORK)


def elements(e: Expr) -> Polynomial:
    return Polynomial.elements(e.shape)


def _no_work(e: Expr) -> Work:
    return NO_WORK


def _copied(e: Expr) -> Work:
    return Work(copied=elements(e))


def _elementwise(e: Expr) -> Work:
    return Work(elementwise=elements(e))


def _function(e: Expr) -> Work:
    return Work(functions=elements(e))


def _addition(e: Expr) -> Work:
    """Each term after the first; of a one-hot vector or a row in a matrix of zeros, what is not zero."""
    added = [_not_zero(a) or elements(e) for a in e.args]
    dense = next((n for n, a in zip(added, e.args, strict=True) if _not_zero(a) is None), added[0])
    return Work(elementwise=sum(added, NOTHING) - dense)


def _not_zero(e: Expr) -> Polynomial | None:
    """How many elements can be other than zero, where that is known to be few."""
    if e.op is Op.NEG:
        return _not_zero(e.args[0])
    if e.op is Op.TOKEN:
        return ONE
    return elements(e.args[1]) if e.op is Op.SCATTER else None


def _product(e: Expr) -> Work:
    few = [n for n in map(_not_zero, e.args) if n is not None]
    return Work(elementwise=few[0] if few else elements(e))


def _contraction(e: Expr) -> Work:
    a, b = e.args
    if a.op is Op.TOKEN or b.op is Op.TOKEN:
        return Work(copied=elements(e))
    return Work(products=elements(e) * Polynomial.size(a.shape[e.attr[0]]) * 2)


def _sum(e: Expr) -> Work:
    return Work(elementwise=elements(e.args[0]))


def _scatter(e: Expr) -> Work:
    return Work(copied=elements(e.args[1]))


# Of softmax(a) and its relatives, exp(a) and its sum are counted once for all that are taken of one `a`; see
# NORMALISED.
def _softmax(e: Expr) -> Work:
    return Work(elementwise=elements(e))


def _log_softmax(e: Expr) -> Work:
    return Work(functions=ONE, elementwise=elements(e))


def _log_sum(e: Expr) -> Work:
    return Work(functions=ONE)


def _cross_entropy(e: Expr) -> Work:
    """log Σ exp(a) - a_y for a token y; for a distribution t the product of t and a instead of a_y."""
    logits, target = e.args
    product = NOTHING if target.op is Op.TOKEN else elements(logits) * 2
    return Work(functions=ONE, elementwise=ONE, products=product)


TABLE: dict[Op, Callable[[Expr], Work]] = {
    **dict.fromkeys(LEAVES, _no_work),
    Op.MASK: _function,
    Op.ADD: _addition,
    Op.MUL: _product,
    **dict.fromkeys((Op.DIV, Op.RELU, Op.STEP), _elementwise),
    **dict.fromkeys((Op.NEG, Op.SLICE, Op.BROADCAST), _no_work),
    **dict.fromkeys((Op.POW, Op.EXP, Op.LOG, Op.SQRT, Op.TANH, Op.SIGMOID, Op.SOFTPLUS), _function),
    Op.CONTRACT: _contraction,
    Op.OUTER: lambda e: Work(products=elements(e)),
    **dict.fromkeys((Op.LOOKUP, Op.CONCAT, Op.TRANSPOSE), _copied),
    Op.SCATTER: _scatter,
    Op.SUM: _sum,
    Op.SOFTMAX: _softmax,
    Op.LOG_SOFTMAX: _log_softmax,
    Op.LOGSUMEXP: _log_sum,
    Op.CROSS_ENTROPY: _cross_entropy,
}
NORMALISED = frozenset({Op.SOFTMAX, Op.LOG_SOFTMAX, Op.LOGSUMEXP, Op.CROSS_ENTROPY})


class Count:
    """What has been counted so far: every expression counts once, with whoever needs it first."""

    def __init__(self) -> None:
        self._counted: set[Expr] = set()
        self._normalised: set[Expr] = set()

    def new(self, roots: Iterable[Expr]) -> list[Expr]:
        """What these need that is not counted yet, arguments first."""
        return [e for e in topological(roots) if e not in self._counted]

    def work(self, e: Expr) -> Work:
        """The work of one operation on arguments that are there, which counts as done from now on."""
        if e in self._counted:
            return NO_WORK
        self._counted.add(e)
        work = TABLE[e.op](e)
        if e.op in NORMALISED and e.args[0] not in self._normalised:
            self._normalised.add(e.args[0])
            work += Work(functions=elements(e.args[0]), elementwise=elements(e.args[0]))
        return work


def sum_operands(e: Expr, formed: frozenset[Expr]) -> list[Expr]:
    """What has to be there to add `e` to a sum over the tokens: sums, signs and outer products are not
    formed but added term by term, unless they are `formed` anyway.
    """
    if e.op in (Op.ADD, Op.NEG) and e.varies and e not in formed:
        return [operand for a in e.args for operand in sum_operands(a, formed)]
    return list(e.args) if e.op in (Op.OUTER, Op.SCATTER) and e.varies else [e]


def accumulation(e: Expr, shape_of: Expr, formed: frozenset[Expr]) -> Work:
    """Adding `e` to a sum with the shape of `shape_of`, for one token."""
    if build.is_zero(e) or not e.varies:
        return NO_WORK
    if e.op in (Op.ADD, Op.NEG) and e not in formed:
        return total(accumulation(a, shape_of, formed) for a in e.args)
    if e.op is Op.OUTER:
        return Work(products=elements(e) * 2)
    few = _not_zero(e)
    return Work(elementwise=elements(shape_of) if few is None else few)
