"""Which matrices a state goes through on its way back to itself, and other values for them."""

from __future__ import annotations

import numpy as np
import pytest

from bptt.analysis.recurrent import KINDS, recurrent_matrices, with_recurrent
from cells import MODELS, model_of

FOUND = {
    "bigram": set(),
    "elman": {"H"},
    "residual": {"H"},
    "gru": {"Ur", "Uz", "Un"},
    # What leads from the first layer to the second comes back to neither.
    "lstm2": {"Ui1", "Uf1", "Uo1", "Ug1", "Ui2", "Uf2", "Uo2", "Ug2"},
    "mingru2": set(),
    # The circle goes through both.
    "logits carried": {"B", "U"},
    "output fed back": {"B", "U"},
    "columns": {"Wr"},
    "memory matrix": set(),
    "two layers, two steps back": {"H", "K"},
}


@pytest.mark.parametrize("name", FOUND)
def test_recurrent_matrices(name: str) -> None:
    found = recurrent_matrices(MODELS[name])
    assert {m.name for m in found} == FOUND[name]
    assert all(m.whole for m in found)


def test_of_a_product_with_a_concatenation_the_rows_of_the_state() -> None:
    model = MODELS["lstm of concatenations"]
    sizes = dict.fromkeys(model.dims, 3) | {"V": 7}
    found = recurrent_matrices(model)
    assert {m.name for m in found} == {"Wf", "Wi", "Wo", "Wg"}
    assert all(m.square and not m.whole for m in found)
    params = {name: np.ones([d.evaluate(sizes) for d in shape]) for name, shape in model.params.items()}
    changed = with_recurrent(found, params, sizes, kind="-identity", scale=0.5)
    np.testing.assert_array_equal(changed["Wf"], np.concatenate([np.ones((3, 3)), -0.5 * np.eye(3)]))
    np.testing.assert_array_equal(changed["U"], params["U"])


def test_a_state_that_leads_back_through_another() -> None:
    text = (
        "a = tanh(b[t-1] @ A + x @ L)\nb = tanh(a @ B + c @ C)\nc = tanh(c[t-1] @ D)\nyhat = softmax(b @ U)"
    )
    assert {m.name for m in recurrent_matrices(model_of(text))} == {"A", "B", "D"}


def test_a_matrix_that_is_used_twice_is_scaled_once() -> None:
    text = "h = tanh(h[t-1] @ H + (r * h[t-1]) @ H.T + h[t-1] @ (0.5 * H))\nyhat = softmax(h @ U)"
    (found,) = recurrent_matrices(model_of(text))
    assert found.name == "H" and found.whole
    np.testing.assert_array_equal(
        with_recurrent([found], {"H": np.ones((2, 2))}, {"h": 2}, scale=3.0)["H"], np.full((2, 2), 3.0)
    )


def test_kinds() -> None:
    (h,) = recurrent_matrices(MODELS["tanh"])
    params, sizes = {"H": np.full((200, 200), 2.0, np.float32)}, {"h": 200}

    def made(kind: str | None, scale: float = 1.0, seed: int = 0) -> np.ndarray:
        return with_recurrent([h], params, sizes, kind=kind, scale=scale, seed=seed)["H"]

    np.testing.assert_array_equal(made(None, 0.5), np.full((200, 200), 1.0))
    np.testing.assert_array_equal(made("identity", 2.0), 2 * np.eye(200))
    np.testing.assert_array_equal(made("-identity", 0.9), -0.9 * np.eye(200))
    np.testing.assert_allclose(
        made("orthogonal", 0.5) @ made("orthogonal", 0.5).T, np.eye(200) / 4, atol=1e-12
    )
    # Girko's circular law: the eigenvalues of a random matrix fill the unit disc.
    assert np.abs(np.linalg.eigvals(made("random"))).max() == pytest.approx(1.0, abs=0.1)
    np.testing.assert_array_equal(made("random"), made("random"))
    assert (made("random") != made("random", seed=1)).any()
    assert (params["H"] == 2.0).all()
    assert set(KINDS) == {"random", "orthogonal", "identity", "-identity"}
    with pytest.raises(ValueError, match="unknown kind"):
        made("odd")


def test_matrices_that_are_not_square() -> None:
    model = MODELS["logits carried"]
    found = recurrent_matrices(model)
    sizes = {"e": 3, "h": 4, "V": 6}
    params = {m.name: np.ones([d.evaluate(sizes) for d in m.shape]) for m in found}
    for name, array in with_recurrent(found, params, sizes, kind="identity", scale=2.0).items():
        np.testing.assert_array_equal(array, 2 * params[name])
    orthogonal = with_recurrent(found, params, sizes, kind="orthogonal")
    np.testing.assert_allclose(orthogonal["B"].T @ orthogonal["B"], np.eye(4), atol=1e-12)
    np.testing.assert_allclose(orthogonal["U"] @ orthogonal["U"].T, np.eye(4), atol=1e-12)
