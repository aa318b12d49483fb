"""First values of parameters follow from their part in the equations."""

import numpy as np
import pytest

from bptt.lm.initialization import carried_whole, find_parts, initial_parameters
from bptt.lm.model import understand
from bptt.models import shipped, source_of
from bptt.source import Source

ROW = (
    "e = x @ L\nh = tanh(w * (h[t-1] @ H) + e @ I + b)\nyhat = softmax(h @ U)\nh[0] = s\nsize e = 40, h = 30"
)
COLUMN = (
    "e = L @ x\nh = tanh(H @ h[t-1] * w + I @ e + b)\nyhat = softmax(U @ h)\nh[0] = s\nsize e = 40, h = 30"
)
SIZES = {"e": 40, "h": 30, "V": 50}


@pytest.mark.parametrize("text", [ROW, COLUMN], ids=["row", "column"])
def test_parts_and_values(text: str) -> None:
    model = understand(Source("test.eq", text))
    parts = find_parts(model)
    assert parts["L"].table
    assert parts["H"].recurrent
    assert parts["w"].factor
    p = initial_parameters(model, SIZES, seed=1)
    assert {name: a.dtype for name, a in p.items()} == dict.fromkeys(model.params, np.dtype(np.float32))
    np.testing.assert_allclose(p["H"] @ p["H"].T, np.eye(30), atol=1e-5)
    np.testing.assert_allclose(p["L"].std(), 0.1, rtol=0.1)
    # 40 inputs into I, 30 into U, whichever axis they stand on.
    np.testing.assert_allclose(p["I"].std(), 40**-0.5, rtol=0.1)
    np.testing.assert_allclose(p["U"].std(), 30**-0.5, rtol=0.1)
    assert (p["w"] == 1).all()
    assert not p["b"].any()
    assert not p["s"].any()


@pytest.mark.parametrize("name", shipped())
def test_shipped_models_get_finite_values_of_the_right_shapes(name: str) -> None:
    model = understand(source_of(name))
    sizes = dict.fromkeys(model.dims, 6) | {"V": 9}
    p = initial_parameters(model, sizes, seed=0)
    assert {n: a.shape for n, a in p.items()} == {
        n: tuple(d.evaluate(sizes) for d in shape) for n, shape in model.params.items()
    }
    assert all(np.isfinite(a).all() for a in p.values())
    assert any(bool(part.recurrent) for part in find_parts(model).values()) == (name in RECURRENT)


RECURRENT = {"elman", "tanh", "residual", "gru", "gru2", "lstm", "lstm2"}


def test_a_seed_gives_the_same_values_again() -> None:
    model = understand(Source("test.eq", ROW))
    first, again, other = (initial_parameters(model, SIZES, seed) for seed in (1, 1, 2))
    assert all((first[name] == again[name]).all() for name in first)
    assert (first["U"] != other["U"]).any()


@pytest.mark.parametrize(
    ("update", "whole"),
    [
        ("tanh(h[t-1] @ H + e @ I) + h[t-1]", {"h"}),
        ("h[t-1] + e @ I - sigmoid(h[t-1] @ H)", {"h"}),
        ("tanh(h[t-1] @ H + e @ I)", set()),
        ("h[t-1] + g * (e @ I - h[t-1]) + tanh(h[t-1] @ H)", set()),
        ("g * h[t-1] + tanh(h[t-1] @ H)", set()),
        ("tanh(h[t-1] @ H) + 0.5 * h[t-1]", set()),
    ],
)
def test_states_that_are_carried_whole(update: str, whole: set[str]) -> None:
    model = understand(
        Source("test.eq", f"e = x @ L\ng = sigmoid(e @ G)\nh = {update}\nyhat = softmax(h @ U)")
    )
    parts = find_parts(model)
    assert carried_whole(model, parts) == whole
    sizes = {"e": 7, "h": 30, "V": 9} | dict.fromkeys(model.dims, 30)
    H = initial_parameters(model, sizes, seed=1)["H"].astype(float)
    step = np.eye(30) + H if whole else H
    # (I + Q) / 2 lengthens nothing; an orthogonal matrix keeps every length.
    lengths = np.linalg.svd(step, compute_uv=False)
    assert lengths.max() <= 1 + 1e-5 and (whole or lengths.min() >= 1 - 1e-5)
