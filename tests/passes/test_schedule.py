"""The schedule changes where things are computed, not what: values are the same, and loops hold only what
has to be there.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from bptt.backends import build_program
from bptt.backends.reference import ReferenceExecutable
from bptt.ir import build
from bptt.ir.dims import VOCABULARY
from bptt.ir.expr import Expr
from bptt.ir.model import Model
from bptt.ir.ops import Op
from bptt.ir.program import Block, Kind, Program
from bptt.ir.traversal import topological
from bptt.passes.forward import GOALS
from cells import MODELS, model_of, point
from models_strategy import RandomModel, random_models

FLOAT64 = np.dtype(np.float64)


def before_and_after(model: Model, goal: str) -> tuple[Program, Program]:
    stages: dict[str, Program] = {}
    scheduled = build_program(model, goal, resets=True, observe=stages.__setitem__)
    return stages["look up tokens"], scheduled


def check_same_values(model: Model, goal: str, sizes: dict[str, int] | None = None) -> None:
    at = point(model, sizes)
    before, after = before_and_after(model, goal)
    want = ReferenceExecutable(before, at.sizes, FLOAT64).run(at.params, at.inputs, at.states, 7)
    got = ReferenceExecutable(after, at.sizes, FLOAT64).run(at.params, at.inputs, at.states, 7)
    assert set(got) == set(want) and before.results == after.results
    for name, array in want.items():
        # Sums in another order, over a few steps, of values of order one.
        np.testing.assert_allclose(got[name], array, rtol=1e-11, atol=1e-13, err_msg=name)


@pytest.mark.parametrize("goal", GOALS)
@pytest.mark.parametrize("name", MODELS)
def test_values_stay(name: str, goal: str) -> None:
    check_same_values(MODELS[name], goal)


@settings(max_examples=40)
@given(random_models())
def test_values_stay_for_random_models(random: RandomModel) -> None:
    check_same_values(model_of(random.row), "train", random.sizes)


# ---- what is where


def training(name: str) -> Program:
    return build_program(MODELS[name], "train", resets=True)


def scans(program: Program) -> list[Block]:
    return [block for block in program.blocks if block.kind is Kind.SCAN]


def nodes(block: Block) -> list[Expr]:
    return topological(block.roots())


def products(block: Block) -> list[Expr]:
    return [e for e in nodes(block) if e.op is Op.CONTRACT]


def params(block: Block) -> set[str]:
    return {e.attr for e in nodes(block) if e.op is Op.PARAM}


def test_loops_of_the_elman_network() -> None:
    """One product with H each way; the input and output layers are outside."""
    forward, backward = scans(training("elman"))
    for block in (forward, backward):
        assert len(products(block)) == 1 and params(block) == {"H"}
    assert not forward.reverse and backward.reverse
    ops = [e.op for e in nodes(forward) if e.args]
    assert sorted(op.name for op in ops) == ["ADD", "CONTRACT", "MUL", "SIGMOID"]


# The parameters with which the loops have products.
RECURRENT = {
    "elman": {"H"},
    "tanh": {"H"},
    "residual": {"H"},
    "gru": {"Ur", "Uz", "Un"},
    "lstm": {"Ui", "Uf", "Uo", "Ug"},
    "mingru": set(),
    "columns": {"Wr"},
    "normalised": {"R"},
}


@pytest.mark.parametrize("name", RECURRENT)
def test_loops_have_recurrent_products_alone(name: str) -> None:
    for block in scans(training(name)):
        tables = {arg.attr for e in products(block) for arg in e.args if arg.op is Op.PARAM}
        assert tables == RECURRENT[name]


def test_only_its_rows_of_a_table_are_in_the_loop() -> None:
    """[e, h[t-1]] @ W: the rows of e are multiplied before the loop."""
    forward, backward = scans(training("lstm of concatenations"))
    for block in (forward, backward):
        assert len(products(block)) == 4
        assert all({arg.op for arg in e.args} >= {Op.SLICE} for e in products(block))


@pytest.mark.parametrize("name", MODELS)
def test_no_loop_sums_anything(name: str) -> None:
    """Weight gradients are products over all tokens, after the loops."""
    program = training(name)
    for block in scans(program):
        assert block.sums == ()
    summed = {n for block in program.blocks for n, _ in (*block.sums, *block.outputs)}
    assert {"∂" + p for p in program.params} <= summed


# Where the vocabulary is part of a state, its values are kept, and the output layer is in the loop.
CARRY_THE_VOCABULARY = {
    name for name, model in MODELS.items() if any(VOCABULARY in s.shape for s in model.states)
}
OTHERS = [name for name in MODELS if name not in CARRY_THE_VOCABULARY]


def test_which_models_carry_the_vocabulary() -> None:
    assert {"memory that tokens address", "logits carried", "output fed back"} == CARRY_THE_VOCABULARY


@pytest.mark.parametrize("name", OTHERS)
def test_nothing_over_the_vocabulary_is_kept_in_training(name: str) -> None:
    blocks = [block for block in training(name).blocks if block.kind is not Kind.ONCE]
    assert [n for block in blocks for n, e in block.outputs if VOCABULARY in e.shape] == []
    assert [c.name for block in blocks for c in block.carries if VOCABULARY in c.shape] == []


@pytest.mark.parametrize("name", OTHERS)
def test_the_output_layer_and_its_gradient_meet(name: str) -> None:
    """The loss, and the gradient of what it is made of, are in one block, which is no loop."""
    blocks = [block for block in training(name).blocks if "J" in dict(block.sums)]
    assert len(blocks) == 1 and blocks[0].kind is Kind.MAP
    assert any(n.startswith("∂") for n, _ in (*blocks[0].outputs, *blocks[0].sums))


# The groups of carries in the order of their loops.
LOOPS = {
    "bigram": [],
    "embed": [],
    "elman": ["h", "∂h"],
    "lstm": ["c h", "∂c ∂h"],
    "gru2": ["h1", "h2", "∂h2", "∂h1"],
    "lstm2": ["c1 h1", "c2 h2", "∂c2 ∂h2", "∂c1 ∂h1"],
    "mingru2": ["h1", "h2", "∂h2", "∂h1"],
    "two layers, two steps back": ["h", "k k@2", "∂k ∂k@2", "∂h"],
    "memory matrix": ["S", "∂S"],
}


@pytest.mark.parametrize("name", LOOPS)
def test_layers_have_loops_of_their_own(name: str) -> None:
    blocks = scans(training(name))
    assert [" ".join(c.name for c in block.carries) for block in blocks] == LOOPS[name]
    assert [block.reverse for block in blocks] == [n.startswith("∂") for n in LOOPS[name]]


# What is kept for each token, in each block that keeps something.
KEPT = {
    "embed": [],
    "bigram": [],
    "elman": [{"e", "h·1"}, {"h"}, {"∂h·1"}, {"δh"}],
    "tanh": [{"e", "h·1"}, {"h"}, {"∂h·1"}, {"δh"}],
    # Gates, candidate, and what the reset gate is multiplied by; 1 - z and keep * h[t-1] are computed again.
    "gru": [{"e", "r·1", "z·1", "n·2"}, {"r", "z", "n·1", "n", "h"}, {"∂h·1"}, {"δz", "δn"}],
    # Four gates and tanh(c); c itself is carried, and nobody looks at it afterwards but its own loop.
    "lstm": [
        {"e", "i·1", "f·1", "o·1", "g·1"},
        {"i", "f", "o", "g", "h·1", "h"},
        {"∂h·1"},
        {"δi", "δf", "δo", "δg"},
    ],
    "mingru": [{"e", "z", "n"}, {"h"}, {"∂h·1"}, {"∂h"}],
}


@pytest.mark.parametrize("name", KEPT)
def test_only_what_is_needed_is_kept(name: str) -> None:
    program = training(name)
    kept = [{n for n, _ in block.outputs} for block in program.blocks if block.outputs]
    assert kept == KEPT[name]


@pytest.mark.parametrize("name", MODELS)
def test_everything_kept_is_read(name: str) -> None:
    program = training(name)
    read = {e.attr for block in program.blocks for e in nodes(block) if e.op in (Op.VALUE, Op.PARAM)}
    stored = {n for block in program.blocks for n, _ in block.outputs}
    assert stored <= read | set(program.results)


def test_scoring_has_one_loop_and_keeps_only_the_state() -> None:
    program = build_program(MODELS["elman"], "score")
    assert len(scans(program)) == 1 and program.results == ("nll",)
    assert {n for block in program.blocks for n, _ in block.outputs} == {"h·1", "h", "nll"}


def test_a_gradient_through_what_is_computed_once() -> None:
    """The product of two parameters is computed before all steps, and its gradient goes on to both after
    them.
    """
    program = build_program(
        model_of("e = x @ L\nh = tanh(e @ (A * B) + h[t-1] @ R)\nyhat = softmax(h @ U)"), "train"
    )
    first, last = program.blocks[0], program.blocks[-1]
    assert first.kind is last.kind is Kind.ONCE
    assert [e for _, e in first.outputs] == [
        build.mul(*(build.param(n, program.params[n]) for n in ("A", "B")))
    ]
    assert {n for n, _ in last.outputs} == {"∂A", "∂B"}
