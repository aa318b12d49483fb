"""Dropout from outside: where the masks stand, and that nothing else changes."""

from __future__ import annotations

import pytest

from bptt.backends import build_program
from bptt.checking.gradcheck import check_gradients, check_sizes
from bptt.ir.model import Model
from bptt.ir.ops import Op
from bptt.ir.text import show_expr
from bptt.ir.traversal import topological
from bptt.lowering import lower
from bptt.models import source_of
from bptt.passes.dropout import add_dropout
from bptt.syntax import parse


def model_of(spec: str) -> Model:
    return lower(parse(source_of(spec)))


def masked(model: Model) -> list[str]:
    """What is multiplied by a mask, by the names of the equations."""
    named = {e: name for name, e in model.definitions.items()}
    products = [e for e in topological([model.objective]) if e.op is Op.MUL and e.args[1].op is Op.MASK]
    return [show_expr(e.args[0], named) for e in products]


@pytest.mark.parametrize(
    ("spec", "vectors"),
    [("elman", ["e", "h"]), ("bigram", ["e", "h"]), ("lstm2", ["e", "h1", "h2"]), ("embed", ["e"])],
)
def test_masks_stand_on_the_way_up_only(spec: str, vectors: list[str]) -> None:
    assert masked(add_dropout(model_of(spec), 0.2)) == vectors


def test_one_mask_for_all_uses_of_a_vector_beside_the_masks_of_the_equations() -> None:
    text = "e = dropout(x @ L, 0.1)\nh = tanh(e @ W + e @ M + h[t-1] @ H)\nyhat = softmax(h @ U)\n"
    model = add_dropout(model_of(text), 0.5)
    keys = [e.attr for e in topological([model.objective]) if e.op is Op.MASK]
    assert sorted(keys) == [(0, 0.1), (1, 0.5), (2, 0.5)]


def test_the_gradients_are_those_of_the_masked_equations() -> None:
    model = add_dropout(model_of("gru"), 0.4)
    assert all(check.passed(1e-7) for check in check_gradients(model, check_sizes(model, {})))


def test_it_is_gone_when_the_model_is_scored() -> None:
    plain, dropped = model_of("elman"), add_dropout(model_of("elman"), 0.3)
    blocks = [build_program(model, "score").blocks for model in (plain, dropped)]
    roots = [[e for block in program for e in block.roots()] for program in blocks]
    assert roots[0] == roots[1]
