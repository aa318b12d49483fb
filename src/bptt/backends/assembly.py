"""Instruction selection: the expressions of a block as instructions of the native executor.

Values are asked for from the roots down, so nothing is computed that a larger instruction takes in. A value can be
asked for with a place where it should go (an output, a carry, a window of a concatenation); otherwise it goes
to a local of its own, and `allocation.py` lets locals share memory afterwards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from bptt.backends.layout import Layout, Operand
from bptt.ir import build
from bptt.ir.expr import Expr
from bptt.ir.ops import LEAVES, Op
from bptt.ir.program import Block
from bptt.ir.traversal import topological

ACCUMULATE, TRANSPOSED, TRANSPOSED_A, TRANSPOSED_B = 1, 2, 4, 8


class Instruction(NamedTuple):
    opcode: str
    dst: Operand
    a: Operand | None = None
    b: Operand | None = None
    c: Operand | None = None
    f0: float = 0.0
    f1: float = 0.0
    flags: int = 0
    m: int = 0
    k: int = 0
    n: int = 0


UNARY = {
    Op.EXP: "EXP", Op.LOG: "LOG", Op.SQRT: "SQRT", Op.TANH: "TANH", Op.SIGMOID: "SIGMOID", Op.RELU: "RELU",
    Op.STEP: "STEP", Op.SOFTPLUS: "SOFTPLUS", Op.SOFTMAX: "SOFTMAX", Op.LOG_SOFTMAX: "LOG_SOFTMAX",
    Op.LOGSUMEXP: "LOGSUMEXP", Op.SUM: "ROW_SUM",
}  # fmt: skip


class BlockAssembler:
    """The instructions of one map or scan. `locals_from` is the first buffer number that stands for a local."""

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
        for e in topological(self.block.roots()):
            if e in self.targets:
                self._value(e)
        for e, target in copies:
            self._emit("COPY", target, self._value(e))
        for name, e in self.block.sums:
            self._sum(name, e)
        return self.instructions

    # ---- places

    def _local(self, width: int) -> Operand:
        self.local_widths.append(width)
        return Operand(self.locals_from + len(self.local_widths) - 1, width=width)

    def _emit(self, opcode: str, dst: Operand, *sources: Operand | None, **rest: float) -> Operand:
        self.instructions.append(Instruction(opcode, dst, *sources, **rest))  # type: ignore[arg-type]
        return dst

    def _target(self, e: Expr, into: Operand | None) -> Operand:
        return into or self.targets.get(e) or self._local(self.layout.width(e.shape))

    def _once_used(self, e: Expr) -> bool:
        return self.uses[e] == 1 and e not in self.targets and e not in self.places

    # ---- values

    def _value(self, e: Expr, into: Operand | None = None) -> Operand:
        """Where `e` is, one row a token, after instructions for it where needed; in `into` if that is given."""
        known = self.places.get(e)
        if known is None:
            known = self._compute(e, into)
            if into is None or self.uses[e] > 1:
                self.places[e] = known
            target = self.targets.get(e)
            if target is not None and known != target:
                self._emit("COPY", target, known)
                self.places[e] = known = target
        if into is not None and known != into:
            self._emit("COPY", into, known)
            return into
        return known

    def _full(self, e: Expr) -> Operand:
        """As `_value`, in a row of its own: products and sums take no parameter and no scalar for every column."""
        place = self._value(e)
        kind = self._kind(place)
        if kind == "param" or place.width != self.layout.width(e.shape):
            return self._emit("COPY", self._local(self.layout.width(e.shape)), place)
        return place

    def _kind(self, place: Operand) -> str:
        return "local" if place.buffer >= self.locals_from else self.layout.buffers[place.buffer].kind

    def _compute(self, e: Expr, into: Operand | None) -> Operand:
        number = self._constant(e)
        if number is not None:
            return self._emit("FILL", self._target(e, into), f0=number)
        special = SELECTION.get(e.op)
        if special is not None:
            return special(self, e, into)
        source = self._full(e.args[0]) if e.args[0].shape and not e.shape else self._value(e.args[0])
        if e.op in (Op.SOFTMAX, Op.LOG_SOFTMAX):
            source = self._full(e.args[0])
        return self._emit(UNARY[e.op], self._target(e, into), source)

    def _constant(self, e: Expr) -> float | None:
        """The number in every place of `e`, where it is made of numbers alone."""
        if e.op is Op.CONST:
            return float(e.attr)
        if e.op is Op.SIZE:
            return float(e.attr.evaluate(self.layout.sizes))
        if e.varies or e.op in LEAVES or e.op not in (Op.ADD, Op.MUL, Op.DIV, Op.NEG, Op.POW, Op.BROADCAST):
            return None
        args = [self._constant(a) for a in e.args]
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

    def _leaf(self, e: Expr, into: Operand | None) -> Operand:
        match e.op:
            case Op.PARAM:
                return Operand(self.layout.param(e, flat=True), width=self.layout.width(e.shape))
            case Op.INPUT:
                return self.layout.input(e.attr)
            case Op.VALUE:
                return self.layout.values[e.attr]
            case Op.TOKEN:
                return self._emit("ONE_HOT", self._target(e, into), self.layout.token(e.attr))
            case Op.MASK:
                key, rate = e.attr
                return self._emit("DROPOUT_MASK", self._target(e, into), f0=rate, m=key)
            case _:
                place = self.layout.carries[e.attr]
                return Operand(place.buffer, place.entering, width=self.layout.width(e.shape))

    def _neg(self, e: Expr, into: Operand | None) -> Operand:
        return self._emit("AFFINE", self._target(e, into), self._value(e.args[0]), f0=-1.0)

    def _mul(self, e: Expr, into: Operand | None) -> Operand:
        error = self._softmax_error(e)
        if error is not None:
            return error
        for factor, rest in (e.args, e.args[::-1]):
            number = self._constant(factor)
            if number is not None:
                return self._emit("AFFINE", self._target(e, into), self._value(rest), f0=number)
            for opcode, pattern in (("SIGMOID_GRADIENT", _sigmoid_slope), ("TANH_GRADIENT", _tanh_slope)):
                y = pattern(factor)
                if y is not None and self._once_used(factor):
                    sources = self._value(rest), self._value(y)
                    return self._emit(opcode, self._target(e, into), *sources)
        a, b = (self._value(a) for a in e.args)
        return self._emit("MUL", self._target(e, into), a, b)

    def _div(self, e: Expr, into: Operand | None) -> Operand:
        number = self._constant(e.args[1])
        if number is not None:
            return self._emit("AFFINE", self._target(e, into), self._value(e.args[0]), f0=1.0 / number)
        a, b = (self._value(a) for a in e.args)
        return self._emit("DIV", self._target(e, into), a, b)

    def _pow(self, e: Expr, into: Operand | None) -> Operand:
        source = self._value(e.args[0])
        if e.attr == 2.0:
            return self._emit("MUL", self._target(e, into), source, source)
        return self._emit("POW", self._target(e, into), source, f0=e.attr)

    def _add(self, e: Expr, into: Operand | None) -> Operand:
        """Terms that are products go straight into the sum, a parameter vector along with the first of them."""
        terms = list(e.args)
        constant = sum(c for c in map(self._constant, terms) if c is not None)
        terms = [a for a in terms if self._constant(a) is None]
        products = [a for a in terms if self._is_product(a) and self._once_used(a)]
        lookups = [a for a in terms if a.op is Op.LOOKUP and a.shape == e.shape and self._once_used(a)]
        rest = [a for a in terms if a not in products and a not in lookups]
        bias = next((a for a in rest if a.op is Op.PARAM and a.shape), None)
        # What the products read is computed before the sum is begun, so that nothing stands between its terms.
        for a in products:
            self._full(a.args[0])
        places = {a: self._value(a.args[0] if a.op is Op.NEG else a) for a in rest}
        dst = self._target(e, into)
        begun = False
        for a in products:
            with_bias = None
            if not begun and bias is not None:
                with_bias = places.pop(bias)
            self._gemm(a, dst, begun, with_bias)
            begun = True
        for a in lookups:
            self._look_up(a, dst, begun)
            begun = True
        plain = [(places[a], -1.0 if a.op is Op.NEG else 1.0) for a in rest if a in places]
        if not begun and len(plain) == 1:
            place, sign = plain.pop()
            return self._emit("AFFINE", dst, place, f0=sign, f1=constant)
        if not begun:
            plain.sort(key=lambda term: -term[1])
            (first, sign), (second, other) = plain[0], plain[1]
            plain = plain[2:]
            if sign < 0:  # every term is subtracted
                self._emit("AFFINE", dst, first, f0=-1.0)
                plain.insert(0, (second, other))
            else:
                self._emit("ADD" if other > 0 else "SUB", dst, first, second)
        for place, sign in plain:
            self._emit("ADD" if sign > 0 else "SUB", dst, dst, place)
        if constant:
            self._emit("AFFINE", dst, dst, f0=1.0, f1=constant)
        return dst

    # ---- products

    def _is_product(self, e: Expr) -> bool:
        """Whether `e` is a row times a matrix of parameters."""
        if e.op is not Op.CONTRACT or not e.shape and len(e.args[1].shape) != 1:
            return False
        return not e.args[1].varies and e.args[0].varies and len(e.args[0].shape) == 1

    def _contract(self, e: Expr, into: Operand | None) -> Operand:
        if self._is_product(e):
            return self._gemm(e, self._target(e, into), False, None)
        a, b = e.args
        if not a.shape[1:] and not b.shape[1:]:
            if a.op is Op.TOKEN:
                return self._emit("PICK", self._target(e, into), self._full(b), self.layout.token(a.attr))
            if not a.varies:
                return self._gemm(build.make(Op.CONTRACT, (b, a), e.attr), self._target(e, into), False, None)
            sources = self._full(a), self._full(b)
            return self._emit("ROW_DOT", self._target(e, into), *sources)
        return self._rows_matmul(e, into)

    def _gemm(self, e: Expr, dst: Operand, accumulate: bool, bias: Operand | None) -> Operand:
        v, weights = e.args
        source = self._full(v)
        matrix, flags = self._weights(weights, e.attr[1])
        width = source.width if flags & TRANSPOSED else dst.width
        flags |= ACCUMULATE if accumulate else 0
        return self._emit("GEMM", dst, source, matrix._replace(width=width), bias, flags=flags)

    def _weights(self, e: Expr, summed_axis: int) -> tuple[Operand, int]:
        """A parameter, or a part of one, as the right factor of a product; TRANSPOSED where its columns are summed over."""
        row = col = 0
        while e.op is Op.SLICE:
            axis, start, _ = e.attr
            offset = start.evaluate(self.layout.sizes)
            row, col = (row + offset, col) if axis == 0 and len(e.shape) == 2 else (row, col + offset)
            e = e.args[0]
        if len(e.shape) == 1:  # a vector is stored as one row
            return Operand(self.layout.param(e), 0, row, col), TRANSPOSED
        return Operand(self.layout.param(e), 0, row, col), TRANSPOSED if summed_axis == 1 else 0

    def _rows_matmul(self, e: Expr, into: Operand | None) -> Operand:
        """Products in which each token has a matrix of its own."""
        a, b = e.args
        i, j = e.attr if e.op is Op.CONTRACT else (None, None)
        numbers_a, numbers_b = self.layout.number(a.shape), self.layout.number(b.shape)
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
            sources.append(self._matrix_param(x) if not x.varies and len(x.shape) == 2 else self._full(x))
        return self._emit("ROWS_MATMUL", self._target(e, into), *sources, flags=flags, m=m, k=k, n=n)

    def _matrix_param(self, e: Expr) -> Operand:
        place, _ = self._weights(e, 0)
        return place._replace(width=self.layout.number(e.shape)[1])

    def _transpose(self, e: Expr, into: Operand | None) -> Operand:
        m, n = self.layout.number(e.args[0].shape)
        return self._emit("ROWS_TRANSPOSE", self._target(e, into), self._full(e.args[0]), m=m, n=n)

    def _lookup(self, e: Expr, into: Operand | None) -> Operand:
        return self._look_up(e, self._target(e, into), False)

    def _look_up(self, e: Expr, dst: Operand, accumulate: bool) -> Operand:
        table, token = e.args
        if table.varies:
            one_hot = build.make(Op.CONTRACT, (token, table), (0, e.attr))
            return self._rows_matmul(one_hot, dst)
        place, flags = self._weights(table, e.attr)
        place = place._replace(width=self.layout.sizes["V"] if flags & TRANSPOSED else dst.width)
        flags |= ACCUMULATE if accumulate else 0
        return self._emit("LOOKUP", dst, self.layout.token(token.attr), place, flags=flags)

    # ---- the output layer

    def _cross_entropy(self, e: Expr, into: Operand | None) -> Operand:
        logits, target = e.args
        if target.op is Op.TOKEN:
            return self._emit("CROSS_ENTROPY", self._target(e, into), self._full(logits), self.layout.token(target.attr))
        logs = self._value(build.apply(Op.LOG_SOFTMAX, logits))
        dot = self._emit("ROW_DOT", self._local(1), self._full(target), logs)
        return self._emit("AFFINE", self._target(e, into), dot, f0=-1.0)

    def _softmax_error(self, e: Expr) -> Operand | None:
        """weight · (softmax(z) - y) with the cross-entropy of z and y, all in the place of z, if nobody else needs z."""
        for weight, error in (e.args, e.args[::-1]):
            if weight.shape or error.op is not Op.ADD or len(error.args) != 2:
                continue
            softmax, minus = error.args
            if softmax.op is not Op.SOFTMAX or minus.op is not Op.NEG or minus.args[0].op is not Op.TOKEN:
                continue
            logits, target = softmax.args[0], minus.args[0]
            loss = build.cross_entropy(logits, target)
            others = self.uses[logits] - 1 - (1 if self.uses[loss] else 0)
            if others or not all(self._once_used(x) for x in (softmax, error)) or logits in self.targets:
                continue
            if loss in self.places or loss in self.targets:
                continue
            if weight.op is Op.INPUT:
                weights = self.layout.input(weight.attr)
            else:
                weights = self._full(weight)
            place = self._full(logits)
            self.places[loss] = self._emit(
                "SOFTMAX_CROSS_ENTROPY", self._local(1), place, self.layout.token(target.attr), weights
            )
            del self.places[logits]
            return place
        return None

    # ---- parts

    def _concat(self, e: Expr, into: Operand | None) -> Operand:
        dst = self._target(e, into)
        start = 0
        for a in e.args:
            width = self.layout.width(a.shape)
            self._value(a, dst.window(start, width))
            start += width
        return dst

    def _slice(self, e: Expr, into: Operand | None) -> Operand:
        axis, start, _ = e.attr
        row_size = 1 if len(e.shape) == 1 else self.layout.number(e.shape)[1]
        assert axis == 0, "matrices are cut along their rows"
        offset = start.evaluate(self.layout.sizes) * row_size
        place = self._value(e.args[0])
        if place.width != self.layout.width(e.args[0].shape):
            return place
        return place.window(offset, self.layout.width(e.shape))

    def _broadcast(self, e: Expr, into: Operand | None) -> Operand:
        return self._value(e.args[0])

    # ---- sums over all tokens

    def _sum(self, name: str, e: Expr) -> None:
        rows, cols = self.layout.matrix(e.shape)
        self._sum_into(name, e, Operand(self.layout.sums[name], width=cols), rows)

    def _sum_into(self, name: str, e: Expr, dst: Operand, rows: int) -> None:
        if build.is_zero(e):
            return
        if e.op is Op.ADD and e not in self.places:
            for a in e.args:
                if a.shape == e.shape:
                    self._sum_into(name, a, dst, rows)
                else:
                    self._column_sum(name, build.broadcast(a, e.shape), dst, rows)
        elif e.op is Op.OUTER:
            sources = [self._full(a) for a in e.args]
            self._emit("OUTER_SUM", dst, *sources)
        elif e.op is Op.SCATTER:
            token, vector = e.args
            flags = TRANSPOSED if e.attr == 1 else 0
            self._emit("SCATTER_SUM", dst, self._full(vector), self.layout.token(token.attr), flags=flags)
        elif e.op is Op.NEG and e.args[0].op is Op.OUTER:
            a, b = e.args[0].args
            self._sum_into(name, build.make(Op.OUTER, (build.neg(a), b)), dst, rows)
        elif e.op is Op.CONCAT:
            start = 0
            for a in e.args:
                size = self.layout.number(a.shape)
                if e.attr == 0 and len(size) == 2:
                    self._sum_into(name, a, dst._replace(row=dst.row + start), size[0])
                else:
                    self._sum_into(name, a, dst.window(start, size[-1]), rows)
                start += size[e.attr]
        else:
            self._column_sum(name, e, dst, rows)

    def _column_sum(self, name: str, e: Expr, dst: Operand, rows: int) -> None:
        place = self._full(e)
        if rows > 1:
            buffer = self.layout.buffers[dst.buffer]
            assert (rows, dst.width) == (buffer.rows, buffer.cols), "a part of a matrix is summed as outer products"
            dst = Operand(self.layout.flat_sum(name), width=rows * dst.width)
        self._emit("COLUMN_SUM", dst, place)


SELECTION: dict[Op, Callable[[BlockAssembler, Expr, Operand | None], Operand]] = {
    **dict.fromkeys(LEAVES, BlockAssembler._leaf),
    Op.NEG: BlockAssembler._neg,
    Op.ADD: BlockAssembler._add,
    Op.MUL: BlockAssembler._mul,
    Op.DIV: BlockAssembler._div,
    Op.POW: BlockAssembler._pow,
    Op.CONTRACT: BlockAssembler._contract,
    Op.OUTER: BlockAssembler._rows_matmul,
    Op.TRANSPOSE: BlockAssembler._transpose,
    Op.LOOKUP: BlockAssembler._lookup,
    Op.CROSS_ENTROPY: BlockAssembler._cross_entropy,
    Op.CONCAT: BlockAssembler._concat,
    Op.SLICE: BlockAssembler._slice,
    Op.BROADCAST: BlockAssembler._broadcast,
}


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
