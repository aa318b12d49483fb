"""The readings of a gradient through time, as text: recursion, closed form, unrolled, Jacobians."""

from __future__ import annotations

import pytest

from bptt.derivation.steps import READINGS, Chain
from bptt.render.shown import words
from bptt.render.unicode import show
from cells import CELLS
from derivation.texts import derive, lines

TWO_LAGS = "h = tanh(x @ L + h[t-1] @ H + h[t-2] @ K)\nyhat = softmax(h @ U)"


def carried(model: str, **options: object) -> list[Chain]:
    return list(derive(model, **options).carried)


def of_left(chains: list[Chain], left: str) -> list[str]:
    """What the first chain with this left side says."""
    return next(lines(chain)[1:] for chain in chains if show(chain.left) == left)


def jacobian(model: str, **options: object) -> str:
    (found,) = [c for c in carried(model, **options) if words(c.title).startswith("One step back")]
    return show(found.result)


def closed(model: str, **options: object) -> list[str]:
    (found,) = [lines(c) for c in carried(model, **options) if words(c.title).startswith("Closed form")]
    return found


# What is carried.

RECURSIONS = {
    ("tanh", "h"): (
        "(ŷ − y) Uᵀ + ∂Jᵃˡˡ/∂aʰ[t+1] · Hᵀ",
        "(ŷ − y) Uᵀ + (∂Jᵃˡˡ/∂h[t+1] ∘ (1 − h[t+1] ∘ h[t+1])) Hᵀ",
    ),
    ("elman", "h"): (
        "(ŷ − y) Uᵀ + ∂Jᵃˡˡ/∂aʰ[t+1] · Hᵀ",
        "(ŷ − y) Uᵀ + (∂Jᵃˡˡ/∂h[t+1] ∘ h[t+1] ∘ (1 − h[t+1])) Hᵀ",
    ),
    ("mingru", "h"): ("(ŷ − y) Uᵀ + ∂Jᵃˡˡ/∂h[t+1] ∘ (1 − z[t+1])",),
    ("lstm", "c"): ("∂Jᵃˡˡ/∂h ∘ o ∘ (1 − tanh(c) ∘ tanh(c)) + ∂Jᵃˡˡ/∂c[t+1] ∘ f[t+1]",),
    (TWO_LAGS, "h"): (
        "(ŷ − y) Uᵀ + ∂Jᵃˡˡ/∂aʰ[t+1] · Hᵀ + ∂Jᵃˡˡ/∂aʰ[t+2] · Kᵀ",
        "(ŷ − y) Uᵀ + (∂Jᵃˡˡ/∂h[t+1] ∘ (1 − h[t+1] ∘ h[t+1])) Hᵀ"
        " + (∂Jᵃˡˡ/∂h[t+2] ∘ (1 − h[t+2] ∘ h[t+2])) Kᵀ",
    ),
}


@pytest.mark.parametrize(("model", "value"), RECURSIONS, ids=[f"{m[:12]} {v}" for m, v in RECURSIONS])
def test_recursions(model: str, value: str) -> None:
    assert tuple(of_left(carried(model), f"∂Jᵃˡˡ/∂{value}")) == RECURSIONS[model, value]


JACOBIANS = {
    "tanh": ("diag(1 − h ∘ h) Hᵀ", "Hᵀ diag(1 − h ∘ h)"),
    "elman": ("diag(h ∘ (1 − h)) Hᵀ", "Hᵀ diag(h ∘ (1 − h))"),
    "residual": (
        "𝐈 + diag(1 − tanh(aʰ) ∘ tanh(aʰ)) Hᵀ",
        "𝐈 + Hᵀ diag(1 − tanh(aʰ) ∘ tanh(aʰ))",
    ),
    "mingru": ("diag(1 − z)", "diag(1 − z)"),
    TWO_LAGS: (
        "[diag(1 − h ∘ h) Hᵀ, diag(1 − h ∘ h) Kᵀ; 𝐈, 𝟎]",
        "[Hᵀ diag(1 − h ∘ h), 𝐈; Kᵀ diag(1 − h ∘ h), 𝟎]",
    ),
}


@pytest.mark.parametrize("model", JACOBIANS, ids=lambda m: m[:12])
def test_jacobians_of_one_step(model: str) -> None:
    assert (jacobian(model), jacobian(model, layout="column")) == JACOBIANS[model]


def test_the_jacobian_of_a_gru_has_one_term_for_every_path() -> None:
    """Past the gates, through the candidate, through each gate, and through the reset gate's candidate."""
    text = jacobian("gru")
    assert text.startswith("diag(z) + ")
    assert [text.count(name) for name in ("Unᵀ", "Uzᵀ", "Urᵀ")] == [1, 1, 1]
    assert "(h[t-1] Un + cn)" in text


def test_what_an_lstm_carries_are_two_vectors() -> None:
    chains = carried("lstm")
    assert of_left(chains, "m") == ["[c, h]"]
    above, below = jacobian("lstm").split("; ")
    assert above.startswith("[diag(f), ")
    assert [name in above for name in ("Uiᵀ", "Ufᵀ", "Ugᵀ", "Uoᵀ")] == [True, True, True, False]
    assert below.startswith("diag(o ∘ (1 − tanh(c) ∘ tanh(c))") and "diag(tanh(c) ∘ o ∘ (1 − o)) Uoᵀ" in below


def test_closed_forms_of_one_carried_vector() -> None:
    left, general, written = closed("tanh")
    assert left == "∂Jᵃˡˡ/∂h"
    assert general == "Σ_{s=t}^{T} ∂J[s]/∂h[s] · Π_{r=s…t+1} (∂h[r]/∂h[r-1])"
    assert written == "Σ_{s=t}^{T} (ŷ[s] − y[s]) Uᵀ Π_{r=s…t+1} (diag(1 − h[r] ∘ h[r]) Hᵀ)"
    # In columns the factors stand the other way round, and run the other way.
    _, general, written = closed("tanh", layout="column")
    assert general == "Σ_{s=t}^{T} (Π_{r=t+1…s} (∂h[r]/∂h[r-1])) ∂J[s]/∂h[s]"
    assert written == "Σ_{s=t}^{T} (Π_{r=t+1…s} (Hᵀ diag(1 − h[r] ∘ h[r]))) Uᵀ (ŷ[s] − y[s])"


def test_letters_of_times_are_none_of_the_model() -> None:
    """The gates of a GRU are r and z: its product runs over another letter."""
    assert "Π_{r=" not in closed("gru")[1] and "Π_{u=s…t+1}" in closed("gru")[1]


def test_closed_form_of_several_carried_vectors() -> None:
    left, general = closed("lstm")
    assert left == "∂Jᵃˡˡ/∂m |ₜ₊₁"
    assert general == "Σ_{s=t+1}^{T} ∂J[s]/∂m[s-1] · Π_{r=s-1…t+1} (∂m[r]/∂m[r-1])"


def test_a_carried_matrix_has_a_recursion_but_no_closed_form() -> None:
    found = derive(CELLS["memory matrix"])
    assert of_left(list(found.carried), "∂Jᵃˡˡ/∂S") == ["qᵀ (ŷ − y) Uᵀ + a[t+1] ∂Jᵃˡˡ/∂S[t+1]"]
    assert "matrix" in found.obstacle
    assert not any(words(c.title).startswith("Closed") for c in found.carried)


# A parameter.


def reading(model: str, of: str, kind: str, **options: object) -> list[str]:
    (first, *_) = [c for c in derive(model, of, **options).gradients[-1].through_time if c.reading == kind]
    return lines(first)


def test_a_parameter_through_the_step_before() -> None:
    left, *_, last = reading("tanh", "H", "before")
    assert left == "∂J/∂H |ₜ₋₁"
    assert last == "h[t-2]ᵀ (((ŷ − y) Uᵀ ∘ (1 − h ∘ h)) Hᵀ ∘ (1 − h[t-1] ∘ h[t-1]))"
    *_, last = reading("tanh", "H", "before", layout="column")
    assert last == "(Hᵀ (Uᵀ (ŷ − y) ∘ (1 − h ∘ h)) ∘ (1 − h[t-1] ∘ h[t-1])) h[t-2]ᵀ"


def test_a_parameter_over_all_steps() -> None:
    left, shared, chain_rule, put_in, *rest = reading("tanh", "H", "total")
    assert left == "∂Jᵃˡˡ/∂H"
    assert shared == "Σ_{t=1}^{T} ∂Jᵃˡˡ/∂H |ₜ"
    assert chain_rule == "Σ_{t=1}^{T} h[t-1]ᵀ ∂Jᵃˡˡ/∂aʰ[t]"
    assert put_in == "Σ_{t=1}^{T} h[t-1]ᵀ (∂Jᵃˡˡ/∂h[t] ∘ (1 − h[t] ∘ h[t]))"
    assert len(rest) == 1 and "Π_{r=s…t+1}" in rest[0]


def test_what_the_state_does_not_see_is_summed_with_the_step_alone() -> None:
    assert reading("elman", "U", "total")[-1] == "Σ_{t=1}^{T} h[t]ᵀ (ŷ[t] − y[t])"


def test_what_the_first_step_starts_from() -> None:
    tied = CELLS["tied, with an initial state"]
    assert reading(tied, "h0", "total") == ["∂Jᵃˡˡ/∂h₀", "∂Jᵃˡˡ/∂h[0]"]


def test_a_model_without_memory_has_one_reading() -> None:
    found = derive("bigram")
    assert found.carried == () and all(g.through_time == () for g in found.gradients)
    assert {g.index.reading for g in found.gradients} == {"once"}


def test_every_reading_is_named() -> None:
    for model in ("elman", "lstm", TWO_LAGS):
        found = derive(model, unroll=3)
        chains = [*found.carried, *(c for g in found.gradients for c in (g.index, *g.through_time))]
        assert {c.reading for c in chains} <= set(READINGS)
        # Beyond the first, which is of the step itself, every group of chains says what it is.
        assert all(words(c.title) for g in found.gradients for c in g.through_time)


# Written out.


def test_the_recursion_unrolled_from_the_last_step() -> None:
    chains = carried("tanh", unroll=3)
    assert of_left(chains, "∂Jᵃˡˡ/∂h[3]")[-1] == "(ŷ[3] − y[3]) Uᵀ"
    for step in (1, 2):
        first = of_left(chains, f"∂Jᵃˡˡ/∂h[{step}]")[0]
        assert first == f"(ŷ[{step}] − y[{step}]) Uᵀ + ∂Jᵃˡˡ/∂aʰ[{step + 1}] · Hᵀ"


def test_unrolled_there_is_one_term_for_each_loss() -> None:
    one, two, three = "(ŷ[1] − y[1]) Uᵀ", "(ŷ[2] − y[2]) Uᵀ", "(ŷ[3] − y[3]) Uᵀ"
    second, third = (f"diag(1 − h[{n}] ∘ h[{n}]) Hᵀ" for n in (2, 3))
    expected = f"{one} + {two} {second} + {three} {third} {second}"
    assert of_left(carried("tanh", unroll=3), "∂Jᵃˡˡ/∂h[1]")[-1] == expected
    one, two, three = "Uᵀ (ŷ[1] − y[1])", "Uᵀ (ŷ[2] − y[2])", "Uᵀ (ŷ[3] − y[3])"
    second, third = (f"Hᵀ diag(1 − h[{n}] ∘ h[{n}])" for n in (2, 3))
    expected = f"{one} + {second} {two} + {second} {third} {three}"
    assert of_left(carried("tanh", unroll=3, layout="column"), "∂Jᵃˡˡ/∂h[1]")[-1] == expected


def test_the_loss_of_the_last_step_goes_back_through_every_jacobian() -> None:
    general, written = of_left(carried("tanh", unroll=3), "∂J[3]/∂h[1]")
    assert general == "∂J[3]/∂h[3] · ∂h[3]/∂h[2] · ∂h[2]/∂h[1]"
    assert written == "∂J[3]/∂h[3] · diag(1 − h[3] ∘ h[3]) Hᵀ diag(1 − h[2] ∘ h[2]) Hᵀ"
    general, written = of_left(carried("tanh", unroll=3, layout="column"), "∂J[3]/∂h[1]")
    assert general == "∂h[2]/∂h[1] · ∂h[3]/∂h[2] · ∂J[3]/∂h[3]"
    assert written == "Hᵀ diag(1 − h[2] ∘ h[2]) Hᵀ diag(1 − h[3] ∘ h[3]) ∂J[3]/∂h[3]"


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_parameter_unrolled_has_one_term_a_step(steps: int) -> None:
    (unrolled,) = [
        chain
        for chain in derive("tanh", "H", unroll=steps).gradients[-1].through_time
        if words(chain.title).startswith("Unrolled")
    ]
    terms = [f"h[{n - 1}]ᵀ (∂Jᵃˡˡ/∂h[{n}] ∘ (1 − h[{n}] ∘ h[{n}]))" for n in range(steps, 0, -1)]
    assert lines(unrolled)[1] == " + ".join(terms)


def test_two_lags_reach_two_steps_back() -> None:
    chains = carried(TWO_LAGS, unroll=3)
    assert "∂Jᵃˡˡ/∂aʰ[3] · Kᵀ" in of_left(chains, "∂Jᵃˡˡ/∂h[1]")[0]
    # Step 2 has step 3 after it, but no step 4.
    assert "Kᵀ" not in of_left(chains, "∂Jᵃˡˡ/∂h[2]")[0]
