"""Where the values of a program live: the buffers of the native executor, and windows into them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import NamedTuple

from bptt.ir.dims import Shape
from bptt.ir.expr import Expr
from bptt.ir.ops import Op
from bptt.ir.program import Kind, Program
from bptt.ir.traversal import topological


class Buffer(NamedTuple):
    """As the native executor takes it; docs/native.md describes the kinds."""

    kind: str
    rows: int
    cols: int
    name: str


class Operand(NamedTuple):
    """A window of columns of a buffer. `shift` picks the slot of a carried value, `row` the first row of a
    parameter.
    """

    buffer: int
    shift: int = 0
    row: int = 0
    col: int = 0
    width: int = 0

    def window(self, start: int, width: int) -> Operand:
        return self._replace(col=self.col + start, width=width)


@dataclass(frozen=True)
class CarryPlace:
    """The buffer of a carry, and the shifts of what enters a step and what leaves it."""

    buffer: int
    entering: int
    leaving: int


class Layout:
    """The buffers of a scheduled program for given sizes. Vectors and matrices are flattened to one row a
    token.
    """

    def __init__(self, program: Program, sizes: Mapping[str, int]) -> None:
        self.program = program
        self.sizes = sizes
        self.buffers: list[Buffer] = []
        self.values: dict[str, Operand] = {}
        self.sums: dict[str, int] = {}
        self.carries: dict[str, CarryPlace] = {}
        self._params: dict[tuple[str, bool], int] = {}
        self._flat_sums: dict[str, int] = {}
        self._inputs: dict[str, int] = {}
        self._tokens: dict[str, int] = {}
        self._place_carries_and_values()

    def _place_carries_and_values(self) -> None:
        looked_back_on = self._looked_back_on()
        for block in self.program.blocks:
            if block.kind is Kind.ONCE:
                continue
            for c in block.carries:
                width = self.width(c.shape)
                kind = "history" if c.name in looked_back_on else "ring"
                buffer = self.add(kind, 0, width, c.name)
                entering, leaving = (1, 0) if block.reverse else (0, 1)
                self.carries[c.name] = CarryPlace(buffer, entering, leaving)
            leaving_states = {c.update: c.name for c in reversed(block.carries) if c.name in looked_back_on}
            for name, e in block.outputs:
                carry = leaving_states.get(e)
                if carry is not None and name not in self.program.results:
                    place = self.carries[carry]
                    self.values[name] = Operand(place.buffer, place.leaving, width=self.width(e.shape))
                else:
                    width = self.width(e.shape)
                    self.values[name] = Operand(self.add("sequence", 0, width, name), width=width)
            for name, e in block.sums:
                if name in self.sums:  # several blocks add to it
                    continue
                rows, cols = self.matrix(e.shape)
                self.sums[name] = self.add("sum", rows, cols, name)

    def _looked_back_on(self) -> set[str]:
        """Carries whose values at all steps are read by some block: the others need only two slots."""
        names: set[str] = set()
        for block in self.program.blocks:
            own = {c.name for c in block.carries}
            for e in topological(block.roots()):
                if e.op is Op.CARRY and e.attr not in own:
                    names.add(e.attr)
            kept = {e for _, e in block.outputs}
            names |= {c.name for c in block.carries if c.update in kept}
        return names

    def add(self, kind: str, rows: int, cols: int, name: str) -> int:
        self.buffers.append(Buffer(kind, rows, cols, name))
        return len(self.buffers) - 1

    def number(self, shape: Shape) -> tuple[int, ...]:
        return tuple(dim.evaluate(self.sizes) for dim in shape)

    def width(self, shape: Shape) -> int:
        """How many columns a value has as one row."""
        return prod(self.number(shape))

    def matrix(self, shape: Shape) -> tuple[int, int]:
        """Rows and columns of a parameter or sum: a vector is one row."""
        numbers = self.number(shape)
        return (1, 1) if not numbers else (1, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[1])

    def param(self, e: Expr, flat: bool = False) -> int:
        """The buffer of a parameter; with `flat` the same memory as one row."""
        key = (e.attr, flat and len(e.shape) == 2)
        if key not in self._params:
            rows, cols = self.matrix(e.shape)
            if key[1]:
                rows, cols = 1, rows * cols
            self._params[key] = self.add("param", rows, cols, e.attr)
        return self._params[key]

    def flat_sum(self, name: str) -> int:
        """A second buffer for a matrix of sums, as one row; added to the first after the run."""
        if name not in self._flat_sums:
            buffer = self.buffers[self.sums[name]]
            self._flat_sums[name] = self.add("sum", 1, buffer.rows * buffer.cols, name)
        return self._flat_sums[name]

    def input(self, name: str) -> Operand:
        if name not in self._inputs:
            self._inputs[name] = self.add("sequence", 0, 1, name)
        return Operand(self._inputs[name], width=1)

    def token(self, name: str) -> Operand:
        if name not in self._tokens:
            self._tokens[name] = self.add("tokens", 0, self.sizes["V"], name)
        return Operand(self._tokens[name], width=1)

    @property
    def flat_sums(self) -> Mapping[str, int]:
        return self._flat_sums

    @property
    def params(self) -> Mapping[tuple[str, bool], int]:
        return self._params

    @property
    def inputs(self) -> Mapping[str, int]:
        return self._inputs

    @property
    def tokens(self) -> Mapping[str, int]:
        return self._tokens
