"""What a document says of itself in comments."""

from __future__ import annotations

from collections import Counter

import pytest

from bptt.checking.annotate import annotate
from bptt.checking.check import check_document
from bptt.checking.header import header_of
from bptt.checking.report import Report
from bptt.source import Source

CLAIMS = r"""
$$\frac{\partial J^{(t)}}{\partial U} = (h^{(t)})^T (y^{(t)} - \hat y^{(t)})$$

$$\frac{\partial J^{(t)}}{\partial h^{(t)}} = (y^{(t)} - \hat y^{(t)}) U^T$$

$$\frac{\partial J^{(t)}}{\partial b_2} = \hat y^{(t)} - y^{(t)}$$
"""


def checked(header: str, name: str = "a.md") -> Report:
    return check_document(Source(name, header + CLAIMS))


def verdicts(report: Report) -> dict[str, int]:
    return dict(Counter(claim.verdict for claim in report.claims))


def test_all_of_it() -> None:
    text = "<!-- bptt:\nlayout = column\nobjective=log-likelihood\nmodel = gru\n h = \\tanh(a)\n\n-->\n"
    header = header_of(Source("a.md", text))
    assert (header.layout, header.objective, header.model) == ("column", "log-likelihood", "gru")
    assert len(header.statements) == 1


def test_in_latex_a_line_each() -> None:
    text = "% bptt: layout = row\n%% bptt: model = elman\n% bptt: ✗ line 3 (sign): wrong\n% layout = column\n"
    header = header_of(Source("a.tex", text))
    assert (header.layout, header.model, header.statements) == ("row", "elman", ())


def test_a_model_that_is_shipped_but_no_file() -> None:
    header = header_of(Source("a.md", "<!-- bptt: model = /etc/passwd -->"))
    assert header.model is None


def test_without_a_header_the_claims_say_what_j_is() -> None:
    report = checked("<!-- bptt: model = elman -->")
    assert (report.objective, verdicts(report)) == ("log-likelihood", {"convention": 2, "correct": 1})


@pytest.mark.parametrize(
    ("objective", "expected"),
    [
        ("cross-entropy", {"wrong": 2, "correct": 1}),
        ("log-likelihood", {"convention": 2, "wrong": 1}),
    ],
)
def test_the_sign_that_is_said(objective: str, expected: dict[str, int]) -> None:
    report = checked(f"<!-- bptt:\nmodel = elman\nobjective = {objective}\n-->")
    assert (report.objective, verdicts(report)) == (objective, expected)
    for claim in report.claims:
        if claim.verdict == "wrong":
            assert claim.kind == "sign" and objective in claim.reason
            assert claim.example is not None and claim.example.claimed.lstrip("−") in claim.example.right


def test_an_annotated_copy_says_the_same() -> None:
    source = Source("a.tex", "% bptt: model = elman\n" + CLAIMS)
    report = check_document(source)
    again = check_document(Source("a.tex", annotate(report, "latex")))
    assert verdicts(again) == verdicts(report) and again.model == report.model
