"""Which part of a cost is the largest, where that changes, and under which condition it holds.

Conditions compare leading terms, so they are short and say what happens when sizes grow; the values of a
size at which something changes are exact, with every term counted and the other sizes held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise, permutations, zip_longest
from math import comb, gcd
from typing import TypeVar

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

    return Majority(
        name,
        own.evaluate(sizes) / max(1, (own + rest).evaluate(sizes)),
        leading if leading.can_hold() else None,
        {
            size: positive(ahead.in_one(size, sizes))
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


def changes(value_at: Callable[[int], Value], places: Iterable[int]) -> tuple[tuple[int, Value], ...]:
    """The values of a function of 1, 2, 3, … that changes at no other than the given places, each with the
    number from which on it has it.
    """
    found: list[tuple[int, Value]] = []
    for place in sorted({1, *places}):
        value = value_at(place)
        if not found or found[-1][1] != value:
            found.append((place, value))
    return tuple(found)


def positive(coefficients: Sequence[int]) -> tuple[tuple[int, bool], ...]:
    """Whether a polynomial, its constant first, is positive at 1, 2, 3, …: each answer with the number from
    which on it holds. Exact: where the differences of neighbours keep their sign, halving finds the change.
    """

    def value(n: int) -> int:
        return sum(c * n**power for power, c in enumerate(coefficients))

    if not any(coefficients[1:]):
        return ((1, value(1) > 0),)
    # Beyond this the term of the highest power outweighs all others.
    far = 1 + sum(map(abs, coefficients))
    turns = [start for start, _ in positive(_differences(coefficients)) if start < far]
    places = []
    for low, high in pairwise([*turns, far]):
        after = value(high) > 0
        if (value(low) > 0) != after:
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (low, middle) if (value(middle) > 0) == after else (middle, high)
            places.append(high)
    return changes(lambda n: value(n) > 0, places)


def _differences(coefficients: Sequence[int]) -> list[int]:
    """The coefficients of p(n + 1) - p(n), which has one power less."""
    return [
        sum(comb(power, k) * coefficients[power] for power in range(k + 1, len(coefficients)))
        for k in range(len(coefficients) - 1)
    ]


def _largest(total: Polynomial, sizes: Mapping[str, int], name: str = "") -> tuple[Monomial, int]:
    """Of equal terms the one that grows least with `name`: the other overtakes it where it exceeds it."""
    return max(
        total.terms(),
        key=lambda term: (Polynomial({term[0]: term[1]}).evaluate(sizes), -term[0].count(name)),
    )


def _crossings(total: Polynomial, sizes: Mapping[str, int], name: str) -> list[int]:
    """From where on one term of a polynomial exceeds another, as functions of one size."""
    terms = [Polynomial({m: c}).in_one(name, sizes) for m, c in total.terms()]
    return [
        start
        for one, other in permutations(terms, 2)
        if len(one) > len(other)
        for start, _ in positive([a - b for a, b in zip_longest(one, other, fillvalue=0)])
    ]
