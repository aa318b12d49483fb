"""The proof: every formula of every derivation, each step included, has the value of the true derivative.

Over the shipped models and the cells, in both layouts, for both objectives, for one example and for a batch,
at random points with all sizes different.
"""

from __future__ import annotations

import numpy as np
import pytest

from bptt.checking.world import LAST, Node, World, compute, sizes_of
from bptt.derivation.board import put_on_board
from bptt.derivation.whole import derive_model
from bptt.formula.functions import TINY
from bptt.formula.tensor import named
from bptt.formula.tree import Derivative, Formula, Indexed, Symbol, children
from bptt.ir import build
from bptt.ir.ops import Op
from bptt.models import shipped
from cells import MODELS
from derivation.claims import (
    UNROLLED,
    ZERO,
    Failure,
    claims_of_model,
    differ,
    failures,
    leaves_of,
)
from derivation.hard_cells import HARD

SHIPPED = sorted(shipped())
CELLS = [*sorted(set(MODELS) - set(SHIPPED)), *HARD]
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
IN_A_BATCH = {"definition of J", "closed form"}


def named_settings(names: list[str], settings: list[tuple[str, str, bool]]) -> list[object]:
    return [
        pytest.param(name, *setting, id="-".join([name, setting[0], setting[1], "batch" * setting[2]]))
        for name in names
        for setting in settings
    ]


def told(failed: list[Failure]) -> str:
    return "\n".join([f"{len(failed)} do not hold:", *map(str, failed[:20])])


@pytest.mark.parametrize(("name", "layout", "objective", "batch"), named_settings(SHIPPED, SETTINGS))
def test_every_formula_of_a_shipped_model_is_the_true_derivative(
    name: str, layout: str, objective: str, batch: bool
) -> None:
    claims = claims_of_model(name, layout, objective, batch)
    failed = failures(claims, seed=1)
    assert not failed, told(failed)
    assert set(claims.obstacles) <= (IN_A_BATCH if batch else set())


@pytest.mark.parametrize(
    ("name", "layout", "objective", "batch"),
    named_settings(CELLS[::2], SETTINGS[::3]) + named_settings(CELLS[1::2], SETTINGS[1:3]),
)
def test_every_formula_of_a_cell_is_the_true_derivative(
    name: str, layout: str, objective: str, batch: bool
) -> None:
    claims = claims_of_model(name, layout, objective, batch)
    failed = [f for f in failures(claims, seed=2) if f.fault != ZERO]
    assert not failed, told(failed)
    assert all(claims.obstacles.values())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "layout", "objective", "batch"),
    named_settings(SHIPPED, OTHERS) + named_settings(CELLS, OTHERS),
)
def test_every_formula_in_the_other_settings(name: str, layout: str, objective: str, batch: bool) -> None:
    failed = failures(claims_of_model(name, layout, objective, batch), 3)
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
    reading = claims.proof(1).long
    assert claims.results
    for gradient, (index, matrix) in claims.results.items():
        assert isinstance(index.left, Derivative)
        bottom = index.left.bottom
        letters = [i.letter for i in bottom.indices] if isinstance(bottom, Indexed) else []
        elements, whole = reading.value(index.result), reading.value(matrix.result)
        array = whole.array if len(letters) == 2 else whole.array.reshape([-1] * len(letters))
        if elements.array.any() or whole.array.any():
            assert not differ(named(array, letters), elements), gradient


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


@pytest.mark.parametrize("name", SHIPPED)
def test_what_is_claimed(name: str) -> None:
    """A proof of nothing would hold: every quantity has its gradient, in both notations and every reading."""
    claims = claims_of_model(name, *SETTINGS[0])
    places = {claim.place for claim in claims.claims}
    for quantity in leaves_of(claims.board).values():
        assert {f"{quantity}: index form", f"{quantity}: matrix form"} <= places
    readings = {claim.reading for claim in claims.claims}
    assert "L (param): other forms" in places
    if MODELS[name].states:
        assert {"recursion", "closed form", "unrolled"} <= places
        assert {f"{parameter} (param): through time" for parameter in MODELS[name].params} <= places
        assert readings >= {"definition", "step", "before", "total"}
    else:
        assert readings == {"definition", "once"}


@pytest.mark.parametrize("of", [False, True])
@pytest.mark.parametrize("name", SHIPPED)
def test_nothing_is_shown_that_is_not_among_the_claims(name: str, of: bool) -> None:
    layout, objective, batch = SETTINGS[2]
    model = MODELS[name]
    claims = claims_of_model(name, layout, objective, batch, fused=not of)
    proved = {(claim.left, claim.right) for claim in claims.claims}
    shown = derive_model(
        model,
        model.output if of else None,
        layout=layout,
        objective=objective,
        batch=batch,
        unroll=UNROLLED if model.states else 0,
    )
    chains = list(shown.carried)
    for gradient in shown.gradients:
        chains += [*gradient.local, gradient.index, *gradient.forms, *gradient.through_time]
        chains += [c for c in (gradient.matrix, gradient.written_out) if c is not None]
    assert len(chains) > 1
    for chain in chains:
        assert proved.issuperset(chain.equations()), chain.title


@pytest.mark.parametrize("number", range(len(SHIPPED)))
def test_with_the_loss_as_it_is_written(number: int) -> None:
    """Softmax and cross-entropy apart: the gradient by the distribution itself."""
    claims = claims_of_model(SHIPPED[number], *SETTINGS[number % 2], fused=False)
    failed = failures(claims, seed=9)
    assert not failed, told(failed)
    assert not claims.obstacles


# The truth itself.


@pytest.mark.parametrize("layout", ["row", "column"])
@pytest.mark.parametrize("name", SHIPPED + CELLS)
def test_the_board_computes_the_model(name: str, layout: str) -> None:
    """Names for pre-activations, the fused loss and the other layout change no value."""
    model = (MODELS | HARD)[name]
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
        if definition in board.values:
            expected = compute(expression, leaves, world.sizes)
            np.testing.assert_allclose(run[board.values[definition].leaf, at], expected, rtol=1e-12)
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
