"""The native backend against the reference in float64: every result, by name, at sizes that fit no register
and no tile.
"""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import cycle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from bptt.backends import available_backends, build_program, load_program
from bptt.backends.base import Array
from bptt.ir.model import Model
from bptt.passes.dropout import add_dropout
from bptt.passes.forward import GOALS
from cells import MODELS, Point, model_of, point
from models_strategy import RandomModel, random_models

if "native" not in available_backends():
    pytest.skip("the native backend was not built", allow_module_level=True)

from bptt.backends.native import NativeExecutable

# Sums of 500 products in single precision, through a recurrence of up to 33 steps: relative to the largest
# entry.
TOLERANCE = 2e-5


def sized(model: Model, numbers: list[int]) -> dict[str, int]:
    return {"V": numbers[0], **dict(zip(model.dims, cycle(numbers[1:] or numbers), strict=False))}


def poisoned(executable: NativeExecutable, steps: int, examples: int) -> None:
    """NaN in all that the executor will write, so that what it forgets to write is seen."""
    for array in executable._allocated(steps, examples):
        if array is not None:
            array.fill(np.nan)


def check(model: Model, goal: str, at: Point, resets: bool = True, seed: int = 0) -> dict[str, Array]:
    program = build_program(model, goal, resets=resets)
    want = load_program(program, at.sizes, "reference", np.float64).run(at.params, at.inputs, at.states, seed)
    native = NativeExecutable(program, at.sizes, 2)
    poisoned(native, *at.inputs["x"].shape)
    got = native.run(at.params, at.inputs, at.states, seed)
    assert set(got) == set(want)
    # The difference of rounding is of the largest number that went into an entry, not of the entry itself.
    for name, array in want.items():
        assert got[name].shape == array.shape, name
        scale = max(float(np.abs(array).max(initial=0.0)), 1e-3)
        error = float(np.abs(got[name] - array).max(initial=0.0)) / scale
        assert error < TOLERANCE, f"{name}: {error:.1e}"
    return got


@pytest.mark.parametrize("goal", GOALS)
@pytest.mark.parametrize("name", MODELS)
def test_all_models_and_goals(name: str, goal: str) -> None:
    check(MODELS[name], goal, point(MODELS[name], steps=6, examples=5), seed=11)


AWKWARD = [
    ([63, 1, 127], 7, 2),
    ([127, 63, 1], 2, 7),
    ([1, 7, 63], 7, 1),
    ([500, 63, 127], 1, 33),
    ([65, 127, 500], 33, 1),
    ([17, 16, 33], 33, 7),
]


@pytest.mark.parametrize(("numbers", "steps", "examples"), AWKWARD, ids=str)
@pytest.mark.parametrize("name", MODELS)
def test_awkward_sizes(name: str, numbers: list[int], steps: int, examples: int) -> None:
    model = MODELS[name]
    check(model, "train", point(model, sized(model, numbers), steps, examples), seed=5)


@settings(max_examples=40)
@given(random_models())
def test_random_models(random: RandomModel) -> None:
    model = model_of(random.row)
    check(model, "train", point(model, random.sizes, steps=5, examples=3), seed=2)


@settings(max_examples=15)
@given(random_models())
def test_random_models_without_resets_in_columns(random: RandomModel) -> None:
    model = model_of(random.column)
    at = point(model, random.sizes, steps=3, examples=4)
    check(model, "train", at, resets=False)
    check(model, "score", at, resets=False)


def test_dropout_masks_are_the_reference_s() -> None:
    """Zeros are in the same places: compared entry by entry through a goal that shows them."""
    model = add_dropout(MODELS["gru"], 0.4)
    at = point(model, sized(model, [63, 65, 127]), 7, 9)
    for seed in (0, 1, 2**31 + 5):
        check(model, "train", at, seed=seed)
    first, second = (check(model, "train", at, seed=seed)["J"].copy() for seed in (1, 2))
    assert first != second


MORE = {
    "a state that tokens are written to": """
        e = x @ L
        S = 0.9 * S[t-1] + x.T @ e
        yhat = softmax((e @ S.T) @ U)
        """,
    "a state over the vocabulary": """
        c = 0.9 * c[t-1] + x
        yhat = softmax(c @ U)
        """,
    "tokens in a sum": """
        yhat = softmax(x @ U + 0.5 * x)
        """,
    "tokens times a vector": """
        h = tanh((x * w) @ A + h[t-1] @ R)
        yhat = softmax(h @ U)
        """,
    "token now and before": """
        e = x @ L
        p = x[t-1] @ M
        yhat = softmax([e, p] @ U)
        """,
    "scalar state": """
        e = x @ L
        s = 0.5 * s[t-1] + sum(e * w)
        yhat = softmax(tanh(s) * (e @ U))
        """,
    "no parameters in the loop": """
        e = x @ L
        h = 0.5 * h[t-1] + e
        yhat = softmax(tanh(h) @ U)
        """,
    "one matrix twice": """
        e = x @ L
        h = tanh(e @ A + h[t-1] @ R)
        k = tanh(h @ R + k[t-1] @ R)
        yhat = softmax(k @ U)
        """,
    "product of parameters": """
        size m = 6
        A : e, m
        e = x @ L
        h = tanh(e @ (A @ B) + h[t-1] @ R)
        yhat = softmax(h @ U)
        """,
    "output from two heads": """
        e = x @ L
        h = tanh(e @ A + h[t-1] @ R)
        yhat = softmax(h @ U + (e * e) @ W)
        """,
    "three steps back": """
        e = x @ L
        h = tanh(e @ A + h[t-1] @ R + h[t-3] @ S)
        yhat = softmax(h @ U)
        """,
    "powers and roots": """
        e = x @ L
        h = sqrt(e ** 2 + 1) - 1
        g = tanh(h @ A + g[t-1] / 3)
        yhat = softmax(g @ U)
        """,
    "a learned temperature": """
        e = x @ L
        h = tanh(e @ A + h[t-1] @ R)
        yhat = softmax((h @ U) / (1 + c ** 2))
        """,
    "log of probabilities as a feature": """
        p = softmax(x @ A)
        h = tanh(log(p) @ B + h[t-1] @ R)
        yhat = softmax(h @ U)
        """,
    "cosine gate": """
        e = x @ L
        g = sigmoid(sum(e * e) / (1 + sum(e * w) ** 2))
        h = g * h[t-1] + (1 - g) * e
        yhat = softmax(h @ U)
        """,
    "exp and mean": """
        e = x @ L
        h = exp(-relu(e @ A)) * h[t-1] + mean(e)
        yhat = softmax(h @ U)
        """,
    "concatenation of three": """
        e = x @ L
        h = tanh([e, h[t-1], e * e] @ A)
        yhat = softmax([h, e] @ U)
        """,
}


@pytest.mark.parametrize("name", MORE)
def test_more_cells(name: str) -> None:
    model = model_of(MORE[name])
    for goal in GOALS:
        check(model, goal, point(model, steps=5, examples=3), seed=1)


def test_deep_stacks() -> None:
    """A hundred layers of feed-forward network between the states and the output."""
    layers = [f"k{i} = tanh(k{i - 1} @ W{i} + k{i - 1})" for i in range(1, 101)]
    model = model_of("\n".join(["k0 = tanh(x @ A + k0[t-1] @ R)", *layers, "yhat = softmax(k100 @ U)"]))
    check(model, "loss", point(model, steps=2, examples=3))
    check(model, "train", point(model, steps=2, examples=3))


@pytest.mark.parametrize("name", ["lstm", "mixture", "memory matrix", "dropout and an objective"])
def test_thread_counts_make_no_difference(name: str) -> None:
    """Bit for bit: sums are added up in the same order however many threads there are."""
    model = MODELS[name]
    at = point(model, sized(model, [127, 33, 65]), 9, 17)
    program = build_program(model, "train", resets=True)
    want = NativeExecutable(program, at.sizes, 1).run(at.params, at.inputs, at.states, 4)
    for threads in (2, 3, 5):
        got = NativeExecutable(program, at.sizes, threads).run(at.params, at.inputs, at.states, 4)
        for result, array in want.items():
            np.testing.assert_array_equal(got[result], array, err_msg=f"{result}, {threads} threads")


def test_runs_do_not_remember_each_other() -> None:
    """T and B change from run to run, and come back: each time the results are those of a new executable."""
    model = MODELS["lstm"]
    program = build_program(model, "train", resets=True)
    sizes = sized(model, [33, 17, 9])
    kept = NativeExecutable(program, sizes, 2)
    for steps, examples in ((5, 3), (2, 9), (5, 3), (1, 1), (33, 2), (5, 3)):
        at = point(model, sizes, steps, examples, seed=steps)
        got = kept.run(at.params, at.inputs, at.states)
        want = NativeExecutable(program, sizes, 2).run(at.params, at.inputs, at.states)
        for name, array in want.items():
            np.testing.assert_array_equal(got[name], array, err_msg=f"{name} at {steps}, {examples}")


def test_arguments_are_not_written_to() -> None:
    model = MODELS["tied, with an initial state"]
    at = point(model)
    params, inputs, states = (
        {n: a.astype(a.dtype if a.dtype == np.int32 else np.float32) for n, a in group.items()}
        for group in (at.params, at.inputs, at.states)
    )
    copies = [{n: a.copy() for n, a in group.items()} for group in (params, inputs, states)]
    NativeExecutable(build_program(model, "train", resets=True), at.sizes).run(params, inputs, states)
    for group, copy in zip((params, inputs, states), copies, strict=True):
        for name, array in copy.items():
            np.testing.assert_array_equal(group[name], array)


SCRIPT = """
import sys
import numpy as np
from bptt._native import isa
from bptt.backends import build_program
from bptt.backends.native import NativeExecutable
from cells import MODELS, point

model = MODELS["gru"]
at = point(model, {"V": 127, "e": 33, "h": 65}, 9, 5)
program = build_program(model, "train", resets=True)
results = NativeExecutable(program, at.sizes, 2).run(at.params, at.inputs, at.states)
np.savez(sys.argv[1], isa=isa(), **results)
"""


@pytest.mark.parametrize("isa", ["plain", "avx2", "avx512", "neon"])
def test_instruction_sets(isa: str, tmp_path: Path) -> None:
    """Each in a process of its own, since it is chosen once."""
    path = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "results.npz")]
    environment = {**os.environ, "BPTT_ISA": isa, "PYTHONPATH": path}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True)
    if ran.returncode and "BPTT_ISA" in ran.stderr:
        pytest.skip(f"this machine has no {isa}")
    assert ran.returncode == 0, ran.stderr
    model = MODELS["gru"]
    at = point(model, {"V": 127, "e": 33, "h": 65}, 9, 5)
    program = build_program(model, "train", resets=True)
    want = load_program(program, at.sizes, "reference", np.float64).run(at.params, at.inputs, at.states)
    with np.load(tmp_path / "results.npz") as got:
        assert got["isa"] == isa
        for name, array in want.items():
            error = np.abs(got[name] - array).max() / np.abs(array).max()
            assert error < TOLERANCE, f"{name}: {error:.1e}"
