"""What a scheduled program has to move between memory and processor, and what it keeps: float32 numbers.

The model is the least that a machine without memory of its own beyond a tile of values has to move. What a
block computes for itself stays with it. What it takes from earlier blocks it reads once for each token, what
it hands on it writes once for each token. A parameter is read once for a map, which keeps it for all tokens,
and once for each time step of a scan, which serves the B examples of the step; of a table in which tokens
are looked up, and of its gradient, only the tokens' rows move. Each sum is written once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bptt.analysis.operations import elements
from bptt.analysis.polynomial import Polynomial
from bptt.analysis.update import FLOAT
from bptt.ir.expr import Expr
from bptt.ir.ops import Op
from bptt.ir.program import Block, Kind, Program
from bptt.ir.traversal import topological

NOTHING = Polynomial()


@dataclass(frozen=True)
class Traffic:
    """How many numbers move for each token, for each time step (of all examples), and for each run."""

    per_token: Polynomial = NOTHING
    per_time_step: Polynomial = NOTHING
    per_run: Polynomial = NOTHING

    def __add__(self, other: Traffic) -> Traffic:
        return Traffic(
            self.per_token + other.per_token,
            self.per_time_step + other.per_time_step,
            self.per_run + other.per_run,
        )

    def __sub__(self, other: Traffic) -> Traffic:
        return Traffic(
            self.per_token - other.per_token,
            self.per_time_step - other.per_time_step,
            self.per_run - other.per_run,
        )

    def bytes(self, sizes: Mapping[str, int], window: int, batch: int) -> int:
        token, step, run = (p.evaluate(sizes) for p in (self.per_token, self.per_time_step, self.per_run))
        return FLOAT * (window * batch * token + window * step + run)


@dataclass(frozen=True)
class Kept:
    """Numbers that are kept from block to block: for each token, and for each example whatever the window."""

    per_token: Polynomial
    per_example: Polynomial

    def bytes(self, sizes: Mapping[str, int], window: int, batch: int) -> int:
        return FLOAT * batch * (window * self.per_token.evaluate(sizes) + self.per_example.evaluate(sizes))


def traffic_of(program: Program) -> Traffic:
    return sum(map(_block_traffic, program.blocks), Traffic())


def _block_traffic(block: Block) -> Traffic:
    token, fixed = NOTHING, NOTHING
    for e in topological(block.roots()):
        if e.op in (Op.VALUE, Op.CARRY, Op.INPUT):
            token += elements(e)
        elif e.op is Op.TOKEN:
            token += 1
        elif e.op is Op.LOOKUP and not e.args[0].varies:
            token += elements(e)
    for e in _read_whole(block):
        fixed += elements(e)
    written = sum((elements(e) for e in _handed_on(block)), NOTHING)
    if block.kind is Kind.ONCE:
        return Traffic(per_run=fixed + written)
    rows = (t for _, e in block.sums for t in topological([e]) if t.op is Op.SCATTER and t.varies)
    token += written + sum((elements(t.args[1]) * 2 for t in rows), NOTHING)
    sums = sum((elements(e) for _, e in block.sums), NOTHING)
    if block.kind is Kind.SCAN:
        return Traffic(token, fixed, sums)
    return Traffic(token, NOTHING, fixed + sums)


def _read_whole(block: Block) -> set[Expr]:
    """The parameters, or parts of them, that are read from the first element to the last."""
    found: set[Expr] = set()
    for e in topological(block.roots()):
        if e.op is Op.SLICE and not e.varies:
            continue
        table = e.args[:1] if e.op is Op.LOOKUP else ()
        found |= {a for a in e.args if a not in table and _is_parameter(a)}
    return found | {e for e in block.roots() if _is_parameter(e)}


def _is_parameter(e: Expr) -> bool:
    return e.op is Op.PARAM or (e.op is Op.SLICE and _is_parameter(e.args[0]))


def _handed_on(block: Block) -> set[Expr]:
    return {e for _, e in block.outputs} | {c.update for c in block.carries}


def kept_values(program: Program) -> Kept:
    """What is kept between the blocks of a program. Of a carry that no other block looks back on, two steps
    are.
    """
    token, example = NOTHING, NOTHING
    looked_back_on = {
        e.attr
        for block in program.blocks
        for e in topological(block.roots())
        if e.op is Op.CARRY and e.attr not in {c.name for c in block.carries}
    }
    for block in program.blocks:
        if block.kind is Kind.ONCE:
            continue
        outputs = [e for _, e in block.outputs]
        for c in block.carries:
            size = Polynomial.elements(c.shape)
            if c.name in looked_back_on or c.update in outputs:
                token, example = token + size, example + size
            else:
                example += size * 2
        # A state is kept where it is carried.
        updates = {c.update for c in block.carries}
        token += sum((elements(e) for e in outputs if e not in updates), NOTHING)
    return Kept(token, example)
