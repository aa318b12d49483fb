"""A model on the board: names of pre-activations, letters, layouts, objectives, batches."""

from __future__ import annotations

import pytest

from bptt.derivation.board import BATCH, LOSS, Board, put_on_board
from bptt.derivation.derive import Deriver
from bptt.ir.model import Model
from bptt.ir.ops import Op
from bptt.ir.traversal import topological
from bptt.models import shipped
from bptt.render.unicode import show
from cells import CELLS, MODELS, model_of


def equations(board: Board) -> list[str]:
    """The equations of a board, one a line."""
    deriver = Deriver(board)
    definitions = [deriver.define(value) for value in deriver.values]
    return [f"{show(d.symbol)} = {show(d.matrix)}" for d in definitions if d.matrix is not None]


def test_what_a_non_linearity_is_applied_to_has_a_name() -> None:
    assert equations(put_on_board(MODELS["elman"])) == [
        "e = x L",
        "aʰ = h[t-1] H + e I + b₁",
        "h = σ(aʰ)",
        "θ = h U + b₂",
        "ŷ = softmax(θ)",
        "J = CE(y, ŷ)",
    ]


def test_two_non_linearities_in_one_equation_have_numbered_names() -> None:
    board = put_on_board(model_of("e = x @ L\nh = tanh(e @ A) * sigmoid(e @ B)\nyhat = softmax(h @ U)"))
    assert list(board.values)[1:4] == ["a·h1", "a·h2", "h"]
    first, second = (board.values[name] for name in ("a·h1", "a·h2"))
    assert (first.activation, second.activation) == ("h1", "h2")
    assert [show(Deriver(board).matrix(v.definition, whole=True)) for v in (first, second)] == ["e A", "e B"]


def test_one_within_another_is_named_first() -> None:
    model = model_of("A : e, e\ne = x @ L\nh = tanh(sigmoid(e @ A) @ B)\nyhat = softmax(h @ U)")
    board = put_on_board(model)
    assert list(board.values)[1:4] == ["a·h1", "a·h2", "h"]
    assert board.values["a·h1"].leaf in topological([board.values["a·h2"].definition])


def test_what_has_a_name_already_gets_no_other() -> None:
    model = model_of("e = x @ L\nq = e @ A\nh = tanh(q)\nyhat = softmax(h @ U)")
    board = put_on_board(model)
    assert equations(board)[1:3] == ["q = e A", "h = tanh(q)"]
    error = board.values["q"].error
    assert error is not None and show(error) == "δʰ"


def test_the_tanh_of_a_state_is_not_an_activation_of_its_own() -> None:
    """h = o ∘ tanh(c): the derivative by c is carried on, and no error δ."""
    board = put_on_board(MODELS["lstm"])
    assert "h = o ∘ tanh(c)" in equations(board)
    assert board.values["c"].error is None
    errors = [show(v.error) for v in board.values.values() if v.error is not None]
    assert errors == ["δⁱ", "δᶠ", "δᵒ", "δᵍ"]


@pytest.mark.parametrize(
    ("equation", "names"),
    [
        ("a = x @ L\nh = tanh(a @ A)\nyhat = softmax(h @ U)", ["a", "zʰ", "h", "θ", "ŷ", "J"]),
        ("a = x @ L\nz = tanh(a @ A)\nyhat = softmax(z @ U)", ["a", "preᶻ", "z", "θ", "ŷ", "J"]),
        ("e = x @ theta\nh = tanh(e @ A)\nyhat = softmax(h @ U)", ["e", "aʰ", "h", "s", "ŷ", "J"]),
    ],
)
def test_new_names_are_none_of_the_model(equation: str, names: list[str]) -> None:
    board = put_on_board(model_of(equation))
    assert [show(value.symbol) for value in board.values.values()] == names


def test_the_error_gets_another_name_where_delta_is_taken() -> None:
    board = put_on_board(model_of("e = x @ delta\nh = tanh(e @ A)\nyhat = softmax(h @ U)"))
    assert show(board.values["a·h"].error) == "εʰ"  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [*shipped(), *CELLS])
@pytest.mark.parametrize("batch", [False, True])
def test_letters_of_indices_mean_nothing_else(name: str, batch: bool) -> None:
    board = put_on_board(MODELS[name], batch=batch)
    taken = {s.name for s in board.symbols.values()} | set(MODELS[name].dims) | {"t"}
    assert not taken & set(board.letters)
    assert len(board.letters) >= 6 and len(set(board.letters)) == len(board.letters)
    # n counts the examples, t the steps.
    assert not batch or "n" not in board.letters


@pytest.mark.parametrize("name", [*shipped(), *CELLS])
@pytest.mark.parametrize("layout", ["row", "column"])
def test_every_leaf_has_a_symbol_and_order_is_that_of_computation(name: str, layout: str) -> None:
    board = put_on_board(MODELS[name], layout)
    known = set()
    for value in board.values.values():
        for leaf in topological([value.definition]):
            if leaf.op is Op.VALUE:
                assert leaf.attr in known
            if leaf.op in (Op.VALUE, Op.PARAM, Op.TOKEN, Op.CARRY):
                assert board.symbol(leaf) is not None
        known.add(value.name)
    assert list(board.values)[-1] == LOSS


def shapes(model: Model) -> dict[str, tuple[str, ...]]:
    return {name: tuple(map(str, shape)) for name, shape in model.params.items()}


def test_the_other_layout_turns_every_matrix_over_and_says_so() -> None:
    row, column = put_on_board(MODELS["elman"]), put_on_board(MODELS["elman"], "column")
    assert equations(column) == [
        "e = L x",
        "aʰ = H h[t-1] + I e + b₁",
        "h = σ(aʰ)",
        "θ = U h + b₂",
        "ŷ = softmax(θ)",
        "J = CE(y, ŷ)",
    ]
    assert shapes(column.model) == {name: shape[::-1] for name, shape in shapes(row.model).items()}
    assert row.notes == () and len(column.notes) == 1
    assert "transpose" in column.notes[0] and "columns" in column.notes[0]


def test_the_layout_of_the_file_is_left_as_it_is() -> None:
    model = model_of(CELLS["columns"])
    assert model.layout == "column"
    for board in (put_on_board(model), put_on_board(model, "column")):
        assert board.notes == () and board.model is model
    assert equations(put_on_board(model, "row"))[0] == "aʰ = x We + h[t-1] Wr"


@pytest.mark.parametrize("name", [*shipped(), *CELLS])
def test_turning_twice_changes_nothing(name: str) -> None:
    model = MODELS[name]
    other = "column" if model.layout == "row" else "row"
    twice = put_on_board(put_on_board(model, other).model, model.layout)
    assert equations(twice) == equations(put_on_board(model))


def test_the_objective_decides_the_sign() -> None:
    assert equations(put_on_board(MODELS["elman"], objective="log-likelihood"))[-1] == "J = −CE(y, ŷ)"
    plain = put_on_board(MODELS["elman"], fused=False)
    assert equations(plain)[-1] == "J = −y (log ŷ)ᵀ"
    signed = put_on_board(MODELS["elman"], objective="log-likelihood", fused=False)
    assert equations(signed)[-1] == "J = y (log ŷ)ᵀ"


def test_an_objective_of_ones_own_keeps_its_terms() -> None:
    board = put_on_board(MODELS["dropout and an objective"])
    (loss,) = [line for line in equations(board) if line.startswith("J = ")]
    assert "CE(y, ŷ)" in loss and "0.01" in loss and "0.001" in loss


@pytest.mark.parametrize(("layout", "stacked"), [("row", ("B", "h")), ("column", ("h", "B"))])
def test_a_batch_stacks_what_differs_from_example_to_example(layout: str, stacked: tuple[str, str]) -> None:
    board = put_on_board(MODELS["bigram"], layout, batch=True)
    assert tuple(map(str, board.values["h"].symbol.shape)) == stacked
    assert board.loss.symbol.shape == ()
    for leaf, symbol in board.symbols.items():
        assert (BATCH in symbol.shape) == (leaf.varies and leaf is not board.loss.leaf)


def test_what_parameters_alone_make_is_no_different_in_a_batch() -> None:
    board = put_on_board(model_of("A : e, 5\ne = x @ L\nK = A @ C\nyhat = softmax(e @ K)"), batch=True)
    k = board.values["K"]
    assert k.symbol.shape == k.leaf.shape and k.symbol.time is None
    assert board.is_constant(k.leaf) and not board.is_constant(board.values["e"].leaf)
