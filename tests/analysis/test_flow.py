"""Measured flows where theory says what they are, and where textbook claims fail."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bptt.analysis.flow import Flow, measure_flow
from bptt.analysis.identity import without_identity
from bptt.analysis.recurrent import recurrent_matrices, with_recurrent
from bptt.backends import build_program, load_program
from bptt.lm.initialization import carried_whole, find_parts, initial_parameters
from cells import MODELS, model_of, point

LINEAR = model_of("h = h[t-1] @ W + x @ L\nyhat = softmax(h @ U)", "linear")
# The state is multiplied by one number, which the token picks.
GATED = model_of("h = sum(x * a) * h[t-1] + x @ L\nyhat = softmax(h @ U)", "gated")
SIZES = {"h": 6, "V": 9}


def sequences(steps: int, examples: int = 8, vocabulary: int = 9) -> tuple[np.ndarray, np.ndarray]:
    ids = np.random.default_rng(5).integers(0, vocabulary, (steps + 1, examples)).astype(np.int32)
    return ids[:-1], ids[1:]


def linear(w: np.ndarray, steps: int) -> Flow:
    params = {**initial_parameters(LINEAR, SIZES, 0), "W": w}
    return measure_flow(LINEAR, SIZES, params, *sequences(steps + 3), steps)


def measured(name: str, kind: str | None, scale: float, *, plain: bool = False, steps: int = 30) -> Flow:
    """A shipped model with recurrent matrices of a kind."""
    model = MODELS[name]
    sizes = dict.fromkeys(model.dims, 24) | {"V": 9}
    params = initial_parameters(model, sizes, 0)
    if plain:
        model = without_identity(model, carried_whole(model, find_parts(model)))
    params = with_recurrent(recurrent_matrices(model), params, sizes, kind=kind, scale=scale)
    return measure_flow(model, sizes, params, *sequences(steps + 10), steps)


@pytest.mark.parametrize("scale", [0.3, 1.0, 1.7])
def test_of_a_linear_cell_the_growth_is_the_scale_of_its_orthogonal_matrix(scale: float) -> None:
    q, _ = np.linalg.qr(np.random.default_rng(1).standard_normal((6, 6)))
    flow = linear(scale * q, 20)
    for curve in (flow.whole.left, flow.whole.low, flow.whole.high, flow.states["h"].left):
        np.testing.assert_allclose(curve, np.arange(21) * math.log(scale), atol=1e-12)
    assert flow.log_factor() == pytest.approx(math.log(scale), abs=1e-12)
    for spread in (flow.radius, flow.norm):
        assert [spread.low, spread.median, spread.high] == pytest.approx([scale] * 3, rel=1e-9)
    assert flow.half() == {0.3: 1, 1.0: None, 1.7: None}[scale]


def test_in_the_long_run_the_growth_is_the_spectral_radius() -> None:
    """Of a matrix that is not normal the norm is larger, and says nothing of many steps."""
    w = np.diag([0.9, 0.5, 0.4, 0.3, 0.2, 0.1]) + np.triu(np.full((6, 6), 0.8), 1)
    flow = linear(w, 300)
    assert flow.radius.median == pytest.approx(0.9) and flow.norm.median > 1.5
    assert flow.whole.left[300] - flow.whole.left[200] == pytest.approx(100 * math.log(0.9), rel=1e-9)
    assert max(flow.whole.left[:10]) > 0


def test_each_input_has_its_own_product_of_factors() -> None:
    factors = np.linspace(0.2, 1.3, 9)
    sizes = {"h": 5, "V": 9}
    params = {**initial_parameters(GATED, sizes, 0), "a": factors}
    x, y = sequences(12, examples=21)
    flow = measure_flow(GATED, sizes, params, x, y, 6)
    # Step T multiplies by the factor of its token, and so on back.
    products = np.concatenate([np.zeros((1, 21)), np.cumsum(np.log(factors[x[:-7:-1]]), axis=0)])
    np.testing.assert_allclose(flow.whole.low, np.sort(products, axis=1)[:, 2], atol=1e-12)
    np.testing.assert_allclose(flow.whole.high, np.sort(products, axis=1)[:, 18], atol=1e-12)
    assert flow.radius.low >= 0.2 - 1e-12 and flow.radius.high <= 1.3 + 1e-12


@pytest.mark.parametrize("scale", [0.3, 3.0])
def test_neither_underflow_nor_overflow_ends_it(scale: float) -> None:
    flow = linear(scale * np.eye(6)[::-1], 900)
    if scale < 1:
        # 0.3^900 is far below the least number of float64.
        np.testing.assert_allclose(flow.whole.left[-1], 900 * math.log(scale), rtol=1e-12)
    else:
        # The state itself is beyond float64 here, and no number is made up.
        assert math.isnan(flow.whole.left[-1]) and math.isnan(flow.log_norm) and flow.half() is None


def test_nothing_left_is_minus_infinity() -> None:
    flow = linear(np.zeros((6, 6)), 4)
    np.testing.assert_array_equal(flow.whole.left, [0.0] + [-math.inf] * 4)
    assert flow.log_factor() == -math.inf and flow.half() == 1


def test_a_loss_that_reads_only_the_past_state() -> None:
    model = model_of("h = tanh(h[t-1] @ H + x @ L)\nyhat = softmax(h[t-1] @ U)", "late")
    flow = measure_flow(model, SIZES, initial_parameters(model, SIZES, 0), *sequences(9), 6)
    assert flow.reference == 1
    assert flow.whole.left[0] == -math.inf and flow.whole.left[1] == 0.0


def test_a_loss_that_reads_no_state() -> None:
    model = model_of("h = tanh(h[t-1] @ H + x @ L)\nyhat = softmax(x @ U)", "blind")
    flow = measure_flow(model, SIZES, initial_parameters(model, SIZES, 0), *sequences(9), 6)
    assert flow.reference is None and (flow.whole.left == -math.inf).all() and flow.half() is None


@pytest.mark.parametrize("name", ["tanh", "gru", "lstm2", "two layers, two steps back", "normalised"])
def test_the_last_norm_is_that_of_backpropagation_through_time(name: str) -> None:
    """The compiled gradient of the last step's loss by the state that enters the first."""
    model, steps = MODELS[name], 7
    at = point(model, steps=steps, examples=4)
    x, y = at.inputs["x"], at.inputs["y"]
    flow = measure_flow(model, at.sizes, at.params, x, y, steps)
    weight = np.zeros((steps, 4))
    weight[-1] = 1.0
    program = build_program(model, "loss", gradients=True)
    found = load_program(program, at.sizes, "reference", np.float64).run(
        at.params, {"x": x, "y": y, "weight": weight}
    )
    for variable, curve in (("", flow.whole), *flow.states.items()):
        names = [variable] if variable else [s.name for s in model.states]
        squares = sum((found[f"∂{name}"] ** 2).sum() for name in names)
        assert curve.left[-1] + flow.log_norm == pytest.approx(math.log(squares / 4) / 2, abs=1e-12)


def test_what_is_measured_is_the_gradient_of_the_whole_state() -> None:
    """Of an LSTM |∂J/∂s|² = |∂J/∂h|² + |∂J/∂c|²; the c of the last step acts through h alone."""
    flow = measured("lstm", None, 1.0)
    parts = np.logaddexp(2 * flow.states["h"].left, 2 * flow.states["c"].left) / 2
    np.testing.assert_allclose(flow.whole.left, parts, atol=1e-12)
    assert flow.states["c"].left[0] == -math.inf and flow.states["h"].left[0] == 0.0


def test_larger_recurrent_weights_keep_more() -> None:
    left = [measured("tanh", None, scale).whole.left[-1] for scale in (0.25, 0.5, 1.0, 1.5)]
    assert left == sorted(left) and left[0] < -30 and left[-1] > left[-2] + 1


def test_residual_connections_help_with_random_weights() -> None:
    with_it, without = (measured("residual", "random", 0.5, plain=plain) for plain in (False, True))
    assert with_it.whole.left[-1] > -1 and without.whole.left[-1] < -15


@pytest.mark.parametrize("scale", [0.8, 0.9, 1.0])
def test_residual_connections_do_not_help_with_all_weights(scale: float) -> None:
    """I - scale · diag(1 - tanh²) is near zero where the state is small: worse than without the identity."""
    with_it, without = (measured("residual", "-identity", scale, plain=plain) for plain in (False, True))
    assert with_it.log_factor() < math.log(0.5) < without.log_factor()
    assert with_it.radius.median < without.radius.median
    assert with_it.half() < without.half()


def test_residual_connections_may_explode() -> None:
    flow = measured("residual", "identity", 1.0)
    # I + diag(1 - tanh²) shrinks nothing, and doubles what is near zero.
    assert flow.radius.low >= 1.0 and flow.whole.left[-1] >= -1e-12
    assert measured("residual", "random", 1.0).whole.left[-1] > math.log(2)


def test_without_identity() -> None:
    """The residual network without h[t-1] is the tanh network: the same expressions."""
    plain = without_identity(MODELS["residual"], {"h"})
    assert plain.definitions == MODELS["tanh"].definitions
    assert plain.objective is MODELS["tanh"].objective
    assert plain.states[0].update is MODELS["tanh"].states[0].update
    assert without_identity(MODELS["tanh"], {"h"}) is None
    assert without_identity(MODELS["residual"], set()) is None


def test_a_model_without_state_is_refused() -> None:
    with pytest.raises(ValueError, match="bigram carries nothing"):
        measure_flow(MODELS["bigram"], SIZES, {}, *sequences(3), 2)


def test_the_jacobian_of_a_large_state_is_not_formed() -> None:
    model = MODELS["memory matrix"]
    sizes = dict.fromkeys(model.dims, 40) | {"V": 9}
    flow = measure_flow(model, sizes, initial_parameters(model, sizes, 0), *sequences(6), 4)
    assert flow.radius is None and flow.norm is None and np.isfinite(flow.whole.left).all()


@pytest.mark.parametrize("name", [name for name, model in MODELS.items() if model.states])
def test_every_model_can_be_measured(name: str) -> None:
    model = MODELS[name]
    sizes = dict.fromkeys(model.dims, 5) | {"V": 9}
    params = initial_parameters(model, sizes, 1)
    flow = measure_flow(model, sizes, params, *sequences(14), 10)
    # Factors that start at zero (r = 0 at the first step) let nothing through; nowhere is there no number.
    assert not np.isnan(flow.whole.left).any()
    assert flow.reference is not None and flow.whole.left[flow.reference] == 0.0
    assert (flow.whole.low <= flow.whole.high).all()
    assert flow.radius.low <= flow.radius.median <= flow.radius.high
    # No eigenvalue is larger than the norm.
    assert flow.radius.high <= flow.norm.high * (1 + 1e-9)
