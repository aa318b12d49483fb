"""The native executor. See `Program` for what it runs; arrays are C-contiguous NumPy arrays, float32 (ids int32)."""

from collections.abc import Sequence
from typing import Any

from numpy import float32, int32
from numpy.typing import NDArray

_Array = NDArray[float32] | NDArray[int32]

OPCODES: dict[str, int]

def isa() -> str:
    """The instruction set in use: "avx512", "avx2", "neon" or "plain".

    The best that this machine supports, or what the environment variable BPTT_ISA names; ValueError if that
    is unknown or not supported here.
    """

def hardware_threads() -> int:
    """The number of processors this process may use."""

class Program:
    """A verified program: buffers, and blocks of instructions over them.

    A buffer is `(kind, rows, cols, name)` with kind one of param, sum, sequence, history, ring, local, tokens.
    A block is `(kind, instructions)` with kind map, scan_forward or scan_backward. An instruction is
    `(opcode, dst, a, b, c, f0, f1, flags, m, k, n)`, an operand `(buffer, shift, row, col, width)` or None.
    ValueError names the block, the instruction and the reason if any rule is broken.
    """

    def __init__(
        self, buffers: Sequence[tuple[str, int, int, str]], blocks: Sequence[tuple[str, Sequence[tuple[Any, ...]]]]
    ) -> None: ...
    def run(
        self, T: int, B: int, arrays: list[_Array | None], seed: int = 0, threads: int = 1, profile: bool = False
    ) -> None:
        """Runs all blocks on one array a buffer (None for locals), in place.

        ValueError before anything is written if a shape, type or token id is wrong, or a written array shares
        memory with another. The result does not depend on `threads`.
        """

    def report(self) -> list[tuple[str, float, float, float, list[tuple[str, float, float, float]]]]:
        """Of the last run with profile=True, per block: kind, seconds, floating-point operations, bytes, and the
        same for each instruction (opcode name first)."""

def sgd_step(
    params: list[NDArray[float32]],
    grads: list[NDArray[float32]],
    velocities: list[NDArray[float32]] | None,
    lr: float,
    momentum: float,
    weight_decay: float,
) -> None:
    """In place: g + weight_decay * p is the gradient; v = momentum * v + it; p -= lr * v."""

def adam_step(
    params: list[NDArray[float32]],
    grads: list[NDArray[float32]],
    m: list[NDArray[float32]],
    v: list[NDArray[float32]],
    lr: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
    step: int,
) -> None:
    """In place: Adam with decoupled weight decay; `step` counts from 1."""

def scale(arrays: list[NDArray[float32]], factor: float) -> None:
    """Multiplies all arrays in place."""

def squared_norm(grads: list[NDArray[float32]]) -> float:
    """The sum of the squares of all elements, summed in double precision in a fixed order."""

def all_finite(arrays: list[NDArray[float32]]) -> bool:
    """Whether no element is infinite or NaN."""
