"""Matrix forms of many small equations as text, in both layouts; what has none says so."""

from __future__ import annotations

import pytest

from bptt.formula.shapes import shape_of
from bptt.formula.tree import Derivative
from bptt.render.unicode import show
from cells import CELLS
from derivation.texts import derive, matrix

FEW = ("elman", "residual", "gru", "lstm", "mingru")
OUT = "\nyhat = softmax(h @ U)"

# The equation of h, what the gradient is taken by, in rows, in columns.
FORMS = [
    ("e @ A", "A", "eᵀ ∂J/∂h", "∂J/∂h · eᵀ"),
    ("e @ A", "e", "∂J/∂h · Aᵀ", "Aᵀ ∂J/∂h"),
    ("e + b", "b", "∂J/∂h", "∂J/∂h"),
    ("-e + b", "e", "−∂J/∂h", "−∂J/∂h"),
    ("e * g", "g", "∂J/∂h ∘ e", "∂J/∂h ∘ e"),
    ("(1 - g) * e", "g", "−∂J/∂h ∘ e", "−∂J/∂h ∘ e"),
    ("2 * e", "e", "2 ∂J/∂h", "2 ∂J/∂h"),
    ("e @ A @ C + e", "C", "Aᵀ eᵀ ∂J/∂h", "∂J/∂h · eᵀ Aᵀ"),
    ("tanh(e)", "e", "∂J/∂h ∘ (1 − h ∘ h)", "∂J/∂h ∘ (1 − h ∘ h)"),
    ("sigmoid(e)", "e", "∂J/∂h ∘ h ∘ (1 − h)", "∂J/∂h ∘ h ∘ (1 − h)"),
    ("relu(e)", "e", "∂J/∂h ∘ step(e)", "∂J/∂h ∘ step(e)"),
    ("softplus(e)", "e", "∂J/∂h ∘ σ(e)", "∂J/∂h ∘ σ(e)"),
    ("exp(e)", "e", "∂J/∂h ∘ h", "∂J/∂h ∘ h"),
    ("softmax(e)", "e", "h ∘ (∂J/∂h − ∂J/∂h · hᵀ)", "h ∘ (∂J/∂h − (∂J/∂h)ᵀ h)"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("equation", "of", "row", "column"), FORMS, ids=[f"{e} by {o}" for e, o, *_ in FORMS]
)
def test_small_equations(equation: str, of: str, row: str, column: str) -> None:
    model = ("A : e, 7\n" if "C" in equation else "") + f"e = x @ L\nh = {equation}{OUT}"
    assert matrix(model, of) == row
    assert matrix(model, of, layout="column") == column


SHIPPED = {
    ("elman", "U"): ("hᵀ (ŷ − y)", "(ŷ − y) hᵀ"),
    ("elman", "b2"): ("ŷ − y", "ŷ − y"),
    ("elman", "h"): ("(ŷ − y) Uᵀ", "Uᵀ (ŷ − y)"),
    ("elman", "a_h"): ("∂J/∂h ∘ h ∘ (1 − h)", "∂J/∂h ∘ h ∘ (1 − h)"),
    ("elman", "H"): ("h[t-1]ᵀ δʰ", "δʰ h[t-1]ᵀ"),
    ("elman", "h[t-1]"): ("δʰ Hᵀ", "Hᵀ δʰ"),
    ("elman", "L"): ("xᵀ ∂J/∂e", "∂J/∂e · xᵀ"),
    ("elman", "x"): ("∂J/∂e · Lᵀ", "Lᵀ ∂J/∂e"),
    ("residual", "h[t-1]"): ("δʰ Hᵀ + ∂J/∂h", "Hᵀ δʰ + ∂J/∂h"),
    ("lstm", "o"): ("∂J/∂h ∘ tanh(c)", "∂J/∂h ∘ tanh(c)"),
    ("lstm", "c[t-1]"): ("∂J/∂c ∘ f", "∂J/∂c ∘ f"),
    ("lstm", "h[t-1]"): ("δⁱ Uiᵀ + δᶠ Ufᵀ + δᵒ Uoᵀ + δᵍ Ugᵀ", "Uiᵀ δⁱ + Ufᵀ δᶠ + Uoᵀ δᵒ + Ugᵀ δᵍ"),
    ("gru", "z"): ("∂J/∂h ∘ (h[t-1] − n)", "∂J/∂h ∘ (h[t-1] − n)"),
    ("gru", "Un"): ("h[t-1]ᵀ (δⁿ ∘ r)", "(δⁿ ∘ r) h[t-1]ᵀ"),
}


@pytest.mark.parametrize(("model", "of"), SHIPPED, ids=[f"{m} by {o}" for m, o in SHIPPED])
def test_shipped_models(model: str, of: str) -> None:
    assert (matrix(model, of), matrix(model, of, layout="column")) == SHIPPED[model, of]


@pytest.mark.parametrize("name", ["elman", "gru", "lstm", "mingru"])
def test_in_the_other_layout_every_shape_is_turned_over(name: str) -> None:
    row, column = derive(name), derive(name, layout="column")
    for here, there in zip(row.gradients, column.gradients, strict=True):
        assert here.name == there.name and here.matrix is not None and there.matrix is not None
        assert shape_of(there.matrix.result, "column") == shape_of(here.matrix.result, "row")[::-1]


@pytest.mark.parametrize("name", [*FEW, *CELLS])
@pytest.mark.parametrize("layout", ["row", "column"])
def test_a_gradient_has_the_shape_of_what_it_is_taken_by(name: str, layout: str) -> None:
    for gradient in derive(CELLS.get(name, name), layout=layout).gradients:
        if gradient.matrix is not None and gradient.uses:
            for left, right in gradient.matrix.equations():
                assert isinstance(left, Derivative)
                assert shape_of(right, layout) == shape_of(left.bottom, layout), show(right)


def test_written_out_no_derivative_is_left() -> None:
    gradient = derive("elman", "I").gradients[-1]
    assert gradient.written_out is not None
    assert show(gradient.written_out.result) == "eᵀ ((ŷ − y) Uᵀ ∘ h ∘ (1 − h))"
    # Where it would get too long it is not written at all.
    assert derive("gru2", "L").gradients[-1].written_out is None


def test_elementwise_products_as_diagonal_matrices() -> None:
    (row,) = derive("elman", "a_h").gradients[-1].forms
    (column,) = derive("elman", "a_h", layout="column").gradients[-1].forms
    assert show(row.result) == "∂J/∂h · diag(h ∘ (1 − h))"
    assert show(column.result) == "diag(h ∘ (1 − h)) ∂J/∂h"


def test_of_a_table_only_the_row_of_the_token_gets_a_gradient() -> None:
    (form,) = derive("elman", "L").gradients[-1].forms
    assert (show(form.left), show(form.result)) == ("∂J/∂L[x] |ₜ", "∂J/∂e")


def test_what_stands_in_two_equations_has_two_terms() -> None:
    tied = CELLS["tied, with an initial state"]
    assert matrix(tied, "L") == "xᵀ ∂J/∂e + (ŷ − y)ᵀ h P"
    assert matrix(tied, "L", layout="column") == "∂J/∂e · xᵀ + P h (ŷ − y)ᵀ"


@pytest.mark.parametrize(
    ("of", "row", "column"),
    [
        ("U", "hᵀ (ŷ − y)", "(ŷ − y) hᵀ"),
        ("b2", "𝟏 (ŷ − y)", "(ŷ − y) 𝟏"),
        ("h", "(ŷ − y) Uᵀ", "Uᵀ (ŷ − y)"),
        ("W", "eᵀ δʰ", "δʰ eᵀ"),
        ("b1", "𝟏 δʰ", "δʰ 𝟏"),
    ],
)
def test_in_a_batch_products_add_up_the_examples(of: str, row: str, column: str) -> None:
    assert matrix("bigram", of, batch=True) == row
    assert matrix("bigram", of, batch=True, layout="column") == column


def test_the_inner_size_of_a_batch_is_b() -> None:
    gradient = derive("bigram", "U", batch=True).gradients[-1]
    assert gradient.matrix is not None
    turned, error = gradient.matrix.result.factors  # type: ignore[attr-defined]
    assert [tuple(map(str, shape_of(f, "row"))) for f in (turned, error)] == [("h", "B"), ("B", "V")]


def test_what_has_no_matrix_notation_in_a_batch_says_why() -> None:
    memory = CELLS["memory matrix"]
    found = {g.name: g for g in derive(memory, batch=True).gradients}
    assert found["S"].matrix is None and "matrix for every example" in found["S"].obstacle
    # For one example there is one, and elements there are always.
    alone = {g.name: g for g in derive(memory).gradients}
    assert alone["S"].matrix is not None
    assert "Σ" in show(found["S"].index.result)


@pytest.mark.parametrize("name", [*FEW, *CELLS])
@pytest.mark.parametrize("batch", [False, True])
def test_each_gradient_has_a_matrix_form_or_a_reason(name: str, batch: bool) -> None:
    for gradient in derive(CELLS.get(name, name), batch=batch).gradients:
        assert (gradient.matrix is None) == bool(gradient.obstacle), gradient.name
        if not batch:
            assert gradient.matrix is not None
