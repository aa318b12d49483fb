"""Programs: what is computed, over which examples and steps, in blocks one after the other.

A block runs its expressions
  once   — on parameters alone, no examples and no time,
  map    — for all T·B (step, example) pairs, which do not depend on each other,
  scan   — for t = 1 … T in order (or T … 1, `reverse`), with values carried from step to step.
A model as written is one scan (or map); its gradient is a second scan in reverse; the schedule splits both
into smaller blocks. It is the same form all the way, so one interpreter runs each of them.

Names: `outputs` hold a value for each example and step, and later blocks read them as VALUE leaves; in a
`once` block they are read as PARAM. `sums` are added up over all steps and examples, and over the blocks,
where several add to the same. A CARRY leaf is the value that enters the step; inside the scan that owns it,
and in every later block, where the whole history is at hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from bptt.ir.dims import Shape
from bptt.ir.expr import Expr


class Kind(Enum):
    ONCE = "once"
    MAP = "map"
    SCAN = "scan"


@dataclass(frozen=True)
class Carry:
    """A value carried through a scan. It enters the first step as given by the caller if `given`, else as
    zeros.
    """

    name: str
    shape: Shape
    update: Expr
    given: bool = True


@dataclass(frozen=True)
class Block:
    kind: Kind
    outputs: tuple[tuple[str, Expr], ...] = ()
    sums: tuple[tuple[str, Expr], ...] = ()
    carries: tuple[Carry, ...] = ()
    reverse: bool = False
    title: str = ""

    def roots(self) -> list[Expr]:
        """Every expression that the block computes for somebody else."""
        return [e for _, e in self.outputs] + [e for _, e in self.sums] + [c.update for c in self.carries]


@dataclass(frozen=True)
class Program:
    """Blocks in the order in which they run.

    `params` are the shapes of the parameters that the caller gives; `results` the outputs and sums that the
    caller wants back (what else the blocks define is between themselves). The values that the carries end
    with always come back, under the carry's name, unless a result has that name. `names` are the users'
    names of expressions, for whoever prints a program or reports a fault in it.
    """

    blocks: tuple[Block, ...]
    params: dict[str, Shape]
    results: tuple[str, ...]
    names: dict[Expr, str] = field(default_factory=dict, compare=False)

    def carries(self) -> Iterator[Carry]:
        for block in self.blocks:
            yield from block.carries
