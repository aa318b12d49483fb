"""What formulas make of whole vectors and matrices, element by element or by their places.

Each function has the formula it is called for as its first argument: the part that an error names.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bptt.formula.functions import OF_EACH, OF_VECTORS, ROWS_AND_COLUMNS, elementwise
from bptt.formula.shapes import NonConforming, Undefined
from bptt.formula.tensor import MATRIX, Tensor, align, equal_places, matrix, pairs, product
from bptt.formula.tree import Formula


def quotient(formula: Formula, top: Tensor, bottom: Tensor) -> Tensor:
    """Element by element; what is no matrix divides everything above it."""
    if not bottom.is_matrix:
        return product(formula, top, Tensor(1.0 / bottom.array, bottom.axes))
    axes, (a, b) = equal_places(formula, (top, bottom))
    return Tensor(a / b, axes)


def applied(formula: Formula, function: str, prime: bool, argument: Tensor, layout: str) -> Tensor:
    """Functions of a whole vector take rows or columns: what `softmax(a_k)` would run over, nothing says.

    The softmax of a matrix is that of each of its rows, or columns in a layout of columns: a batch.
    """
    if function not in OF_VECTORS:
        return Tensor(np.asarray(elementwise(function)[prime](argument.array)), argument.axes)
    if prime:
        raise Undefined(formula)
    axes = ROWS_AND_COLUMNS
    if function == "sum":
        whole = argument.is_matrix or not argument.letters
    else:
        whole = argument.is_matrix and (1 in argument.pair or function in OF_EACH)
        if whole and 1 not in argument.pair:
            axes = (-1,) if layout == "row" else (-2,)
    if not whole:
        raise NonConforming(formula, pairs((argument,)))
    return matrix(OF_VECTORS[function](argument.as_matrix(), axes), argument.letters)


def cross_entropy(formula: Formula, target: Tensor, probabilities: Tensor) -> Tensor:
    is_vector = target.is_matrix and 1 in target.pair
    if not is_vector or target.pair != probabilities.pair:
        raise NonConforming(formula, pairs((target, probabilities)))
    letters, (y, p) = align(formula, (target, probabilities))
    return Tensor(-np.sum(y * np.log(p), axis=(-2, -1)), letters)


def diagonal(formula: Formula, value: Tensor) -> Tensor:
    if 1 not in value.pair:
        raise NonConforming(formula, pairs((value,)))
    array = value.as_matrix()
    elements = array if value.pair[0] == 1 else array.swapaxes(-1, -2)
    return matrix(elements * np.eye(max(value.pair)), value.letters)


def token_part(formula: Formula, table: Tensor, token: Tensor, layout: str) -> Tensor:
    """Along the axis of the table that is as long as the token; where both are, as the layout says."""
    lies = layout == "row"
    for axis in (0, 1) if lies else (1, 0):
        if 1 in token.pair and max(token.pair) == table.pair[axis]:
            picked = np.moveaxis(table.as_matrix(), axis - 2, -1) @ token.array.reshape(-1)
            return matrix(picked[..., None, :] if lies else picked[..., :, None], table.letters)
    raise NonConforming(formula, pairs((table, token)))


def part(formula: Formula, value: Tensor, start: int, stop: int) -> Tensor:
    if not (value.is_matrix and 1 in value.pair and 0 <= start <= stop <= max(value.pair)):
        raise NonConforming(formula, pairs((value,)))
    array = value.array
    elements = array[..., start:stop] if value.pair[0] == 1 else array[..., start:stop, :]
    return matrix(elements, value.letters)


def blocks(formula: Formula, rows: Sequence[Sequence[Tensor]]) -> Tensor:
    """One matrix of matrices: those in a row are equally high, and all rows equally wide."""
    flat = [value for row in rows for value in row]
    for row in rows:
        if any(value.pair[0] != row[0].pair[0] for value in row):
            raise NonConforming(formula, pairs(row))
    widths = [sum(value.pair[1] for value in row) for row in rows]
    if any(width != widths[0] for width in widths):
        raise NonConforming(formula, pairs(flat))
    letters, arrays = align(formula, [Tensor(v.as_matrix(), v.letters + MATRIX) for v in flat])
    lead = np.broadcast_shapes(*(array.shape[:-2] for array in arrays))
    rest = iter(np.broadcast_to(array, lead + array.shape[-2:]) for array in arrays)
    joined = [np.concatenate([next(rest) for _ in row], axis=-1) for row in rows]
    return matrix(np.concatenate(joined, axis=-2), letters)
