"""Words of derivations: the names of rules put together, and σ′ said in words; and tidying of formulas."""

from __future__ import annotations

from collections.abc import Iterator

from bptt.derivation.matrix_form import (
    add,
    hadamard,
    negate,
    product,
)
from bptt.formula.tree import (
    Add,
    Apply,
    Formula,
    Hadamard,
    Neg,
    Product,
    Symbol,
    Text,
    children,
)
from bptt.ir.ops import Op

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


WITH_PRIMES = frozenset({Op.TANH, Op.SIGMOID, Op.RELU, Op.SOFTPLUS, Op.EXP, Op.LOG, Op.SQRT})


def joined(words: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def primes_of(formula: Formula) -> Iterator[Apply]:
    if isinstance(formula, Apply) and formula.prime:
        yield formula
    for part in children(formula):
        yield from primes_of(part)


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


def prime_rule(primes: list[Apply]) -> tuple[str, Text]:
    functions = list(dict.fromkeys(prime.function for prime in primes))
    words = [SPELT_OUT[f] for f in functions if f in SPELT_OUT]
    return "the derivative written out", ("; ".join(words),) if words else ()


# Matrix form.
