"""Why each transpose and each order: the sentences that matter, the numbers, the alternatives."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pytest

from bptt.derivation.whole import derive_model
from bptt.lm.model import understand
from bptt.models import source_of
from bptt.render import terminal
from bptt.render.derivation_page import derivation_page
from bptt.render.explanation import ERRORS, INPUTS, WEIGHTS
from bptt.render.page import Block, Page, Section, Table
from bptt.render.shown import words

# H in the worked instance, where the matrix is square.
SQUARE = ((1, 2), (-1, 3))


@cache
def page(model: str, of: str | None = None, **options: object) -> Page:
    derivations = derive_model(understand(source_of(model)), of, **options)  # type: ignore[arg-type]
    return derivation_page(derivations, explain=True)


def sections(blocks: tuple[Block, ...] | tuple[Section, ...]) -> list[Section]:
    found = [block for block in blocks if isinstance(block, Section)]
    return [s for section in found for s in (section, *sections(section.blocks))]


def why(model: str, of: str, **options: object) -> Section | None:
    """The section of a page that explains."""
    found = [s for s in sections(page(model, of, **options).sections) if s.key.startswith("why-")]
    assert len(found) <= 1
    return found[0] if found else None


def text(model: str, of: str, **options: object) -> str:
    """What it says, on one line."""
    section = why(model, of, **options)
    assert section is not None
    shown = terminal.render(Page("", (section,), options.get("layout", "row"), True), 160)  # type: ignore[arg-type]
    return " ".join(shown.split())


def tables(model: str, of: str, **options: object) -> list[list[tuple[str, str, str]]]:
    """The alternatives: instead, shapes, what it is."""
    section = why(model, of, **options)
    assert section is not None
    found = [block for block in section.blocks if isinstance(block, Table)]
    return [[tuple(map(words, row)) for row in table.rows] for table in found]  # type: ignore[misc]


def test_the_question_of_the_student() -> None:
    """Where does the h-transpose come from in ∂J/∂U = hᵀ (ŷ − y)?"""
    said = text("elman", "U")
    assert said.index("∂J/∂Uᵢⱼ = hᵢ (ŷⱼ − yⱼ)") < said.index("∂J/∂U = hᵀ (ŷ − y)")
    assert "counts the rows of U, belongs to h" in said
    assert "outer product" in said
    # Shapes below the factors.
    assert "(h×V) (h×1) (1×V)" in said
    # The other transpose has the other reason.
    assert said.index("outer product") < said.index("∂J/∂hᵢ = Σⱼ (ŷⱼ − yⱼ) Uᵢⱼ")
    assert "a sum is left, over j, the second index of U" in said
    assert "(1×h) (1×V) (V×h)" in said
    assert "hᵀ because its elements count the rows" in said and "Uᵀ because a sum runs" in said


def test_in_columns_it_is_the_other_factor_that_is_turned() -> None:
    said = text("elman", "U", layout="column")
    assert "∂J/∂Uᵢⱼ = (ŷᵢ − yᵢ) hⱼ" in said and "∂J/∂U = (ŷ − y) hᵀ" in said
    assert "counts its columns, to h" in said
    assert "a sum is left, over j, the first index of U" in said
    assert "hᵀ because its elements count the columns" in said


@pytest.mark.parametrize("layout", ["row", "column"])
@pytest.mark.parametrize(("model", "of", "turned"), [("elman", "H", "h[t-1]"), ("lstm", "Uf", "h[t-1]")])
def test_the_last_sentence_names_what_is_turned(model: str, of: str, turned: str, layout: str) -> None:
    said = text(model, of, layout=layout)
    assert re.search(rf"two reasons: {re.escape(turned)}ᵀ because .*; {of}ᵀ because", said)


# The worked instance.


def numbers(found: str) -> list[float]:
    return [float(n.replace("−", "-")) for n in re.findall(r"−?\d+(?:\.\d+)?", found)]


def matrix_after(said: str, start: str) -> list[float]:
    """The numbers between two brackets behind some words."""
    rest = said[said.index(start) + len(start) :]
    return numbers(rest[: rest.index("]")])


def test_the_numbers_of_the_outer_product_are_right() -> None:
    outer = np.outer(INPUTS, ERRORS)
    section = why("elman", "U")
    assert section is not None
    shown = terminal.render(Page("", (section,), "row", True), 160)
    rows = re.findall(r"[⎡⎣]([^⎤⎦⎡⎣]*)[⎤⎦]\n", shown)
    assert np.allclose([numbers(row) for row in rows[1:3]], outer)


def test_raising_one_weight_changes_what_is_said() -> None:
    """U₁₂ times h₁ is a part of θ₂ alone, and ∂J/∂θ₂ is −0.7."""
    said = text("elman", "U")
    assert "Raise U₁₂" in said and "only θ₂ changes, by h₁ ε = 0.6 ε" in said
    assert "by −0.7 times that" in said and "−0.42 ε" in said and "row 1, column 2" in said
    assert np.outer(INPUTS, ERRORS)[0, 1] == pytest.approx(-0.42)
    turned = text("elman", "U", layout="column")
    assert "Raise U₂₁" in turned and "−0.42 ε" in turned and "row 2, column 1" in turned


def test_the_log_likelihood_turns_the_signs_and_does_not_speak_of_the_loss() -> None:
    said = text("elman", "U", objective="log-likelihood")
    assert "hᵀ (y − ŷ)" in said and "[−0.5 0.7 −0.2]" in said
    assert "0.7 times that" in said and "−0.42 ε" not in said and "the loss changes" not in said


def test_the_numbers_of_the_way_back_are_right() -> None:
    back = np.array(ERRORS) @ np.array(WEIGHTS).T
    assert matrix_after(text("elman", "U"), "= [0.9") == pytest.approx(back[1:])
    assert back[0] == pytest.approx(0.9)
    said = text("elman", "H")
    assert "H = [1, 2; −1, 3]" in said and "= [−0.9 −2.6]" in said
    assert np.array(ERRORS[:2]) @ np.array(SQUARE).T == pytest.approx([-0.9, -2.6])


def test_a_token_is_one_hot_in_the_instance() -> None:
    assert "x = [0, 1]" in text("elman", "L")


def test_the_other_instances_have_numbers_of_their_own() -> None:
    """Where the error has no formula of the output, it has numbers of its own, two for a square matrix."""
    assert "h[t-1] = [0.6, 0.2] and δʰ = [0.5, −0.7]" in text("elman", "H")


# What goes wrong.


def test_the_alternatives_of_an_outer_product() -> None:
    outer, back = tables("elman", "U")
    assert [row[0] for row in outer] == ["h (ŷ − y)", "(ŷ − y)ᵀ h", "h (ŷ − y)ᵀ"]
    assert [row[1] for row in outer] == ["(1×h)(1×V)", "(V×1)(1×h) = V×h", "(1×h)(V×1)"]
    assert "cannot be multiplied: h columns meet 1 row" in outer[0][2]
    assert "row i, column j of U stands in row j, column i" in outer[1][2]
    assert "cannot be multiplied" in outer[2][2] and "one number" in outer[2][2]
    assert [row[0] for row in back] == ["(ŷ − y) U", "U (ŷ − y)ᵀ"]
    assert "V columns meet h rows" in back[0][2]
    assert back[1][1] == "(h×V)(V×1) = h×1" and "as a column" in back[1][2]


def test_of_a_square_matrix_the_shape_does_not_tell() -> None:
    """∂J/∂H could be h[t-1]ᵀ δ or its transpose, and δ H could be multiplied: only elements decide."""
    outer, back = tables("elman", "H")
    assert outer[1][1] == "(h×1)(1×h) = h×h" and "The shape is right" in outer[1][2]
    assert outer[2][1] == "(1×h)(h×1) = a number" and "one number" in outer[2][2]
    assert back[0][1] == "(1×h)(h×h) = 1×h" and "wrong index" in back[0][2]
    # δ H in the instance, as a warning that it differs.
    assert numbers(back[0][2])[-2:] == pytest.approx(np.array(ERRORS[:2]) @ np.array(SQUARE))


def test_the_alternatives_in_columns() -> None:
    outer, back = tables("elman", "U", layout="column")
    assert [row[0] for row in outer] == ["(ŷ − y) h", "h (ŷ − y)ᵀ", "(ŷ − y)ᵀ h"]
    assert [row[1] for row in outer] == ["(V×1)(h×1)", "(h×1)(1×V) = h×V", "(1×V)(h×1)"]
    assert "1 column meets h rows" in outer[0][2]
    assert [row[0] for row in back] == ["U (ŷ − y)", "(ŷ − y)ᵀ U"] and "as a row" in back[1][2]


def test_letters_are_those_of_the_page() -> None:
    """The input gate of an LSTM is called i: there the rows are j."""
    outer, _ = tables("lstm", "Ui")
    assert "row j, column k of Ui stands in row k, column j" in outer[1][2]


# When there is something to explain.


def test_a_vector_that_goes_through_a_matrix_has_the_second_reason_alone() -> None:
    said = text("elman", "h[t-1]")
    assert "∂J/∂h[t-1]ᵢ = Σⱼ δʰⱼ Hᵢⱼ" in said and "outer product" not in said
    assert "Two transposes" not in said


def test_what_has_other_terms_too_says_so() -> None:
    assert "∂J/∂h[t-1]ᵢ = … + Σⱼ δʰⱼ Hᵢⱼ" in text("residual", "H")


@pytest.mark.parametrize("of", ["b2", "a_h"])
def test_where_nothing_is_transposed_nothing_is_explained(of: str) -> None:
    assert why("elman", of) is None


def test_in_a_batch_the_product_adds_up_the_examples() -> None:
    said = text("bigram", "U", batch=True)
    assert "Every example uses the same U" in said and "∂J/∂Uᵢⱼ = Σₙ hₙᵢ (ŷₙⱼ − yₙⱼ)" in said
    assert "(h×V) (h×B) (B×V)" in said


def test_a_page_of_all_gradients_explains_each() -> None:
    keys = {s.key for s in sections(page("elman").sections)}
    assert {"why-U", "why-H", "why-I", "why-L", "why-h", "why-e", "why-x"} <= keys
    assert "why-b1" not in keys


def test_nothing_is_explained_unasked() -> None:
    plain = derivation_page(derive_model(understand(source_of("elman")), "U"))
    assert not any(s.key.startswith("why-") for s in sections(plain.sections))
