"""A sum compared with the right one, term by term: for claims that have more wrong than edits can mend."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from math import prod
from typing import Any

import numpy as np

from bptt.checking.pool import negated, terms_of
from bptt.formula.tensor import Tensor
from bptt.formula.tree import (
    Add,
    Derivative,
    Formula,
    Hadamard,
    Indexed,
    Neg,
    Number,
    Product,
    Sum,
    Symbol,
    Transpose,
    children,
    rebuild,
)

# A term on one side is looked for among sums of so many on the other, at most.
MOST_TOGETHER = 3
# Of sums with more terms only single ones are compared.
MOST_TERMS = 24
_TOLERANCE = 1e-9
# What is raised for a formula that has no value, such as one that does not conform.
NO_VALUE = (ValueError, LookupError, TypeError, ArithmeticError, AssertionError)
# Two terms with less in common are not taken for the same term, once right and once wrong.
_ALIKE = 0.5


@dataclass(frozen=True)
class Comparison:
    """`missing` are right terms without a counterpart, `extra` claimed ones that are in no right formula.
    `wrong` are pairs of a claimed term and the right one that was probably meant. All claimed terms are parts
    of the claim, the very objects, unless brackets had to be multiplied out.
    """

    missing: tuple[Formula, ...]
    extra: tuple[Formula, ...]
    wrong: tuple[tuple[Formula, Formula], ...]

    @property
    def agrees(self) -> bool:
        return not (self.missing or self.extra or self.wrong)

    def __iter__(self) -> Iterator[Any]:
        return iter((self.missing, self.extra, self.wrong))


def compare_terms(claimed: Formula, right: Formula, value: Callable[[Formula], Any]) -> Comparison:
    """Which terms of `right` the claim lacks, which it has too many, and which pairs are meant to be equal.

    `value` gives a Tensor, an array, or a sequence of these for several points; a formula for which it raises
    one of NO_VALUE equals nothing. Where terms are left over on both sides, brackets are
    multiplied out and groups of terms are compared.
    """
    values = _Values(value)
    ours, theirs = values.cancelled(list(terms_of(claimed)), list(terms_of(right)))
    if ours and theirs:
        ours, theirs = values.cancelled(ours, theirs, together=MOST_TOGETHER)
    if ours and theirs:
        split = values.cancelled(_multiplied_out(ours), _multiplied_out(theirs), together=MOST_TOGETHER)
        # Only if that explains something; else the terms are shown as they were written.
        if sum(map(len, split)) < len(ours) + len(theirs) or not all(split):
            ours, theirs = split
    pairs = _pairs(ours, theirs)
    paired = {id(part) for pair in pairs for part in pair}
    return Comparison(
        tuple(term for term in theirs if id(term) not in paired),
        tuple(term for term in ours if id(term) not in paired),
        pairs,
    )


class _Values:
    def __init__(self, value: Callable[[Formula], Any]) -> None:
        self.value = value
        self.known: dict[Formula, Any] = {}

    def of(self, formula: Formula) -> Any:
        """None where it has no value."""
        if formula not in self.known:
            try:
                self.known[formula] = self.value(formula)
            except NO_VALUE:
                self.known[formula] = None
        return self.known[formula]

    def equal(self, one: Formula, other: Formula) -> bool:
        a, b = self.of(one), self.of(other)
        return a is not None and b is not None and _same(a, b)

    def cancelled(
        self, ours: list[Formula], theirs: list[Formula], together: int = 1
    ) -> tuple[list[Formula], list[Formula]]:
        """What is left on both sides when everything is taken away that is equal: single terms first, then a
        term on one side that is the sum of several on the other.
        """
        ours, theirs = list(ours), list(theirs)
        for term in list(ours):
            match = next((other for other in theirs if self.equal(term, other)), None)
            if match is not None:
                _remove(ours, term)
                _remove(theirs, match)
        if together > 1 and max(len(ours), len(theirs)) <= MOST_TERMS:
            self._take_groups(ours, theirs, together)
            self._take_groups(theirs, ours, together)
        return ours, theirs

    def _take_groups(self, single: list[Formula], several: list[Formula], together: int) -> None:
        for term in list(single):
            for size in range(2, together + 1):
                groups = combinations(several, size)
                group = next((g for g in groups if self.equal(term, Add(g))), None)
                if group is not None:
                    _remove(single, term)
                    for part in group:
                        _remove(several, part)
                    break


def _remove(terms: list[Formula], term: Formula) -> None:
    """Takes away the object itself; there may be another that is equal."""
    del terms[next(k for k, other in enumerate(terms) if other is term)]


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return a.axes == b.axes and _same(a.array, b.array)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, Tensor | list | tuple) or isinstance(b, Tensor | list | tuple):
        return False
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape:
        return False
    scale = max(np.max(np.abs(a), initial=0.0), np.max(np.abs(b), initial=0.0))
    return bool(np.all(np.abs(a - b) <= _TOLERANCE * scale))


def _multiplied_out(terms: list[Formula]) -> list[Formula]:
    return [part for term in terms for part in (_expanded(term) if _count(term) <= MOST_TERMS else (term,))]


def _count(formula: Formula) -> int:
    """Of how many terms it is the sum when its brackets are multiplied out."""
    match formula:
        case Add(terms) if not _is_short(formula):
            return sum(map(_count, terms))
        case Product(factors) | Hadamard(factors):
            return prod(map(_count, factors))
        case Neg(a) | Transpose(a) | Sum(body=a):
            return _count(a)
    return 1


def _expanded(formula: Formula) -> tuple[Formula, ...]:
    match formula:
        case Add(terms) if not _is_short(formula):
            return tuple(part for term in terms for part in _expanded(term))
        case Neg(a):
            return tuple(negated(part) for part in _expanded(a))
        case Sum() | Transpose():
            parts = _expanded(children(formula)[0])
            return tuple(_signed(formula, part) for part in parts) if len(parts) > 1 else (formula,)
        case Product(factors) | Hadamard(factors):
            for k, factor in enumerate(factors):
                parts = _expanded(factor)
                if len(parts) > 1:
                    products = (type(formula)((*factors[:k], part, *factors[k + 1 :])) for part in parts)
                    return tuple(part for product in products for part in _expanded(_pulled(product)))
    return (formula,)


def _is_short(formula: Add) -> bool:
    """Whether it is one thing to a reader, as ŷ − y and 1 − h are, and no sum of paths."""
    plain = (term.operand if isinstance(term, Neg) else term for term in formula.terms)
    return all(isinstance(term, Symbol | Indexed | Number) for term in plain)


def _signed(outer: Formula, part: Formula) -> Formula:
    if isinstance(part, Neg):
        return Neg(rebuild(outer, (part.operand,)))
    return rebuild(outer, (part,))


def _pulled(product: Product | Hadamard) -> Formula:
    """A minus of a factor in front of the product."""
    for k, factor in enumerate(product.factors):
        if isinstance(factor, Neg):
            factors = (*product.factors[:k], factor.operand, *product.factors[k + 1 :])
            return negated(_pulled(type(product)(factors)))
    return product


def _pairs(ours: list[Formula], theirs: list[Formula]) -> tuple[tuple[Formula, Formula], ...]:
    """Claimed and right terms that are most alike in what they are made of, each in one pair at most."""
    found = sorted(
        ((-_likeness(one, other), k, m) for k, one in enumerate(ours) for m, other in enumerate(theirs))
    )
    pairs: list[tuple[int, int]] = []
    for likeness, k, m in found:
        if -likeness >= _ALIKE and all(k != a and m != b for a, b in pairs):
            pairs.append((k, m))
    return tuple((ours[k], theirs[m]) for k, m in sorted(pairs))


def _likeness(one: Formula, other: Formula) -> float:
    """The share of names that both have, from 0 to 1; a name counts wherever it is, at whatever time."""
    a, b = set(_names(one)), set(_names(other))
    return len(a & b) / len(a | b) if a | b else 0.0


def _names(formula: Formula) -> Iterator[object]:
    match formula:
        case Symbol(name=name, of=of):
            yield name, of
        case Derivative(top, bottom):
            yield tuple(_names(top)), tuple(_names(bottom))
        case _:
            for part in children(formula):
                yield from _names(part)
