"""The fast backend: scheduled programs assembled for the native executor (`native/`), in float32.

Blocks on parameters alone run in NumPy before and after the executor's part. Arrays are kept from run to
run while T and B stay the same, so a training loop allocates nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bptt import _native
from bptt.backends.allocation import share_locals
from bptt.backends.assembly import BlockAssembler
from bptt.backends.base import Array, Arrays, steps_and_examples
from bptt.backends.instruction import Instruction
from bptt.backends.layout import Buffer, Layout, Operand
from bptt.backends.reference import evaluate_once
from bptt.ir.dims import Shape
from bptt.ir.program import Block, Kind, Program


def default_threads() -> int:
    """BPTT_THREADS, or as many as there are cores this process may run on; never more than the cores."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wanted = os.environ.get("BPTT_THREADS", "")
    return max(1, min(int(wanted), cores)) if wanted.isdigit() else cores


class NativeExecutable:
    """See `Executable`. `threads` are those of the executor; results do not depend on their number."""

    def __init__(self, program: Program, sizes: Mapping[str, int], threads: int | None = None) -> None:
        self.program = program
        self.sizes = dict(sizes)
        self.dtype: np.dtype[Any] = np.dtype(np.float32)
        self.threads = threads or default_threads()
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
        fixed: dict[str, Array] = {name: self._param(name, params) for name in self.program.params}
        for block in self._before:
            fixed |= evaluate_once(block, fixed, self.sizes, self.dtype)
        arrays = self._allocated(steps, examples)
        for (name, _), buffer in self.layout.params.items():
            array = np.ascontiguousarray(fixed[name], np.float32)
            spec = self.buffers[buffer]
            arrays[buffer] = array.reshape(spec.rows, spec.cols)
        self._give_inputs(arrays, inputs)
        self._give_carries(arrays, carries or {})
        for buffer in (*self.layout.sums.values(), *self.layout.flat_sums.values()):
            arrays[buffer].fill(0.0)  # type: ignore[union-attr]
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

    def _param(self, name: str, params: Arrays) -> Array:
        array = np.asarray(params[name], np.float32)
        shape = self.layout.number(self.program.params[name])
        if array.shape != shape:
            raise ValueError(f"parameter {name} has shape {array.shape}, not {shape}")
        return array

    def _allocated(self, steps: int, examples: int) -> list[Array | None]:
        """An array for each buffer but locals; the same ones again while T and B stay the same."""
        if self._for != (steps, examples):
            slots = {"sequence": steps, "history": steps + 1, "ring": 2}
            self._arrays = []
            for buffer in self.buffers:
                if buffer.kind in slots:
                    self._arrays.append(np.empty((slots[buffer.kind], examples, buffer.cols), np.float32))
                elif buffer.kind == "sum":
                    self._arrays.append(np.empty((buffer.rows, buffer.cols), np.float32))
                else:
                    self._arrays.append(None)
            self._for = (steps, examples)
        return self._arrays

    def _give_inputs(self, arrays: list[Array | None], inputs: Arrays) -> None:
        lead = inputs["x"].shape
        for name, buffer in self.layout.tokens.items():
            arrays[buffer] = np.ascontiguousarray(inputs[name], np.int32)
        for name, buffer in self.layout.inputs.items():
            if inputs[name].shape != lead:
                raise ValueError(f"input {name} has shape {inputs[name].shape}, not {lead}")
            arrays[buffer] = np.ascontiguousarray(inputs[name], np.float32)[..., None]

    def _give_carries(self, arrays: list[Array | None], carries: Arrays) -> None:
        for block in self.blocks:
            for c in block.carries:
                slots = arrays[self.layout.carries[c.name].buffer]
                assert slots is not None and self._for is not None
                first = slots[self._for[0] % len(slots) if block.reverse else 0]
                if c.given and c.name in carries:
                    given = np.asarray(carries[c.name])
                    expected = (len(first), *self.layout.number(c.shape))
                    if given.shape != expected:
                        raise ValueError(f"state {c.name} has shape {given.shape}, not {expected}")
                    first[...] = given.reshape(first.shape)
                else:
                    first.fill(0.0)

    def _results(
        self, arrays: list[Array | None], fixed: dict[str, Array], steps: int, examples: int
    ) -> dict[str, Array]:
        results: dict[str, Array] = {}
        for block in self.blocks:
            for c in block.carries:
                slots = arrays[self.layout.carries[c.name].buffer]
                assert slots is not None
                last = slots[0 if block.reverse else steps % len(slots)]
                results[c.name] = last.reshape(examples, *self.layout.number(c.shape))
            for name, e in block.sums:
                fixed[name] = self._sum(name, e.shape, arrays)
        for block in self._after:
            fixed |= evaluate_once(block, fixed, self.sizes, self.dtype)
        for block in self.blocks:
            for name, e in block.outputs:
                if name in self.program.results:
                    array = arrays[self.layout.values[name].buffer]
                    assert array is not None
                    results[name] = array.reshape(steps, examples, *self.layout.number(e.shape))
        for name in self.program.results:
            if name in fixed:
                results[name] = fixed[name]
        return results

    def _sum(self, name: str, shape: Shape, arrays: list[Array | None]) -> Array:
        array = arrays[self.layout.sums[name]]
        assert array is not None
        flat = self.layout.flat_sums.get(name)
        if flat is not None:
            array += np.reshape(arrays[flat], array.shape)  # type: ignore[arg-type]
        return array.reshape(self.layout.number(shape))


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
