"""`--explain`: what a line claims, derived in the document's own names and layout, beside the claim."""

from __future__ import annotations

import re

import pytest

from bptt.checking.explain import explain_line
from bptt.errors import InputError
from bptt.source import Source

ROWS = r"""# Rows

With $z = x W + b$, $h = \sigma(z)$, $\theta = h U + c$ and $\hat y = \mathrm{softmax}(\theta)$:

$$\begin{aligned}
\frac{\partial J}{\partial \theta} &= \hat y - y \\
\frac{\partial J}{\partial h} &= U^T (\hat y - y) \\
\frac{\partial J}{\partial W} &= x^T \frac{\partial J}{\partial z}
  = x^T \left((\hat y - y) U^T \circ h \circ (1 - h)\right) \\
\frac{\partial J}{\partial W_{ij}} &= x_i \sum_k (\hat y_k - y_k) U_{jk} h_j (1 - h_j) \\
\frac{\partial h_i}{\partial z_j} &= \sigma'(z_i) \delta_{ij} \\
\frac{\partial \theta_k}{\partial z_j} &= U_{jk} \sigma'(z_j)
\end{aligned}$$

And $\frac{\partial J}{\partial q} = r$.
"""


def explained(line: int, text: str = ROWS, **options: str) -> str:
    return explain_line(Source("a.md", text), line, **options)  # type: ignore[arg-type]


def side_by_side(text: str) -> list[str]:
    """The lines under the last heading, each without the spaces around its parts."""
    last = text.split("Side by side\n")[-1].splitlines()[2:]
    return [re.sub(r"\s+", " ", line).strip() for line in last]


def test_a_wrong_claim_beside_the_right_one() -> None:
    text = explained(7)
    assert text.startswith("line 7, column 34: wrong (order): ∂J/∂h\n   7 | ")
    assert "\nWhat ∂J/∂h is\n═" in text
    assert side_by_side(text) == [
        "∂J/∂h = (ŷ − y) Uᵀ derived",
        "≠ Uᵀ (ŷ − y) line 7: wrong (order)",
    ]
    # The error is one of order, so the order is given reasons.
    assert "Why this transpose" in text


def test_a_right_claim_needs_no_reasons_for_its_order() -> None:
    text = explained(6)
    assert "Why this transpose" not in text
    assert side_by_side(text) == ["∂J/∂θ = ŷ − y derived", "= ŷ − y line 6: correct"]


def test_what_it_builds_on_comes_first() -> None:
    text = explained(8)
    builds = text.split("The derivation\n")[0]
    assert "∂J/∂h = (ŷ − y) Uᵀ" in builds and "in short δʰ" in builds


def test_elements_in_the_letters_of_the_claim() -> None:
    derived, claimed = side_by_side(explained(10))
    assert derived == "∂J/∂Wᵢⱼ = xᵢ (Σₖ (ŷₖ − yₖ) Uⱼₖ) hⱼ (1 − hⱼ) derived"
    assert claimed.endswith("line 10: correct")


def test_one_quantity_by_another() -> None:
    text = explained(11)
    assert "Of this equation alone" in text
    assert side_by_side(text)[0] == "∂hᵢ/∂zⱼ = hᵢ (1 − hᵢ) 𝟙[i=j] derived"


def test_over_several_equations() -> None:
    text = explained(12)
    assert text.count("Of this equation alone") == 2 and "The chain rule multiplies these" in text


def test_a_chain_is_one_explanation() -> None:
    text = explained(8)
    assert text.count("What ∂J/∂W is") == 1
    # Its second link stands on the next line.
    assert "line 9" not in text and "line 9" in explained(9)


def test_columns_and_the_log_likelihood() -> None:
    text = explained(
        3,
        r"""$h = \tanh(W x + b)$, $\hat y = \mathrm{softmax}(U h)$

$$\frac{\partial J}{\partial W} = \left(U^T (y - \hat y) \circ (1 - h \circ h)\right) x^T$$""",
    )
    derived, claimed = side_by_side(text)
    assert derived == "∂J/∂W = (Uᵀ (y − ŷ) ∘ (1 − h ∘ h)) xᵀ derived"
    assert claimed.endswith("line 3: correct under a convention")


def test_a_jacobian_as_a_matrix() -> None:
    text = explained(
        3,
        r"""$h = \tanh(z)$, $z = W x + b$, $\theta = U h$, $\hat y = \mathrm{softmax}(\theta)$

$$\frac{\partial h}{\partial z} = \mathrm{diag}(1 - h \circ h)$$""",
    )
    assert side_by_side(text)[0] == "∂h/∂z = diag(1 − h ∘ h) derived"


def test_a_model_from_elsewhere() -> None:
    text = explained(
        1, r"$$\frac{\partial J^{(t)}}{\partial h^{(t)}} = U^T (\hat y^{(t)} - y^{(t)})$$", model="elman"
    )
    assert side_by_side(text) == ["∂J/∂h = Uᵀ (ŷ − y) derived", "= Uᵀ (ŷ − y) line 1: correct"]


def test_where_nothing_is_understood() -> None:
    assert "Nothing can be derived here. Missing: " in explained(15)


@pytest.mark.parametrize("line", [1, 4, 99])
def test_a_line_that_claims_nothing(line: int) -> None:
    with pytest.raises(InputError) as caught:
        explained(line)
    assert str(caught.value) == (
        f"error: a.md claims nothing in line {line}\n  hint: claims are in lines 6-12, 15"
    )


def test_a_document_that_claims_nothing() -> None:
    with pytest.raises(InputError, match="claims nothing"):
        explained(1, "Nothing here.")


def test_lines_fit() -> None:
    for columns in (60, 80):
        text = explain_line(Source("a.md", ROWS), 7, columns=columns)
        assert max(map(len, text.splitlines())) <= columns + 2
