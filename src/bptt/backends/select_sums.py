"""Instructions for what is summed over all tokens: the gradients of parameters, and the objective."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bptt.backends.instruction import TRANSPOSED
from bptt.backends.layout import Operand
from bptt.ir import build
from bptt.ir.expr import Expr, make
from bptt.ir.ops import Op

if TYPE_CHECKING:
    from bptt.backends.assembly import BlockAssembler


def sum_tokens(assembler: BlockAssembler, name: str, e: Expr) -> None:
    rows, cols = assembler.layout.matrix(e.shape)
    _sum_into(assembler, name, e, Operand(assembler.layout.sums[name], width=cols), rows)


def _sum_into(assembler: BlockAssembler, name: str, e: Expr, dst: Operand, rows: int) -> None:
    if build.is_zero(e):
        return
    if e.op is Op.ADD and e not in assembler.places:
        for a in e.args:
            if a.shape == e.shape:
                _sum_into(assembler, name, a, dst, rows)
            else:
                _column_sum(assembler, name, build.broadcast(a, e.shape), dst, rows)
    elif e.op is Op.OUTER:
        sources = [assembler.full(a) for a in e.args]
        assembler.emit("OUTER_SUM", dst, *sources)
    elif e.op is Op.SCATTER:
        token, vector = e.args
        flags = TRANSPOSED if e.attr == 1 else 0
        assembler.emit(
            "SCATTER_SUM", dst, assembler.full(vector), assembler.layout.token(token.attr), flags=flags
        )
    elif e.op is Op.NEG and e.args[0].op is Op.OUTER:
        a, b = e.args[0].args
        _sum_into(assembler, name, make(Op.OUTER, (build.neg(a), b)), dst, rows)
    elif e.op is Op.CONCAT:
        start = 0
        for a in e.args:
            size = assembler.layout.number(a.shape)
            if e.attr == 0 and len(size) == 2:
                _sum_into(assembler, name, a, dst._replace(row=dst.row + start), size[0])
            else:
                _sum_into(assembler, name, a, dst.window(start, size[-1]), rows)
            start += size[e.attr]
    else:
        _column_sum(assembler, name, e, dst, rows)


def _column_sum(assembler: BlockAssembler, name: str, e: Expr, dst: Operand, rows: int) -> None:
    place = assembler.full(e)
    if rows > 1:
        buffer = assembler.layout.buffers[dst.buffer]
        assert (rows, dst.width) == (buffer.rows, buffer.cols), (
            "a part of a matrix is summed as outer products"
        )
        dst = Operand(assembler.layout.flat_sum(name), width=rows * dst.width)
    assembler.emit("COLUMN_SUM", dst, place)
