"""Documents judged: never wrong of a right claim, never right of a wrong one, and how much gets decided."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from bptt.checking.check import check_document
from bptt.checking.report import Claim, Report
from bptt.source import Source

DOCUMENTS = Path(__file__).parent / "documents"
NAMES = sorted(path.stem for path in DOCUMENTS.glob("*.json"))

J = r"\frac{\partial J^{(t)}}"
MODEL = r"""
$$e^{(t)} = x^{(t)} L, \quad h^{(t)} = \sigma(h^{(t-1)} H + e^{(t)} I + b_1), \quad
\hat{y}^{(t)} = \mathrm{softmax}(h^{(t)} U + b_2), \quad J^{(t)} = CE(y^{(t)}, \hat{y}^{(t)})$$
"""


@cache
def judged(name: str) -> tuple[dict[str, object], Report]:
    expected = json.loads((DOCUMENTS / f"{name}.json").read_text(encoding="utf-8"))
    (path,) = (p for p in DOCUMENTS.glob(f"{name}.*") if p.suffix in (".md", ".tex"))
    return expected, check_document(Source(path.name, path.read_text(encoding="utf-8")))


def pairs(name: str) -> list[tuple[dict[str, object], Claim]]:
    """The expected verdicts, each with the claim that was judged, where there is one."""
    expected, report = judged(name)
    left = list(report.claims)
    found = []
    for claim in expected["claims"]:  # type: ignore[attr-defined]
        source = "".join(str(claim["source"]).split())
        for one in left:
            written = "".join(one.source.split())
            if abs(one.line - int(claim["line"])) <= 3 and (
                source in written or written.lstrip("=&") in source
            ):
                left.remove(one)
                found.append((claim, one))
                break
    return found


@pytest.mark.parametrize("name", NAMES)
def test_nothing_right_is_called_wrong(name: str) -> None:
    for claim, found in pairs(name):
        if claim["verdict"] in ("correct", "convention"):
            assert found.verdict != "wrong", (claim["source"], found.kind, found.mend)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_wrong_is_called_correct(name: str) -> None:
    for claim, found in pairs(name):
        if claim["verdict"] == "wrong":
            assert found.verdict != "correct", claim["source"]


def test_how_much_is_decided() -> None:
    """These are no aims but what has been reached: less would be a step back."""
    table = Counter((c["verdict"], f.verdict) for name in NAMES for c, f in pairs(name))
    assert table["correct", "correct"] >= 600
    assert table["wrong", "wrong"] >= 78
    both = [(c, f) for name in NAMES for c, f in pairs(name) if c["verdict"] == f.verdict == "wrong"]
    kinds = [c["kind"] == f.kind for c, f in both]
    assert sum(kinds) >= 0.9 * len(kinds)


def claims(*lines: str) -> list[Claim]:
    return list(check_document(Source("a.md", MODEL + "\n\n".join(f"$${line}$$" for line in lines))).claims)


@pytest.mark.parametrize(
    ("claim", "verdict", "kind"),
    [
        (J + r"{\partial U} = (h^{(t)})^T (\hat{y}^{(t)} - y^{(t)})", "correct", ""),
        (
            r"\frac{\partial J^{(t)}}{\partial U_{ij}} = h_i^{(t)} (\hat{y}_j^{(t)} - y_j^{(t)})",
            "correct",
            "",
        ),
        (J + r"{\partial U} = (\hat{y}^{(t)} - y^{(t)}) (h^{(t)})^T", "wrong", "order"),
        (J + r"{\partial h^{(t)}} = (\hat{y}^{(t)} - y^{(t)}) U", "wrong", "transpose"),
        (
            r"\frac{\partial J^{(t)}}{\partial U_{ij}} = h_j^{(t)} (\hat{y}_j^{(t)} - y_j^{(t)})",
            "wrong",
            "index",
        ),
        (J + r"{\partial U} = (h^{(t)})^T Q", "undecided", ""),
        (J + r"{\partial H} \Big|_{(t-1)} = 0", "undecided", ""),
    ],
)
def test_single_claims(claim: str, verdict: str, kind: str) -> None:
    (found,) = claims(claim)
    assert (found.verdict, found.kind) == (verdict, kind), (found.missing, found.mend)


def test_a_claim_needs_names_that_are_known() -> None:
    (found,) = claims(J + r"{\partial U} = (h^{(t)})^T Q")
    assert found.missing == "what Q is"


def test_the_log_likelihood_is_a_convention_that_runs_through() -> None:
    source = MODEL.replace("J^{(t)} = CE(y^{(t)}, \\hat{y}^{(t)})", "")
    lines = [
        r"\frac{\partial J^{(t)}}{\partial b_2} = y^{(t)} - \hat{y}^{(t)}",
        r"\frac{\partial J^{(t)}}{\partial U} = (h^{(t)})^T (y^{(t)} - \hat{y}^{(t)})",
    ]
    report = check_document(Source("a.md", source + "\n\n".join(f"$${line}$$" for line in lines)))
    assert [claim.verdict for claim in report.claims] == ["convention", "convention"]
    assert report.objective == "log-likelihood"
    (remark,) = report.remarks
    assert "log-likelihood" in remark.text and len(remark.lines) == 2


def test_one_sign_among_others_is_wrong() -> None:
    found = claims(
        r"\frac{\partial J^{(t)}}{\partial b_2} = \hat{y}^{(t)} - y^{(t)}",
        r"\frac{\partial J^{(t)}}{\partial h^{(t)}} = (\hat{y}^{(t)} - y^{(t)}) U^T",
        r"\frac{\partial J^{(t)}}{\partial U} = (h^{(t)})^T (y^{(t)} - \hat{y}^{(t)})",
    )
    assert [(claim.verdict, claim.kind) for claim in found] == [
        ("correct", ""), ("correct", ""), ("wrong", "sign"),
    ]  # fmt: skip


def test_the_same_slip_again_follows_from_the_first() -> None:
    found = claims(
        r"\frac{\partial J^{(t)}}{\partial h^{(t)}} = (\hat{y}^{(t)} - y^{(t)}) U^T",
        r"\frac{\partial J^{(t)}}{\partial b_2} = \hat{y}_k^{(t)} - y^{(t)}",
        r"\frac{\partial J^{(t)}}{\partial U} = (h^{(t)})^T (\hat{y}_k^{(t)} - y^{(t)})",
    )
    assert [claim.kind for claim in found[1:]] == ["typo", "typo"]
    assert found[2].follows_from == found[1].line


def test_equations_with_implied_sums_and_a_name_for_an_element() -> None:
    source = r"""
$$a_i = A_{ij} x_j, \quad h_i = \sigma(a_i), \quad s_k = B_{ki} h_i, \quad p = \mathrm{softmax}(s)$$
$$J = -y_k \log p_k$$
$$\varepsilon_k = p_k - y_k$$
$$\frac{\partial J}{\partial B_{ki}} = \varepsilon_k h_i$$
$$\frac{\partial J}{\partial h_i} = \sum_k \varepsilon_k B_{ki}$$
$$\frac{\partial J}{\partial h_i} = \sum_k \varepsilon_i B_{ki}$$
"""
    found = check_document(Source("a.md", source)).claims
    assert [claim.verdict for claim in found] == ["correct", "correct", "wrong"]
