"""Textbook formulas become stable operations: each rule on the form it is for, and models that are written
in such forms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from bptt.backends import available_backends, build_program, load_program
from bptt.ir import build
from bptt.ir.expr import Expr
from bptt.ir.ops import Op
from bptt.ir.program import Block, Kind, Program
from bptt.ir.traversal import topological
from bptt.passes.rewriting import RewriteRule
from bptt.passes.stabilize import RULES, stabilize
from cells import model_of, point
from expressions import H, K, V, a, b, drawn, value_of

ONE = build.const(1.0)
Y = build.token("y")


def f(op: Op, e: Expr) -> Expr:
    return build.apply(op, e)


@dataclass(frozen=True)
class Form:
    before: Expr
    after: Expr


SOFTMAX = f(Op.SOFTMAX, a(V))
LOG_SOFTMAX = f(Op.LOG_SOFTMAX, a(V))
EXP = f(Op.EXP, a(V))
PICKED = build.neg(build.cross_entropy(a(V), Y))
RISING, FALLING = f(Op.EXP, a(H)), f(Op.EXP, build.neg(a(H)))
DOUBLE = f(Op.EXP, build.mul(build.const(-2.0), a(H)))
FORMS = {
    "log(softmax(a))": Form(f(Op.LOG, SOFTMAX), LOG_SOFTMAX),
    "log(sum(exp(a)))": Form(f(Op.LOG, build.total(EXP)), f(Op.LOGSUMEXP, a(V))),
    "log(sigmoid(a))": Form(f(Op.LOG, f(Op.SIGMOID, a(H))), build.neg(f(Op.SOFTPLUS, build.neg(a(H))))),
    "log(exp(a))": Form(f(Op.LOG, f(Op.EXP, a(H))), a(H)),
    "log(1 + exp(a))": Form(f(Op.LOG, build.add(ONE, f(Op.EXP, a(H)))), f(Op.SOFTPLUS, a(H))),
    "log(exp(a) + 1)": Form(f(Op.LOG, build.add(f(Op.EXP, a(H)), ONE)), f(Op.SOFTPLUS, a(H))),
    "exp(log_softmax(a))": Form(f(Op.EXP, LOG_SOFTMAX), SOFTMAX),
    "exp(a) / sum(exp(a))": Form(build.div(EXP, build.total(EXP)), SOFTMAX),
    "log(exp(a) / sum(exp(a)))": Form(f(Op.LOG, build.div(EXP, build.total(EXP))), LOG_SOFTMAX),
    "1 / (1 + exp(-a))": Form(
        build.div(ONE, build.add(ONE, f(Op.EXP, build.neg(a(H))))), f(Op.SIGMOID, a(H))
    ),
    "1 / (exp(a) + 1)": Form(build.div(ONE, build.add(f(Op.EXP, a(H)), ONE)), f(Op.SIGMOID, build.neg(a(H)))),
    "exp(a) / (1 + exp(a))": Form(
        build.div(f(Op.EXP, a(H)), build.add(ONE, f(Op.EXP, a(H)))), f(Op.SIGMOID, a(H))
    ),
    "a / (1 + exp(-a))": Form(
        build.div(a(H), build.add(ONE, f(Op.EXP, build.neg(a(H))))), build.mul(a(H), f(Op.SIGMOID, a(H)))
    ),
    "(exp(a) - exp(-a)) / (exp(a) + exp(-a))": Form(
        build.div(build.sub(RISING, FALLING), build.add(RISING, FALLING)), f(Op.TANH, a(H))
    ),
    "(1 - exp(-2a)) / (1 + exp(-2a))": Form(
        build.div(build.sub(ONE, DOUBLE), build.add(ONE, DOUBLE)), f(Op.TANH, a(H))
    ),
    "(exp(-2a) - 1) / (1 + exp(-2a))": Form(
        build.div(build.sub(DOUBLE, ONE), build.add(ONE, DOUBLE)), f(Op.TANH, build.neg(a(H)))
    ),
    "sum(y * log(softmax(a)))": Form(build.total(build.mul(Y, f(Op.LOG, SOFTMAX))), PICKED),
    "sum(log(softmax(a)) * y)": Form(build.total(build.mul(f(Op.LOG, SOFTMAX), Y)), PICKED),
    "sum(y * log(exp(a) / sum(exp(a))))": Form(
        build.total(build.mul(Y, f(Op.LOG, build.div(EXP, build.total(EXP))))), PICKED
    ),
    "y . log(softmax(a))": Form(build.contract(Y, f(Op.LOG, SOFTMAX), (0, 0)), PICKED),
    "log(softmax(a)) . y": Form(build.contract(f(Op.LOG, SOFTMAX), Y, (0, 0)), PICKED),
    "log(sum(y * softmax(a)))": Form(f(Op.LOG, build.total(build.mul(Y, SOFTMAX))), PICKED),
    "log(y . softmax(a))": Form(f(Op.LOG, build.contract(Y, SOFTMAX, (0, 0))), PICKED),
    "log(softmax(a) . y)": Form(f(Op.LOG, build.contract(SOFTMAX, Y, (0, 0))), PICKED),
    "sum(y * log(p))": Form(
        build.total(build.mul(Y, f(Op.LOG, b(V)))), f(Op.LOG, build.contract(Y, b(V), (0, 0)))
    ),
}


def stabilized(e: Expr) -> Expr:
    program = stabilize(Program((Block(Kind.MAP, (("e", e),)),), {}, ("e",)))
    return program.blocks[0].outputs[0][1]


@pytest.mark.parametrize("name", FORMS)
def test_form(name: str) -> None:
    """It becomes what it should, has the same value at ordinary points, and a finite one in float32 at
    extreme points.
    """
    form = FORMS[name]
    assert stabilized(form.before) is form.after
    assert stabilized(build.mul(build.const(2.0), form.before)) is build.mul(build.const(2.0), form.after)
    leaves = drawn([form.before], np.random.default_rng(0), positive=True)
    # A handful of roundings in float64, of values of order one.
    np.testing.assert_allclose(value_of(form.after, leaves), value_of(form.before, leaves), rtol=1e-13)
    for sign in (1.0, -1.0):
        for spread in (np.linspace(-1.0, 1.0, 5), np.ones(5)):
            extreme = {
                leaf: np.float32(1e4 * sign * spread[: array.size]) if leaf.attr == "a" else array
                for leaf, array in leaves.items()
            }
            assert np.isfinite(value_of(form.after, extreme, np.float32)).all()


def test_an_underflow_elsewhere_does_no_harm() -> None:
    """0 · log(0) is not a number; the log of the probability that counts is one."""
    form = FORMS["sum(y * log(p))"]
    leaves = {Y: np.asarray(2), b(V): np.float32([0.0, 0.5, 0.25, 0.0, 0.25])}
    assert value_of(form.after, leaves, np.float32) == np.float32(np.log(np.float32(0.25)))


def fired() -> set[RewriteRule]:
    nodes = {e for form in FORMS.values() for e in topological([form.before])}
    nodes |= {form.before for form in FORMS.values()}
    # Rules also meet what other rules have made of the arguments.
    nodes |= {build.rebuild(e, tuple(stabilized(arg) for arg in e.args)) for e in nodes}
    return {rule for rule in RULES for e in nodes if e.op is rule.op and rule.rewrite(e) is not None}


def test_every_rule_has_a_form() -> None:
    assert fired() == set(RULES)


NEAR = [
    f(Op.LOG, build.total(build.mul(b(V), SOFTMAX))),
    f(Op.LOG, build.contract(a(V), b(V, K), (0, 0))),
    f(Op.LOG, build.total(SOFTMAX)),
    f(Op.LOG, build.add(build.const(2.0), f(Op.EXP, a(H)))),
    build.div(EXP, build.total(f(Op.EXP, b(V)))),
    build.div(ONE, build.add(build.const(2.0), f(Op.EXP, a(H)))),
    build.div(ONE, build.add(ONE, f(Op.EXP, a(H)), b(H))),
    build.div(f(Op.EXP, a(H, K)), build.total(f(Op.EXP, a(H, K)))),
    f(Op.LOG, build.total(f(Op.EXP, a(H, K)))),
    build.total(build.mul(b(V), f(Op.LOG, a(V)))),
]


@pytest.mark.parametrize("e", NEAR, ids=repr)
def test_what_only_looks_like_a_form_stays(e: Expr) -> None:
    assert stabilized(e) is e


# A model as it is written, what its program has to hold, and what not.
TEXTS = {
    "softmax written out": (
        "z = x @ U\nyhat = exp(z) / sum(exp(z))",
        {Op.CROSS_ENTROPY},
        {Op.EXP, Op.LOG, Op.DIV},
    ),
    "sigmoid written out": (
        "h = 1 / (1 + exp(-(x @ A + h[t-1] @ R)))\nyhat = softmax(h @ U)",
        {Op.SIGMOID},
        {Op.EXP, Op.DIV},
    ),
    "a log of a sum of powers in the loss": (
        "z = x @ U\nyhat = softmax(z)\nJ = -sum(y * log(yhat)) + log(sum(exp(z))) / 100",
        {Op.LOGSUMEXP, Op.CROSS_ENTROPY},
        {Op.EXP, Op.LOG},
    ),
    "loss as a product": (
        "yhat = softmax(x @ U)\nJ = -(y @ log(yhat).T)",
        {Op.CROSS_ENTROPY},
        {Op.LOG, Op.LOG_SOFTMAX},
    ),
    "loss as it is": ("yhat = softmax(x @ U)", {Op.CROSS_ENTROPY}, {Op.LOG, Op.LOG_SOFTMAX}),
    "probability of the token": (
        "yhat = softmax(x @ U)\nJ = -log(sum(y * yhat))",
        {Op.CROSS_ENTROPY},
        {Op.LOG},
    ),
    "gate and its argument": (
        "a = x @ A\nh = a / (1 + exp(-a))\nyhat = softmax(h @ U)",
        {Op.SIGMOID},
        {Op.EXP, Op.DIV},
    ),
    "sigmoid as a share": (
        "a = x @ A\nh = exp(a) / (exp(a) + 1)\nyhat = softmax(h @ U)",
        {Op.SIGMOID},
        {Op.EXP, Op.DIV},
    ),
    "log-probabilities": (
        "z = log_softmax(x @ U)\nyhat = exp(z)",
        {Op.CROSS_ENTROPY},
        {Op.EXP, Op.LOG_SOFTMAX},
    ),
    "a soft objective": (
        "yhat = softmax(x @ U)\nJ = -sum(y * log(yhat)) + log(1 + exp(c))",
        {Op.SOFTPLUS},
        {Op.EXP, Op.LOG},
    ),
}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("backend", available_backends())
def test_models_at_extreme_points(name: str, backend: str) -> None:
    """With parameters of ±10,000, loss and gradients are finite in float32."""
    text, present, absent = TEXTS[name]
    model = model_of(text)
    stages = {}
    program = build_program(model, "train", observe=stages.__setitem__)
    ops = {e.op for e in topological(stages["stabilize"].blocks[0].roots())}
    assert present <= ops and not absent & ops
    at = point(model)
    params = {name: np.float32(1e4) * np.sign(array) for name, array in at.params.items()}
    results = load_program(program, at.sizes, backend).run(params, at.inputs, at.states)
    assert {n for n, array in results.items() if not np.isfinite(array).all()} == set()
