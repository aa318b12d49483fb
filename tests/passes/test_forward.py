"""What each goal computes, and dropout put into a model from outside."""

import numpy as np
import pytest

from bptt.backends import build_program, load_program
from bptt.ir.ops import Op
from bptt.ir.program import Kind
from bptt.ir.traversal import topological
from bptt.passes.dropout import add_dropout
from bptt.passes.forward import forward_program
from cells import MODELS, model_of, point

OWN = "dropout and an objective"


def run(name: str, goal: str, seed: int = 0, resets: bool = True) -> dict[str, np.ndarray]:
    at = point(MODELS[name])
    program = build_program(MODELS[name], goal, resets=resets)
    return load_program(program, at.sizes, "reference", np.float64).run(at.params, at.inputs, at.states, seed)


def test_unknown_goal() -> None:
    with pytest.raises(ValueError, match="unknown goal 'trian'"):
        forward_program(MODELS["elman"], "trian")


@pytest.mark.parametrize("name", MODELS)
def test_goals_agree(name: str) -> None:
    """What the goals have in common has the same value in each."""
    at = point(MODELS[name])
    trace, score, predict, loss = (run(name, goal) for goal in ("trace", "score", "predict", "loss"))
    output = trace[MODELS[name].output]
    # The same numbers in float64, through a softmax or its logarithm.
    np.testing.assert_allclose(predict["probabilities"], output, rtol=1e-12)
    np.testing.assert_allclose(output.sum(-1), 1.0, rtol=1e-12)
    picked = np.take_along_axis(output, at.inputs["y"][..., None], -1)[..., 0]
    np.testing.assert_allclose(score["nll"], -np.log(picked), rtol=1e-11)
    np.testing.assert_allclose(loss["J"], (at.inputs["weight"] * trace["J"]).sum(), rtol=1e-11)
    assert list(forward_program(MODELS[name], "trace").results) == [
        *MODELS[name].definitions, *({"J"} - MODELS[name].definitions.keys()),
    ]  # fmt: skip


@pytest.mark.parametrize("goal", ["loss", "score", "predict", "trace"])
def test_dropout_is_for_training_alone(goal: str) -> None:
    block = forward_program(MODELS[OWN], goal).blocks[0]
    assert Op.MASK not in {e.op for e in topological(block.roots())}
    for first, second in zip(run(OWN, goal, 1).values(), run(OWN, goal, 2).values(), strict=True):
        np.testing.assert_array_equal(first, second)
    assert run(OWN, "train", 1)["J"] != run(OWN, "train", 2)["J"]


def test_models_without_state_are_maps() -> None:
    assert forward_program(MODELS["bigram"], "train").blocks[0].kind is Kind.MAP
    assert forward_program(MODELS["elman"], "train").blocks[0].kind is Kind.SCAN


@pytest.mark.parametrize(
    "name", ["elman", "tied, with an initial state", "two layers, two steps back", "memory matrix"]
)
def test_a_reset_is_a_new_beginning(name: str) -> None:
    """Where `keep` is 0, what comes is the same as if it began there with the initial state."""
    model = MODELS[name]
    at = point(model, steps=6)
    program = build_program(model, "predict", resets=True)
    executable = load_program(program, at.sizes, "reference", np.float64)
    inputs = {**at.inputs, "keep": np.ones((6, 3))}
    inputs["keep"][2] = 0.0
    whole = {n: array.copy() for n, array in executable.run(at.params, inputs, at.states).items()}
    later = {n: array[2:] for n, array in inputs.items()}
    noise = {n: 100.0 * array for n, array in at.states.items()}
    rest = executable.run(at.params, later, noise)
    np.testing.assert_array_equal(whole["probabilities"][2:], rest["probabilities"])
    for state in model.states:
        np.testing.assert_array_equal(whole[state.name], rest[state.name])
    fresh = executable.run(at.params, {**later, "keep": np.zeros((4, 3))}, at.states)
    assert np.abs(fresh["probabilities"][1:] - rest["probabilities"][1:]).max() > 1e-6


def masks(model_text: str, rate: float) -> tuple[list[tuple[str, int]], int]:
    """Which definitions are masked by which mask, and how many masks there are."""
    model = add_dropout(model_of(model_text), rate)
    nodes = topological([*model.definitions.values(), model.objective])
    found = []
    for e in nodes:
        if e.op is Op.MUL and any(arg.op is Op.MASK for arg in e.args):
            value, mask = sorted(e.args, key=lambda arg: arg.op is Op.MASK)
            found += [(n, mask.attr[0]) for n, definition in model.definitions.items() if definition is value]
    return found, len({e for e in nodes if e.op is Op.MASK})


def test_dropout_is_on_the_way_up() -> None:
    """Between the layers and before the output, not from step to step."""
    found, count = masks(
        """
        e = x @ L
        h = tanh(e @ A + h[t-1] @ R)
        k = tanh(h @ B + k[t-1] @ S)
        yhat = softmax(k @ U)
        """,
        0.25,
    )
    assert count == 3 and sorted(n for n, _ in found) == ["e", "h", "k"]


def test_a_vector_used_twice_has_one_mask() -> None:
    found, count = masks(
        "e = x @ L\nz = sigmoid(e @ A)\nn = tanh(e @ B)\nh = z * n\nyhat = softmax(h @ U)", 0.5
    )
    assert count == 2 and {n for n, _ in found} == {"e", "h"}


def test_masks_of_the_text_are_kept_apart() -> None:
    model = add_dropout(model_of("e = dropout(x @ L, 0.3)\nyhat = softmax(e @ U)"), 0.5)
    keys = [e.attr for e in topological([model.objective]) if e.op is Op.MASK]
    assert sorted(keys) == [(0, 0.3), (1, 0.5)]
