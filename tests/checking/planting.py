"""Right formulas, numbers for their symbols, and single errors put into them, each by a way of its own.

Nothing here knows how errors are searched for.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from zlib import crc32

import numpy as np

from bptt.derivation.board import LOSS
from bptt.derivation.whole import derive_model
from bptt.formula.evaluate import Point, Unbound, evaluate
from bptt.formula.shapes import NUMBER, NonConforming, Pair, shape_of
from bptt.formula.tensor import Tensor, matrix, merged, named
from bptt.formula.tree import (
    Add,
    Apply,
    Derivative,
    Diag,
    Formula,
    Hadamard,
    Index,
    Indexed,
    Neg,
    Number,
    Product,
    Sum,
    Symbol,
    TimeProduct,
    TokenPart,
    Transpose,
    children,
    rebuild,
)
from cells import MODELS

WORTHLESS = (NonConforming, Unbound, KeyError, ValueError, TypeError, AssertionError, ZeroDivisionError)


@dataclass(frozen=True)
class Right:
    """A right formula: where it is from, its layout, and what has to come out."""

    name: str
    formula: Formula
    layout: str
    notation: str
    sizes: Mapping[str, int]

    @property
    def shape(self) -> Pair | None:
        return shape_of(self.formula, self.layout) if self.notation == "matrix" else None


@cache
def right_formulas(name: str, layout: str) -> tuple[Right, ...]:
    """All results of a shipped model, in both notations, each once."""
    found = derive_model(MODELS[name], layout=layout)
    names = sorted({*found.board.model.dims, "V"})
    sizes = {dim: 3 + k for k, dim in enumerate(names)}
    results: dict[Formula, Right] = {}
    for gradient in found.gradients:
        chains = (
            gradient.index,
            gradient.matrix,
            gradient.written_out,
            *gradient.forms,
            *gradient.through_time,
        )
        for chain in chains:
            if chain is not None:
                title = f"{name} {gradient.name} {layout} {chain.notation} {chain.reading}"
                results.setdefault(chain.result, Right(title, chain.result, layout, chain.notation, sizes))
    return tuple(right for right in results.values() if children(right.formula))


class Numbers:
    """A random number for every element of every symbol and every derivative; `seed` chooses them."""

    def __init__(self, right: Right, seed: int) -> None:
        self.right, self.seed = right, seed
        self.point = Point(right.sizes, right.layout, self.symbol, self.derivative, {"t": 3, "T": 5, "s": 4})
        self.shapes: dict[tuple[str, str], tuple[int, ...]] = {}
        self.arrays: dict[Any, Any] = {}
        self._collect(right.formula)
        self.truth = self.value(right.formula)

    def _collect(self, formula: Formula) -> None:
        if isinstance(formula, Symbol):
            shape = tuple(dim.evaluate(self.right.sizes) for dim in formula.shape)
            self.shapes[formula.name, formula.of] = shape
        for part in children(formula):
            self._collect(part)

    def value(self, formula: Formula) -> Tensor:
        self._collect(formula)
        return evaluate(formula, self.point)

    def judge(self, formula: Formula) -> int:
        """1 for the value of the right formula, -1 for its negative, else 0."""
        try:
            value = self.value(formula)
        except WORTHLESS:
            return 0
        if value.axes != self.truth.axes or value.array.shape != self.truth.array.shape:
            return 0
        scale = 1e-9 * np.abs(self.truth.array).max()
        for sign in (1, -1):
            if np.all(np.abs(value.array - sign * self.truth.array) <= scale):
                return sign
        return 0

    def symbol(self, name: str, of: str, time: int | None) -> Any:
        return self._drawn((name, of, time), self.shapes[name, of])

    def _drawn(self, key: object, shape: tuple[int, ...]) -> Any:
        if (key, shape) not in self.arrays:
            rng = np.random.default_rng([self.seed, crc32(repr(key).encode())])
            self.arrays[key, shape] = rng.uniform(0.2, 1.5, shape) * rng.choice([-1, 1], shape)
        return self.arrays[key, shape]

    def derivative(self, top: Formula, bottom: Formula, at: int | None, times: Mapping[str, int]) -> Tensor:
        names, letters, shape = [], [], []
        for part in (top, bottom):
            symbol = part.base if isinstance(part, Indexed) else part
            assert isinstance(symbol, Symbol)
            time = symbol.time
            names.append((symbol.name, symbol.of, time and time.offset + times.get(time.letter, 0)))
            if isinstance(part, Indexed):
                letters += [index.letter for index in part.indices]
                shape += [dim.evaluate(self.right.sizes) for dim in symbol.shape]
        is_loss = isinstance(top, Symbol) and top.name.startswith(LOSS)
        if is_loss and isinstance(bottom, Indexed | Symbol):
            symbol = bottom.base if isinstance(bottom, Indexed) else bottom
            array = self._drawn((*names, at), tuple(d.evaluate(self.right.sizes) for d in symbol.shape))
            if isinstance(bottom, Indexed):
                return named(*merged(bottom, array, letters))
            if array.ndim == 1:
                array = array[None, :] if self.right.layout == "row" else array[:, None]
            return matrix(array) if array.ndim else Tensor(array)
        if letters:
            return named(*merged(top, self._drawn((*names, at), tuple(shape)), letters))
        rows, columns = shape_of(Derivative(top, bottom), self.right.layout)
        size = rows.evaluate(self.right.sizes), columns.evaluate(self.right.sizes)
        return matrix(self._drawn((*names, at), size))


# Errors.

Planted = tuple[str, Formula]
Planter = Callable[[Formula, Right, random.Random], Iterator[Formula]]


def everywhere(formula: Formula, change: Callable[[Formula], Iterator[Formula]]) -> Iterator[Formula]:
    """`change` made at each part in turn, but not within names."""
    yield from change(formula)
    if isinstance(formula, Derivative | TokenPart | Indexed):
        return
    parts = children(formula)
    for k, part in enumerate(parts):
        for changed in everywhere(part, change):
            yield rebuild(formula, (*parts[:k], changed, *parts[k + 1 :]))


def is_number(formula: Formula, right: Right) -> bool:
    try:
        return shape_of(formula, right.layout) == NUMBER
    except NonConforming:
        return False


def letters_of(formula: Formula) -> list[str]:
    found = [letter for part in children(formula) for letter in letters_of(part)]
    if isinstance(formula, Indexed):
        found += [index.letter for index in formula.indices]
    return sorted(set(found))


def plant_sign(formula: Formula, right: Right, rng: random.Random) -> Iterator[Formula]:
    def change(part: Formula) -> Iterator[Formula]:
        if isinstance(part, Add):
            for k, term in enumerate(part.terms):
                other = term.operand if isinstance(term, Neg) else Neg(term)
                yield Add((*part.terms[:k], other, *part.terms[k + 1 :]))

    yield Neg(formula)
    yield from everywhere(formula, change)


def plant_transpose(formula: Formula, right: Right, rng: random.Random) -> Iterator[Formula]:
    def change(part: Formula) -> Iterator[Formula]:
        if isinstance(part, Transpose):
            yield part.operand
        if isinstance(part, Product):
            for k, factor in enumerate(part.factors):
                if not isinstance(factor, Transpose) and not is_number(factor, right):
                    yield Product((*part.factors[:k], Transpose(factor), *part.factors[k + 1 :]))

    yield from everywhere(formula, change)


def plant_order(formula: Formula, right: Right, rng: random.Random) -> Iterator[Formula]:
    def change(part: Formula) -> Iterator[Formula]:
        if isinstance(part, Product) and not any(is_number(f, right) for f in part.factors):
            n = len(part.factors)
            for k in range(n - 1):
                f = part.factors
                yield Product((*f[:k], f[k + 1], f[k], *f[k + 2 :]))
            if n > 2:
                yield Product((*part.factors[1:], part.factors[0]))
                shuffled = list(part.factors)
                rng.shuffle(shuffled)
                yield Product(tuple(shuffled))

    yield from everywhere(formula, change)


def plant_shape(formula: Formula, right: Right, rng: random.Random) -> Iterator[Formula]:
    def change(part: Formula) -> Iterator[Formula]:
        match part:
            case Diag(a):
                yield a
            case Hadamard((a, b)):
                yield Product((a, b))
            case Hadamard((a, *others)):
                yield Product((a, Hadamard(tuple(others))))
            case Product((a, b)) if not is_number(a, right) and not is_number(b, right):
                yield Hadamard((a, b))

    yield from everywhere(formula, change)


def plant_index(formula: Formula, right: Right, rng: random.Random) -> Iterator[Formula]:
    letters = letters_of(right.formula)

    def change(part: Formula) -> Iterator[Formula]:
        match part:
            case Indexed(base, indices):
                for k, index in enumerate(indices):
                    for letter in letters:
                        if letter != index.letter:
                            yield Indexed(
                                base, (*indices[:k], Index(letter, index.offset), *indices[k + 1 :])
                            )
                if len(indices) == 2:
                    yield Indexed(base, indices[::-1])
                if isinstance(base, Symbol) and base.time is not None:
                    yield replace(part, base=replace(base, time=base.time.shift(rng.choice((-1, 1)))))
            case Symbol(time=time) if time is not None:
                yield replace(part, time=time.shift(rng.choice((-1, 1))))
            case Derivative(bottom=Symbol(time=time) as bottom) if time is not None:
                yield replace(part, bottom=replace(bottom, time=time.shift(rng.choice((-1, 1)))))
            case TimeProduct(last=last):
                yield replace(part, last=last.shift(rng.choice((-1, 1))))

    yield from everywhere(formula, change)


def plant_missing_factor(formula: Formula, right: Right, rng: random.Random) -> Iterator[Formula]:
    def change(part: Formula) -> Iterator[Formula]:
        if isinstance(part, Product | Hadamard):
            for k in range(len(part.factors)):
                rest = part.factors[:k] + part.factors[k + 1 :]
                yield rest[0] if len(rest) == 1 else type(part)(rest)

    yield from everywhere(formula, change)


def plant_missing_term(formula: Formula, right: Right, rng: random.Random) -> Iterator[Formula]:
    def change(part: Formula) -> Iterator[Formula]:
        if isinstance(part, Add):
            for k in range(len(part.terms)):
                rest = part.terms[:k] + part.terms[k + 1 :]
                # Nobody is left with a bare 1 of 1 − h.
                if not (len(rest) == 1 and isinstance(rest[0], Number)):
                    yield rest[0] if len(rest) == 1 else Add(rest)

    yield from everywhere(formula, change)


def plant_missing_sum(formula: Formula, right: Right, rng: random.Random) -> Iterator[Formula]:
    def change(part: Formula) -> Iterator[Formula]:
        if isinstance(part, Sum):
            yield part.body

    yield from everywhere(formula, change)


def plant_extra(formula: Formula, right: Right, rng: random.Random) -> Iterator[Formula]:
    def change(part: Formula) -> Iterator[Formula]:
        if isinstance(part, Product | Hadamard):
            doubled = rng.choice(part.factors)
            yield type(part)((*part.factors, doubled))
            place = rng.randrange(len(part.factors))
            yield type(part)((*part.factors[:place], doubled, *part.factors[place:]))
        if isinstance(part, Add):
            # A term once too often, changed in nothing.
            yield Add((*part.terms, rng.choice(part.terms)))
        if isinstance(part, Indexed) and right.notation == "index":
            for letter in letters_of(right.formula):
                yield Sum(letter, part)

    yield from everywhere(formula, change)


def plant_typo(formula: Formula, right: Right, rng: random.Random) -> Iterator[Formula]:
    others = [part for part in _symbols(right.formula) if part.shape]

    def change(part: Formula) -> Iterator[Formula]:
        if isinstance(part, Apply):
            yield replace(part, prime=not part.prime)
        if isinstance(part, Symbol) and part.shape:
            if right.notation == "matrix":
                yield Indexed(part, tuple(Index(letter) for letter in "km"[: len(part.shape)]))
            for other in others:
                if other.shape == part.shape and other.name != part.name and other.time == part.time:
                    yield other

    yield from everywhere(formula, change)


def _symbols(formula: Formula) -> list[Symbol]:
    found = [symbol for part in children(formula) for symbol in _symbols(part)]
    return [*found, formula] if isinstance(formula, Symbol) else found


PLANTERS: dict[str, Planter] = {
    "sign": plant_sign,
    "transpose": plant_transpose,
    "order": plant_order,
    "shape": plant_shape,
    "index": plant_index,
    "missing-factor": plant_missing_factor,
    "missing-term": plant_missing_term,
    "missing-sum": plant_missing_sum,
    "extra": plant_extra,
    "typo": plant_typo,
}


def planted(right: Right, kind: str, rng: random.Random, most: int) -> list[Formula]:
    """Up to so many different formulas with one error of a kind, that are wrong by their numbers."""
    numbers = Numbers(right, 1)
    found: dict[Formula, None] = {}
    candidates = list(PLANTERS[kind](right.formula, right, rng))
    rng.shuffle(candidates)
    for wrong in candidates:
        if len(found) == most:
            break
        said = numbers.judge(wrong)
        if said == 0 or (said == -1 and kind == "sign"):
            found[wrong] = None
    return list(found)
