"""Instructions for what is computed element by element."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bptt.backends.layout import Operand
from bptt.backends.select_output import softmax_error
from bptt.backends.select_products import gemm, is_product, look_up
from bptt.ir import build
from bptt.ir.expr import Expr
from bptt.ir.ops import Op

if TYPE_CHECKING:
    from bptt.backends.assembly import BlockAssembler


def negation(assembler: BlockAssembler, e: Expr, into: Operand | None) -> Operand:
    return assembler.emit("AFFINE", assembler.target(e, into), assembler.value(e.args[0]), f0=-1.0)


def product(assembler: BlockAssembler, e: Expr, into: Operand | None) -> Operand:
    error = softmax_error(assembler, e)
    if error is not None:
        return error
    for factor, rest in (e.args, e.args[::-1]):
        number = assembler.constant(factor)
        if number is not None:
            return assembler.emit("AFFINE", assembler.target(e, into), assembler.value(rest), f0=number)
        for opcode, pattern in (("SIGMOID_GRADIENT", _sigmoid_slope), ("TANH_GRADIENT", _tanh_slope)):
            y = pattern(factor)
            if y is not None and assembler.once_used(factor):
                sources = assembler.value(rest), assembler.value(y)
                return assembler.emit(opcode, assembler.target(e, into), *sources)
    a, b = (assembler.value(a) for a in e.args)
    return assembler.emit("MUL", assembler.target(e, into), a, b)


def quotient(assembler: BlockAssembler, e: Expr, into: Operand | None) -> Operand:
    number = assembler.constant(e.args[1])
    if number is not None:
        return assembler.emit(
            "AFFINE", assembler.target(e, into), assembler.value(e.args[0]), f0=1.0 / number
        )
    a, b = (assembler.value(a) for a in e.args)
    return assembler.emit("DIV", assembler.target(e, into), a, b)


def power(assembler: BlockAssembler, e: Expr, into: Operand | None) -> Operand:
    source = assembler.value(e.args[0])
    if e.attr == 2.0:
        return assembler.emit("MUL", assembler.target(e, into), source, source)
    return assembler.emit("POW", assembler.target(e, into), source, f0=e.attr)


def addition(assembler: BlockAssembler, e: Expr, into: Operand | None) -> Operand:
    """Terms that are products go straight into the sum, a parameter vector along with the first of them."""
    terms = list(e.args)
    constant = sum(c for c in map(assembler.constant, terms) if c is not None)
    terms = [a for a in terms if assembler.constant(a) is None]
    products = [a for a in terms if is_product(assembler, a) and assembler.once_used(a)]
    lookups = [a for a in terms if a.op is Op.LOOKUP and not a.args[0].varies and assembler.once_used(a)]
    rest = [a for a in terms if a not in products and a not in lookups]
    bias = next((a for a in rest if a.op is Op.PARAM and a.shape), None)
    # What the products read is computed before the sum is begun, so that nothing stands between its terms.
    for a in products:
        assembler.full(a.args[0])
    places = {a: assembler.value(a.args[0] if a.op is Op.NEG else a) for a in rest}
    dst = assembler.target(e, into)
    begun = False
    for a in products:
        with_bias = None
        if not begun and bias is not None:
            with_bias = places.pop(bias)
        gemm(assembler, a, dst, begun, with_bias)
        begun = True
    for a in lookups:
        look_up(assembler, a, dst, begun)
        begun = True
    plain = [(places[a], -1.0 if a.op is Op.NEG else 1.0) for a in rest if a in places]
    if not begun and len(plain) == 1:
        place, sign = plain.pop()
        return assembler.emit("AFFINE", dst, place, f0=sign, f1=constant)
    if not begun:
        plain.sort(key=lambda term: -term[1])
        (first, sign), (second, other) = plain[0], plain[1]
        plain = plain[2:]
        if sign < 0:  # every term is subtracted
            assembler.emit("AFFINE", dst, first, f0=-1.0)
            plain.insert(0, (second, other))
        else:
            assembler.emit("ADD" if other > 0 else "SUB", dst, first, second)
    for place, sign in plain:
        assembler.emit("ADD" if sign > 0 else "SUB", dst, dst, place)
    if constant:
        assembler.emit("AFFINE", dst, dst, f0=1.0, f1=constant)
    return dst


def broadcast(assembler: BlockAssembler, e: Expr, into: Operand | None) -> Operand:
    return assembler.value(e.args[0])


def _one_minus(e: Expr) -> Expr | None:
    """a, if `e` is 1 - a."""
    if e.op is Op.ADD and len(e.args) == 2 and build.is_const(e.args[0], 1.0) and e.args[1].op is Op.NEG:
        return e.args[1].args[0]
    return None


def _sigmoid_slope(e: Expr) -> Expr | None:
    """y, if `e` is y ∘ (1 - y)."""
    if e.op is Op.MUL:
        for y, other in (e.args, e.args[::-1]):
            if _one_minus(other) is y:
                return y
    return None


def _tanh_slope(e: Expr) -> Expr | None:
    """y, if `e` is 1 - y ∘ y."""
    square = _one_minus(e)
    if square is not None and square.op is Op.MUL and square.args[0] is square.args[1]:
        return square.args[0]
    return None
