"""Instructions for the products of linear algebra, look-ups, and parts of vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bptt.backends.instruction import ACCUMULATE, TRANSPOSED, TRANSPOSED_A, TRANSPOSED_B
from bptt.backends.layout import Operand
from bptt.ir.expr import Expr, make
from bptt.ir.ops import Op

if TYPE_CHECKING:
    from bptt.backends.assembly import BlockAssembler


def is_product(assembler: BlockAssembler, e: Expr) -> bool:
    """Whether `e` is a row times a matrix of parameters."""
    if e.op is not Op.CONTRACT or (not e.shape and len(e.args[1].shape) != 1):
        return False
    return not e.args[1].varies and e.args[0].varies and len(e.args[0].shape) == 1


def contraction(assembler: BlockAssembler, e: Expr, into: Operand | None) -> Operand:
    if is_product(assembler, e):
        return gemm(assembler, e, assembler.target(e, into), False, None)
    a, b = e.args
    if not a.shape[1:] and not b.shape[1:]:
        if a.op is Op.TOKEN:
            return assembler.emit(
                "PICK", assembler.target(e, into), assembler.full(b), assembler.layout.token(a.attr)
            )
        if not a.varies:
            return gemm(assembler, make(Op.CONTRACT, (b, a), e.attr), assembler.target(e, into), False, None)
        sources = assembler.full(a), assembler.full(b)
        return assembler.emit("ROW_DOT", assembler.target(e, into), *sources)
    return rows_matmul(assembler, e, into)


def gemm(assembler: BlockAssembler, e: Expr, dst: Operand, accumulate: bool, bias: Operand | None) -> Operand:
    v, table = e.args
    source = assembler.full(v)
    matrix, flags = weights(assembler, table, e.attr[1])
    width = source.width if flags & TRANSPOSED else dst.width
    flags |= ACCUMULATE if accumulate else 0
    return assembler.emit("GEMM", dst, source, matrix._replace(width=width), bias, flags=flags)


def weights(assembler: BlockAssembler, e: Expr, summed_axis: int) -> tuple[Operand, int]:
    """A parameter, or a part of one, as the right factor of a product; TRANSPOSED where its columns are
    summed over.
    """
    row = col = 0
    while e.op is Op.SLICE:
        axis, start, _ = e.attr
        offset = start.evaluate(assembler.layout.sizes)
        row, col = (row + offset, col) if axis == 0 and len(e.shape) == 2 else (row, col + offset)
        e = e.args[0]
    if len(e.shape) == 1:  # a vector is stored as one row
        return Operand(assembler.layout.param(e), 0, row, col), TRANSPOSED
    return Operand(assembler.layout.param(e), 0, row, col), TRANSPOSED if summed_axis == 1 else 0


def rows_matmul(assembler: BlockAssembler, e: Expr, into: Operand | None) -> Operand:
    """Products in which each token has a matrix of its own."""
    a, b = e.args
    i, j = e.attr if e.op is Op.CONTRACT else (None, None)
    numbers_a, numbers_b = assembler.layout.number(a.shape), assembler.layout.number(b.shape)
    flags = 0
    if e.op is Op.OUTER:
        m, k, n = numbers_a[0], 1, numbers_b[0]
    else:
        assert i is not None and j is not None
        k = numbers_a[i]
        m = numbers_a[1 - i] if len(numbers_a) == 2 else 1
        n = numbers_b[1 - j] if len(numbers_b) == 2 else 1
        flags |= TRANSPOSED_A if len(numbers_a) == 2 and i == 0 else 0
        flags |= TRANSPOSED_B if len(numbers_b) == 2 and j == 1 else 0
    sources = []
    for x in (a, b):
        sources.append(
            matrix_param(assembler, x) if not x.varies and len(x.shape) == 2 else assembler.full(x)
        )
    return assembler.emit("ROWS_MATMUL", assembler.target(e, into), *sources, flags=flags, m=m, k=k, n=n)


def matrix_param(assembler: BlockAssembler, e: Expr) -> Operand:
    place, _ = weights(assembler, e, 0)
    return place._replace(width=assembler.layout.number(e.shape)[1])


def transposition(assembler: BlockAssembler, e: Expr, into: Operand | None) -> Operand:
    m, n = assembler.layout.number(e.args[0].shape)
    return assembler.emit("ROWS_TRANSPOSE", assembler.target(e, into), assembler.full(e.args[0]), m=m, n=n)


def lookup(assembler: BlockAssembler, e: Expr, into: Operand | None) -> Operand:
    return look_up(assembler, e, assembler.target(e, into), False)


def look_up(assembler: BlockAssembler, e: Expr, dst: Operand, accumulate: bool) -> Operand:
    table, token = e.args
    if table.varies:
        one_hot = make(Op.CONTRACT, (token, table), (0, e.attr))
        return rows_matmul(assembler, one_hot, dst)
    place, flags = weights(assembler, table, e.attr)
    place = place._replace(width=assembler.layout.sizes["V"] if flags & TRANSPOSED else dst.width)
    flags |= ACCUMULATE if accumulate else 0
    return assembler.emit("LOOKUP", dst, assembler.layout.token(token.attr), place, flags=flags)


def scatter(assembler: BlockAssembler, e: Expr, into: Operand | None) -> Operand:
    """The matrix itself: only where it is no sum over tokens, which is all that gradients ask for."""
    token, vector = e.args
    outer = make(Op.OUTER, (token, vector) if e.attr == 0 else (vector, token))
    return rows_matmul(assembler, outer, assembler.target(e, into))


def concatenation(assembler: BlockAssembler, e: Expr, into: Operand | None) -> Operand:
    dst = assembler.target(e, into)
    start = 0
    for a in e.args:
        width = assembler.layout.width(a.shape)
        assembler.value(a, dst.window(start, width))
        start += width
    return dst


def part(assembler: BlockAssembler, e: Expr, into: Operand | None) -> Operand:
    axis, start, _ = e.attr
    row_size = 1 if len(e.shape) == 1 else assembler.layout.number(e.shape)[1]
    assert axis == 0, "matrices are cut along their rows"
    offset = start.evaluate(assembler.layout.sizes) * row_size
    place = assembler.value(e.args[0])
    if place.width != assembler.layout.width(e.args[0].shape):
        return place
    return place.window(offset, assembler.layout.width(e.shape))
