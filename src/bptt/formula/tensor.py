"""Arrays with named axes: 'row' and 'column' for matrices, the letters of indices for everything else.

A value may have both: `U_ij h` is the vector h, scaled, for every i and j. So matrix products and sums over
indices mix freely, and what does not fit is found by name and not by the place of an axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bptt.formula.shapes import NonConforming, Pair
from bptt.formula.tree import Formula
from bptt.ir.dims import Dim

Array = npt.NDArray[Any]
MATRIX = ("row", "column")


@dataclass(frozen=True, slots=True)
class Tensor:
    """An array with one name for each axis: letters in alphabetical order, then 'row' and 'column', always
    both. A matrix of one row and one column is a number and has neither. `named` makes this form.
    """

    array: Array
    axes: tuple[str, ...] = ()

    @property
    def is_matrix(self) -> bool:
        return bool(self.axes) and self.axes[-1] == "column"

    @property
    def letters(self) -> tuple[str, ...]:
        return self.axes[:-2] if self.is_matrix else self.axes

    @property
    def pair(self) -> tuple[int, int]:
        """Rows and columns; 1 and 1 for a number, whatever its letters."""
        return (self.array.shape[-2], self.array.shape[-1]) if self.is_matrix else (1, 1)

    def as_matrix(self) -> Array:
        """The array with the two last axes, also for a number."""
        return self.array if self.is_matrix else self.array[..., None, None]


class Disagreeing(NonConforming):
    """One index that runs over axes of different sizes."""

    def __init__(self, formula: Formula, letter: str, sizes: tuple[int, ...]) -> None:
        super().__init__(formula, ())
        self.letter, self.sizes = letter, sizes
        self.args = (f"{letter} runs over " + " and ".join(map(str, sizes)),)


def _place(name: str) -> tuple[int, str]:
    return (MATRIX.index(name) + 1 if name in MATRIX else 0, name)


def named(array: Array, axes: Sequence[str]) -> Tensor:
    """The Tensor of an array whose axes have these names, in any order."""
    order = sorted(range(len(axes)), key=lambda k: _place(axes[k]))
    if order != list(range(len(axes))):
        array, axes = array.transpose(order), [axes[k] for k in order]
    if axes and axes[-1] == "column" and array.shape[-2:] == (1, 1):
        return Tensor(array[..., 0, 0], tuple(axes[:-2]))
    return Tensor(array, tuple(axes))


def matrix(array: Array, letters: tuple[str, ...] = ()) -> Tensor:
    """The Tensor of an array whose two last axes are rows and columns; the rest are `letters`, in order."""
    if array.shape[-2:] == (1, 1):
        return Tensor(array[..., 0, 0], letters)
    return Tensor(array, letters + MATRIX)


def pairs(values: Sequence[Tensor]) -> tuple[Pair, ...]:
    """The shapes of values as a diagnostic shows them."""
    return tuple((Dim.number(rows), Dim.number(columns)) for rows, columns in (v.pair for v in values))


def merged(formula: Formula, array: Array, axes: Sequence[str]) -> tuple[Array, list[str]]:
    """The array with one axis for each name; where a name stands twice, the diagonal: `U_ii`."""
    axes = list(axes)
    for name in set(axes):
        while axes.count(name) > 1:
            first = axes.index(name)
            second = axes.index(name, first + 1)
            if array.shape[first] != array.shape[second]:
                raise Disagreeing(formula, name, (array.shape[first], array.shape[second]))
            array = np.diagonal(array, 0, first, second)
            axes = [axis for k, axis in enumerate(axes) if k not in (first, second)] + [name]
    return array, axes


def align(formula: Formula, values: Sequence[Tensor]) -> tuple[tuple[str, ...], list[Array]]:
    """All letters of the values, and each array with an axis for each of them (of size 1 where it has none)
    in front of its own rows and columns. Disagreeing where one letter has two sizes.
    """
    letters = values[0].letters
    if all(value.letters == letters for value in values):
        arrays = [value.array for value in values]
    else:
        letters = tuple(sorted({letter for value in values for letter in value.letters}))
        arrays = []
        for value in values:
            sizes = dict(zip(value.axes, value.array.shape, strict=True))
            last = value.pair if value.is_matrix else ()
            arrays.append(value.array.reshape(tuple(sizes.get(letter, 1) for letter in letters) + last))
    for k, letter in enumerate(letters):
        sizes_of = [v.array.shape[v.axes.index(letter)] for v in values if letter in v.axes]
        if any(size != sizes_of[0] for size in sizes_of):
            raise Disagreeing(formula, letters[k], tuple(dict.fromkeys(sizes_of)))
    return letters, arrays


def product(formula: Formula, left: Tensor, right: Tensor) -> Tensor:
    """The matrix product of two matrices; a number, with indices or without, scales."""
    if left.is_matrix and right.is_matrix:
        if left.pair[1] != right.pair[0]:
            raise NonConforming(formula, pairs((left, right)))
        letters, (a, b) = align(formula, (left, right))
        return matrix(a @ b, letters)
    letters, (a, b) = align(formula, (left, right))
    if left.is_matrix:
        return Tensor(a * b[..., None, None], letters + MATRIX)
    if right.is_matrix:
        return Tensor(a[..., None, None] * b, letters + MATRIX)
    return Tensor(a * b, letters)


def kept(formula: Formula, value: Tensor, delta: Tensor) -> Tensor:
    """The value where delta, which has letters only, is not 0."""
    letters, (array, at) = align(formula, (value, delta))
    if value.is_matrix:
        return Tensor(np.where(at[..., None, None] == 0, 0.0, array), letters + MATRIX)
    return Tensor(np.where(at == 0, 0.0, array), letters)


def equal_places(formula: Formula, values: Sequence[Tensor]) -> tuple[tuple[str, ...], list[Array]]:
    """Letters (with MATRIX, where there is a matrix) and arrays that can be combined element by element.

    Matrices have to be equal in shape. Beside them a number stands for all their elements, but not a value
    with indices of its own: `h + b_i` is neither a vector nor an element. NonConforming for these.
    """
    matrices = [value for value in values if value.is_matrix]
    if not matrices:
        return align(formula, values)
    if any(v.pair != matrices[0].pair for v in matrices) or any(v.axes and not v.is_matrix for v in values):
        raise NonConforming(formula, pairs(values))
    letters, arrays = align(formula, values)
    arrays = [
        array if value.is_matrix else array[..., None, None]
        for array, value in zip(arrays, values, strict=True)
    ]
    return letters + MATRIX, arrays
