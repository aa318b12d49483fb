"""Backpropagation through time against torch, which knows nothing of our rules, loops and schedules."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from bptt.autodiff.through_time import differentiate
from bptt.backends import build_program, load_program
from bptt.ir.model import Model
from bptt.ir.program import Kind, Program
from bptt.passes.forward import forward_program
from cells import MODELS, Point, model_of, point
from models_strategy import RandomModel, random_models


def exact(program: Program, at: Point, **changed: object) -> dict[str, np.ndarray]:
    """A run in float64; its results are kept from the next run."""
    arguments = {"params": at.params, "inputs": at.inputs, "carries": at.states, "seed": 3, **changed}
    results = load_program(program, at.sizes, "reference", np.float64).run(**arguments)
    return {name: np.array(array) for name, array in results.items()}


def check_with_torch(model: Model, sizes: dict[str, int] | None = None) -> None:
    oracle = pytest.importorskip("torch_oracle", reason="torch is not installed")
    at = point(model, sizes, steps=4)
    # x as real vectors near the one-hot ones, so that its gradient says something.
    rng = np.random.default_rng(1)
    vocabulary = at.sizes["V"]
    x = np.eye(vocabulary)[at.inputs["x"]] + 0.1 * rng.standard_normal((4, 3, vocabulary))
    at.inputs["x"] = x
    # The equations as they are written: no pass has touched what torch sees.
    want = oracle.gradients(
        forward_program(model, "train", resets=True), at.sizes, at.params, at.inputs, at.states, seed=3
    )
    got = exact(build_program(model, "train", resets=True, inputs=True), at)
    for name, array in want.items():
        # float64 both; sums of a few hundred products in another order.
        np.testing.assert_allclose(got[name], array, rtol=1e-9, atol=1e-13, err_msg=name)


@pytest.mark.parametrize("name", MODELS)
def test_gradients_by_torch(name: str) -> None:
    check_with_torch(MODELS[name])


@settings(max_examples=20)
@given(random_models())
def test_gradients_of_random_models_by_torch(random: RandomModel) -> None:
    check_with_torch(model_of(random.row), random.sizes)


# ---- truncated BPTT

STATEFUL = [name for name, model in MODELS.items() if model.states]


def windows(at: Point, cut: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    first = {name: array[:cut] for name, array in at.inputs.items()}
    second = {name: array[cut:] for name, array in at.inputs.items()}
    return first, second


def carried(results: dict[str, np.ndarray], model: Model) -> dict[str, np.ndarray]:
    return {s.name: results[s.name] for s in model.states}


@pytest.mark.parametrize("resets", [False, True])
@pytest.mark.parametrize("name", STATEFUL)
def test_two_windows_have_the_values_of_one(name: str, resets: bool) -> None:
    model = MODELS[name]
    at = point(model, steps=7)
    first, second = windows(at, 3)
    for goal, output in (("score", "nll"), ("loss", "J")):
        program = build_program(model, goal, resets=resets)
        whole = exact(program, at)
        early = exact(program, at, inputs=first)
        late = exact(program, at, inputs=second, carries=carried(early, model))
        joined = np.concatenate([early[output], late[output]]) if goal == "score" else early["J"] + late["J"]
        # The same operations on the same numbers; the products before the loops may be grouped otherwise.
        np.testing.assert_allclose(joined, whole[output], rtol=1e-12)
        for s in model.states:
            np.testing.assert_allclose(late[s.name], whole[s.name], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", ["elman", "two layers, two steps back", "memory matrix"])
def test_a_window_takes_the_state_that_enters_as_given(name: str) -> None:
    """The gradient of the second window is the slope of its own J with the entering state held fixed; that
    of the whole
    is not the sum of the windows' gradients, for it also goes through that state."""
    model = MODELS[name]
    at = point(model, steps=6)
    first, second = windows(at, 3)
    train, loss = build_program(model, "train"), build_program(model, "loss")
    early = exact(train, at, inputs=first)
    states = carried(early, model)
    late = exact(train, at, inputs=second, carries=states)
    rng = np.random.default_rng(5)
    for parameter in model.params:
        direction = rng.standard_normal(at.params[parameter].shape)

        def moved(by: float, parameter: str = parameter, direction: np.ndarray = direction) -> float:
            params = {**at.params, parameter: at.params[parameter] + by * direction}
            return float(exact(loss, at, params=params, inputs=second, carries=states)["J"])

        one, two, three = (moved(n * 2e-3) - moved(-n * 2e-3) for n in (1, 2, 3))
        slope = (45 * one - 9 * two + three) / (60 * 2e-3)
        # Sixth order: what is left is rounding, 1e-16 / 0.002, and a few digits.
        np.testing.assert_allclose((late["∂" + parameter] * direction).sum(), slope, rtol=1e-8, atol=1e-11)
    whole = exact(train, at)
    recurrent = {"elman": "H", "two layers, two steps back": "H", "memory matrix": "K"}[name]
    assert np.abs(whole["∂" + recurrent] - early["∂" + recurrent] - late["∂" + recurrent]).max() > 1e-5


@pytest.mark.parametrize("name", ["elman", "lstm", "two layers, two steps back", "memory matrix"])
def test_the_missing_part_is_the_gradient_of_the_entering_state(name: str) -> None:
    """Seeding the first window with ∂J/∂state of the second gives full BPTT: nothing else is lost between
    them.
    """
    model = MODELS[name]
    at = point(model, steps=6)
    first, second = windows(at, 3)
    train = build_program(model, "train")
    early = exact(train, at, inputs=first)
    states = carried(early, model)
    late = exact(train, at, inputs=second, carries=states)
    whole = exact(train, at)
    for s in model.states:
        direction = np.random.default_rng(6).standard_normal(at.states[s.name].shape)

        def ending(by: float, s: str = s.name, direction: np.ndarray = direction) -> float:
            moved = {**at.states, s: at.states[s] + by * direction}
            results = exact(train, at, inputs=first, carries=moved)
            # J of the second window, linear in the state that enters it: its gradient there is late["∂…"].
            through = sum(float((late["∂" + o.name] * results[o.name]).sum()) for o in model.states)
            return float(results["J"]) + through

        one, two, three = (ending(n * 2e-3) - ending(-n * 2e-3) for n in (1, 2, 3))
        slope = (45 * one - 9 * two + three) / (60 * 2e-3)
        np.testing.assert_allclose((whole["∂" + s.name] * direction).sum(), slope, rtol=1e-8, atol=1e-11)


# ---- the form of the program


def test_the_gradient_is_one_reverse_scan() -> None:
    forward, backward = differentiate(forward_program(MODELS["elman"], "train")).blocks
    assert forward.kind is backward.kind is Kind.SCAN and backward.reverse and not forward.reverse
    assert [c.name for c in backward.carries] == ["∂h"] and not backward.carries[0].given
    assert {name for name, _ in backward.sums} == {"∂L", "∂H", "∂I", "∂b1", "∂U", "∂b2"}


def test_names_of_cotangents_follow_the_equations() -> None:
    names = set(differentiate(forward_program(MODELS["gru"], "train")).names.values())
    assert {"∂h", "δn", "δz", "δr"} <= names


def test_a_parameter_of_no_consequence_has_a_gradient_of_zeros() -> None:
    model = model_of("h = tanh(x @ A + h[t-1] @ R)\nq = x @ B\nyhat = softmax(h @ U)")
    at = point(model)
    got = exact(build_program(model, "train"), at)
    np.testing.assert_array_equal(got["∂B"], np.zeros_like(at.params["B"]))
