"""The machine's peak, taken as a large product of square matrices, by whoever is fastest."""

from __future__ import annotations

import platform
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bptt import _native

SIDE = 1536
OPERATIONS = 2.0 * SIDE**3


def factors() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, SIDE, SIDE), dtype=np.float32)
    return a, b


def products(threads: int) -> dict[str, Callable[[], object]]:
    """One large product in float32 by name of the library: our own, and the one that NumPy calls."""
    a, b = factors()
    out = np.empty((SIDE, SIDE), np.float32)
    operands = ((2, 0, 0, 0, SIDE), (0, 0, 0, 0, SIDE), (1, 0, 0, 0, SIDE), None)
    gemm = (_native.OPCODES["GEMM"], *operands, 0.0, 0.0, 0, 0, 0, 0)
    buffers = [("sequence", 0, SIDE, "a"), ("param", SIDE, SIDE, "b"), ("sequence", 0, SIDE, "out")]
    program = _native.Program(buffers, [("map", [gemm])])
    # The rows are T·B tokens; which way they are divided into steps and examples is all one.
    rows, result = a[:, None, :], out[:, None, :]
    return {
        "bptt": lambda: program.run(SIDE, 1, [rows, b, result], 0, threads),
        "NumPy": lambda: np.matmul(a, b, out=out),
    }


def description() -> str:
    """The processor and what we use of it."""
    name = platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return f"{name}, {_native.hardware_threads()} cores, {_native.isa()}"
