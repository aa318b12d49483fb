"""What the functions of formulas compute, with their derivatives, on real and on complex arrays.

Every function is analytic in its imaginary part (relu and step decide by the real part), so that a complex
step gives derivatives to machine precision: f(x + ih) = f(x) + ih f′(x) + O(h²), with no difference taken.
(Squire and Trapp, "Using complex variables to estimate derivatives of real functions", SIAM Review 40, 1998.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
# Its square is below all rounding, and products of it with everything that matters are not below all floats.
TINY = 1e-30


def _away(z: Array) -> tuple[Array, Array]:
    """Where z is positive, and e to the -|z|, which never overflows."""
    positive = z.real > 0
    return positive, np.exp(np.where(positive, -z, z))


def sigmoid(z: Array) -> Array:
    positive, e = _away(z)
    return np.where(positive, 1.0, e) / (1.0 + e)


def softplus(z: Array) -> Array:
    positive, e = _away(z)
    return np.where(positive, z, 0.0) + np.log(1.0 + e)


def step(z: Array) -> Array:
    return (z.real > 0).astype(np.float64)


def _sigmoid_prime(z: Array) -> Array:
    _, e = _away(z)
    return e / (1.0 + e) ** 2


# Element by element: the function and its derivative.
ELEMENTWISE: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "sigmoid": (sigmoid, _sigmoid_prime),
    "tanh": (np.tanh, lambda z: 4.0 * _sigmoid_prime(2.0 * z)),
    "relu": (lambda z: np.where(z.real > 0, z, 0.0), step),
    "step": (step, lambda z: np.zeros(z.shape)),
    "softplus": (softplus, sigmoid),
    "exp": (np.exp, np.exp),
    "log": (np.log, lambda z: 1.0 / z),
    "sqrt": (np.sqrt, lambda z: 0.5 / np.sqrt(z)),
}


def arbitrary(name: str) -> tuple[float, float]:
    """a and b of tanh(a z + b), by which a function of this name is stood for of which nothing is known.

    Nothing that a text says holds of it that does not hold of every function: no text has these numbers.
    """
    seed = crc32(name.encode())
    return 0.7 + seed % 997 / 1999, 0.1 + seed % 991 / 3001


def elementwise(name: str) -> tuple[Callable[[Array], Array], Callable[[Array], Array]]:
    """The function of this name and its derivative; an arbitrary smooth one for a name that is not known."""
    if name in ELEMENTWISE:
        return ELEMENTWISE[name]
    slope, shift = arbitrary(name)
    tanh, prime = ELEMENTWISE["tanh"]
    return lambda z: tanh(slope * z + shift), lambda z: slope * prime(slope * z + shift)


Axes = tuple[int, ...]
ROWS_AND_COLUMNS: Axes = (-2, -1)


def logsumexp(z: Array, axes: Axes = ROWS_AND_COLUMNS) -> Array:
    """Over the axes, which stay with size 1."""
    largest = np.max(z.real, axis=axes, keepdims=True)
    return largest + np.log(np.sum(np.exp(z - largest), axis=axes, keepdims=True))


# Of a whole vector, which is laid along the axes.
OF_VECTORS: dict[str, Callable[[Array, Axes], Array]] = {
    "softmax": lambda z, axes: np.exp(z - logsumexp(z, axes)),
    "log_softmax": lambda z, axes: z - logsumexp(z, axes),
    "logsumexp": logsumexp,
    "sum": lambda z, axes: np.sum(z, axis=axes, keepdims=True),
}
# Those that give a vector for a vector: of a matrix they are taken row by row (of columns, column by column).
OF_EACH = frozenset({"softmax", "log_softmax"})


def complex_step(f: Callable[[Array], Array], x: Array) -> Array:
    """The derivatives of f at the real array x by complex steps: the axes of f(x), then those of x.

    f has to be analytic there: no absolute value, no real part, no conjugate.
    """
    columns = []
    for place in np.ndindex(x.shape):
        moved = x.astype(np.complex128)
        moved[place] += 1j * TINY
        columns.append(np.asarray(f(moved)).imag / TINY)
    out = columns[0].shape if columns else np.asarray(f(x)).shape
    return np.stack(columns, -1).reshape(out + x.shape) if columns else np.zeros(out + x.shape)
