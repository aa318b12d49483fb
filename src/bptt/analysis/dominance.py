"""Which part of a cost is the largest, where that changes, and under which condition it holds.

Conditions compare leading terms, so they are short and say what happens when sizes grow; the values of a
size at which something changes are exact, with every term counted and the other sizes held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import floor, gcd
from typing import TypeVar

import numpy as np

from bptt.analysis.polynomial import Monomial, Polynomial, divides

Value = TypeVar("Value")


@dataclass(frozen=True)
class Condition:
    """`larger > smaller`, between polynomials in the sizes."""

    larger: Polynomial
    smaller: Polynomial

    def __str__(self) -> str:
        return f"{self.larger} > {self.smaller}"

    def in_python(self) -> str:
        return f"{self.larger.in_python()} > {self.smaller.in_python()}"

    def can_hold(self) -> bool:
        """Whether some size can be so large that it holds: a term of the larger side divides no other."""
        smaller = [m for m, _ in self.smaller.terms()]
        return any(not any(divides(m, n) for n in smaller) for m, _ in self.larger.terms())

    def holds(self, sizes: Mapping[str, int]) -> bool:
        return self.larger.evaluate(sizes) > self.smaller.evaluate(sizes)


@dataclass(frozen=True)
class LargestTerm:
    """The largest term of a polynomial at given sizes, the part of the whole that it is (`share`), the
    conditions under which it exceeds each other leading term, and by size which term is the largest from
    which value on.
    """

    monomial: Monomial
    factor: int
    share: float
    conditions: tuple[Condition, ...]
    ranges: dict[str, tuple[tuple[int, Monomial], ...]]


@dataclass(frozen=True)
class Majority:
    """Where a part costs more than all the others together.

    `condition` is that of the leading terms, None where it can never hold; `ranges` by size the values from
    which on it holds (True) and does not.
    """

    name: str
    share: float
    condition: Condition | None
    ranges: dict[str, tuple[tuple[int, bool], ...]]


def largest_term(total: Polynomial, sizes: Mapping[str, int]) -> LargestTerm | None:
    """None for a polynomial without terms."""
    if not total:
        return None
    monomial, factor = _largest(total, sizes)
    own = Polynomial({monomial: factor})

    def largest_at(name: str, value: int) -> Monomial:
        return _largest(total, {**sizes, name: value}, name)[0]

    return LargestTerm(
        monomial,
        factor,
        own.evaluate(sizes) / total.evaluate(sizes),
        tuple(
            cancelled(own, Polynomial({other: n}))
            for other, n in total.leading().terms()
            if not divides(other, monomial) and not divides(monomial, other)
        ),
        {
            name: changes(partial(largest_at, name), _crossings(total, sizes, name))
            for name in sizes
            if any(name in m for m, _ in total.terms())
        },
    )


def majority(parts: Mapping[str, Polynomial], name: str, sizes: Mapping[str, int]) -> Majority:
    """Where the part called `name` costs more than the other parts together."""
    own = parts[name]
    rest = sum((p for other, p in parts.items() if other != name), Polynomial())
    ahead = own - rest
    leading = cancelled(own.leading(), rest.leading())

    def holds_at(size: str, value: int) -> bool:
        return ahead.evaluate({**sizes, size: value}) > 0

    return Majority(
        name,
        own.evaluate(sizes) / max(1, (own + rest).evaluate(sizes)),
        leading if leading.can_hold() else None,
        {
            size: changes(partial(holds_at, size), _roots(ahead.in_one(size, sizes)))
            for size in sizes
            if any(size in m for m, _ in ahead.terms())
        },
    )


def cancelled(larger: Polynomial, smaller: Polynomial) -> Condition:
    """`larger > smaller` without what stands on both sides, and divided by what divides every term."""
    difference = larger - smaller
    terms = list(difference.terms())
    if not terms:
        return Condition(Polynomial(), Polynomial())
    number = gcd(*(factor for _, factor in terms))
    common = [
        name
        for name in dict.fromkeys(terms[0][0])
        for _ in range(min(monomial.count(name) for monomial, _ in terms))
    ]
    sides: dict[bool, dict[Monomial, int]] = {True: {}, False: {}}
    for monomial, factor in terms:
        rest = list(monomial)
        for name in common:
            rest.remove(name)
        sides[factor > 0][tuple(rest)] = abs(factor) // number
    return Condition(Polynomial(sides[True]), Polynomial(sides[False]))


def changes(value_at: Callable[[int], Value], near: Iterable[float]) -> tuple[tuple[int, Value], ...]:
    """The values of a function of 1, 2, 3, … that changes near the given places only, each with the number
    from which on it has it.
    """
    points = {1} | {
        max(1, floor(place) + step) for place in near if 0 < place < 2**53 for step in (-1, 0, 1, 2)
    }
    found: list[tuple[int, Value]] = []
    for point in sorted(points):
        value = value_at(point)
        if not found or found[-1][1] != value:
            found.append((point, value))
    return tuple(found)


def _largest(total: Polynomial, sizes: Mapping[str, int], name: str = "") -> tuple[Monomial, int]:
    """Of equal terms the one that grows least with `name`: the other overtakes it where it exceeds it."""
    return max(
        total.terms(),
        key=lambda term: (Polynomial({term[0]: term[1]}).evaluate(sizes), -term[0].count(name)),
    )


def _crossings(total: Polynomial, sizes: Mapping[str, int], name: str) -> list[float]:
    """Where two terms of a polynomial are equal, as a function of one size."""
    found = []
    at_one = {**sizes, name: 1}
    terms = [(m.count(name), Polynomial({m: c}).evaluate(at_one)) for m, c in total.terms()]
    for power, factor in terms:
        for other_power, other in terms:
            if power > other_power and factor > 0 and other > 0:
                found.append(float((other / factor) ** (1 / (power - other_power))))
    return found


def _roots(coefficients: Sequence[int]) -> list[float]:
    """The real positive roots of a polynomial in one variable; `coefficients` begin with the constant."""
    roots = np.roots([float(c) for c in reversed(coefficients)])
    return [float(root.real) for root in roots if root.real > 0 and abs(root.imag) < 1e-6 * abs(root)]
