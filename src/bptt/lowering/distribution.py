"""Whether an expression is a probability distribution, whatever its parameters: by its form, not by trying.

A softmax is one, so is exp(a) / sum(exp(a)), and so is every mixture of distributions whose weights are
scalars, none of them negative, with the sum 1 for all values of what they are made of: a · p + (1 - a) ·
q with a = sigmoid(…).
"""

from __future__ import annotations

from bptt.ir.expr import Expr
from bptt.ir.ops import Op

INFINITY = float("inf")
Bounds = tuple[float, float]
# A polynomial in scalars: the coefficient of each product of scalars.
Polynomial = dict[tuple[Expr, ...], float]

RANGES: dict[Op, Bounds] = {
    Op.SIGMOID: (0.0, 1.0),
    Op.SOFTMAX: (0.0, 1.0),
    Op.TANH: (-1.0, 1.0),
    Op.RELU: (0.0, INFINITY),
    Op.SOFTPLUS: (0.0, INFINITY),
    Op.EXP: (0.0, INFINITY),
    Op.SQRT: (0.0, INFINITY),
    Op.STEP: (0.0, 1.0),
}


def is_distribution(e: Expr) -> bool:
    """Whether the elements of the vector `e` are certainly not negative and add up to 1."""
    match e.op:
        case Op.SOFTMAX:
            return True
        case Op.EXP:
            return e.args[0].op is Op.LOG_SOFTMAX
        case Op.DIV:
            above, below = e.args
            return (
                above.op is Op.EXP and len(above.shape) == 1 and below.op is Op.SUM and below.args[0] is above
            )
        case Op.ADD | Op.MUL:
            return _is_mixture(e)
        case _:
            return False


def bounds(e: Expr) -> Bounds:
    """An interval in which every element of `e` certainly lies."""
    match e.op:
        case Op.CONST:
            return e.attr, e.attr
        case Op.ADD:
            parts = [bounds(a) for a in e.args]
            return sum(low for low, _ in parts), sum(high for _, high in parts)
        case Op.NEG:
            low, high = bounds(e.args[0])
            return -high, -low
        case Op.MUL:
            (a, b), (c, d) = bounds(e.args[0]), bounds(e.args[1])
            ends = [_times(p, q) for p in (a, b) for q in (c, d)]
            return min(ends), max(ends)
        case _:
            return RANGES.get(e.op, (-INFINITY, INFINITY))


def _times(a: float, b: float) -> float:
    """The product, where an end of an interval that is 0 stays 0."""
    return 0.0 if a == 0.0 or b == 0.0 else a * b


def _is_mixture(e: Expr) -> bool:
    terms = [_weighted(term) for term in (e.args if e.op is Op.ADD else (e,))]
    total: Polynomial = {}
    for weights, part in terms:
        if part is e or not is_distribution(part) or any(bounds(w)[0] < 0 for w in weights):
            return False
        product: Polynomial = {(): 1.0}
        for w in weights:
            product = _multiply(product, _polynomial(w))
        for monomial, coefficient in product.items():
            total[monomial] = total.get(monomial, 0.0) + coefficient
    return {m: round(c, 12) for m, c in total.items() if abs(c) > 1e-12} == {(): 1.0}


def _weighted(e: Expr) -> tuple[list[Expr], Expr]:
    """The scalars that `e` is multiplied by, and what is left."""
    weights: list[Expr] = []
    while e.op is Op.MUL and e.shape and not (e.args[0].shape and e.args[1].shape):
        scalar, e = e.args if not e.args[0].shape else e.args[::-1]
        weights.append(scalar)
    return weights, e


def _polynomial(e: Expr) -> Polynomial:
    match e.op:
        case Op.CONST:
            return {(): e.attr}
        case Op.NEG:
            return _multiply({(): -1.0}, _polynomial(e.args[0]))
        case Op.MUL:
            return _multiply(_polynomial(e.args[0]), _polynomial(e.args[1]))
        case Op.ADD:
            total: Polynomial = {}
            for a in e.args:
                for monomial, coefficient in _polynomial(a).items():
                    total[monomial] = total.get(monomial, 0.0) + coefficient
            return total
        case _:
            return {(e,): 1.0}


def _multiply(a: Polynomial, b: Polynomial) -> Polynomial:
    product: Polynomial = {}
    for m, c in a.items():
        for n, d in b.items():
            key = tuple(sorted(m + n, key=id))
            product[key] = product.get(key, 0.0) + c * d
    return product
