"""Formulas with one fault each, of the kinds that are made on paper."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from bptt.formula.shapes import NUMBER, NonConforming, Undefined, shape_of
from bptt.formula.tree import (
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
    Product,
    Sum,
    Symbol,
    TimeProduct,
    Transpose,
    children,
    rebuild,
)

Mutants = Iterator[tuple[str, Formula]]
KINDS = (
    "a transpose less", "a diag less", "a prime less", "a sign", "a term less", "a factor less",
    "factors in the other order", "a matrix product for an elementwise one",
    "an elementwise product for a matrix one", "another name", "another step", "another index",
    "indices in the other order", "a step later", "without its step", "a step less in a sum",
    "a step less in a product", "steps in the other order",
)  # fmt: skip


def mutants(formula: Formula, layout: str, symbols: Iterable[Symbol]) -> Mutants:
    """Every formula that differs in one place, with the kind of the fault. Those that are left out say the
    same: factors that commute, and indices that a Kronecker delta makes equal.
    """
    known = sorted(set(symbols), key=repr)
    return _everywhere(formula, _Faults(layout, known, linked(formula)))


class _Faults:
    def __init__(self, layout: str, symbols: list[Symbol], same: set[frozenset[str]]) -> None:
        self.layout, self.symbols, self.same = layout, symbols, same

    def is_number(self, formula: Formula) -> bool:
        try:
            return shape_of(formula, self.layout) == NUMBER
        except (NonConforming, Undefined):
            return False

    def __call__(self, part: Formula, letters: list[str]) -> Mutants:
        match part:
            case Transpose(a):
                yield "a transpose less", a
            case Diag(a):
                yield "a diag less", a
            case Neg(a):
                yield "a sign", a
            case Apply(prime=True):
                yield "a prime less", replace(part, prime=False)
            case Product(factors):
                yield from self._of_product(factors)
            case Hadamard(factors) if sum(not self.is_number(f) for f in factors) > 1:
                yield "a matrix product for an elementwise one", Product(factors)
                for k in range(len(factors)):
                    yield "a factor less", Hadamard(factors[:k] + factors[k + 1 :])
            case Add(terms):
                for k, term in enumerate(terms):
                    yield "a term less", Add(terms[:k] + terms[k + 1 :])
                    turned = term.operand if isinstance(term, Neg) else Neg(term)
                    yield "a sign", Add((*terms[:k], turned, *terms[k + 1 :]))
            case Symbol():
                yield from self._of_symbol(part)
            case Derivative(at=at) if at is not None:
                yield "a step later", replace(part, at=at.shift(1))
                yield "without its step", replace(part, at=None)
            case Indexed(base, indices):
                for k, index in enumerate(indices):
                    for letter in letters:
                        if letter != index.letter and frozenset((letter, index.letter)) not in self.same:
                            changed = (*indices[:k], Index(letter, index.offset), *indices[k + 1 :])
                            yield "another index", Indexed(base, changed)
                if len(indices) == 2 and indices[0] != indices[1]:
                    yield "indices in the other order", Indexed(base, indices[::-1])
            case Sum(lower=lower) if lower is not None:
                yield "a step less in a sum", replace(part, lower=lower.shift(1))
            case TimeProduct(first=first, last=last):
                by = 1 if part.falling else -1
                yield "a step less in a product", replace(part, last=last.shift(by))
                yield "a step less in a product", replace(part, first=first.shift(-by))
                yield (
                    "steps in the other order",
                    replace(part, first=last, last=first, falling=not part.falling),
                )

    def _of_product(self, factors: tuple[Formula, ...]) -> Mutants:
        numbers = [self.is_number(f) for f in factors]
        for k in range(len(factors)):
            yield "a factor less", Product(factors[:k] + factors[k + 1 :])
        for k in range(len(factors) - 1):
            if not numbers[k] and not numbers[k + 1] and factors[k] != factors[k + 1]:
                swapped = (*factors[:k], factors[k + 1], factors[k], *factors[k + 2 :])
                yield "factors in the other order", Product(swapped)
        if numbers.count(False) > 1:
            yield "an elementwise product for a matrix one", Hadamard(factors)

    def _of_symbol(self, symbol: Symbol) -> Mutants:
        if symbol.time is not None:
            for by in (-1, 1):
                yield "another step", replace(symbol, time=symbol.time.shift(by))
        for other in self.symbols:
            alike = other.shape == symbol.shape and (other.time is None) == (symbol.time is None)
            if alike and (other.name, other.of) != (symbol.name, symbol.of):
                yield "another name", replace(other, time=symbol.time)


def _everywhere(formula: Formula, faults: _Faults) -> Mutants:
    letters = sorted(free_letters(formula))

    def within(part: Formula) -> Mutants:
        yield from faults(part, letters)
        if isinstance(part, Derivative | Indexed):
            # What is differentiated is compared for itself; of an element only its name and indices change.
            inner = [k for k, f in enumerate(children(part)) if isinstance(f, Symbol | Indexed)]
        else:
            inner = list(range(len(children(part))))
        parts = children(part)
        for k in inner:
            for kind, changed in within(parts[k]):
                yield kind, rebuild(part, (*parts[:k], changed, *parts[k + 1 :]))

    return within(formula)


def free_letters(formula: Formula) -> set[str]:
    """All letters of indices."""
    found = {letter for part in children(formula) for letter in free_letters(part)}
    if isinstance(formula, Indexed):
        found |= {index.letter for index in formula.indices}
    if isinstance(formula, Kronecker):
        found |= {formula.left.letter, formula.right.letter}
    return found


def linked(formula: Formula) -> set[frozenset[str]]:
    """Letters that a Kronecker delta somewhere in the formula makes equal."""
    found = {pair for part in children(formula) for pair in linked(part)}
    if isinstance(formula, Kronecker):
        found.add(frozenset((formula.left.letter, formula.right.letter)))
    return found
