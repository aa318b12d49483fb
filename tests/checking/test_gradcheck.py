"""The gradient check: it passes for what is right, and finds each of a set of faults put in on purpose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from bptt.autodiff import rules
from bptt.autodiff.rules import RULES, Rule
from bptt.autodiff.through_time import differentiate
from bptt.checking import gradcheck
from bptt.checking.gradcheck import (
    GradientCheck,
    check_gradients,
    check_sizes,
    difference_quotient,
    relative_error,
)
from bptt.errors import InputError
from bptt.ir import build
from bptt.ir.expr import Expr
from bptt.ir.model import Model
from bptt.ir.ops import Op
from bptt.ir.program import Program
from cells import MODELS, model_of
from models_strategy import RandomModel, random_models

# Rounding of differences of sixth order, through a few steps: seen up to 2e-8 on gradients of 1e-3.
TOLERANCE = 1e-7
# These differentiate 23 and 27 parameters, each by a hundred runs.
SLOW = {"gru2", "lstm2"}


def check(model: Model, **options: int) -> list[GradientCheck]:
    options = {"steps": 4, "examples": 2, "samples": 1, **options}
    return check_gradients(model, check_sizes(model, {}), **options)


def failed(checks: list[GradientCheck]) -> set[str]:
    return {c.name for c in checks if not c.passed(TOLERANCE)}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in MODELS]
)
def test_models_pass(name: str) -> None:
    model = MODELS[name]
    checks = check(model)
    assert [c.name for c in checks] == [*model.params, "x", *(s.name for s in model.states)]
    assert failed(checks) == set(), [c for c in checks if not c.passed(TOLERANCE)]
    # A gradient of zeros would pass, too. Only a unigram does not look at x.
    zero = {c.name for c in checks if c.largest < 1e-6}
    assert zero == ({"x"} if name == "unigram" else set())


@settings(max_examples=10)
@given(random_models(max_states=1))
def test_random_models_pass(random: RandomModel) -> None:
    model = model_of(random.row)
    sizes = check_sizes(model, random.sizes)
    checks = check_gradients(model, sizes, steps=3, examples=2, samples=1)
    assert failed(checks) == set(), [c for c in checks if not c.passed(TOLERANCE)]


# ---- faults


def with_rule(monkeypatch: pytest.MonkeyPatch, op: Op, wrong: object) -> None:
    monkeypatch.setitem(rules.RULES, op, Rule("wrong", "", wrong))


# Wrong rules as one might write them, and the parameters of an Elman network (or GRU) whose gradients they
# spoil.
def tanh_without_square(g: Expr, y: Expr) -> tuple[Expr, ...]:
    return (build.mul(g, build.sub(build.const(1.0), y)),)


def sigmoid_without_factor(g: Expr, y: Expr) -> tuple[Expr, ...]:
    return (build.mul(g, y),)


def product_with_one_side(g: Expr, y: Expr) -> tuple[Expr | None, ...]:
    return build.mul(g, y.args[1]), None


def softmax_error_doubled(g: Expr, y: Expr) -> tuple[Expr | None, ...]:
    right, target = RIGHT_CROSS_ENTROPY(g, y)
    return build.mul(build.const(2.0), right), target


def sum_with_a_sign(g: Expr, y: Expr) -> tuple[Expr, ...]:
    return (g, *(build.neg(g) for _ in y.args[1:]))


RIGHT_CROSS_ENTROPY = RULES[Op.CROSS_ENTROPY].apply
WRONG_RULES = [
    ("tanh", Op.TANH, tanh_without_square, {"L", "H", "I", "x", "h"}),
    ("elman", Op.SIGMOID, sigmoid_without_factor, {"L", "H", "I", "b1", "x", "h"}),
    ("elman", Op.CROSS_ENTROPY, softmax_error_doubled, {"L", "H", "I", "b1", "U", "b2", "x", "h"}),
    ("elman", Op.ADD, sum_with_a_sign, {"I", "b2"}),
    ("mingru", Op.MUL, product_with_one_side, {"h"}),
]


@pytest.mark.parametrize(
    ("name", "op", "wrong", "spoiled"), WRONG_RULES, ids=lambda item: getattr(item, "__name__", "")
)
def test_a_wrong_rule_is_found(
    monkeypatch: pytest.MonkeyPatch, name: str, op: Op, wrong: object, spoiled: set[str]
) -> None:
    with_rule(monkeypatch, op, wrong)
    found = failed(check(MODELS[name]))
    known = {*MODELS[name].params, "x", *(s.name for s in MODELS[name].states)}
    assert spoiled & known <= found


def with_fault(monkeypatch: pytest.MonkeyPatch, fault: object) -> None:
    """`fault` changes what `differentiate` makes; unrolled gradients are made without it."""

    def faulty(program: Program, *, inputs: bool = False) -> Program:
        return fault(differentiate(program, inputs=inputs))

    monkeypatch.setattr("bptt.backends.compile.differentiate", faulty)


def dropped_carry(program: Program) -> Program:
    """Nothing goes back from step to step."""
    forward, backward, *rest = program.blocks
    carries = tuple(replace(c, update=build.zeros(c.shape)) for c in backward.carries)
    return replace(program, blocks=(forward, replace(backward, carries=carries), *rest))


def transposed_gradient(program: Program) -> Program:
    """∂H is square: its transpose has the right shape."""
    forward, backward, *rest = program.blocks
    sums = tuple((n, build.transpose(e) if n in ("∂H", "∂R") else e) for n, e in backward.sums)
    return replace(program, blocks=(forward, replace(backward, sums=sums), *rest))


def state_of_the_wrong_step(program: Program) -> Program:
    """∂H made with h[t] instead of h[t-1]."""
    forward, backward, *rest = program.blocks
    (c,) = forward.carries
    entering = build.carry(c.name, c.shape)
    sums = []
    for n, e in backward.sums:
        if n == "∂H":
            left, right = e.args
            e = build.outer(c.update if entering in (left, *left.args) else left, right)
        sums.append((n, e))
    return replace(program, blocks=(forward, replace(backward, sums=tuple(sums)), *rest))


FAULTS = [
    (dropped_carry, {"H", "I", "L", "b1", "x", "h"}),
    (transposed_gradient, {"H"}),
    (state_of_the_wrong_step, {"H"}),
]


@pytest.mark.parametrize(("fault", "spoiled"), FAULTS, ids=lambda item: getattr(item, "__name__", ""))
def test_a_fault_of_the_program_is_found_by_both_witnesses(
    monkeypatch: pytest.MonkeyPatch, fault: object, spoiled: set[str]
) -> None:
    with_fault(monkeypatch, fault)
    checks = check(MODELS["elman"])
    assert {c.name for c in checks if max(c.directions, c.entries) > TOLERANCE} == spoiled
    assert {c.name for c in checks if c.unrolled > TOLERANCE} == spoiled


def test_a_wrong_kernel_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The native backend is a witness, too: one that is off by a thousandth does not pass."""
    if "native" not in gradcheck.available_backends():
        pytest.skip("no native backend was built: there is nothing to compare with")
    right = gradcheck.load_program

    def load(program: Program, sizes: dict, backend: str, *rest: object):
        executable = right(program, sizes, backend, *rest)
        if backend == "native":
            run = executable.run
            executable.run = lambda *args: {n: 1.001 * a for n, a in run(*args).items()}
        return executable

    monkeypatch.setattr(gradcheck, "load_program", load)
    checks = check(MODELS["elman"])
    assert all(c.native is None or c.native > gradcheck.NATIVE_TOLERANCE for c in checks)
    assert not any(c.passed(TOLERANCE) for c in checks if c.kind == "parameter")


# ---- its own parts


def test_sizes_are_all_different() -> None:
    model = MODELS["lstm2"]
    sizes = check_sizes(model, {})
    assert set(sizes) == {"V", *model.dims} and len(set(sizes.values())) == len(sizes)
    given_sizes = check_sizes(model, {"h1": 7, "V": 5})
    assert (given_sizes["h1"], given_sizes["V"]) == (7, 5) and len(set(given_sizes.values())) == len(
        given_sizes
    )


def test_difference_quotients() -> None:
    point, along = np.array([0.3, -0.7]), np.array([1.0, 2.0])
    slope = difference_quotient(lambda delta: float(np.exp(point + delta).sum()), along)
    # Rounding: 1e-16 / 1e-2, and a few digits.
    assert abs(slope - float(np.exp(point) @ along)) < 1e-12
    # 1e-3 beside a kink only small steps are right.
    kinked = difference_quotient(lambda delta: float(np.maximum(1e-3 + delta, 0.0).sum()), np.array([1.0]))
    assert abs(kinked - 1.0) < 1e-10


def test_relative_errors() -> None:
    assert relative_error(np.array([1.0, 2.0]), np.array([1.0, 2.0])) == 0.0
    assert relative_error(np.array([1.0, 2.0]), np.array([1.1, 2.0])) == pytest.approx(0.05)
    # Zeros throughout are compared absolutely.
    assert relative_error(np.zeros(3), np.full(3, 1e-15)) < 1e-9


def test_an_objective_that_is_not_finite() -> None:
    model = model_of("h = tanh(x @ A)\nyhat = softmax(h @ U)\nJ = -sum(y * log(yhat)) + log(-1 - sum(h * h))")
    with pytest.raises(InputError, match="not finite") as caught, np.errstate(invalid="ignore"):
        check(model)
    assert "log" in str(caught.value.hint)


def test_checks_are_reproducible() -> None:
    assert check(MODELS["tanh"], seed=3) == check(MODELS["tanh"], seed=3)
    assert check(MODELS["tanh"], seed=3) != check(MODELS["tanh"], seed=4)
