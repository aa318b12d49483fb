"""The value of every equation of a model on given data: for finding where a number went wrong."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bptt.backends.base import Array, Arrays
from bptt.backends.compile import build_program, load_program
from bptt.ir.model import Model


def trace_values(
    model: Model,
    sizes: Mapping[str, int],
    params: Arrays,
    inputs: Arrays,
    carries: Arrays,
    *,
    resets: bool = False,
) -> dict[str, Array]:
    """Each definition's values (T, B, …) and the objective's, in the order of computation, in float32,
    without dropout.
    """
    program = build_program(model, "trace", resets=resets)
    values = load_program(program, sizes, "reference", np.float32).run(params, inputs, carries)
    return {name: values[name] for name in program.results}
