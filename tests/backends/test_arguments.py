"""What both backends owe the caller: results of the shapes that are promised, and ValueError for arrays
that do not fit.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bptt.backends import (
    Executable,
    available_backends,
    build_program,
    compile_model,
    load_program,
    trace_values,
)
from bptt.errors import InputError
from cells import MODELS, Point, point

MODEL = MODELS["elman"]
STEPS, EXAMPLES = 4, 3


def executable(backend: str, goal: str = "train") -> Executable:
    return compile_model(MODEL, AT.sizes, goal, backend=backend, resets=True)


AT = point(MODEL, steps=STEPS, examples=EXAMPLES)
E, H, V = (AT.sizes[name] for name in ("e", "h", "V"))


def with_inputs(**arrays: np.ndarray) -> Point:
    return replace(AT, inputs={**AT.inputs, **arrays})


def without(group: dict[str, np.ndarray], name: str) -> dict[str, np.ndarray]:
    return {n: array for n, array in group.items() if n != name}


TOO_LARGE = AT.inputs["x"].copy()
TOO_LARGE[1, 2] = V
NEGATIVE = AT.inputs["y"].copy()
NEGATIVE[0, 0] = -1
WRONG = {
    "transposed parameter": (replace(AT, params={**AT.params, "I": AT.params["I"].T}), "I"),
    "parameter of another size": (replace(AT, params={**AT.params, "b1": np.zeros(H + 1)}), "b1"),
    "bias as a row": (replace(AT, params={**AT.params, "b1": np.zeros((1, H))}), "b1"),
    "missing parameter": (replace(AT, params=without(AT.params, "H")), "H"),
    "state of another batch": (replace(AT, states={"h": np.zeros((EXAMPLES + 1, H))}), "h"),
    "state without a batch": (replace(AT, states={"h": np.zeros(H)}), "h"),
    "shorter targets": (with_inputs(y=AT.inputs["y"][:-1]), "y"),
    "weights of one step": (with_inputs(weight=np.ones((1, EXAMPLES))), "weight"),
    "weights without steps": (with_inputs(weight=np.ones(EXAMPLES)), "weight"),
    "transposed resets": (with_inputs(keep=np.ones((EXAMPLES, STEPS))), "keep"),
    "missing targets": (replace(AT, inputs=without(AT.inputs, "y")), "y"),
    "missing resets": (replace(AT, inputs=without(AT.inputs, "keep")), "keep"),
    "missing tokens": (replace(AT, inputs=without(AT.inputs, "x")), "x"),
    "token beyond the vocabulary": (with_inputs(x=TOO_LARGE), "x"),
    "negative token": (with_inputs(y=NEGATIVE), "y"),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("backend", available_backends())
def test_arrays_that_do_not_fit(backend: str, name: str) -> None:
    at, culprit = WRONG[name]
    with pytest.raises(ValueError, match=rf"\b{culprit}\b"):
        executable(backend).run(at.params, at.inputs, at.states)


@pytest.mark.parametrize("backend", available_backends())
def test_a_refused_run_does_no_harm(backend: str) -> None:
    runs = executable(backend)
    want = float(runs.run(AT.params, AT.inputs, AT.states)["J"])
    for at, _ in WRONG.values():
        with pytest.raises(ValueError):
            runs.run(at.params, at.inputs, at.states)
    assert float(runs.run(AT.params, AT.inputs, AT.states)["J"]) == want


# Results of each goal beside the final states.
SHAPES = {
    "train": {
        "J": (),
        "∂L": (V, E),
        "∂H": (H, H),
        "∂I": (E, H),
        "∂b1": (H,),
        "∂U": (H, V),
        "∂b2": (V,),
        "∂h": (EXAMPLES, H),
    },
    "loss": {"J": ()},
    "score": {"nll": (STEPS, EXAMPLES)},
    "predict": {"probabilities": (STEPS, EXAMPLES, V)},
    "trace": {
        "e": (STEPS, EXAMPLES, E),
        "h": (STEPS, EXAMPLES, H),
        "yhat": (STEPS, EXAMPLES, V),
        "J": (STEPS, EXAMPLES),
    },
}


@pytest.mark.parametrize("goal", SHAPES)
@pytest.mark.parametrize("backend", available_backends())
def test_results(backend: str, goal: str) -> None:
    """In a trace `h` is the history, elsewhere the state after the last step."""
    results = executable(backend, goal).run(AT.params, AT.inputs, AT.states)
    assert {n: array.shape for n, array in results.items()} == {"h": (EXAMPLES, H)} | SHAPES[goal]
    assert {array.dtype for array in results.values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize("backend", available_backends())
def test_states_that_are_not_given_are_zeros(backend: str) -> None:
    runs = executable(backend)
    got = {n: array.copy() for n, array in runs.run(AT.params, AT.inputs).items()}
    want = runs.run(AT.params, AT.inputs, {"h": np.zeros((EXAMPLES, H))})
    for name, array in want.items():
        np.testing.assert_array_equal(got[name], array)


@pytest.mark.parametrize("backend", available_backends())
def test_other_types_of_numbers_are_taken(backend: str) -> None:
    """float64 parameters and int64 tokens mean the same as float32 and int32."""
    wide = with_inputs(x=AT.inputs["x"].astype(np.int64), y=AT.inputs["y"].astype(np.int64))
    narrow = {n: array.astype(np.float32) for n, array in AT.params.items()}
    first = float(executable(backend).run(AT.params, wide.inputs, AT.states)["J"])
    assert float(executable(backend).run(narrow, AT.inputs, AT.states)["J"]) == first


def test_choosing_a_backend() -> None:
    program = build_program(MODEL, "loss")
    assert load_program(program, AT.sizes, "auto", np.float64).dtype == np.float64
    assert load_program(program, AT.sizes, "auto").dtype == np.float32
    with pytest.raises(InputError, match="no backend is called 'cuda'"):
        load_program(program, AT.sizes, "cuda")
    if "native" in available_backends():
        with pytest.raises(InputError, match="float32"):
            load_program(program, AT.sizes, "native", np.float64)


def test_without_the_native_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bptt.backends.compile.available_backends", lambda: ("reference",))
    program = build_program(MODEL, "loss")
    assert type(load_program(program, AT.sizes)).__name__ == "ReferenceExecutable"
    with pytest.raises(InputError, match="was not built"):
        load_program(program, AT.sizes, "native")


def test_traced_values() -> None:
    """Every equation by name, in the order of computation, also where numbers are not finite."""
    values = trace_values(MODEL, AT.sizes, AT.params, AT.inputs, AT.states, resets=True)
    assert list(values) == ["e", "h", "yhat", "J"]
    np.testing.assert_array_equal(values["e"], AT.params["L"].astype(np.float32)[AT.inputs["x"]])
    broken = {**AT.params, "I": np.full((E, H), np.nan)}
    values = trace_values(MODEL, AT.sizes, broken, AT.inputs, AT.states)
    assert np.isfinite(values["e"]).all() and not np.isfinite(values["h"]).any()
