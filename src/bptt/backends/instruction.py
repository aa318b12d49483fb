"""One instruction of the native executor; docs/native.md says what each does."""

from __future__ import annotations

from typing import NamedTuple

from bptt.backends.layout import Operand

ACCUMULATE, TRANSPOSED, TRANSPOSED_A, TRANSPOSED_B = 1, 2, 4, 8


class Instruction(NamedTuple):
    opcode: str
    dst: Operand
    a: Operand | None = None
    b: Operand | None = None
    c: Operand | None = None
    f0: float = 0.0
    f1: float = 0.0
    flags: int = 0
    m: int = 0
    k: int = 0
    n: int = 0
