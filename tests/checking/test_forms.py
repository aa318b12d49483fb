"""Claims in the forms that people write: each is judged like the same claim in any other form."""

import pytest

from bptt.checking.check import check_document
from bptt.source import Source

ROWS = r"""Rows: $$z = x W + b, \quad h = \tanh(z), \quad s = h U, \quad p = \text{softmax}(s), \quad
J = CE(y, p)$$
"""
RELU = r"""Rows: $$z = x W + b, \quad h = \text{ReLU}(z), \quad s = h U, \quad p = \text{softmax}(s), \quad
J = CE(y, p)$$
"""
GATE = r"""Columns: $$f = \sigma(W_f x + b_f), \quad i = \sigma(W_i x + b_i), \quad h = f \odot i,
\quad s = U h, \quad p = \text{softmax}(s), \quad J = CE(y, p)$$ Let $\delta h := \partial J / \partial h$.
"""


def verdicts(text: str) -> list[str]:
    return [claim.verdict for claim in check_document(Source("notes.md", text)).claims]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"$$\tanh'(z) = 1 - \tanh^2(z) = (1 - h)(1 + h)$$", ["correct", "correct"]),
        (r"$$\sigma'(z) = \sigma(z)(1 - \sigma(z))$$", ["correct"]),
        (r"$$\sigma'(z) = \sigma(z)(1 + \sigma(z))$$", ["wrong"]),
        (r"$$\sigma'(x) = \frac{e^{-x}}{(1 + e^{-x})^2}$$", ["correct"]),
        (r"$$dh = (p - y) U^T$$ $$dz = dh \circ (1 - h \circ h)$$ $$dW = x^T dz$$", ["correct"] * 3),
        (r"$$dh = (p - y) U^T$$ $$dz = dh \circ (1 - h \circ h)$$ $$dW = x dz$$",
         ["correct", "correct", "wrong"]),
    ],
)  # fmt: skip
def test_a_layer_of_rows(text: str, expected: list[str]) -> None:
    assert verdicts(ROWS + text) == expected


@pytest.mark.parametrize(
    ("right", "expected"),
    [
        (r"\begin{cases} 1 & \text{if } z_i > 0 \\ 0 & \text{otherwise} \end{cases}", "correct"),
        (r"\begin{cases} 0 & z_i \leq 0 \\ 1 & z_i > 0 \end{cases}", "correct"),
        (r"\mathbb{1}[z_i > 0]", "correct"),
        (r"1_{\{z_i > 0\}}", "correct"),
        (r"[z_i > 0]", "correct"),
        (r"\begin{cases} z_i & \text{if } z_i > 0 \\ 0 & \text{otherwise} \end{cases}", "wrong"),
    ],
)
def test_conditions_have_values(right: str, expected: str) -> None:
    assert verdicts(RELU + rf"$$\frac{{\partial h_i}}{{\partial z_i}} = {right}$$") == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # By the gate, or by what its function is applied to: either is right, and the first line tells which.
        (r"$$\delta f = \delta h \odot i$$ $$\delta b_f = \delta f \odot f \odot (1 - f)$$", ["correct"] * 2),
        (r"$$\delta f = \delta h \odot i \odot f \odot (1 - f)$$ $$\delta b_f = \delta f$$", ["correct"] * 2),
        (r"$$\delta f = \delta h \odot i$$ $$\delta b_f = \delta f$$", ["correct", "undecided"]),
        (r"$$\delta i = \delta h \odot f \odot i \odot (1 - i)$$ $$\delta W_i = \delta i \, x^T$$",
         ["correct"] * 2),
    ],
)  # fmt: skip
def test_short_names_of_gates(text: str, expected: list[str]) -> None:
    assert verdicts(GATE + text) == expected


@pytest.mark.parametrize(
    ("right", "expected"),
    [
        ("p - e_k", "correct"),
        (r"p - \mathbf{e}_k", "correct"),
        ("p + e_k", "wrong"),
        ("p - e_i", "undecided"),
    ],
)
def test_the_unit_vector_of_the_true_class(right: str, expected: str) -> None:
    model = r"$$p_i = \frac{e^{z_i}}{\sum_j e^{z_j}}, \quad \ell = -\log p_k$$ where $k$ is the true class. "
    claims = rf"$$\frac{{\partial \ell}}{{\partial z_i}} = p_i - \delta_{{ik}}$$ $$\nabla_z \ell = {right}$$"
    assert verdicts(model + claims)[1:] == [expected]
