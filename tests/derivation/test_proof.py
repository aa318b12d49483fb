"""The proof: every formula of every derivation, each step included, has the value of the true derivative.

Over the shipped models and the cells, in both layouts, for both objectives, for one example and for a batch,
at random points with all sizes different.
"""

from __future__ import annotations

import numpy as np
import pytest
from cells import MODELS
from derivation.claims import TOLERANCE, ZERO, Claims, Proof, claims_of_model, differ, failures
from derivation.truth import LAST, Node, World, compute, sizes_of

from bptt.derivation.board import LOSS, put_on_board
from bptt.derivation.through_time import ALL
from bptt.formula.functions import TINY
from bptt.formula.tensor import Tensor, named
from bptt.formula.tree import Formula, Symbol, children
from bptt.ir import build
from bptt.ir.ops import Op
from bptt.ir.traversal import topological
from bptt.models import shipped

SHIPPED = sorted(shipped())
CELLS = sorted(set(MODELS) - set(SHIPPED))
# Every two of layout, objective and number of examples together at least once.
SETTINGS = [
    ("row", "cross-entropy", False),
    ("column", "log-likelihood", False),
    ("row", "log-likelihood", True),
    ("column", "cross-entropy", True),
]
OTHERS = [
    ("column", "cross-entropy", False),
    ("row", "log-likelihood", False),
    ("column", "log-likelihood", True),
    ("row", "cross-entropy", True),
]
# What has no matrix notation when there is a batch.
IN_A_BATCH = {"closed form": "one Jacobian for every example of a batch"}


def named_settings(names: list[str], settings: list[tuple[str, str, bool]]) -> list[object]:
    return [
        pytest.param(name, *setting, id="-".join([name, setting[0], setting[1], "batch" * setting[2]]))
        for name in names
        for setting in settings
    ]


def told(failed: list[object]) -> str:
    return "\n".join([f"{len(failed)} do not hold:", *map(str, failed[:20])])


@pytest.mark.parametrize(("name", "layout", "objective", "batch"), named_settings(SHIPPED, SETTINGS))
def test_every_formula_of_a_shipped_model_is_the_true_derivative(
    name: str, layout: str, objective: str, batch: bool
) -> None:
    claims = claims_of_model(name, layout, objective, batch)
    assert len(claims.claims) >= 45
    failed = failures(claims, seed=1)
    assert not failed, told(failed)
    if not batch:
        assert not claims.obstacles


@pytest.mark.parametrize(("name", "layout", "objective", "batch"), named_settings(CELLS, SETTINGS))
def test_every_formula_of_a_cell_is_the_true_derivative(
    name: str, layout: str, objective: str, batch: bool
) -> None:
    failed = [f for f in failures(claims_of_model(name, layout, objective, batch), seed=2) if f.fault != ZERO]
    assert not failed, told(failed)


@pytest.mark.slow
@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize(("name", "layout", "objective", "batch"), named_settings(list(MODELS), OTHERS))
def test_every_formula_in_the_other_settings(
    name: str, layout: str, objective: str, batch: bool, plain: bool
) -> None:
    failed = failures(claims_of_model(name, layout, objective, batch), 3, plain)
    failed = [f for f in failed if f.fault != ZERO or name in SHIPPED]
    assert not failed, told(failed)


@pytest.mark.parametrize("name", SHIPPED)
def test_with_tokens_that_are_one_hot(name: str) -> None:
    failed = [f for f in failures(claims_of_model(name, *SETTINGS[0]), 4, plain=True) if f.fault != ZERO]
    assert not failed, told(failed)


# What is claimed, and in which notation.


@pytest.mark.parametrize(("name", "layout", "objective", "batch"), named_settings(SHIPPED, SETTINGS))
def test_index_and_matrix_form_agree_element_by_element(
    name: str, layout: str, objective: str, batch: bool
) -> None:
    claims = claims_of_model(name, layout, objective, batch)
    reading = Proof(claims.board, 5).long
    assert claims.results
    for gradient, (index, matrix) in claims.results.items():
        elements, whole = reading.value(index), reading.value(matrix)
        if not elements.array.any():
            continue
        letters = [letter for letter in "nijk" if letter in elements.letters]
        if batch and layout == "column" and "n" in letters:
            letters = [*letters[1:], "n"]
        axes = ["row", "column"] if len(letters) == 2 else ["column" if layout == "row" else "row"]
        array = whole.array if len(letters) == whole.array.ndim else whole.array.reshape(-1)
        assert not letters or len(axes) == len(letters) or len(letters) < 2
        assert not differ(elements, named(array, letters)), gradient


def symbols(formula: Formula) -> set[Symbol]:
    found = {formula} if isinstance(formula, Symbol) else set()
    return found.union(*(symbols(part) for part in children(formula)))


@pytest.mark.parametrize("name", SHIPPED)
def test_errors_are_of_one_step_only(name: str) -> None:
    """δ is the derivative of the loss of its step: a formula for all steps that had it would mislead."""
    claims = claims_of_model(name, *SETTINGS[0])
    errors = {(v.error.name, v.error.of) for v in claims.board.values.values() if v.error is not None}
    for claim in claims.claims:
        if claim.reading == "total":
            assert not errors & {(s.name, s.of) for s in symbols(claim.right)}, claim


@pytest.mark.parametrize("name", [n for n in SHIPPED if MODELS[n].states])
def test_what_is_claimed_of_a_model_with_a_memory(name: str) -> None:
    claims = claims_of_model(name, *SETTINGS[0])
    places = {claim.place for claim in claims.claims}
    assert {"recursion", "closed form", "unrolled"} <= places
    readings = {claim.reading for claim in claims.claims}
    assert readings >= {"step", "before", "total"}
    for parameter in MODELS[name].params:
        assert f"{parameter} (param): matrix form" in places
        assert f"{parameter} (param): through time" in places


# The truth itself.


@pytest.mark.parametrize("layout", ["row", "column"])
@pytest.mark.parametrize("name", list(MODELS))
def test_the_board_computes_the_model(name: str, layout: str) -> None:
    """Names for pre-activations, the fused loss and the other layout change no value."""
    model = MODELS[name]
    board = put_on_board(model, layout)
    world = World(board, 6)
    run = world.run()
    at = 3
    leaves = {}
    for (leaf, time), array in run.items():
        if time == at and leaf.op in (Op.TOKEN, Op.MASK, Op.CARRY):
            leaves[leaf] = array
        if time == at and leaf.op is Op.PARAM:
            turned = layout != model.layout and len(leaf.shape) == 2
            shape = leaf.shape[::-1] if turned else leaf.shape
            leaves[build.param(leaf.attr, shape)] = np.swapaxes(array, -1, -2) if turned else array
    for definition, expression in model.definitions.items():
        if all(e in leaves or e.op not in (Op.PARAM, Op.CARRY) for e in topological([expression])):
            mine = run[board.values[definition].leaf, at] if definition in board.values else None
            if mine is not None:
                np.testing.assert_allclose(mine, compute(expression, leaves, world.sizes), rtol=1e-12)
    expected = compute(model.objective, leaves, world.sizes)
    np.testing.assert_allclose(run[board.loss.leaf, at], expected, rtol=1e-12)


def test_the_truth_is_that_of_an_elman_network_written_by_hand() -> None:
    board = put_on_board(MODELS["elman"], "row")
    world = World(board, 7)
    base = world.run()
    p = {leaf.attr: array[0, 0] for (leaf, time), array in base.items() if leaf.op is Op.PARAM and time == 1}
    x, y = (
        [base[build.token(letter), t][0, 0] for t in range(1, LAST + 1)] for letter in "xy"
    )  # fmt: skip

    def losses(recurrent: np.ndarray, nudge: np.ndarray) -> np.ndarray:
        h = world.given[board.values["h"].leaf, 0][0, 0].astype(complex)
        found = []
        for t in range(LAST):
            h = 1 / (1 + np.exp(-(h @ recurrent + x[t] @ p["L"] @ p["I"] + p["b1"])))
            if t == 1:
                h = h + nudge
            theta = h @ p["U"] + p["b2"]
            found.append(np.log(np.exp(theta).sum()) - y[t] @ theta)
        return np.array(found)

    n = len(p["H"])
    for i in range(n):
        unit = 1j * TINY * np.eye(n)[i]
        moved = losses(p["H"], unit).imag / TINY
        node = Node("value", board.values["h"].leaf, 2)
        mine = [world.loss(node, t)[min(i, len(world.loss(node, t)) - 1), 0] for t in range(1, LAST + 1)]
        np.testing.assert_allclose(mine, moved, rtol=1e-10, atol=1e-15)
        for j in range(n):
            change = 1j * TINY * np.outer(np.eye(n)[i], np.eye(n)[j])
            total = (losses(p["H"] + change, np.zeros(n)).imag / TINY).sum()
            whole = world.total(Node("parameter", build.param("H", board.model.params["H"]), None))
            np.testing.assert_allclose(whole[i * n + j, 0], total, rtol=1e-10)


def test_all_sizes_differ() -> None:
    for model in MODELS.values():
        sizes = sizes_of(model)
        assert len(set(sizes.values())) == len(sizes)
        assert min(sizes.values()) > 1
