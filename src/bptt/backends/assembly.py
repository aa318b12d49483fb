"""Instruction selection: the expressions of a block as instructions of the native executor.

Values are asked for from the roots down, so nothing is computed that a larger instruction takes in. A value
can be asked for with a place where it should go (an output, a carry, a window of a concatenation);
otherwise it goes to a local of its own, and `allocation.py` lets locals share memory afterwards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from bptt.backends import select_arithmetic as arithmetic
from bptt.backends import select_output as output
from bptt.backends import select_products as products
from bptt.backends.instruction import Instruction
from bptt.backends.layout import Layout, Operand
from bptt.backends.select_sums import sum_tokens
from bptt.ir.expr import Expr
from bptt.ir.ops import LEAVES, Op
from bptt.ir.program import Block
from bptt.ir.traversal import topological

UNARY = {
    Op.EXP: "EXP", Op.LOG: "LOG", Op.SQRT: "SQRT", Op.TANH: "TANH", Op.SIGMOID: "SIGMOID", Op.RELU: "RELU",
    Op.STEP: "STEP", Op.SOFTPLUS: "SOFTPLUS", Op.SOFTMAX: "SOFTMAX", Op.LOG_SOFTMAX: "LOG_SOFTMAX",
    Op.LOGSUMEXP: "LOGSUMEXP", Op.SUM: "ROW_SUM",
}  # fmt: skip


class BlockAssembler:
    """The instructions of one map or scan. `locals_from` is the first buffer number that stands for a
    local.
    """

    def __init__(self, block: Block, layout: Layout, locals_from: int) -> None:
        self.block = block
        self.layout = layout
        self.locals_from = locals_from
        self.local_widths: list[int] = []
        self.instructions: list[Instruction] = []
        self.places: dict[Expr, Operand] = {}
        self.targets: dict[Expr, Operand] = {}
        self.uses = Counter(a for e in topological(block.roots()) for a in dict.fromkeys(e.args))
        self.uses.update(block.roots())

    def assemble(self) -> list[Instruction]:
        copies: list[tuple[Expr, Operand]] = []
        wanted = [(e, self.layout.values[name]) for name, e in self.block.outputs]
        for c in self.block.carries:
            place = self.layout.carries[c.name]
            wanted.append((c.update, Operand(place.buffer, place.leaving, width=self.layout.width(c.shape))))
        for e, target in wanted:
            if self.targets.setdefault(e, target) != target:
                copies.append((e, target))
        order = topological(self.block.roots())
        # What products read is computed on its own in any case: asked for in order, deep stacks need no
        # deep recursion.
        factors = {e.args[0] for e in order if e.op is Op.CONTRACT and e.varies and e.args[0].args}
        for e in order:
            if e in self.targets or e in factors:
                self.value(e)
        for e, target in copies:
            self.emit("COPY", target, self.value(e))
        # Numbers last: the objective's cross-entropy comes along with the error that the gradients begin
        # with.
        for name, e in sorted(self.block.sums, key=lambda item: not item[1].shape):
            sum_tokens(self, name, e)
        return self.instructions

    # ---- places

    def local(self, width: int) -> Operand:
        self.local_widths.append(width)
        return Operand(self.locals_from + len(self.local_widths) - 1, width=width)

    def emit(self, opcode: str, dst: Operand, *sources: Operand | None, **rest: float) -> Operand:
        self.instructions.append(Instruction(opcode, dst, *sources, **rest))  # type: ignore[arg-type]
        return dst

    def target(self, e: Expr, into: Operand | None) -> Operand:
        return into or self.targets.get(e) or self.local(self.layout.width(e.shape))

    def once_used(self, e: Expr) -> bool:
        return self.uses[e] == 1 and e not in self.targets and e not in self.places

    # ---- values

    def value(self, e: Expr, into: Operand | None = None) -> Operand:
        """Where `e` is, one row a token, after instructions for it where needed; in `into` if that is
        given.
        """
        known = self.places.get(e)
        if known is None:
            known = self._compute(e, into)
            if into is None or self.uses[e] > 1:
                self.places[e] = known
            target = self.targets.get(e)
            if target is not None and known != target:
                self.emit("COPY", target, known)
                self.places[e] = known = target
        if into is not None and known != into:
            self.emit("COPY", into, known)
            return into
        return known

    def full(self, e: Expr) -> Operand:
        """As `value`, in a row of its own: products and sums take no parameter and no scalar for every
        column.
        """
        place = self.value(e)
        is_param = not self.is_local(place) and self.layout.buffers[place.buffer].kind == "param"
        if is_param or place.width != self.layout.width(e.shape):
            return self.emit("COPY", self.local(self.layout.width(e.shape)), place)
        return place

    def is_local(self, place: Operand) -> bool:
        return place.buffer >= self.locals_from

    def _compute(self, e: Expr, into: Operand | None) -> Operand:
        number = self.constant(e)
        if number is not None:
            return self.emit("FILL", self.target(e, into), f0=number)
        special = SELECTION.get(e.op)
        if special is not None:
            return special(self, e, into)
        source = self.full(e.args[0]) if e.args[0].shape and not e.shape else self.value(e.args[0])
        if e.op in (Op.SOFTMAX, Op.LOG_SOFTMAX):
            source = self.full(e.args[0])
        return self.emit(UNARY[e.op], self.target(e, into), source)

    def constant(self, e: Expr) -> float | None:
        """The number in every place of `e`, where it is made of numbers alone."""
        if e.op is Op.CONST:
            return float(e.attr)
        if e.op is Op.SIZE:
            return float(e.attr.evaluate(self.layout.sizes))
        if e.varies or e.op in LEAVES or e.op not in (Op.ADD, Op.MUL, Op.DIV, Op.NEG, Op.POW, Op.BROADCAST):
            return None
        args = [self.constant(a) for a in e.args]
        numbers = [x for x in args if x is not None]
        if len(numbers) < len(args):
            return None
        match e.op:
            case Op.ADD:
                return sum(numbers)
            case Op.MUL:
                return numbers[0] * numbers[1]
            case Op.DIV:
                return numbers[0] / numbers[1]
            case Op.NEG:
                return -numbers[0]
            case Op.POW:
                return float(numbers[0] ** e.attr)
            case _:
                return numbers[0]

    def leaf(self, e: Expr, into: Operand | None) -> Operand:
        match e.op:
            case Op.PARAM:
                return Operand(self.layout.param(e, flat=True), width=self.layout.width(e.shape))
            case Op.INPUT:
                return self.layout.input(e.attr)
            case Op.VALUE:
                return self.layout.values[e.attr]
            case Op.TOKEN:
                return self.emit("ONE_HOT", self.target(e, into), self.layout.token(e.attr))
            case Op.MASK:
                key, rate = e.attr
                return self.emit("DROPOUT_MASK", self.target(e, into), f0=rate, m=key)
            case _:
                place = self.layout.carries[e.attr]
                return Operand(place.buffer, place.entering, width=self.layout.width(e.shape))


Selector = Callable[[BlockAssembler, Expr, Operand | None], Operand]
SELECTION: dict[Op, Selector] = {
    **dict.fromkeys(LEAVES, BlockAssembler.leaf),
    Op.NEG: arithmetic.negation,
    Op.ADD: arithmetic.addition,
    Op.MUL: arithmetic.product,
    Op.DIV: arithmetic.quotient,
    Op.POW: arithmetic.power,
    Op.BROADCAST: arithmetic.broadcast,
    Op.CONTRACT: products.contraction,
    Op.OUTER: products.rows_matmul,
    Op.TRANSPOSE: products.transposition,
    Op.LOOKUP: products.lookup,
    Op.SCATTER: products.scatter,
    Op.CONCAT: products.concatenation,
    Op.SLICE: products.part,
    Op.CROSS_ENTROPY: output.cross_entropy,
}
