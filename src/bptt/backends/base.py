"""What a backend is: it takes a program and sizes and gives something that runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from bptt.ir.program import Program

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]


class Executable(Protocol):
    """A program for fixed sizes, ready to run on any number of steps T and examples B."""

    program: Program
    sizes: dict[str, int]
    dtype: np.dtype[Any]

    def run(
        self, params: Arrays, inputs: Arrays, carries: Arrays | None = None, seed: int = 0
    ) -> dict[str, Array]:
        """The program's results, and under the carries' names the values that they end with.

        `inputs` holds "x" (and "y" where the program reads it) as int32 (T, B), and the numbers that the
        program reads as (T, B). `carries` are the states that enter the first step, (B, …); those not given
        are zeros. `seed` draws the dropout masks. Outputs are (T, B, …), sums have the shape of what they
        are summed for. Arrays are valid until the next run. Raises ValueError where an array is missing or
        has the wrong shape.
        """
        ...


def steps_and_examples(inputs: Arrays) -> tuple[int, int]:
    """T and B of a run."""
    if "x" not in inputs:
        raise ValueError("input x is missing")
    t, b = inputs["x"].shape[:2]
    return t, b


def given_array(kind: str, name: str, arrays: Arrays, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
    """An array that the caller gives, as `dtype`. Raises ValueError if it is missing or has another shape."""
    if name not in arrays:
        raise ValueError(f"{kind} {name} is missing")
    array = np.asarray(arrays[name], dtype)
    if array.shape != shape:
        raise ValueError(f"{kind} {name} has shape {array.shape}, not {shape}")
    return array
