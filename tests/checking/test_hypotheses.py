"""Names that a document uses without saying what they are, or of which it says two things."""

from __future__ import annotations

import pytest

from bptt.checking.check import check_document
from bptt.checking.report import Report
from bptt.source import Source

NET = r"""
Rows: $a = x W + b$, $h = \tanh(a)$, $\theta = h U + c$, $\hat{y} = \mathrm{softmax}(\theta)$ and
$J = -\sum_i y_i \log \hat{y}_i$.
"""
RECURRENT = r"""
$a_t = h_{t-1} R + x_t W$, $h_t = \tanh(a_t)$, $\theta_t = h_t U$, $\hat{y}_t = \mathrm{softmax}(\theta_t)$,
$J_t = CE(y_t, \hat{y}_t)$.
"""


def check(*lines: str, model: str = NET) -> Report:
    text = model + "\n" + "\n\n".join(f"$${line}$$" if line.startswith("\\") else line for line in lines)
    return check_document(Source("notes.md", text))


def d(bottom: str, top: str = "J") -> str:
    return rf"\frac{{\partial {top}}}{{\partial {bottom}}}"


def verdicts(report: Report) -> list[str]:
    return [claim.verdict for claim in report.claims]


def remarks(report: Report) -> str:
    return "\n".join(remark.text for remark in report.remarks)


def test_an_error_that_nothing_defines() -> None:
    """The claims tell which derivative δ is, and say how they were read."""
    report = check(
        rf"{d('U')} = h^T \delta", rf"{d('h')} = \delta U^T", rf"{d('c')} = \delta", rf"{d('W')} = x^T \gamma"
    )
    assert verdicts(report) == ["correct"] * 4
    assert "δ is taken to be ∂J/∂θ: 3 claims hold so" in remarks(report)
    assert [claim.reading for claim in report.claims] == ["δ is ∂J/∂θ"] * 3 + ["γ is ∂J/∂a"]


def test_one_error_of_each_layer() -> None:
    """A chain of names: δ₁ is made of δ₂, and neither is defined."""
    report = check(
        rf"{d('U')} = h^T \delta_2",
        r"\delta_1 = \delta_2 U^T \circ (1 - h \circ h)",
        rf"{d('W')} = x^T \delta_1",
        rf"{d('b')} = \delta_1",
        rf"{d('x')} = \delta_1 W^T",
    )
    assert set(verdicts(report)) == {"correct"}
    assert "δ₂ is taken to be ∂J/∂θ" in remarks(report)


def test_a_name_that_fits_no_derivative() -> None:
    report = check(rf"{d('U')} = h^T \zeta \hat{{y}}", rf"{d('h')} = \zeta h")
    assert verdicts(report) == ["undecided"] * 2
    assert {claim.missing for claim in report.claims} == {"what zeta is"}
    assert "ζ" not in remarks(report)


def test_what_a_name_is_called_is_no_evidence() -> None:
    """∂J/∂θ = δ alone says what δ is; it is no claim, and nothing is called correct for it."""
    assert check(rf"{d(chr(92) + 'theta')} = \hat{{y}} - y = \delta").summary["correct"] == 1


def test_a_claim_that_does_not_go_with_the_others() -> None:
    """What most claims say of δ makes the odd one wrong, with its mend."""
    odd = rf"{d('a')} = \delta U^T \circ (1 + h \circ h)"
    report = check(rf"{d('U')} = h^T \delta", rf"{d('h')} = \delta U^T", rf"{d('c')} = \delta", odd)
    assert verdicts(report) == ["correct"] * 3 + ["wrong"]
    assert report.claims[-1].kind == "sign"


def test_a_name_for_two_things_is_not_called_wrong() -> None:
    """The last line would be right if δ were ∂J/∂a there."""
    report = check(
        rf"{d('U')} = h^T \delta", rf"{d('h')} = \delta U^T", rf"{d('c')} = \delta", rf"{d('b')} = \delta"
    )
    assert verdicts(report) == ["correct"] * 3 + ["undecided"]
    assert report.claims[-1].missing == "what δ is here; elsewhere it is ∂J/∂θ"


def test_the_opposite_of_a_derivative() -> None:
    report = check(rf"{d('U')} = -h^T \epsilon", rf"{d('h')} = -\epsilon U^T")
    assert verdicts(report) == ["correct"] * 2
    assert "−∂J/∂θ" in remarks(report)


@pytest.mark.parametrize("back", ["", "-1"])
def test_errors_with_times(back: str) -> None:
    """δ of step t and of the step before, by one J."""
    report = check(
        rf"\left. {d('R', 'J_t')} \right|_{{t}} = h_{{t-1}}^T \delta_t",
        rf"\left. {d('W', 'J_t')} \right|_{{t}} = x_t^T \delta_t",
        rf"{d('h_{t-1}', 'J_t')} = \delta_t R^T",
        rf"\left. {d('R', 'J_t')} \right|_{{t-1}} = h_{{t-2}}^T \delta_{{t-1}}",
        model=RECURRENT,
    )
    assert verdicts(report) == ["correct"] * 4
    assert "δ is taken to be ∂J/∂a" in remarks(report)


def test_a_quantity_by_another_name() -> None:
    """s is nowhere said to be the logits, but every claim about it is true of them."""
    report = check(rf"{d('s')} = \hat{{y}} - y", rf"{d('U')} = h^T {d('s')}", rf"{d('h')} = {d('s')} U^T")
    assert verdicts(report) == ["correct"] * 3
    assert "s is taken to be θ" in remarks(report)


def test_definitions_that_cannot_both_hold() -> None:
    """δ₁ and δ₂ are mixed up where they are declared, and used as their values say."""
    report = check(
        rf"\delta_1 = {d('a')} = \hat{{y}} - y",
        rf"\delta_2 = {d(chr(92) + 'theta')} = \delta_1 U^T \circ (1 - h \circ h)",
        rf"{d('U')} = h^T \delta_1",
        rf"{d('W')} = x^T \delta_2",
        rf"{d('b')} = \delta_2",
    )
    assert verdicts(report) == ["wrong", "wrong", "correct", "correct", "correct"]
    first, second = report.claims[:2]
    assert (first.target, first.mend) == ("δ₁", r"\frac{\partial J}{\partial \theta}")
    assert (second.target, second.mend) == ("δ₂", r"\frac{\partial J}{\partial a}")
    assert "δ₁ is said to be ∂J/∂a and ŷ − y, which cannot all hold; it is taken to be ŷ − y" in remarks(
        report
    )


def test_a_definition_that_no_claim_goes_with() -> None:
    """The slip is where δ is said to be something, not in the claims that use it as it should be."""
    report = check(
        r"\delta = (\hat{y} - y) U^T \circ (1 + h \circ h)",
        rf"{d('W')} = x^T \delta",
        rf"{d('b')} = \delta",
        rf"{d('x')} = \delta W^T",
    )
    assert verdicts(report) == ["wrong", "correct", "correct", "correct"]
    assert "δ is taken to be ∂J/∂a" in remarks(report)


def test_a_name_defined_anew() -> None:
    """From the second definition on, the second meaning holds; neither is a claim."""
    report = check(
        r"\delta = \hat{y} - y",
        rf"{d('U')} = h^T \delta",
        r"\delta = (\hat{y} - y) U^T \circ (1 - h \circ h)",
        rf"{d('W')} = x^T \delta",
    )
    assert verdicts(report) == ["correct"] * 2
    assert not report.remarks


def test_a_derivative_and_its_value() -> None:
    """δ = ∂J/∂a, and later δ = …: the second is a claim."""
    report = check(
        rf"\delta = {d('a')}", r"\delta = (\hat{y} - y) U^T \circ (1 - h)", rf"{d('W')} = x^T \delta"
    )
    assert verdicts(report) == ["wrong", "correct"]
    assert report.claims[0].target == "δ"


def test_what_is_said_afterwards() -> None:
    report = check(rf"{d('U')} = h^T e", r"where $e = \hat{y} - y$ is the error.")
    assert verdicts(report) == ["correct"]


def test_a_bar_behind_a_product() -> None:
    report = check(
        rf"\left. {d('W', 'J_t')} \right|_{{t}} = \left. x_t^T {d('b', 'J_t')} \right|_{{t}}",
        model=RECURRENT.replace("x_t W$", "x_t W + b$"),
    )
    assert verdicts(report) == ["correct"]


def test_a_share_without_its_bar() -> None:
    """∂J/∂R of what happened at t-1 is the share of that step."""
    report = check(rf"{d('R', 'J_t')} = h_{{t-2}}^T {d('a_{t-1}', 'J_t')}", model=RECURRENT)
    assert [(c.verdict, c.convention) for c in report.claims] == [
        ("convention", "the share of step t-1 alone, without a bar that says so")
    ]


def test_a_derivative_of_a_function_as_a_matrix() -> None:
    """Only where the document says so."""
    claim = rf"{d('b')} = {d('h')} \sigma'(a)"
    net = NET.replace(r"\tanh", r"\sigma")
    assert verdicts(check(claim, model=net)) != ["correct"]
    report = check(r"\sigma'(a) = \mathrm{diag}(h \circ (1 - h))", claim, model=net)
    assert verdicts(report) == ["correct"] * 2


def test_a_table_with_the_time_beside_its_token() -> None:
    model = r"""$a_t = h_{t-1} R + e_t W$, $h_t = \tanh(a_t)$, $\hat{y}_t = \mathrm{softmax}(h_t U)$,
    $J_t = CE(y_t, \hat{y}_t)$, where $e_t = L_{x_t}$."""
    report = check(
        rf"{d('L_{x_t}', 'J_t')} = {d('a_t', 'J_t')} W^T",
        rf"{d('L_{x}^{(t-1)}', 'J_t')} = {d('a_{t-1}', 'J_t')} W^T",
        model=model,
    )
    assert verdicts(report) == ["correct"] * 2


def test_a_slip_in_elements_goes_on_in_matrices() -> None:
    """The factors stand in a wrong order because the index before was wrong: the root is there."""
    report = check(
        rf"{d('U')} = h^T (\hat{{y}} - y)",
        rf"{d('c')} = \hat{{y}} - y",
        rf"{d('W_{ij}')} = \sum_k (\hat{{y}}_k - y_k) (1 - h_k^2) x_i U_{{jk}}",
        rf"{d('W')} = x^T (\hat{{y}} - y) \mathrm{{diag}}(1 - h \circ h) U^T",
        rf"{d('x')} = {d('a')} W",
    )
    first, second, third = report.claims[2:]
    assert (first.kind, second.kind) == ("index", "order")
    assert (first.follows_from, second.follows_from) == (None, first.line)
    assert (third.verdict, third.follows_from) == ("wrong", None)


def test_the_argument_of_a_function_may_be_anything() -> None:
    report = check(r"\sigma'(u) = \sigma(u) (1 - \sigma(u))", r"\tanh'(v_i) = 1 - \tanh(v_i)^3")
    assert verdicts(report)[0] == "correct" != verdicts(report)[1]
    assert [claim.target for claim in report.claims] == ["σ′(u)", "tanh′(vᵢ)"]
    assert not report.remarks
