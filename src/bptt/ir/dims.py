"""Sizes of axes, symbolic: a sum of named sizes and a number, such as `e + h` or `2h + 1`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dim:
    """`terms` are (name, factor) pairs sorted by name; equal sums are equal values."""

    terms: tuple[tuple[str, int], ...] = ()
    constant: int = 0

    @staticmethod
    def named(name: str) -> Dim:
        return Dim(((name, 1),))

    @staticmethod
    def number(value: int) -> Dim:
        return Dim((), value)

    def __add__(self, other: Dim) -> Dim:
        return self._combine(other, 1)

    def __sub__(self, other: Dim) -> Dim:
        return self._combine(other, -1)

    def _combine(self, other: Dim, sign: int) -> Dim:
        factors = dict(self.terms)
        for name, factor in other.terms:
            factors[name] = factors.get(name, 0) + sign * factor
        terms = tuple(sorted((name, factor) for name, factor in factors.items() if factor))
        return Dim(terms, self.constant + sign * other.constant)

    def evaluate(self, sizes: Mapping[str, int]) -> int:
        """The number it is for the given sizes; KeyError names a size that is missing."""
        return self.constant + sum(factor * sizes[name] for name, factor in self.terms)

    def __str__(self) -> str:
        signs = {1: "", -1: "-"}
        parts = [f"{signs.get(factor, factor)}{name}" for name, factor in self.terms]
        if self.constant or not parts:
            parts.append(str(self.constant))
        return " + ".join(parts).replace("+ -", "- ")


Shape = tuple[Dim, ...]

VOCABULARY = Dim.named("V")
ZERO = Dim.number(0)


def show_shape(shape: Shape) -> str:
    """The shape as it is written in diagnostics and listings: `(h, V)`, and `()` for a scalar."""
    return "(" + ", ".join(map(str, shape)) + ")"
