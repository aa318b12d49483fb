"""Functions of all kinds in documents: known ones under other names, and some of which nothing is known."""

import pytest

from bptt.checking.check import check_document
from bptt.source import Source

NET = r"""
Columns. $z = W x + b$, $h = FUNCTION$, $\hat{y} = \mathrm{softmax}(U h + c)$,
$J = -\sum_k y_k \log \hat{y}_k$.

$$\frac{\partial J}{\partial h} = U^T (\hat{y} - y)$$
$$\frac{\partial J}{\partial z} = \frac{\partial J}{\partial h} \circ SLOPE$$
"""


def verdicts(text: str) -> list[str]:
    return [claim.verdict for claim in check_document(Source("net.md", text)).claims]


@pytest.mark.parametrize(
    ("function", "slope"),
    [
        (r"\max(0, z)", r"\mathbb{1}[z > 0]"),
        (r"\max(0, z)", r"\mathbf{1}_{z > 0}"),
        (r"\max(0, z)", r"(z > 0)"),
        (r"\mathrm{ReLU}(z)", r"\mathrm{ReLU}'(z)"),
        (r"[z]_+", r"[h > 0]"),
        (r"\max(0.1 z, z)", r"(\mathbb{1}[z > 0] + 0.1 \, \mathbb{1}[z < 0])"),
        (r"\begin{cases} z & z > 0 \\ 0 & \text{otherwise} \end{cases}", r"\mathbb{1}[z > 0]"),
        (r"\tanh(z)", r"\mathrm{sech}^2(z)"),
        (r"\tanh(z)", r"\frac{1}{\cosh^2(z)}"),
        (r"\tanh(z)", r"(1 - h^{\circ 2})"),
        (r"\tanh(z)", r"(1 - \tanh^2(z))"),
        (r"\frac{1}{1 + e^{-z}}", r"h \circ (1 - h)"),
        (r"\mathrm{logistic}(z)", r"h \circ (1 - h)"),
        (r"\mathrm{softplus}(z)", r"\sigma(z)"),
        (r"\phi(z)", r"\phi'(z)"),
        (r"f(z)", r"f'(z)"),
        (r"\sigma_h(z)", r"\sigma_h'(z)"),
        (r"\mathrm{act}(z)", r"\mathrm{act}'(z)"),
    ],
)
def test_a_function_and_its_slope(function: str, slope: str) -> None:
    text = NET.replace("FUNCTION", function)
    assert verdicts(text.replace("SLOPE", slope)) == ["correct", "correct"]


@pytest.mark.parametrize(
    ("function", "slope"),
    [
        (r"\max(0, z)", r"\mathbb{1}[z < 0]"),
        (r"\tanh(z)", r"h \circ (1 - h)"),
        (r"\phi(z)", r"\phi(z)"),
        (r"\phi(z)", r"\psi'(z)"),
        (r"\sigma_h(z)", r"\sigma_h(z) \circ (1 - \sigma_h(z))"),
        (r"\sigma_h(z)", r"\sigma_y'(z)"),
    ],
)
def test_the_slope_of_another_function_is_not_correct(function: str, slope: str) -> None:
    text = NET.replace("FUNCTION", function)
    assert verdicts(text.replace("SLOPE", slope))[1] in ("wrong", "undecided")


@pytest.mark.parametrize(
    ("said", "slope"),
    [
        (r"$\varphi = \tanh$", r"(1 - h \circ h)"),
        (r"$\varphi(a) = \frac{1}{1 + e^{-a}}$", r"h \circ (1 - h)"),
        (r"$\varphi(a) = \frac{e^a - e^{-a}}{e^a + e^{-a}}$", r"\varphi'(z)"),
        (r"$\varphi(s) = \max(0, s)$", r"\mathbb{1}[z > 0]"),
        (r"$\varphi(s) = s \, \sigma(s)$", r"(\sigma(z) + z \circ \sigma(z) \circ (1 - \sigma(z)))"),
    ],
)
def test_a_function_is_what_the_document_says(said: str, slope: str) -> None:
    text = NET.replace("FUNCTION", r"\varphi(z)").replace("SLOPE", slope) + f"\nHere {said}.\n"
    assert verdicts(text)[:2] == ["correct", "correct"]


def test_a_mend_has_no_numbers_that_nobody_wrote() -> None:
    text = NET.replace("FUNCTION", r"\phi(z)").replace("SLOPE", r"\phi(z)")
    report = check_document(Source("net.md", text))
    assert all("0." not in (claim.mend or "") for claim in report.claims)


def test_a_letter_that_is_defined_is_multiplied_with_the_bracket_behind_it() -> None:
    text = r"""
Rows. $a = x W + b$, $f = \sigma(a)$, $h = f \circ x$, $\hat{y} = \mathrm{softmax}(h U)$,
$J = -\sum_k y_k \log \hat{y}_k$.

$$\frac{\partial J}{\partial a} = \frac{\partial J}{\partial f} \circ f(1 - f)$$
"""
    assert verdicts(text) == ["correct"]


def test_squares_and_norms_of_errors() -> None:
    text = r"""
Columns. $z = W x + b$, $h = \tanh(z)$, $o = V h + c$ and $E = \frac{1}{2} \lVert o - t \rVert_2^2$.

$$\frac{\partial E}{\partial o} = o - t$$
$$\frac{\partial E}{\partial o_k} = o_k - t_k$$
$$\frac{\partial E}{\partial V} = (o - t) h^T$$
$$\frac{\partial E}{\partial h} = V^T (t - o)$$
"""
    assert verdicts(text) == ["correct", "correct", "correct", "wrong"]


def test_what_is_said_of_a_function_is_said_of_every_number() -> None:
    text = NET.replace("FUNCTION", r"\sigma(z)").replace("SLOPE", r"\sigma'(z)")
    text += r"""
$$\sigma'(a) = \frac{e^{-a}}{(1 + e^{-a})^2} = \sigma(a) (1 - \sigma(a))$$
$$\sigma'(a) = \sigma(a) (1 + \sigma(a))$$
"""
    found = verdicts(text)
    assert found[:4] == ["correct"] * 4
    assert found[4] != "correct"
