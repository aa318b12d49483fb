"""The Jacobian of a step against finite differences, and products of Jacobians against unrolled gradients."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings

from bptt.analysis.jacobians import Floats, Step
from bptt.autodiff.unrolled import unrolled_gradients
from bptt.backends import load_program
from bptt.ir.model import Model
from bptt.passes.forward import forward_program
from bptt.passes.simplify import simplify
from bptt.passes.stabilize import stabilize
from cells import MODELS, Point, model_of, point
from models_strategy import RandomModel, random_models

RECURRENT = [name for name, model in MODELS.items() if model.states]
STEPS = 4


def forward_step(model: Model, step: Step, at: Point, x: int) -> Callable[[Floats], Floats]:
    """The new state as a function of the old one at a token, by the forward program alone."""
    executable = load_program(forward_program(model, "loss"), at.sizes, "reference", np.float64)
    inputs = {"x": np.array([[x]], np.int32), "y": np.zeros((1, 1), np.int32), "weight": np.ones((1, 1))}

    def run(state: Floats) -> Floats:
        carries = {name: state[part].reshape(1, *step.shapes[name]) for name, part in step.parts.items()}
        found = executable.run(at.params, inputs, carries)
        return np.concatenate([found[name].reshape(-1) for name in step.shapes])

    return run


def differences(function: Callable[[Floats], Floats], state: Floats) -> Floats:
    """Central differences of fourth order, column by column."""
    h = 1e-3
    columns = []
    for unit in np.eye(len(state)):
        near = function(state + h * unit) - function(state - h * unit)
        far = function(state + 2 * h * unit) - function(state - 2 * h * unit)
        columns.append((8 * near - far) / (12 * h))
    return np.stack(columns, axis=1)


def check_jacobian(model: Model, at: Point) -> None:
    step = Step(model, at.sizes)
    x = at.inputs["x"]
    states = step.states(at.params, x)
    t, b = 2, 1
    expected = differences(forward_step(model, step, at, int(x[t, b])), states[t, b])
    found = step.jacobian(at.params, int(x[t, b]), states[t, b])
    # h^4 times fifth derivatives of order ten: 1e-11; rounding: 1e-16 / h.
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", RECURRENT)
def test_the_jacobian_is_that_of_finite_differences(name: str) -> None:
    check_jacobian(MODELS[name], point(MODELS[name]))


@settings(max_examples=15)
@given(random_models())
def test_the_jacobian_of_random_models(random: RandomModel) -> None:
    model = model_of(random.row)
    check_jacobian(model, point(model, {**model.sizes, "V": random.sizes["V"]}))


@pytest.mark.parametrize("name", RECURRENT)
def test_the_product_of_jacobians_is_the_unrolled_gradient(name: str) -> None:
    """∂J_T/∂s_0 step by step, against reverse mode of all steps written out with a weight at the last."""
    model = MODELS[name]
    at = point(model, steps=STEPS)
    step = Step(model, at.sizes)
    x, y = at.inputs["x"], at.inputs["y"]
    states = step.states(at.params, x)
    g = step.last(at.params, x[-1], y[-1], states[-1])[1]
    by_matrices = [g[0]]
    for t in reversed(range(STEPS - 1)):
        g = step.back(at.params, x[None, t], states[None, t], g[None])[0]
        by_matrices.append(by_matrices[-1] @ step.jacobian(at.params, int(x[t, 0]), states[t, 0]))
    expected = unrolled(model, step, at, states[0])
    scale = np.abs(expected).max()
    np.testing.assert_allclose(g, expected, rtol=0, atol=1e-12 * scale)
    np.testing.assert_allclose(by_matrices[-1], expected[0], rtol=0, atol=1e-12 * scale)
    assert scale > 0


def unrolled(model: Model, step: Step, at: Point, initial: Floats) -> Floats:
    """The derivative of the last step's objective, for each example, by the state that enters the first."""
    program = simplify(unrolled_gradients(stabilize(forward_program(model, "loss")), STEPS))
    weight = np.zeros((STEPS, initial.shape[0]))
    weight[-1] = 1.0
    given_values = {"x": at.inputs["x"], "y": at.inputs["y"], "weight": weight}
    inputs = {f"{name}@{t + 1}": a[t : t + 1] for name, a in given_values.items() for t in range(STEPS)}
    for name, part in step.parts.items():
        inputs[f"{name}@0"] = initial[None, :, part].reshape(1, -1, *step.shapes[name])
    found = load_program(program, at.sizes, "reference", np.float64).run(
        at.params, {**inputs, "x": inputs["x@1"]}
    )
    return np.concatenate([found[f"∂{name}"][0].reshape(len(initial), -1) for name in step.shapes], axis=-1)


def test_the_initial_state_is_that_of_the_equations() -> None:
    model = MODELS["initial state of parameters"]
    at = point(model)
    states = Step(model, at.sizes).states(at.params, at.inputs["x"])
    np.testing.assert_allclose(states[0], np.tile(np.tanh(at.params["h0"] @ at.params["Q"]), (3, 1)))


def test_what_two_steps_back_is_read_is_carried() -> None:
    """The Jacobian of h = h[t-1] * a + h[t-2] * b is the companion matrix of that recurrence."""
    model = model_of("h = h[t-1] * a + h[t-2] * b + x @ L\nyhat = softmax(h @ U)", "lags")
    at = point(model)
    step = Step(model, at.sizes)
    n = at.sizes["h"]
    jacobian = step.jacobian(at.params, 0, np.zeros(2 * n))
    blocks = {name: jacobian[part] for name, part in step.parts.items()}
    np.testing.assert_allclose(blocks["h"][:, step.parts["h"]], np.diag(at.params["a"]))
    np.testing.assert_allclose(blocks["h"][:, step.parts["h@2"]], np.diag(at.params["b"]))
    np.testing.assert_array_equal(blocks["h@2"][:, step.parts["h"]], np.eye(n))
    np.testing.assert_array_equal(blocks["h@2"][:, step.parts["h@2"]], np.zeros((n, n)))


def test_the_gradient_at_the_last_state() -> None:
    """∂J_T/∂h_T of a softmax on h U is (ŷ - y) U'; the c of an LSTM acts through h alone."""
    model = MODELS["lstm"]
    at = point(model)
    step = Step(model, at.sizes)
    x, y = at.inputs["x"], at.inputs["y"]
    states = step.states(at.params, np.concatenate([x, x[:1]]))
    here, _ = step.last(at.params, x[-1], y[-1], states[-2])
    h = states[-1][:, step.parts["h"]]
    logits = h @ at.params["U"] + at.params["b"]
    error = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True) - np.eye(at.sizes["V"])[y[-1]]
    np.testing.assert_allclose(here[:, step.parts["h"]], error @ at.params["U"].T, atol=1e-14)
    np.testing.assert_array_equal(here[:, step.parts["c"]], 0.0)
