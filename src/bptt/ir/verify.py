"""What every program has to satisfy, checked after each pass: a pass may assume it and owes it."""

from __future__ import annotations

from bptt.ir.dims import Shape, show_shape
from bptt.ir.expr import Expr
from bptt.ir.ops import Op
from bptt.ir.program import Block, Kind, Program
from bptt.ir.traversal import topological


class VerificationError(AssertionError):
    """A program that breaks the rules of the IR: a fault of ours, said with the place in the program."""


def verify(program: Program, after: str) -> None:
    """Raises VerificationError if `program` is not well formed; `after` names the pass that made it."""
    params: dict[str, Shape] = dict(program.params)
    values: dict[str, Shape] = {}
    carried: dict[str, Shape] = {}
    taken = set(program.params)
    summed: dict[str, Shape] = {}
    for number, block in enumerate(program.blocks):
        where = f"after {after}: block {number} ({block.kind.value} {block.title!r})"
        _require(not block.carries or block.kind is Kind.SCAN, where, "only a scan carries values")
        _require(block.kind is not Kind.ONCE or not block.sums, where, "a once block has nothing to sum over")
        # Blocks may add to the same sum; within a block, and for outputs, a name is defined once.
        for name, e in block.sums:
            _require(summed.get(name, e.shape) == e.shape, where, f"sum {name!r} has two shapes")
        summed |= {name: e.shape for name, e in block.sums}
        here: set[str] = set()
        for what, items in (("output", block.outputs), ("sum", block.sums)):
            for name, _ in items:
                twice = name in here or name in taken or (what == "output" and name in summed)
                _require(not twice, where, f"{what} {name!r} is defined twice")
                here.add(name)
        taken |= {name for name, _ in block.outputs}
        for c in block.carries:
            _require(
                c.update.shape == c.shape,
                where,
                f"carry {c.name!r} is {show_shape(c.shape)}, not {c.update!r}",
            )
            _require(c.name not in carried, where, f"carry {c.name!r} is defined twice")
            carried[c.name] = c.shape
        for e in topological(block.roots()):
            _verify_leaf(e, block, params, values, carried, where)
        if block.kind is Kind.ONCE:
            params |= {name: e.shape for name, e in block.outputs}
        else:
            values |= {name: e.shape for name, e in block.outputs}
        # A sum is the same for all steps from here on, so later once blocks read it as they read parameters.
        params |= {name: e.shape for name, e in block.sums}
    for name in program.results:
        _require(name in values or name in params, f"after {after}", f"result {name!r} is never computed")


def _verify_leaf(
    e: Expr,
    block: Block,
    params: dict[str, Shape],
    values: dict[str, Shape],
    carried: dict[str, Shape],
    where: str,
) -> None:
    known = {Op.PARAM: params, Op.VALUE: values, Op.CARRY: carried}.get(e.op)
    if known is not None:
        _require(
            known.get(e.attr) == e.shape, where, f"{e!r} is read but {known.get(e.attr)} is what is there"
        )
    _require(not e.varies or block.kind is not Kind.ONCE, where, f"{e!r} varies")


def _require(condition: bool, where: str, message: str) -> None:
    if not condition:
        raise VerificationError(f"{where}: {message}")
