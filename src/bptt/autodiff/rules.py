"""The derivative rule of every operation, in words, as a formula, and as what it computes.

For y = f(a, …) and the cotangent g = ∂J/∂y a rule gives the cotangents ∂J/∂a, …, each in the shape of its
argument or, where a scalar was broadcast, in the shape of y (the sweep sums it then). None stands for an
argument that takes no derivative. docs/operations.md shows this table; a test holds it to be complete.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bptt.ir import build
from bptt.ir.dims import Dim
from bptt.ir.expr import Expr, make
from bptt.ir.ops import Op

Cotangents = tuple[Expr | None, ...]


@dataclass(frozen=True)
class Rule:
    """`name` as one would say it in class; `formula` in the notation of docs/operations.md."""

    name: str
    formula: str
    apply: Callable[[Expr, Expr], Cotangents]


RULES: dict[Op, Rule] = {}


def _rule(op: Op, name: str, formula: str) -> Callable[[Callable[[Expr, Expr], Cotangents]], None]:
    def register(apply: Callable[[Expr, Expr], Cotangents]) -> None:
        RULES[op] = Rule(name, formula, apply)

    return register


@_rule(Op.ADD, "sum rule", "∂a = g, ∂b = g, …")
def _add(g: Expr, y: Expr) -> Cotangents:
    return tuple(g for _ in y.args)


@_rule(Op.MUL, "product rule", "∂a = g ∘ b, ∂b = g ∘ a")
def _mul(g: Expr, y: Expr) -> Cotangents:
    a, b = y.args
    return build.mul(g, b), build.mul(g, a)


@_rule(Op.DIV, "quotient rule", "∂a = g / b, ∂b = -g ∘ y / b")
def _div(g: Expr, y: Expr) -> Cotangents:
    b = y.args[1]
    return build.div(g, b), build.neg(build.div(build.mul(g, y), b))


@_rule(Op.NEG, "sign", "∂a = -g")
def _neg(g: Expr, y: Expr) -> Cotangents:
    return (build.neg(g),)


@_rule(Op.POW, "power rule", "∂a = g ∘ p a^(p-1)")
def _pow(g: Expr, y: Expr) -> Cotangents:
    (a,) = y.args
    return (build.mul(g, build.mul(build.const(y.attr), build.power(a, y.attr - 1.0))),)


@_rule(Op.EXP, "derivative of exp", "∂a = g ∘ y")
def _exp(g: Expr, y: Expr) -> Cotangents:
    return (build.mul(g, y),)


@_rule(Op.LOG, "derivative of log", "∂a = g / a")
def _log(g: Expr, y: Expr) -> Cotangents:
    return (build.div(g, y.args[0]),)


@_rule(Op.SQRT, "derivative of the square root", "∂a = g / 2y")
def _sqrt(g: Expr, y: Expr) -> Cotangents:
    return (build.div(g, build.mul(build.const(2.0), y)),)


@_rule(Op.TANH, "derivative of tanh", "∂a = g ∘ (1 - y ∘ y)")
def _tanh(g: Expr, y: Expr) -> Cotangents:
    return (build.mul(g, build.sub(build.const(1.0), build.mul(y, y))),)


@_rule(Op.SIGMOID, "derivative of the sigmoid", "∂a = g ∘ y ∘ (1 - y)")
def _sigmoid(g: Expr, y: Expr) -> Cotangents:
    return (build.mul(g, build.mul(y, build.sub(build.const(1.0), y))),)


@_rule(Op.RELU, "derivative of relu", "∂a = g ∘ step(a)")
def _relu(g: Expr, y: Expr) -> Cotangents:
    return (build.mul(g, build.apply(Op.STEP, y.args[0])),)


@_rule(Op.STEP, "derivative of the step", "∂a = 0")
def _step(g: Expr, y: Expr) -> Cotangents:
    return (None,)


@_rule(Op.SOFTPLUS, "derivative of softplus", "∂a = g ∘ sigmoid(a)")
def _softplus(g: Expr, y: Expr) -> Cotangents:
    return (build.mul(g, build.apply(Op.SIGMOID, y.args[0])),)


@_rule(Op.CONTRACT, "matrix product", "y_k = Σ_i a_i B_ik: ∂a_i = Σ_k g_k B_ik, ∂B_ik = a_i g_k")
def _contract(g: Expr, y: Expr) -> Cotangents:
    a, b = y.args
    i, j = y.attr
    if len(b.shape) == 1:  # two vectors: g is a scalar
        return build.mul(g, b), build.mul(g, a)
    if len(a.shape) == 1:  # a vector and a matrix
        table = build.outer(a, g) if j == 0 else build.outer(g, a)
        return build.contract(g, b, (0, 1 - j)), table
    left = build.contract(g, b, (1, 1 - j)) if i == 1 else build.contract(b, g, (1 - j, 1))
    right = build.contract(a, g, (1 - i, 0)) if j == 0 else build.contract(g, a, (0, 1 - i))
    return left, right


@_rule(Op.OUTER, "outer product", "y_ik = a_i b_k: ∂a_i = Σ_k g_ik b_k, ∂b_k = Σ_i g_ik a_i")
def _outer(g: Expr, y: Expr) -> Cotangents:
    a, b = y.args
    return build.contract(b, g, (0, 1)), build.contract(a, g, (0, 0))


@_rule(Op.TRANSPOSE, "transpose", "∂a = g'")
def _transpose(g: Expr, y: Expr) -> Cotangents:
    return (build.transpose(g),)


@_rule(Op.LOOKUP, "looking up a token", "only the token's row: ∂M_x = g")
def _lookup(g: Expr, y: Expr) -> Cotangents:
    return make(Op.SCATTER, (y.args[1], g), y.attr), None


@_rule(Op.SCATTER, "placing in the token's row", "∂v = g_x")
def _scatter(g: Expr, y: Expr) -> Cotangents:
    return None, make(Op.LOOKUP, (g, y.args[0]), y.attr)


@_rule(Op.SUM, "sum of the elements", "∂a_i = g")
def _sum(g: Expr, y: Expr) -> Cotangents:
    return (build.broadcast(g, y.args[0].shape),)


@_rule(Op.BROADCAST, "one scalar in every place", "∂a = Σ_i g_i")
def _broadcast(g: Expr, y: Expr) -> Cotangents:
    return (build.total(g),)


@_rule(Op.SOFTMAX, "derivative of softmax", "∂a = y ∘ (g - Σ_i g_i y_i)")
def _softmax(g: Expr, y: Expr) -> Cotangents:
    return (build.mul(y, build.sub(g, build.total(build.mul(g, y)))),)


@_rule(Op.LOG_SOFTMAX, "derivative of log-softmax", "∂a = g - softmax(a) Σ_i g_i")
def _log_softmax(g: Expr, y: Expr) -> Cotangents:
    probabilities = build.apply(Op.SOFTMAX, y.args[0])
    return (build.sub(g, build.mul(build.total(g), probabilities)),)


@_rule(Op.LOGSUMEXP, "derivative of log-sum-exp", "∂a = g softmax(a)")
def _logsumexp(g: Expr, y: Expr) -> Cotangents:
    return (build.mul(g, build.apply(Op.SOFTMAX, y.args[0])),)


@_rule(
    Op.CROSS_ENTROPY,
    "softmax with cross-entropy",
    "∂a = g (softmax(a) - t), since Σ_i t_i = 1; ∂t = -g log softmax(a)",
)
def _cross_entropy(g: Expr, y: Expr) -> Cotangents:
    logits, target = y.args
    error = build.sub(build.apply(Op.SOFTMAX, logits), target)
    return build.mul(g, error), build.neg(build.mul(g, build.apply(Op.LOG_SOFTMAX, logits)))


@_rule(Op.CONCAT, "parts of a concatenation", "each argument gets its part of g")
def _concat(g: Expr, y: Expr) -> Cotangents:
    cotangents: list[Expr | None] = []
    start = Dim()
    for a in y.args:
        stop = start + a.shape[y.attr]
        cotangents.append(build.part(g, y.attr, start, stop))
        start = stop
    return tuple(cotangents)


@_rule(Op.SLICE, "the whole of a part", "g in its place, zeros around it")
def _slice(g: Expr, y: Expr) -> Cotangents:
    (a,) = y.args
    axis, start, stop = y.attr
    pieces = []
    for size, piece in ((start, None), (stop - start, g), (a.shape[axis] - stop, None)):
        if size != Dim():
            shape = a.shape[:axis] + (size,) + a.shape[axis + 1 :]
            pieces.append(build.zeros(shape) if piece is None else piece)
    return (build.concat(pieces, axis),)
