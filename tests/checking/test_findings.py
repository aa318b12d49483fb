"""What a report says of a document beside its verdicts: numbers, what follows from what, contradictions."""

from __future__ import annotations

from bptt.checking.check import check_document
from bptt.checking.findings import advice, details, findings, remarks, unanswered
from bptt.checking.report import Claim, Report
from bptt.checking.report_markdown import render as as_markdown
from bptt.checking.report_text import render as as_text
from bptt.source import Source

MODEL = r"Let $z = x W + b$, $h = \sigma(z)$, $\theta = h U + c$ and $\hat y = \mathrm{softmax}(\theta)$."


def checked(*displays: str) -> Report:
    return check_document(Source("a.md", "\n\n".join([MODEL, *(f"$$ {one} $$" for one in displays)])))


def wrong(*displays: str) -> list[Claim]:
    return [claim for claim in checked(*displays).claims if claim.verdict == "wrong"]


def in_numbers(claim: Claim) -> str:
    return details(claim)["in numbers"]


# Numbers.


def test_one_element_tells() -> None:
    right = r"\frac{\partial J}{\partial \theta} = \hat y - y"
    (claim,) = wrong(right, r"\frac{\partial J}{\partial b} = (\hat y - y) U^T \circ h \circ (1 + h)")
    example = claim.example
    assert example is not None and example.at.startswith("element ") and not example.shapes
    assert example.claimed != example.right
    assert in_numbers(claim) == f"{example.claimed} is claimed, {example.right} is right for {example.at}"


def test_elements_are_named_by_their_letters() -> None:
    (claim,) = wrong(
        r"\frac{\partial J}{\partial \theta_k} = \hat y_k - y_k",
        r"\frac{\partial \theta_k}{\partial z_j} = h_j (1 + h_j) U_{jk}",
    )
    assert claim.example is not None and claim.example.at.startswith("j = ")


def test_shapes_tell_where_nothing_comes_out() -> None:
    (claim,) = wrong(
        r"\frac{\partial J}{\partial U} = h^T (\hat y - y)",
        r"\frac{\partial J}{\partial h} = U^T (\hat y - y)",
    )
    example = claim.example
    assert example is not None and example.claimed == "no value"
    rows, columns = example.shapes.split("Uᵀ: ")[1].split(",")[0].split("×")
    assert example.right == f"a 1×{columns} matrix" and rows != columns
    assert in_numbers(claim).startswith("nothing comes out of it (Uᵀ: ")


def test_an_index_over_two_sizes() -> None:
    (claim,) = wrong(
        r"\frac{\partial J}{\partial \theta_k} = \hat y_k - y_k",
        r"\frac{\partial \theta_k}{\partial z_j} = \sigma'(z_k) U_{jk}",
    )
    assert claim.example is not None
    assert claim.example.shapes.count("k runs to ") == 2 and "in Uⱼₖ" in claim.example.shapes


# What follows from what.


def test_a_chain_has_one_root() -> None:
    report = checked(
        r"\frac{\partial J}{\partial U} = h^T (\hat y - y)",
        r"\frac{\partial J}{\partial c} = \hat y + y \\ = y + \hat y",
    )
    (found,) = findings(report)
    assert (found.root.line, [claim.line for claim in found.consequences]) == (5, [5])


def test_the_same_slip_further_on_follows() -> None:
    report = checked(
        r"\frac{\partial J}{\partial \theta_k} = \hat y_k - y_k",
        r"\frac{\partial \theta_k}{\partial z_j} = U_{jk} h_j (1 - h_k^1)",
        r"\frac{\partial J}{\partial z_j} = \sum_k (\hat y_k - y_k) U_{jk} h_j (1 - h_k^1)",
    )
    (found,) = findings(report)
    assert found.root.fault is not None and found.root.fault.text == "h_k^1"
    assert (found.root.line, [claim.line for claim in found.consequences]) == (5, [7])


def test_another_error_about_the_same_is_an_error_of_its_own() -> None:
    first, second = wrong(
        r"\frac{\partial J}{\partial U} = h^T (\hat y - y)",
        r"\frac{\partial J}{\partial W} = x^T \frac{\partial J}{\partial z}",
        r"\frac{\partial J}{\partial z} = (\hat y - y) U^T \circ h \circ (1 + h)",
        r"\frac{\partial J}{\partial z} = (\hat y - y) U \circ h \circ (1 - h)",
    )
    assert first.follows_from is None and second.follows_from is None


# The document as a whole.


def test_a_contradiction_is_said_once() -> None:
    report = checked(
        r"\frac{\partial J}{\partial \theta} = \hat y - y",
        r"\frac{\partial J}{\partial U} = h^T (\hat y - y)",
        r"\frac{\partial J}{\partial c} = y - \hat y",
    )
    assert [claim.kind for claim in report.claims] == ["", "", "sign"]
    (remark,) = remarks(report)
    assert remark.text.startswith("a contradiction: line 3 ") and remark.lines == (7,)


def test_j_is_not_named_where_nothing_depends_on_it() -> None:
    assert checked(r"\frac{\partial \theta}{\partial c} = 1").objective == ""
    assert checked(r"\frac{\partial J}{\partial c} = \hat y - y").objective == "cross-entropy"


def test_what_is_missing_is_asked_for_once() -> None:
    source = Source("a.md", "a\nb\nc\nd\n")
    claims = tuple(
        Claim(source.span(2 * n, 2 * n + 1), "", "undecided", missing=missing)
        for n, missing in enumerate(["what m is", "a reading", "what m is"])
    )
    report = Report(source, "", "", claims)
    assert [[c.line for c in group] for group in unanswered(report).values()] == [[1, 3], [2]]
    assert "--model" in advice(report)
    text, markdown = as_text(report), as_markdown(report)
    assert text.count("what m is") == markdown.count("what m is") == 1
    assert "2 undecided; missing: what m is\n   1 | a\n     | ^\n   3 | c\n" in text
    assert "### ? Lines 1, 3: missing is what m is" in markdown
    assert text.endswith("with --model.\n")
    assert advice(Report(source, "", "", claims[1:2])) == ""


def test_what_cannot_be_read_is_said() -> None:
    report = check_document(Source("a.md", MODEL + "\n\n$$ h = \n\nwords without an end and no signs\n"))
    (remark,) = remarks(report)
    assert remark.text == "not read: this is never closed" and remark.lines == (3,)
