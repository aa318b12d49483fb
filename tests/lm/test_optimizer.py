"""Optimisers against their formulas, written out for one number at a time."""

import math

import numpy as np
import pytest

from bptt.lm import optimizer as module
from bptt.lm.config import OPTIMIZERS, TrainConfig
from bptt.lm.optimizer import Optimizer, gradient_norm, scale

IMPLEMENTATIONS = ["numpy", "native"]


@pytest.fixture(params=IMPLEMENTATIONS)
def implementation(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "numpy":
        monkeypatch.setattr(module, "_native", None)
        monkeypatch.setattr(module, "sgd_step", module._numpy_sgd_step)
        monkeypatch.setattr(module, "adam_step", module._numpy_adam_step)
    elif module._native is None:
        pytest.skip("the native core is not installed")
    return str(request.param)


def by_hand(name: str, p: float, gradients: list[float], lr: float, decay: float) -> float:
    """The parameter after these gradients, by the formulas in the papers."""
    v = m = s = 0.0
    for t, g in enumerate(gradients, 1):
        if name != "adamw":
            g += decay * p
        if name == "sgd":
            p -= lr * g
        elif name == "momentum":
            v = 0.9 * v + g
            p -= lr * v
        else:
            m = 0.9 * m + 0.1 * g
            s = 0.999 * s + 0.001 * g * g
            shrunk = p * (1 - lr * decay) if name == "adamw" else p
            p = shrunk - lr * (m / (1 - 0.9**t)) / (math.sqrt(s / (1 - 0.999**t)) + 1e-8)
    return p


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_steps_are_those_of_the_formula(implementation: str, name: str, decay: float) -> None:
    random = np.random.default_rng(0)
    start = {"M": random.standard_normal((3, 2)), "v": random.standard_normal(4)}
    gradients = [{n: random.standard_normal(p.shape) for n, p in start.items()} for _ in range(5)]
    params = {n: p.astype(np.float32) for n, p in start.items()}
    optimizer = Optimizer(TrainConfig(optimizer=name, weight_decay=decay), params)
    for step, g in enumerate(gradients, 1):
        optimizer.update({n: a.astype(np.float32) for n, a in g.items()}, 0.05, step)
    for n, p in start.items():
        # Only matrices decay.
        used = decay if n == "M" else 0.0
        expected = [
            by_hand(name, p.flat[i], [g[n].flat[i] for g in gradients], 0.05, used) for i in range(p.size)
        ]
        np.testing.assert_allclose(params[n].ravel(), expected, rtol=2e-5, atol=2e-6)


def test_the_norm_is_over_all_gradients(implementation: str) -> None:
    gradients = {"a": np.array([[3.0]], np.float32), "b": np.array([4.0, 12.0], np.float32)}
    assert gradient_norm(gradients) == pytest.approx(13.0)
    scale(gradients, 0.5)
    assert gradients["b"].tolist() == [2.0, 6.0]


def test_a_norm_beyond_float32_is_no_overflow(implementation: str) -> None:
    assert math.isfinite(gradient_norm({"a": np.full(10, 1e30, np.float32)}))
    assert not math.isfinite(gradient_norm({"a": np.array([1.0, np.nan], np.float32)}))
