"""The fast backend: scheduled programs assembled for the native executor (`native/`), in float32.

Blocks on parameters alone run in NumPy before and after the executor's part. Arrays are kept from run to
run while T and B stay the same, so a training loop allocates nothing.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from bptt import _native
from bptt.backends.allocation import share_locals
from bptt.backends.assembly import BlockAssembler
from bptt.backends.base import Array, Arrays, given_array, steps_and_examples
from bptt.backends.instruction import Instruction
from bptt.backends.layout import Buffer, Layout, Operand
from bptt.backends.reference import evaluate_once
from bptt.errors import InputError
from bptt.ir.program import Block, Kind, Program

CACHE_LINE = 64  # bytes


def default_threads() -> int:
    """BPTT_THREADS, or as many as there are cores this process may run on; never more than the cores."""
    cores = _native.hardware_threads()
    wanted = os.environ.get("BPTT_THREADS", "")
    if not wanted:
        return cores
    if not wanted.isdecimal() or int(wanted) < 1:
        raise InputError(f"BPTT_THREADS={wanted} is no number of threads", "set it to 1 or more, or unset it")
    return min(int(wanted), cores)


def check_instruction_set() -> None:
    """InputError if BPTT_ISA names one that this processor or build does not have."""
    try:
        _native.isa()
    except ValueError as error:
        raise InputError(str(error), "unset it to use the best that there is") from None


class NativeExecutable:
    """See `Executable`. `threads` are those of the executor; results do not depend on their number."""

    def __init__(self, program: Program, sizes: Mapping[str, int], threads: int | None = None) -> None:
        self.program = program
        self.sizes = dict(sizes)
        self.dtype: np.dtype[Any] = np.dtype(np.float32)
        self.threads = threads or default_threads()
        check_instruction_set()
        self.layout = Layout(program, self.sizes)
        self.blocks = [block for block in program.blocks if block.kind is not Kind.ONCE]
        first_loop = program.blocks.index(self.blocks[0])
        self._before = program.blocks[:first_loop]
        self._after = [b for b in program.blocks[first_loop:] if b.kind is Kind.ONCE]
        self.assembled = [_assemble(block, self.layout) for block in self.blocks]
        self.buffers = list(self.layout.buffers)
        native_blocks = []
        for block, (instructions, widths, locals_from) in zip(self.blocks, self.assembled, strict=True):
            # Locals were numbered from `locals_from` in each block; in the whole program they stand after
            # the rest.
            shift = len(self.buffers) - locals_from
            self.buffers += [Buffer("local", 0, width, f"local {i}") for i, width in enumerate(widths)]
            kind = "map" if block.kind is Kind.MAP else "scan_backward" if block.reverse else "scan_forward"
            native_blocks.append((kind, [_encoded(i, locals_from, shift) for i in instructions]))
        self.native = _native.Program(self.buffers, native_blocks)
        self._plan = _Plan(program, self.layout, self.blocks)
        self._arrays: list[Array | None] = []
        self._for: tuple[int, int] | None = None

    def run(
        self,
        params: Arrays,
        inputs: Arrays,
        carries: Arrays | None = None,
        seed: int = 0,
        profile: bool = False,
    ) -> dict[str, Array]:
        steps, examples = steps_and_examples(inputs)
        fixed = {
            name: given_array("parameter", name, params, shape, np.float32)
            for name, shape in self._plan.params
        }
        for block in self._before:
            fixed |= evaluate_once(block, fixed, self.sizes, self.dtype)
        arrays = self._allocated(steps, examples)
        for name, buffer, matrix in self._plan.matrices:
            arrays[buffer] = np.ascontiguousarray(fixed[name], np.float32).reshape(matrix)
        self._give_inputs(arrays, inputs)
        self._give_carries(arrays, carries or {}, examples)
        for place in self._plan.sums:
            _array(arrays, place.buffer).fill(0.0)
            if place.flat is not None:
                _array(arrays, place.flat).fill(0.0)
        self.native.run(steps, examples, arrays, seed & 0xFFFFFFFF, self.threads, profile)
        return self._results(arrays, fixed, steps, examples)

    def listing(self) -> str:
        """The instructions as text, a line each, with the names of the buffers they read and write."""
        lines = []
        for block, (instructions, _, locals_from) in zip(self.blocks, self.assembled, strict=True):
            lines.append(f"{block.kind.value}{' reversed' if block.reverse else ''}, {block.title}:")
            for instruction in instructions:
                operands = [
                    _shown(o, self.layout.buffers, locals_from) for o in instruction[1:5] if o is not None
                ]
                numbers = [
                    f"{name}={x:g}"
                    for name, x in zip(instruction._fields[5:], instruction[5:], strict=True)
                    if x
                ]
                lines.append(f"    {instruction.opcode:<22}{' '.join([*operands, *numbers])}")
        return "\n".join(lines)

    def _allocated(self, steps: int, examples: int) -> list[Array | None]:
        """An array for each buffer but locals; the same ones again while T and B stay the same."""
        if self._for != (steps, examples):
            slots = {"sequence": steps, "history": steps + 1, "ring": 2}
            self._arrays = []
            for buffer in self.buffers:
                if buffer.kind in slots:
                    self._arrays.append(_aligned(slots[buffer.kind], examples, buffer.cols))
                elif buffer.kind == "sum":
                    self._arrays.append(_aligned(buffer.rows, buffer.cols))
                else:
                    self._arrays.append(None)
            self._for = (steps, examples)
        return self._arrays

    def _give_inputs(self, arrays: list[Array | None], inputs: Arrays) -> None:
        lead = inputs["x"].shape
        for name, buffer in self.layout.tokens.items():
            arrays[buffer] = np.ascontiguousarray(given_array("input", name, inputs, lead, np.int32))
        for name, buffer in self.layout.inputs.items():
            numbers = given_array("input", name, inputs, lead, np.float32)
            arrays[buffer] = np.ascontiguousarray(numbers)[..., None]

    def _give_carries(self, arrays: list[Array | None], carries: Arrays, examples: int) -> None:
        assert self._for is not None
        for place in self._plan.carries:
            slots = _array(arrays, place.buffer)
            first = slots[self._for[0] % len(slots) if place.reverse else 0]
            if place.given and place.name in carries:
                given = given_array("state", place.name, carries, (examples, *place.shape), np.float32)
                first[...] = given.reshape(first.shape)
            else:
                first.fill(0.0)

    def _results(
        self, arrays: list[Array | None], fixed: dict[str, Array], steps: int, examples: int
    ) -> dict[str, Array]:
        results: dict[str, Array] = {}
        for carry in self._plan.carries:
            slots = _array(arrays, carry.buffer)
            last = slots[0 if carry.reverse else steps % len(slots)]
            results[carry.name] = last.reshape(examples, *carry.shape)
        for place in self._plan.sums:
            total = _array(arrays, place.buffer)
            if place.flat is not None:
                total += _array(arrays, place.flat).reshape(total.shape)
            fixed[place.name] = total.reshape(place.shape)
        for block in self._after:
            fixed |= evaluate_once(block, fixed, self.sizes, self.dtype)
        for name, buffer, shape in self._plan.outputs:
            results[name] = _array(arrays, buffer).reshape(steps, examples, *shape)
        for name in self.program.results:
            if name in fixed:
                results[name] = fixed[name]
        return results


class _CarryPlace(NamedTuple):
    name: str
    buffer: int
    shape: tuple[int, ...]
    reverse: bool
    given: bool


class _SumPlace(NamedTuple):
    name: str
    buffer: int
    flat: int | None
    shape: tuple[int, ...]


class _Plan:
    """What goes where in each run, with shapes as numbers: a run of one token must not look anything up."""

    def __init__(self, program: Program, layout: Layout, blocks: Sequence[Block]) -> None:
        self.params = [(name, layout.number(shape)) for name, shape in program.params.items()]
        self.matrices = [
            (name, buffer, layout.buffers[buffer][1:3]) for (name, _), buffer in layout.params.items()
        ]
        self.carries = [
            _CarryPlace(c.name, layout.carries[c.name].buffer, layout.number(c.shape), block.reverse, c.given)
            for block in blocks
            for c in block.carries
        ]
        shapes = {name: e.shape for block in blocks for name, e in block.sums}
        self.sums = [
            _SumPlace(name, buffer, layout.flat_sums.get(name), layout.number(shapes[name]))
            for name, buffer in layout.sums.items()
        ]
        self.outputs = [
            (name, layout.values[name].buffer, layout.number(e.shape))
            for block in blocks
            for name, e in block.outputs
            if name in program.results
        ]


def _aligned(*shape: int) -> Array:
    """An uninitialised float32 array that begins at a cache line, so that no vector lies across two."""
    count = math.prod(shape)
    memory = np.empty(count + CACHE_LINE // 4, np.float32)
    start = -memory.ctypes.data % CACHE_LINE // 4
    return memory[start : start + count].reshape(shape)


def _array(arrays: Sequence[Array | None], buffer: int) -> Array:
    array = arrays[buffer]
    assert array is not None
    return array


def _assemble(block: Block, layout: Layout) -> tuple[list[Instruction], list[int], int]:
    """The instructions of a block, the widths of its locals, and the number from which these are numbered."""
    locals_from = 1 << 20  # above every buffer: the layout may still grow while blocks are assembled
    assembler = BlockAssembler(block, layout, locals_from)
    instructions = assembler.assemble()
    return *share_locals(instructions, assembler.local_widths, locals_from), locals_from


def _shown(operand: Operand, buffers: Sequence[Buffer], locals_from: int) -> str:
    if operand.buffer >= locals_from:
        name = f"local{operand.buffer - locals_from}"
    else:
        buffer = buffers[operand.buffer]
        carried = buffer.kind in ("history", "ring")
        name = buffer.name + (f"[t+{operand.shift}]" if carried else "")
    return f"{name}:{operand.width}"


def _encoded(instruction: Instruction, locals_from: int, shift: int) -> tuple[Any, ...]:
    operands = []
    for operand in instruction[1:5]:
        if operand is not None and operand.buffer >= locals_from:
            operand = operand._replace(buffer=operand.buffer + shift)
        operands.append(None if operand is None else tuple(operand))
    return (_native.OPCODES[instruction.opcode], *operands, *instruction[5:])
