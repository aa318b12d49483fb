"""Models given with a document: their equations hold where it has none, in its spelling and layout."""

from __future__ import annotations

from pathlib import Path

import pytest

from bptt.checking.check import check_document
from bptt.checking.report import Report
from bptt.errors import EquationError, InputError
from bptt.source import Source


def checked(*lines: str, model: str | None = "elman", layout: str | None = None) -> Report:
    text = "\n\n".join(f"$${line}$$" for line in lines)
    return check_document(Source("a.md", text), model=model, layout=layout)


def verdicts(report: Report) -> list[str]:
    return [claim.verdict for claim in report.claims]


ROWS = (
    r"\frac{\partial J^{(t)}}{\partial U} = (h^{(t)})^T (\hat y^{(t)} - y^{(t)})",
    r"\frac{\partial J^{(t)}}{\partial h^{(t)}} = (\hat y^{(t)} - y^{(t)}) U^T",
)
COLUMNS = (
    r"\frac{\partial J^{(t)}}{\partial U} = (\hat y^{(t)} - y^{(t)}) (h^{(t)})^T",
    r"\frac{\partial J^{(t)}}{\partial h^{(t)}} = U^T (\hat y^{(t)} - y^{(t)})",
)


def test_without_a_model_nothing_is_known() -> None:
    report = checked(*ROWS, model=None)
    assert verdicts(report) == ["undecided"] * 2
    assert report.claims[0].missing == "the equations of the model"


@pytest.mark.parametrize(("lines", "first"), [(ROWS, "e = x × L"), (COLUMNS, "e = L × x")])
def test_vectors_lie_as_in_the_document(lines: tuple[str, ...], first: str) -> None:
    report = checked(*lines)
    assert verdicts(report) == ["correct", "correct"]
    assert first in report.model.splitlines()


def test_a_layout_that_is_asked_for_is_taken() -> None:
    assert verdicts(checked(*ROWS, layout="row")) == ["correct", "correct"]
    assert "correct" not in verdicts(checked(*ROWS, layout="column"))


def test_nothing_is_wrong_that_is_right_in_the_other_layout() -> None:
    # One line for each: neither is more likely than the other.
    assert "wrong" not in verdicts(checked(ROWS[1], COLUMNS[0]))


def test_what_the_document_defines_is_its_own() -> None:
    tanh = r"h^{(t)} = \tanh(h^{(t-1)} H + e^{(t)} I + b_1)"
    claim = r"\frac{\partial J^{(t)}}{\partial b_1} = (\hat y^{(t)} - y^{(t)}) U^T \circ "
    of_tanh, of_sigmoid = claim + r"(1 - h^{(t)} \circ h^{(t)})", claim + r"h^{(t)} \circ (1 - h^{(t)})"
    assert verdicts(checked(of_tanh, of_sigmoid)) == ["wrong", "correct"]
    report = checked(tanh, of_tanh, of_sigmoid)
    assert verdicts(report) == ["correct", "wrong"]
    assert report.model.count("h = ") == 1 and "tanh" in report.model


def test_names_are_spelt_as_in_the_document() -> None:
    # n is a quantity of this model, and in W_n no index.
    report = checked(
        r"\frac{\partial J^{(t)}}{\partial n^{(t)}} = (\hat y^{(t)} - y^{(t)}) U^T \circ (1 - z^{(t)})",
        r"\frac{\partial J^{(t)}}{\partial W_n} = (e^{(t)})^T \left((\hat y^{(t)} - y^{(t)}) U^T \circ"
        r" (1 - z^{(t)}) \circ (1 - n^{(t)} \circ n^{(t)})\right)",
        model="gru",
    )
    assert verdicts(report) == ["correct", "correct"]


def test_a_file_and_equations_themselves(tmp_path: Path) -> None:
    equations = "h = tanh(x @ W)\nyhat = softmax(h @ U)\n"
    (tmp_path / "model.eq").write_text(equations)
    claim = r"\frac{\partial J}{\partial W} = x^T ((\hat y - y) U^T \circ (1 - h \circ h))"
    for model in (equations, str(tmp_path / "model.eq")):
        assert verdicts(checked(claim, model=model)) == ["correct"]


def test_what_is_no_model_is_said() -> None:
    with pytest.raises(InputError, match="there is no model 'elmann'"):
        checked(*ROWS, model="elmann")
    with pytest.raises(EquationError, match="unknown function sgmoid"):
        checked(*ROWS, model="h = sgmoid(x @ W)")
