"""The value of a written formula at a point: what every symbol is, how large every axis, which step is t.

Nothing is read generously: factors have to conform in the order in which they stand, terms have to be equal
in shape, an index has to run over axes of one size. So a wrong formula fails, or has a wrong value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial, reduce

import numpy as np

from bptt.formula.letters import Runs, bound, extent, is_total, run
from bptt.formula.matrices import applied, blocks, cross_entropy, diagonal, part, quotient, token_part
from bptt.formula.shapes import NonConforming, Undefined, counted_axis, shape_of
from bptt.formula.tensor import (
    MATRIX,
    Array,
    Disagreeing,
    Tensor,
    align,
    equal_places,
    kept,
    matrix,
    merged,
    named,
    pairs,
    product,
)
from bptt.formula.tree import (
    Add,
    Apply,
    Blocks,
    Concatenation,
    CrossEntropy,
    Derivative,
    Diag,
    Formula,
    Grid,
    Hadamard,
    Identity,
    Index,
    Indexed,
    Kronecker,
    Neg,
    Number,
    Ones,
    Part,
    Power,
    Product,
    Quotient,
    Size,
    Sum,
    Symbol,
    Time,
    TimeProduct,
    TokenPart,
    Transpose,
    Zeros,
)
from bptt.ir.dims import ZERO, Dim, Shape


class Unbound(LookupError):
    """A letter of which nothing says which step it is, or over how many places it runs."""

    def __init__(self, letter: str) -> None:
        super().__init__(letter)
        self.letter = letter


def _no_derivative(top: Formula, bottom: Formula, at: int | None, times: Mapping[str, int]) -> Tensor:
    raise Undefined(Derivative(top, bottom))


@dataclass(frozen=True, slots=True)
class Point:
    """Where a formula is evaluated.

    `symbol(name, of, time)` gives an array in the shape of the symbol: (), (n,) or (m, n).
    `derivative(top, bottom, at, times)` gives a Tensor: a letter of top or bottom is an axis of that name,
    and rows and columns are those of shapes.shape_of. `times` says which step a letter is; `letters` how many
    places an index has, where the formula alone does not say (a Kronecker delta by itself).
    """

    sizes: Mapping[str, int]
    layout: str
    symbol: Callable[[str, str, int | None], Array]
    derivative: Callable[[Formula, Formula, int | None, Mapping[str, int]], Tensor] = _no_derivative
    times: Mapping[str, int] = field(default_factory=dict)
    letters: Mapping[str, int] = field(default_factory=dict)


def evaluate(formula: Formula, point: Point, indices: Mapping[str, int | None] | None = None) -> Tensor:
    """The value of the formula: an axis for each free letter, and rows and columns where it is a matrix.

    `indices` fixes letters at places, counted from 0; other letters are free, and so is one that is None.
    NonConforming (Disagreeing for an index) holds the part that does not fit; Unbound names a letter without
    a value; Undefined is raised for what has no meaning. Values that overflow or are not defined are
    infinite or nan, as in NumPy.

    An index with an offset picks the place that many further on. Places before the first and after the last
    count as 0: they are those that a Kronecker delta with the same offset, or the range of a sum, leaves out.
    The same holds where one of index and axis is a total (`e + h`) and the other is not, for the first item.
    A size of 1 makes numbers of vectors: a point that is to show faults has sizes above 1, all different.
    """
    fixed = {letter: place for letter, place in (indices or {}).items() if place is not None}
    runs = {letter: Dim.number(size) for letter, size in point.letters.items()}
    try:
        with np.errstate(all="ignore"):
            value = _Evaluation(point, formula, point.times, fixed, runs).value(formula)
    except NonConforming as error:
        # Where nothing was computed (a product over no times), it is the symbols that do not conform.
        if not any(dim.terms for shape in error.shapes for dim in shape):
            raise
        sizes = [Dim.number(dim.evaluate(point.sizes)) for shape in error.shapes for dim in shape]
        shapes = tuple(zip(sizes[::2], sizes[1::2], strict=True))
        raise NonConforming(error.formula, shapes) from None
    for letter, size in zip(value.axes, value.array.shape, strict=True):
        if point.letters.get(letter, size) != size:
            raise Disagreeing(formula, letter, (size, point.letters[letter]))
    return value


@dataclass(frozen=True, slots=True)
class _Evaluation:
    """A point, with the letters that are bound at one part of the `whole` formula: to steps, to places, and
    to the sums that run over them.
    """

    point: Point
    whole: Formula
    times: Mapping[str, int]
    places: Mapping[str, int]
    runs: Runs

    def value(self, formula: Formula) -> Tensor:
        match formula:
            case Number(number):
                return Tensor(np.asarray(float(number)))
            case Size(dim):
                return Tensor(np.asarray(float(dim.evaluate(self.point.sizes))))
            case Symbol():
                return self._oriented(self._symbol(formula))
            case Indexed():
                return self._indexed(formula)
            case Add(parts):
                return self._each(formula, parts, np.add)
            case Neg(a):
                return self._map(a, np.negative)
            case Product():
                return self._product(formula)
            case Hadamard(parts):
                return self._each(formula, parts, np.multiply)
            case Quotient(a, b):
                return quotient(formula, self.value(a), self.value(b))
            case Power(a, exponent):
                return self._map(a, lambda array: np.power(array, exponent))
            case Transpose(a):
                value = self.value(a)
                return replace(value, array=value.array.swapaxes(-1, -2)) if value.is_matrix else value
            case Diag(a):
                return diagonal(formula, self.value(a))
            case Apply(function, a, prime):
                return applied(formula, function, prime, self.value(a), self.point.layout)
            case CrossEntropy(a, b):
                return cross_entropy(formula, self.value(a), self.value(b))
            case Sum():
                return self._sum_over_times(formula) if formula.over_times else self._sum(formula)
            case TimeProduct():
                return self._time_product(formula)
            case Kronecker(left, right):
                letters, (here, there) = align(formula, (self._positions(left), self._positions(right)))
                return Tensor(np.equal(here, there).astype(np.float64), letters)
            case Ones(shape):
                return self._oriented(np.ones(self._numbers(shape)))
            case Zeros(shape):
                return self._oriented(np.zeros(self._numbers(shape)))
            case Identity(dim):
                return matrix(np.eye(dim.evaluate(self.point.sizes)))
            case TokenPart(table, token):
                return token_part(formula, self.value(table), self.value(token), self.point.layout)
            case Concatenation(items):
                values = [self.value(item) for item in items]
                return blocks(formula, [values] if self.point.layout == "row" else [[v] for v in values])
            case Part(a, start, stop):
                return part(formula, self.value(a), *self._numbers((start, stop)))
            case Blocks(rows):
                return blocks(formula, [[self.value(item) for item in row] for row in rows])
            case Grid(numbers):
                return matrix(np.array(numbers, dtype=np.float64))
            case Derivative():
                return self._derivative(formula)
        raise TypeError(f"no value for {formula!r}")

    # Leaves.

    def _numbers(self, shape: Shape) -> tuple[int, ...]:
        return tuple(dim.evaluate(self.point.sizes) for dim in shape)

    def _symbol(self, symbol: Symbol) -> Array:
        time = None if symbol.time is None else self._time(symbol.time)
        array = np.asarray(self.point.symbol(symbol.name, symbol.of, time))
        expected = self._numbers(symbol.shape)
        assert array.shape == expected, f"{symbol.name} has {array.shape} for {expected}"
        return array.astype(np.float64) if array.dtype.kind in "biu" else array

    def _oriented(self, array: Array) -> Tensor:
        if array.ndim == 0:
            return Tensor(array)
        if array.ndim == 1:
            array = array[None, :] if self.point.layout == "row" else array[:, None]
        return matrix(array)

    def _time(self, time: Time) -> int:
        if not time.letter:
            return time.offset
        if time.letter not in self.times:
            raise Unbound(time.letter)
        return self.times[time.letter] + time.offset

    # Indices.

    def _indexed(self, formula: Indexed) -> Tensor:
        """The elements at the indices. A Symbol is indexed in its own axes, other values as matrices are."""
        base = formula.base
        letters: tuple[str, ...] = ()
        counted = counted_axis(formula)
        if isinstance(base, Symbol):
            array = self._symbol(base)
        else:
            value = self.value(base)
            array, letters = value.array, value.letters
            if value.is_matrix and 1 in value.pair:
                array = array[..., 0, :] if value.pair[0] == 1 else array[..., 0]
        if array.ndim - len(letters) != len(formula.indices) + (counted is not None):
            raise NonConforming(formula, pairs((self.value(base),)))
        if counted is not None:
            return self._vector(formula, np.moveaxis(array, counted - 2, 0), letters)
        # Each index takes the last axis and puts its own in front, or none where its place is fixed.
        for axis in reversed(range(len(formula.indices))):
            array = self._picked(formula, np.moveaxis(array, -1, 0), axis)
        free = [index.letter for index in formula.indices if index.letter not in self.places]
        array, axes = merged(formula, array, [*free, *letters])
        return named(array, axes)

    def _vector(self, formula: Indexed, array: Array, letters: tuple[str, ...]) -> Tensor:
        """The vector that an index picks along the first axis, lying or standing as vectors do."""
        picked = self._picked(formula, array, 0)
        free = [index.letter for index in formula.indices if index.letter not in self.places]
        array, axes = merged(formula, picked, [*free, *letters, "vector"])
        array = np.moveaxis(array, axes.index("vector"), -1)
        axes.remove("vector")
        lies = self.point.layout == "row"
        return named(array[..., None, :] if lies else array[..., :, None], [*axes, *MATRIX])

    def _picked(self, formula: Indexed, array: Array, axis: int) -> Array:
        """The parts of the array that index number `axis` picks along its first axis."""
        index, size = formula.indices[axis], array.shape[0]
        if index.offset == ZERO:
            fixed = self.places.get(index.letter)
            if fixed is not None and not 0 <= fixed < size:
                raise Disagreeing(formula, index.letter, (size, fixed + 1))
            if fixed is None and not self._within_total(formula, axis):
                return array
        place = self._positions(index).array
        inside = (place >= 0) & (place < size)
        picked: Array = array[np.where(inside, place, 0)]
        return picked * inside.reshape(inside.shape + (1,) * (picked.ndim - inside.ndim))

    def _within_total(self, formula: Indexed, axis: int) -> bool:
        """Whether the index and its axis may differ, as a concatenation and its first item do."""
        known = self.runs.get(formula.indices[axis].letter)
        if isinstance(known, Dim) and is_total(known):
            return True
        return is_total(extent(formula, axis, self.point.layout))

    def _positions(self, index: Index) -> Tensor:
        """The places that an index stands for: a number, or one for each place of its letter."""
        offset = index.offset.evaluate(self.point.sizes)
        if index.letter in self.places:
            return Tensor(np.asarray(self.places[index.letter] + offset))
        return Tensor(np.arange(self._count(index.letter)) + offset, (index.letter,))

    def _count(self, letter: str) -> int:
        size = run(letter, self.runs, self.whole, self.point.layout)
        if size is None:
            raise Unbound(letter)
        return size.evaluate(self.point.sizes)

    # Element by element.

    def _map(self, part: Formula, function: Callable[[Array], Array]) -> Tensor:
        value = self.value(part)
        return replace(value, array=function(value.array))

    def _each(
        self, formula: Formula, parts: Sequence[Formula], combine: Callable[[Array, Array], Array]
    ) -> Tensor:
        axes, arrays = equal_places(formula, [self.value(part) for part in parts])
        return Tensor(np.asarray(reduce(combine, arrays)), axes)

    # Sums and products.

    def _product(self, formula: Product) -> Tensor:
        """Matrices in their order. A delta leaves terms out: where it is 0 nothing else counts, not even what
        is infinite there, as the logarithm of a place beyond an offset is.
        """
        deltas = [self.value(factor) for factor in formula.factors if isinstance(factor, Kronecker)]
        others = [self.value(factor) for factor in formula.factors if not isinstance(factor, Kronecker)]
        value = reduce(partial(product, formula), others or [Tensor(np.ones(()))])
        return reduce(partial(kept, formula), deltas, value)

    def _at_step(self, letter: str, step: int) -> _Evaluation:
        return replace(self, times={**self.times, letter: step})

    def _sum(self, formula: Sum) -> Tensor:
        letter = formula.letter
        places = {other: place for other, place in self.places.items() if other != letter}
        inner = replace(self, places=places, runs=bound(self.runs, formula))
        value = inner.value(formula.body)
        if letter not in value.axes:
            return replace(value, array=value.array * float(inner._count(letter)))
        axis = value.axes.index(letter)
        size = value.array.shape[axis]
        if formula.size is not None and formula.size.evaluate(self.point.sizes) != size:
            raise Disagreeing(formula, letter, (formula.size.evaluate(self.point.sizes), size))
        return Tensor(value.array.sum(axis), tuple(name for name in value.axes if name != letter))

    def _sum_over_times(self, formula: Sum) -> Tensor:
        first = 1 if formula.lower is None else self._time(formula.lower)
        if formula.size is not None:
            last = first + formula.size.evaluate(self.point.sizes) - 1
        else:
            assert formula.upper is not None, "a sum over times has to end"
            last = self._time(formula.upper)
        values = []
        for step in range(first, last + 1):
            inner = self._at_step(formula.letter, step)
            if formula.size is not None:
                # An example of a batch may also stand as an index, whose places are counted from 0.
                inner = replace(inner, places={**inner.places, formula.letter: step - first})
            values.append(inner.value(formula.body))
        if not values:
            # Its indices are left out: a zero is the same at all of them.
            return matrix(np.zeros(self._numbers(shape_of(formula.body, self.point.layout))))
        axes, arrays = equal_places(formula, values)
        return Tensor(np.asarray(reduce(np.add, arrays)), axes)

    def _time_product(self, formula: TimeProduct) -> Tensor:
        first, last = self._time(formula.first), self._time(formula.last)
        steps = range(first, last - 1, -1) if formula.falling else range(first, last + 1)
        values = [self._at_step(formula.letter, step).value(formula.body) for step in steps]
        for value in values:
            if value.pair[0] != value.pair[1]:
                raise NonConforming(formula, pairs((value, value)))
        if not values:
            rows, _ = self._numbers(shape_of(formula, self.point.layout))
            return matrix(np.eye(rows))
        return reduce(partial(product, formula), values)

    def _derivative(self, formula: Derivative) -> Tensor:
        at = None if formula.at is None else self._time(formula.at)
        given = self.point.derivative(formula.top, formula.bottom, at, self.times)
        array, axes = given.array, list(given.axes)
        for letter in given.letters:
            if letter in self.places:
                array = array.take(self.places[letter], axis=axes.index(letter))
                axes.remove(letter)
        return named(array, axes)
