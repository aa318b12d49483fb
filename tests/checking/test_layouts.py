"""Numerator and denominator layout: told by a document or by most of its lines."""

import pytest

from bptt.checking import layouts
from bptt.checking.check import check_document
from bptt.checking.layouts import ALL, USUAL, Layout
from bptt.source import Source

NET = r"""
$$z = W x + b, \qquad h = \tanh(z), \qquad s = U h, \qquad
p = \mathrm{softmax}(s), \qquad J = -y^\top \log p$$

"""
JACOBIAN = r"$$\frac{\partial s}{\partial h} = U, \qquad \frac{\partial z}{\partial x} = W$$ "
TURNED = r"$$\frac{\partial s}{\partial h} = U^\top, \qquad \frac{\partial z}{\partial x} = W^\top$$ "
COLUMN = r"$$\frac{\partial J}{\partial h} = U^\top (p - y)$$ "
ROW = r"$$\frac{\partial J}{\partial h} = (p - y)^\top U$$ "


def verdicts(text: str) -> list[str]:
    return [claim.verdict for claim in check_document(Source("notes.md", NET + text)).claims]


@pytest.mark.parametrize("text", [JACOBIAN, TURNED, JACOBIAN + COLUMN, TURNED + COLUMN, JACOBIAN + ROW])
def test_any_layout_is_right_if_it_is_one(text: str) -> None:
    assert set(verdicts(text)) == {"correct"}


def test_what_is_laid_out_unlike_the_rest_is_right_by_convention() -> None:
    assert verdicts(JACOBIAN + TURNED.replace(", ", "$$ $$") + COLUMN + JACOBIAN) == [
        "correct", "correct", "convention", "convention", "correct", "correct", "correct",
    ]  # fmt: skip


def test_a_document_is_held_to_the_layout_that_it_states() -> None:
    text = "This is in numerator layout. " + TURNED + TURNED + JACOBIAN
    assert verdicts(text) == ["convention"] * 4 + ["correct"] * 2
    text = "This is in denominator layout. " + JACOBIAN + JACOBIAN + TURNED
    assert verdicts(text) == ["convention"] * 4 + ["correct"] * 2


def test_a_row_of_derivatives_is_right_in_any_layout() -> None:
    chain = r"$$\frac{\partial J}{\partial h} = \frac{\partial J}{\partial s} \frac{\partial s}{\partial h}$$"
    assert verdicts(COLUMN + COLUMN + chain) == ["correct"] * 3


@pytest.mark.parametrize(
    "claim",
    [
        r"\frac{\partial z}{\partial x} = W^\top W",
        r"\frac{\partial J}{\partial x} = \frac{\partial J}{\partial z} W^\top",
    ],
)
def test_what_is_right_in_no_layout_is_not_right(claim: str) -> None:
    assert verdicts(JACOBIAN + ROW + f"$${claim}$$")[-1] in ("wrong", "undecided")


def test_a_row_is_mended_as_a_row() -> None:
    report = check_document(
        Source("notes.md", NET + JACOBIAN + ROW + r"$$\frac{\partial J}{\partial s} = (p + y)^\top$$")
    )
    claim = report.claims[-1]
    assert claim.verdict == "wrong" and "top" in (claim.mend or "")


@pytest.mark.parametrize(
    ("text", "vectors", "expected"),
    [
        ("We use numerator layout.", "column", (Layout(True, False), Layout(True, True))),
        ("We use numerator layout.", "row", (USUAL,)),
        ("matrix calculus in denominator layout", "column", (USUAL,)),
        ("not in numerator layout but in denominator layout", "column", ()),
        ("In Zählerlayout.", "column", (Layout(True, False), Layout(True, True))),
        ("nothing of the kind", "column", ()),
    ],
)
def test_what_a_text_says(text: str, vectors: str, expected: tuple[Layout, ...]) -> None:
    assert layouts.stated(text, vectors) == expected


def test_what_holds_in_all_layouts_has_no_say() -> None:
    everywhere, turned = frozenset(ALL), frozenset({Layout(flipped=True)})
    assert layouts.chosen([everywhere] * 5) == USUAL
    assert layouts.chosen([*[everywhere] * 5, turned]) == Layout(flipped=True)
    assert layouts.chosen([turned], among=(USUAL,)) == USUAL
