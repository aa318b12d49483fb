"""Polynomials in the sizes of a model, such as 2·V·h + 4·V: exact counts, and their order O()."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from math import prod

from bptt.ir.dims import Dim

# The names that a term multiplies, sorted, each as often as its power: h²·e is ("e", "h", "h").
Monomial = tuple[str, ...]

SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class Polynomial:
    """A sum of products of sizes with whole factors. Immutable; equal sums are equal values."""

    __slots__ = ("_factors",)

    def __init__(self, factors: Mapping[Monomial, int] | None = None) -> None:
        kept = {m: c for m, c in (factors or {}).items() if c}
        # Of highest degree first, then by name: the order in which a person writes it.
        self._factors = dict(sorted(kept.items(), key=lambda item: (-len(item[0]), item[0])))

    @staticmethod
    def number(value: int) -> Polynomial:
        return Polynomial({(): value})

    @staticmethod
    def size(dim: Dim) -> Polynomial:
        return Polynomial({**{(name,): factor for name, factor in dim.terms}, (): dim.constant})

    @staticmethod
    def elements(shape: Iterable[Dim]) -> Polynomial:
        """How many elements an array of this shape has; 1 for a scalar."""
        product = Polynomial.number(1)
        for dim in shape:
            product = product * Polynomial.size(dim)
        return product

    def terms(self) -> Iterator[tuple[Monomial, int]]:
        return iter(self._factors.items())

    def factor(self, monomial: Monomial) -> int:
        return self._factors.get(monomial, 0)

    def __bool__(self) -> bool:
        return bool(self._factors)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Polynomial) and self._factors == other._factors

    def __hash__(self) -> int:
        return hash(tuple(self._factors.items()))

    def __add__(self, other: Polynomial | int) -> Polynomial:
        other = other if isinstance(other, Polynomial) else Polynomial.number(other)
        factors = dict(self._factors)
        for monomial, factor in other.terms():
            factors[monomial] = factors.get(monomial, 0) + factor
        return Polynomial(factors)

    def __mul__(self, other: Polynomial | int) -> Polynomial:
        other = other if isinstance(other, Polynomial) else Polynomial.number(other)
        factors: dict[Monomial, int] = {}
        for a, p in self.terms():
            for b, q in other.terms():
                both = tuple(sorted(a + b))
                factors[both] = factors.get(both, 0) + p * q
        return Polynomial(factors)

    __radd__ = __add__
    __rmul__ = __mul__

    def __sub__(self, other: Polynomial | int) -> Polynomial:
        return self + other * -1

    def evaluate(self, sizes: Mapping[str, int]) -> int:
        """The number it is for these sizes; KeyError names a size that is missing."""
        return sum(factor * prod(sizes[name] for name in monomial) for monomial, factor in self.terms())

    def in_one(self, name: str, sizes: Mapping[str, int]) -> list[int]:
        """The coefficients in `name` alone, lowest power first, with the other sizes as given."""
        others = {**sizes, name: 1}
        coefficients = [0] * (1 + max((m.count(name) for m, _ in self.terms()), default=0))
        for monomial, factor in self.terms():
            coefficients[monomial.count(name)] += Polynomial({monomial: factor}).evaluate(others)
        return coefficients

    def leading(self) -> Polynomial:
        """The terms of which no other term is a multiple: what is left when all sizes are large."""
        positive = [m for m, factor in self.terms() if factor > 0]
        return Polynomial(
            {m: self.factor(m) for m in positive if not any(m != n and divides(m, n) for n in positive)}
        )

    def order(self) -> str:
        """`O(V·h + h²)`: the leading terms without their factors."""
        return f"O({self.order_terms()})"

    def order_in_python(self) -> str:
        return f"O({self.order_terms().in_python()})"

    def order_terms(self) -> Polynomial:
        return Polynomial(dict.fromkeys((m for m, _ in self.leading().terms()), 1))

    def __str__(self) -> str:
        return _written(self, "·", _power)

    def in_python(self) -> str:
        """As a Python expression: `2*V*h + h**2`."""
        return _written(self, "*", _power_in_python)

    def __repr__(self) -> str:
        return f"Polynomial({self})"


def divides(a: Monomial, b: Monomial) -> bool:
    return all(b.count(name) >= a.count(name) for name in set(a))


def show_monomial(monomial: Monomial) -> str:
    return str(Polynomial({monomial: 1}))


def _power(name: str, power: int) -> str:
    return f"{name}{str(power).translate(SUPERSCRIPTS)}" if power > 1 else name


def _power_in_python(name: str, power: int) -> str:
    return f"{name}**{power}" if power > 1 else name


def _written(polynomial: Polynomial, times: str, power: Callable[[str, int], str]) -> str:
    text = ""
    for monomial, factor in polynomial.terms():
        parts = [power(name, monomial.count(name)) for name in dict.fromkeys(monomial)]
        if abs(factor) != 1 or not parts:
            parts.insert(0, str(abs(factor)))
        sign = "-" if factor < 0 else "+"
        text += f" {sign} " if text else "-" if factor < 0 else ""
        text += times.join(parts)
    return text or "0"
