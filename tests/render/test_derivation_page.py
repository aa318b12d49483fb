"""The page of a derivation: its sections, what it says about how to read it, and what hovering shows."""

from __future__ import annotations

from functools import cache

import pytest

from bptt.derivation.whole import derive_model
from bptt.formula.tree import Formula, Symbol, children
from bptt.lm.model import understand
from bptt.models import source_of
from bptt.render import html, latex, markdown, terminal
from bptt.render.derivation_page import derivation_page, key, written_shape
from bptt.render.page import Block, Display, Graph, Page, Paragraph, Section, Table
from bptt.render.shown import words
from bptt.render.unicode import show
from cells import CELLS, MODELS


@cache
def page(
    model: str, of: str | None = None, show_: tuple[tuple[str, object], ...] = (), **options: object
) -> Page:
    derivations = derive_model(understand(source_of(model)), of, **options)  # type: ignore[arg-type]
    return derivation_page(derivations, **dict(show_))  # type: ignore[arg-type]


def sections(blocks: tuple[Block, ...] | tuple[Section, ...]) -> list[Section]:
    found = [block for block in blocks if isinstance(block, Section)]
    return [s for section in found for s in (section, *sections(section.blocks))]


def blocks(found: Page, kind: type) -> list[Block]:
    own = [b for section in sections(found.sections) for b in section.blocks]
    return [b for b in own if isinstance(b, kind)]


def said(found: Page) -> str:
    """The words of its paragraphs."""
    return " ".join(words(block.text) for block in blocks(found, Paragraph))  # type: ignore[union-attr]


def titles(found: Page) -> list[str]:
    return [words(section.title) for section in found.sections]


def test_all_gradients_with_a_summary() -> None:
    found = page("elman")
    assert found.title == "The gradients of elman"
    assert titles(found)[:2] == ["The model", "All gradients of one step"]
    assert titles(found)[-1] == "Through time"
    assert titles(page("bigram"))[1] == "All gradients" and titles(page("bigram"))[-1] != "Through time"
    summary = found.sections[1].blocks[0]
    assert isinstance(summary, Display)
    rows = {show(row.left): (show(row.right), words(row.note)) for row in summary.rows}  # type: ignore[arg-type]
    assert rows["∂J/∂H |ₜ"] == ("h[t-1]ᵀ δʰ", "h×h")
    assert len(rows) == 12


def test_one_gradient_has_no_summary() -> None:
    found = page("elman", "U")
    assert found.title == "The gradient of elman by U"
    assert [t.split(":")[0] for t in titles(found)] == ["The model", "The value θ", "The parameter U"]
    # What U gets does not go through the state; what H gets does.
    assert titles(page("elman", "H"))[-1] == "Through time"


@pytest.mark.parametrize("model", ["elman", "lstm", *CELLS.values()], ids=["elman", "lstm", *CELLS])
def test_keys_are_unique_and_fit_an_anchor(model: str) -> None:
    found = page(model, None, (("explain", True),))
    keys = [section.key for section in sections(found.sections)]
    assert len(set(keys)) == len(keys)
    assert all(k.replace("-", "a").isalnum() and k.isascii() for k in keys)


def test_an_anchor_of_each_name() -> None:
    assert key("U") == "by-U" and key("h[t-1]") == "by-h-t-1-"


def test_derivations_are_folded_where_there_are_many() -> None:
    everything, one = page("elman"), page("elman", "U")
    assert [s.folded for s in everything.sections[:2]] == [False, False]
    assert everything.sections[2].folded and not any(s.folded for s in one.sections)


# How to read it.


def test_the_layout_is_said() -> None:
    assert "Vectors lie as rows (1×n)" in said(page("elman"))
    column = said(page("elman", layout="column"))
    assert "Vectors stand as columns (n×1)" in column and "the transpose of the one in the file" in column
    assert "transpose" not in said(page("elman", "b2"))


def test_the_objective_is_said() -> None:
    assert "cross-entropy, is to be made small" in said(page("elman"))
    other = said(page("elman", objective="log-likelihood"))
    assert "log-likelihood, is to be made large" in other and "opposite sign" in other


def test_signs_are_explained() -> None:
    text = said(page("elman"))
    assert "∘" in text and "element by element" in text.replace("\n", " ")
    assert "Kronecker" in text and "δʰ stands for ∂J/∂aʰ" in text
    assert "δ" not in said(page("yhat = softmax(x @ U)"))


def test_the_bar_takes_an_example_of_the_model() -> None:
    """An LSTM has no H."""
    assert "∂J/∂H |ₜ" in said(page("tanh", "H")) or "∂J/∂L |ₜ" in said(page("tanh", "H"))
    assert "∂J/∂H" not in said(page("lstm"))
    assert "|ₜ" not in said(page("bigram"))


def test_time_is_explained_where_there_is_any() -> None:
    assert "of step t" in said(page("elman")) and "step t" not in said(page("bigram"))


def test_a_batch_is_explained() -> None:
    text = said(page("bigram", batch=True))
    assert "B examples, one in each row" in text and "divided by B" in text and "𝟏" in text
    assert "one in each column" in said(page("bigram", batch=True, layout="column"))


def test_the_table_of_parameters() -> None:
    (table,) = blocks(page("elman"), Table)
    assert isinstance(table, Table)
    assert [tuple(map(words, row)) for row in table.rows] == [
        ("L", "V×e"), ("H", "h×h"), ("I", "e×h"), ("b₁", "1×h"), ("U", "h×V"), ("b₂", "1×V"),
    ]  # fmt: skip


def test_shapes_of_scalars_and_vectors() -> None:
    h = MODELS["elman"].definitions["h"].shape
    assert words(written_shape((), "row")) == "a number"
    assert (words(written_shape(h, "row")), words(written_shape(h, "column"))) == ("1×h", "h×1")


# Options.


def test_one_notation() -> None:
    heads = {
        notation: {b.title for b in blocks(page("elman", "U", (("notation", notation),)), Display)}  # type: ignore[union-attr]
        for notation in ("both", "index", "matrix")
    }
    assert {"Element by element", "As matrices"} <= heads["both"]
    assert "As matrices" not in heads["index"] and "Element by element" in heads["index"]
    assert "Element by element" not in heads["matrix"] and "As matrices" in heads["matrix"]


def test_shapes_and_the_check_of_dimensions() -> None:
    plain, with_shapes = page("elman", "U"), page("elman", "U", (("shapes", True),))
    assert "The dimensions" not in said(plain)
    assert "h×V = (h×1) (1×V)" in said(with_shapes)
    rows = [row for d in blocks(with_shapes, Display) for row in d.rows]  # type: ignore[union-attr]
    assert any(row.shapes for row in rows)
    assert not any(row.shapes for d in blocks(plain, Display) for row in d.rows)  # type: ignore[union-attr]


def test_the_drawing_has_every_quantity_and_the_way_to_the_next_step() -> None:
    (graph,) = blocks(page("elman", None, (("graph", True),)), Graph)
    assert isinstance(graph, Graph)
    kinds = {name: kind for name, _, kind in graph.nodes}
    assert kinds["x"] == "input" and kinds["H"] == "parameter" and kinds["h"] == "state"
    assert kinds["J"] == "objective" and kinds["e"] == "value"
    assert ("h", "a·h", True) in graph.edges and ("e", "a·h", False) in graph.edges
    assert {end for a, b, _ in graph.edges for end in (a, b)} <= set(kinds)


def test_what_has_no_matrix_notation_is_said_and_shown_element_by_element() -> None:
    found = page(CELLS["memory matrix"], None, (), batch=True)
    assert "There is no usual matrix notation for a matrix for every example of a batch" in said(found)


def test_what_keeps_a_closed_form_away_is_said() -> None:
    assert "There is no closed form in matrices" in said(page(CELLS["memory matrix"]))
    assert "no closed form" not in said(page("lstm"))


def test_every_reading_says_what_it_is() -> None:
    text = said(page("tanh", "H", (), unroll=3))
    assert "through what step t-1 carried into it" in text
    assert "of all steps" in text and "Unrolled over T = 3 steps" in text
    assert "Closed form, for any T" in text and "One step back" in text


# What hovering shows.


def test_meanings_of_symbols() -> None:
    meanings = page("elman").meanings
    assert words(meanings["h", ""].definition) == "h = σ(aʰ)"
    assert words(meanings["a", "h"].definition) == "aʰ = h[t-1] H + e I + b₁"
    assert words(meanings["delta", "h"].definition) == "∂J/∂aʰ"
    assert words(meanings["H", ""].definition) == "a parameter"
    assert "one-hot" in words(meanings["x", ""].definition) and "follows" in words(
        meanings["y", ""].definition
    )
    assert tuple(map(str, meanings["U", ""].shape)) == ("h", "V")


def test_every_symbol_of_the_page_has_a_meaning() -> None:
    found = page("lstm")
    used = {
        (part.name, part.of)
        for d in blocks(found, Display)
        for row in d.rows  # type: ignore[union-attr]
        for part in _symbols(row.right)
    }
    letters = {(name, "") for name in "ijklmnpquvwt"}
    assert used - set(found.meanings) - letters <= {("m", "")}


def _symbols(formula: Formula) -> list[Symbol]:
    if isinstance(formula, Symbol):
        return [formula]
    return [s for part in children(formula) for s in _symbols(part)]


@pytest.mark.parametrize("render", [terminal, markdown, latex, html])
def test_every_format_takes_the_page(render: object) -> None:
    found = page("gru", None, (("explain", True), ("graph", True), ("shapes", True)), unroll=2)
    text = render.render(found, 80) if render is terminal else render.render(found)  # type: ignore[attr-defined]
    assert len(text) > 10_000
