"""Formulas that overflow or cancel as they are written, replaced by equal ones that do not.

exp(z) overflows where softmax(z) is harmless, and log(softmax(z)) is -inf where its value is an ordinary
number. The rules find the textbook forms and name the stable operation.
"""

from __future__ import annotations

from bptt.ir import build
from bptt.ir.expr import Expr
from bptt.ir.ops import Op
from bptt.ir.program import Program
from bptt.passes.rewriting import RewriteRule, rewrite_program


def stabilize(program: Program) -> Program:
    return rewrite_program(program, RULES)


def _log_of_softmax(e: Expr) -> Expr | None:
    (a,) = e.args
    if a.op is Op.SOFTMAX:
        return build.apply(Op.LOG_SOFTMAX, a.args[0])
    return None


def _log_of_sum_of_exp(e: Expr) -> Expr | None:
    (a,) = e.args
    if a.op is Op.SUM and a.args[0].op is Op.EXP and len(a.args[0].shape) == 1:
        return build.apply(Op.LOGSUMEXP, a.args[0].args[0])
    return None


def _log_of_sigmoid(e: Expr) -> Expr | None:
    (a,) = e.args
    if a.op is Op.SIGMOID:
        return build.neg(build.apply(Op.SOFTPLUS, build.neg(a.args[0])))
    return None


def _log_of_exp(e: Expr) -> Expr | None:
    (a,) = e.args
    return a.args[0] if a.op is Op.EXP else None


def _power_beside_one(e: Expr) -> Expr | None:
    """exp(a), if `e` is 1 + exp(a)."""
    if e.op is Op.ADD and len(e.args) == 2:
        for one, power in (e.args, e.args[::-1]):
            if build.is_const(one, 1.0) and power.op is Op.EXP:
                return power
    return None


def _log_of_one_plus_exp(e: Expr) -> Expr | None:
    power = _power_beside_one(e.args[0])
    return None if power is None else build.apply(Op.SOFTPLUS, power.args[0])


def _exp_of_log_softmax(e: Expr) -> Expr | None:
    (a,) = e.args
    return build.apply(Op.SOFTMAX, a.args[0]) if a.op is Op.LOG_SOFTMAX else None


def _exp_over_its_sum(e: Expr) -> Expr | None:
    a, b = e.args
    if a.op is Op.EXP and b.op is Op.SUM and b.args[0] is a and len(a.shape) == 1:
        return build.apply(Op.SOFTMAX, a.args[0])
    return None


def _over_one_plus_exp(e: Expr) -> Expr | None:
    """b / (1 + exp(a)) is b sigmoid(-a), and exp(a) / (1 + exp(a)) is sigmoid(a)."""
    b, divisor = e.args
    power = _power_beside_one(divisor)
    if power is None:
        return None
    if b is power:
        return build.apply(Op.SIGMOID, power.args[0])
    return build.mul(b, build.apply(Op.SIGMOID, build.neg(power.args[0])))


def _tanh_of_exponentials(e: Expr) -> Expr | None:
    """(exp(a) - exp(-a)) / (exp(a) + exp(-a)) is tanh(a); (1 - exp(a)) / (1 + exp(a)) is tanh(-a / 2)."""
    difference, divisor = e.args
    if difference.op is not Op.ADD or divisor.op is not Op.ADD or len(difference.args) != 2:
        return None
    subtracted = [build.neg(x) for x in difference.args if x.op is Op.NEG or build.is_const(x, -1.0)]
    if len(subtracted) != 1:
        return None
    (positive,) = (x for x in difference.args if build.neg(x) is not subtracted[0])
    a, b = _exponent(positive), _exponent(subtracted[0])
    if set(divisor.args) != {positive, subtracted[0]} or a is None or b is None:
        return None
    half = a if b is build.neg(a) else build.mul(build.const(0.5), build.sub(a, b))
    return build.apply(Op.TANH, half)


def _exponent(e: Expr) -> Expr | None:
    """a, if `e` is exp(a); 0, if it is 1."""
    if e.op is Op.EXP:
        return e.args[0]
    return build.const(0.0) if build.is_const(e, 1.0) else None


def _picked_log_probability(e: Expr) -> Expr | None:
    """Σ y ∘ log softmax(z) for the token y: minus the cross-entropy, of which only one entry of log softmax
    matters.
    """
    (a,) = e.args
    if a.op is Op.MUL:
        for target, logs in (a.args, a.args[::-1]):
            if target.op is Op.TOKEN and logs.op is Op.LOG_SOFTMAX:
                return build.neg(build.cross_entropy(logs.args[0], target))
    return None


def _log_of_picked_probability(e: Expr) -> Expr | None:
    """Σ y ∘ log p for the token y, where p is no softmax: log p_y, which an underflow elsewhere in p cannot
    spoil (0 · -∞).
    """
    (a,) = e.args
    if a.op is Op.MUL:
        for target, logs in (a.args, a.args[::-1]):
            if target.op is Op.TOKEN and logs.op is Op.LOG:
                return build.apply(Op.LOG, build.contract(target, logs.args[0], (0, 0)))
    return None


def _log_of_picked_softmax(e: Expr) -> Expr | None:
    """log Σ y ∘ softmax(z) for the token y, as a sum or as a product of vectors: minus the cross-entropy."""
    (a,) = e.args
    product = a.args[0] if a.op is Op.SUM and a.args[0].op is Op.MUL else a
    if product is not a or a.op is Op.CONTRACT:
        for target, probabilities in (product.args, product.args[::-1]):
            if target.op is Op.TOKEN and probabilities.op is Op.SOFTMAX:
                return build.neg(build.cross_entropy(probabilities.args[0], target))
    return None


def _dotted_log_probability(e: Expr) -> Expr | None:
    """The same, written as a product of vectors."""
    for target, logs in (e.args, e.args[::-1]):
        if target.op is Op.TOKEN and logs.op is Op.LOG_SOFTMAX:
            return build.neg(build.cross_entropy(logs.args[0], target))
    return None


RULES = (
    RewriteRule("log of softmax", Op.LOG, _log_of_softmax),
    RewriteRule("log of a sum of exp", Op.LOG, _log_of_sum_of_exp),
    RewriteRule("log of sigmoid", Op.LOG, _log_of_sigmoid),
    RewriteRule("log of exp", Op.LOG, _log_of_exp),
    RewriteRule("log of 1 + exp", Op.LOG, _log_of_one_plus_exp),
    RewriteRule("exp of log-softmax", Op.EXP, _exp_of_log_softmax),
    RewriteRule("exp over its sum", Op.DIV, _exp_over_its_sum),
    RewriteRule("tanh written with exp", Op.DIV, _tanh_of_exponentials),
    RewriteRule("over 1 + exp", Op.DIV, _over_one_plus_exp),
    RewriteRule("log-probability of the next token", Op.SUM, _picked_log_probability),
    RewriteRule("log-probability of the next token", Op.SUM, _log_of_picked_probability),
    RewriteRule("log-probability of the next token", Op.LOG, _log_of_picked_softmax),
    RewriteRule("log-probability of the next token", Op.CONTRACT, _dotted_log_probability),
)
