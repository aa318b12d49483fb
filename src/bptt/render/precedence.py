"""How tightly a formula holds together: where brackets are needed, in whatever notation it is written.

A renderer asks `strength(part)` and brackets the part where it is below what its place needs; `brackets` is
that question. Signs and nestings that need no brackets are taken away first: `signed`, `terms`, `factors`.

    place                                   needs
    a term of a sum, behind a minus, Σ …    OPEN
    a factor of ∘                           QUOTIENT, the last one OPEN
    a factor of a product                   PRODUCT (a fraction with a bar too), the last one OPEN
    the body of a product over times        POWER
    below an exponent, ⊤ or an index        ATOM
"""

from __future__ import annotations

from enum import IntEnum

from bptt.formula.tree import (
    Add,
    Apply,
    Derivative,
    Formula,
    Hadamard,
    Indexed,
    Neg,
    Number,
    Power,
    Product,
    Quotient,
    Size,
    Sum,
    Symbol,
    TimeProduct,
    TokenPart,
    Transpose,
)
from bptt.ir.dims import Dim


class Strength(IntEnum):
    SUM = 1
    NEGATION = 2
    OPEN = 3  # Σ a, Π a, ∂/∂x (a), log a: nothing says where it ends on the right
    HADAMARD = 4
    QUOTIENT = 5  # on one line; a fraction with a bar holds together by itself
    PRODUCT = 6
    POWER = 7  # whatever already bears something above it
    ATOM = 8


def strength(formula: Formula) -> Strength:
    """What holds the formula together at its loosest place."""
    if signed(formula)[0]:
        return Strength.NEGATION
    match formula:
        case Number(value):
            return Strength.ATOM if 1e-4 <= abs(value) < 1e15 or value == 0 else Strength.PRODUCT
        case Size(dim):
            return _of_size(dim)
        case Symbol(of=of) | Indexed(base=Symbol(of=of)):
            return Strength.POWER if of else Strength.ATOM
        case Add((only,)) | Product((only,)) | Hadamard((only,)):
            return strength(only)
        case Add():
            return Strength.SUM
        case Product((*_, last)):
            return Strength.OPEN if strength(last) == Strength.OPEN else Strength.PRODUCT
        case Hadamard((*_, last)):
            return Strength.OPEN if strength(last) == Strength.OPEN else Strength.HADAMARD
        case Quotient():
            return Strength.QUOTIENT
        case Power() | Transpose():
            return Strength.POWER
        case Sum() | TimeProduct():
            return Strength.OPEN
        case Apply():
            return Strength.OPEN if is_bare(formula) else Strength.ATOM
        case Derivative(top):
            return Strength.QUOTIENT if is_name(top) else Strength.OPEN
        case _:
            return Strength.ATOM


def brackets(part: Formula, needed: Strength, is_last: bool = False) -> bool:
    """Whether `part` goes in brackets at a place that needs `needed`; a last factor may end openly."""
    have = strength(part)
    return have < needed and not (is_last and have == Strength.OPEN)


def signed(formula: Formula) -> tuple[bool, Formula]:
    """Whether a minus stands before the formula, and the formula without it."""
    match formula:
        case Neg(operand):
            return True, operand
        case Number(value) if value < 0:
            return True, Number(-value)
        case Product((Number(value), *rest)) if value < 0:
            return True, Product((Number(-value), *rest))
        case _:
            return False, formula


def terms(formula: Formula) -> list[tuple[bool, Formula]]:
    """The terms of a sum with their signs, sums within it opened; any other formula is its only term."""
    if isinstance(formula, Add):
        return [pair for term in formula.terms for pair in terms(term)]
    return [signed(formula)]


def factors(formula: Product | Hadamard) -> list[Formula]:
    """The factors, those of the same kind of product within it opened."""
    opened: list[Formula] = []
    for factor in formula.factors:
        if isinstance(factor, Product | Hadamard) and type(factor) is type(formula) and not signed(factor)[0]:
            opened += factors(factor)
        else:
            opened.append(factor)
    return opened


def is_name(formula: Formula) -> bool:
    """Whether it can stand behind the ∂ of a fraction: a symbol, or a part of one."""
    match formula:
        case Symbol() | Indexed(base=Symbol()) | TokenPart(table=Symbol()):
            return True
        case _:
            return False


def is_bare(formula: Apply) -> bool:
    """Whether the argument stands without brackets: `log ŷ_k`."""
    return formula.function == "log" and not formula.prime and is_name(formula.argument)


def _of_size(dim: Dim) -> Strength:
    parts = len(dim.terms) + bool(dim.constant)
    if parts > 1:
        return Strength.SUM
    if dim.constant < 0 or any(factor < 0 for _, factor in dim.terms):
        return Strength.NEGATION
    return Strength.PRODUCT if any(factor != 1 for _, factor in dim.terms) else Strength.ATOM
