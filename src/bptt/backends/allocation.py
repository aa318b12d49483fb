"""Locals that are never alive at the same time share memory: what fits in the caches is fast."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bptt.backends.instruction import ACCUMULATE, Instruction
from bptt.backends.layout import Operand

# Operations that read element i of their sources only to write element i: their result may take a source's
# place.
IN_PLACE = frozenset(
    ("COPY", "AFFINE", "EXP", "LOG", "SQRT", "TANH", "SIGMOID", "RELU", "STEP", "SOFTPLUS", "POW",
     "ADD", "SUB", "MUL", "DIV", "SIGMOID_GRADIENT", "TANH_GRADIENT")
)  # fmt: skip


def share_locals(
    instructions: Sequence[Instruction], widths: Sequence[int], locals_from: int
) -> tuple[list[Instruction], list[int]]:
    """The instructions with locals renumbered, and the widths of the locals that remain.

    Local number i is buffer `locals_from + i`, before and after.
    """
    last: dict[int, int] = {}
    for at, instruction in enumerate(instructions):
        for operand in instruction[1:5]:
            if operand is not None and operand.buffer >= locals_from:
                last[operand.buffer] = at
    free: dict[int, list[int]] = {}
    shared_widths: list[int] = []
    where: dict[int, int] = {}

    def place(buffer: int) -> int:
        if buffer not in where:
            width = widths[buffer - locals_from]
            if free.get(width):
                where[buffer] = free[width].pop()
            else:
                shared_widths.append(width)
                where[buffer] = locals_from + len(shared_widths) - 1
        return where[buffer]

    def release(operands: Sequence[Operand | None], at: int) -> None:
        for buffer in {o.buffer for o in operands if o is not None and o.buffer >= locals_from}:
            if last[buffer] == at and buffer in where:
                free.setdefault(widths[buffer - locals_from], []).append(where[buffer])

    def _whole(o: Operand, dst: Operand, sources: Sequence[Operand | None]) -> bool:
        same = [s for s in sources if s is not None and s.buffer == o.buffer]
        full = o.buffer >= locals_from and o.width == dst.width == widths[o.buffer - locals_from]
        return full and o.buffer != dst.buffer and all(s == o for s in same)

    renamed = []
    for at, instruction in enumerate(instructions):
        sources, dst = instruction[2:5], instruction.dst
        moved = [_moved(o, place, locals_from) for o in sources]
        # Sources of the same width whose life ends here make room for the result, where it may take their
        # place.
        early = instruction.opcode in IN_PLACE and not instruction.flags & ACCUMULATE
        ending = [o for o in sources if early and o is not None and _whole(o, dst, sources)]
        release(ending, at)
        new_dst = _moved(dst, place, locals_from) or dst
        release([o for o in (*sources, dst) if o not in ending], at)
        renamed.append(instruction._replace(dst=new_dst, a=moved[0], b=moved[1], c=moved[2]))
    return renamed, shared_widths


def _moved(operand: Operand | None, place: Callable[[int], int], locals_from: int) -> Operand | None:
    if operand is None or operand.buffer < locals_from:
        return operand
    return operand._replace(buffer=place(operand.buffer))
