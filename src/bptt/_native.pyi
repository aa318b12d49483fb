"""The native executor: it runs programs on C-contiguous NumPy arrays, float32 (token ids int32)."""

from collections.abc import Sequence
from typing import Any

from numpy import float32, int32
from numpy.typing import NDArray

_Arrays = Sequence[NDArray[float32]]
_Instruction = tuple[Any, ...]

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

    A buffer is `(kind, rows, cols, name)`, kind one of param, sum, sequence, history, ring, local, tokens.
    A block is `(kind, instructions)` with kind map, scan_forward or scan_backward. An instruction is
    `(opcode, dst, a, b, c, f0, f1, flags, m, k, n)`, an operand `(buffer, shift, row, col, width)` or None.
    ValueError names the block, the instruction and the reason if any rule is broken.
    """

    def __init__(
        self,
        buffers: Sequence[tuple[str, int, int, str]],
        blocks: Sequence[tuple[str, Sequence[_Instruction]]],
    ) -> None: ...
    def run(
        self,
        T: int,
        B: int,
        arrays: Sequence[NDArray[float32] | NDArray[int32] | None],
        seed: int = 0,
        threads: int = 1,
        profile: bool = False,
    ) -> None:
        """Runs all blocks on one array a buffer (None for locals), in place.

        ValueError before anything is written if a shape, type or token id is wrong, or a written array shares
        memory with another. The result does not depend on `threads`.
        """

    def report(self) -> list[tuple[str, float, float, float, list[tuple[str, float, float, float]]]]:
        """Per block of the last run with profile=True: kind, seconds, floating-point operations, bytes, and
        the same for each of its instructions (opcode name first)."""

def sgd_step(
    params: _Arrays,
    grads: _Arrays,
    velocities: _Arrays | None,
    lr: float,
    momentum: float,
    weight_decay: float,
) -> None:
    """In place: g + weight_decay * p is the gradient; v = momentum * v + it; p -= lr * v."""

def adam_step(
    params: _Arrays,
    grads: _Arrays,
    m: _Arrays,
    v: _Arrays,
    lr: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
    step: int,
) -> None:
    """In place: Adam with decoupled weight decay; `step` counts from 1."""

def scale(arrays: _Arrays, factor: float) -> None:
    """Multiplies all arrays in place."""

def squared_norm(grads: _Arrays) -> float:
    """The sum of the squares of all elements, summed in double precision in a fixed order."""

def all_finite(arrays: _Arrays) -> bool:
    """Whether no element is infinite or NaN."""
