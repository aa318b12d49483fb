"""Instructions for the output layer: cross-entropy, and the error that goes back from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bptt.backends.layout import Operand
from bptt.ir import build
from bptt.ir.expr import Expr
from bptt.ir.ops import Op

if TYPE_CHECKING:
    from bptt.backends.assembly import BlockAssembler


def cross_entropy(assembler: BlockAssembler, e: Expr, into: Operand | None) -> Operand:
    logits, target = e.args
    if target.op is Op.TOKEN:
        return assembler.emit(
            "CROSS_ENTROPY",
            assembler.target(e, into),
            assembler.full(logits),
            assembler.layout.token(target.attr),
        )
    logs = assembler.value(build.apply(Op.LOG_SOFTMAX, logits))
    dot = assembler.emit("ROW_DOT", assembler.local(1), assembler.full(target), logs)
    return assembler.emit("AFFINE", assembler.target(e, into), dot, f0=-1.0)


def softmax_error(assembler: BlockAssembler, e: Expr) -> Operand | None:
    """weight · (softmax(z) - y) with the cross-entropy of z and y, all in the place of z, if nobody else
    needs z.
    """
    for weight, error in (e.args, e.args[::-1]):
        if weight.shape or error.op is not Op.ADD or len(error.args) != 2:
            continue
        softmax, minus = error.args
        if softmax.op is not Op.SOFTMAX or minus.op is not Op.NEG or minus.args[0].op is not Op.TOKEN:
            continue
        logits, target = softmax.args[0], minus.args[0]
        loss = build.cross_entropy(logits, target)
        others = assembler.uses[logits] - 1 - (1 if assembler.uses[loss] else 0)
        if others or not all(assembler.once_used(x) for x in (softmax, error)) or logits in assembler.targets:
            continue
        if loss in assembler.places or loss in assembler.targets:
            continue
        if weight.op is Op.INPUT:
            weights = assembler.layout.input(weight.attr)
        else:
            weights = assembler.full(weight)
        place = _own(assembler, logits)
        assembler.places[loss] = assembler.emit(
            "SOFTMAX_CROSS_ENTROPY", assembler.local(1), place, assembler.layout.token(target.attr), weights
        )
        assembler.places.pop(logits, None)
        return place
    return None


def _own(assembler: BlockAssembler, e: Expr) -> Operand:
    """`e` in a local that holds nothing else, so that it may be overwritten: what an earlier block kept, or a
    part of something larger, is copied.
    """
    place = assembler.full(e)
    if assembler.is_local(place) and e.op is not Op.SLICE:
        return place
    return assembler.emit("COPY", assembler.local(place.width), place)
