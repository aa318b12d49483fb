"""The report as JSON and as CSV: names and types that programs rely on."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from bptt.checking import report_csv, report_json
from bptt.checking.report import KINDS, VERDICTS, Claim, Report
from bptt.source import Source
from checking.reports import notes

OPTIONAL = (str, type(None))
CLAIM = {
    "line": int,
    "column": int,
    "source": str,
    "target": str,
    "verdict": str,
    "kind": OPTIONAL,
    "convention": OPTIONAL,
    "mend": OPTIONAL,
    "reason": OPTIONAL,
    "follows_from": (int, type(None)),
    "reading": OPTIONAL,
    "missing": OPTIONAL,
    "fault": (dict, type(None)),
    "example": (dict, type(None)),
}


def data(report: Report) -> dict[str, Any]:
    text = report_json.render(report)
    assert text.endswith("\n") and text.count("\n") == 1
    return json.loads(text)


def test_the_names_and_types() -> None:
    found = data(notes())
    assert list(found) == ["document", "model", "objective", "claims", "summary", "remarks"]
    assert len(found["claims"]) == 5
    for claim in found["claims"]:
        assert list(claim) == list(CLAIM)
        assert all(isinstance(claim[name], kind) for name, kind in CLAIM.items())
        assert claim["verdict"] in VERDICTS and claim["kind"] in {None, *KINDS}
        assert claim["fault"] is None or list(claim["fault"]) == ["line", "column", "source"]
        assert claim["example"] is None or list(claim["example"]) == ["claimed", "right", "at", "shapes"]
    assert list(found["summary"]) == list(VERDICTS)
    assert all(list(remark) == ["text", "lines"] for remark in found["remarks"])


def test_the_names_are_those_that_are_documented() -> None:
    assert report_json.__doc__ is not None
    for name in (*CLAIM, "document", "model", "objective", "claims", "summary", "remarks"):
        assert f'"{name}":' in report_json.__doc__


def test_the_values() -> None:
    found = data(notes())
    assert (found["document"], found["objective"]) == ("notes.md", "log-likelihood")
    assert found["summary"] == {"correct": 1, "convention": 1, "wrong": 2, "undecided": 1}
    assert found["remarks"][0]["lines"] == [6, 7, 8, 12]
    convention, wrong, follows, correct, undecided = found["claims"]
    assert convention["convention"] == "J is taken for the log-likelihood" and convention["kind"] is None
    assert (wrong["line"], wrong["column"], wrong["kind"]) == (7, 34, "order")
    assert wrong["source"] == r"U^T (y - \hat{y})" and wrong["mend"] == r"(y - \hat{y}) U^T"
    assert wrong["fault"] == {"line": 7, "column": 34, "source": "U^T"}
    assert wrong["example"]["shapes"] == "Uᵀ: 7×3, y - ŷ: 1×7"
    assert follows["follows_from"] == 7 and follows["reason"] is None
    assert correct["reading"] == "z before its σ" and correct["missing"] is None
    assert undecided["missing"] == "q and r are not defined in the document"


def test_what_is_not_known_is_null() -> None:
    found = data(Report(Source("a.md", ""), "", "", ()))
    assert found["objective"] is None and found["model"] == "" and found["claims"] == []
    assert set(found["summary"].values()) == {0}


def table(*reports: Report) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(report_csv.header() + "".join(map(report_csv.render, reports)))))


def test_a_row_a_document() -> None:
    empty = Report(Source("empty.md", ""), "", "", ())
    assert (
        report_csv.header() == "document,claims,correct,convention,wrong,undecided,first wrong line,kinds\n"
    )
    assert table(notes(), empty) == [
        {
            "document": "notes.md",
            "claims": "5",
            "correct": "1",
            "convention": "1",
            "wrong": "2",
            "undecided": "1",
            "first wrong line": "7",
            "kinds": "order",
        },
        {
            "document": "empty.md",
            **dict.fromkeys(("claims", "correct", "convention", "wrong", "undecided"), "0"),
            "first wrong line": "",
            "kinds": "",
        },
    ]


def test_kinds_are_those_of_the_errors_each_once() -> None:
    source = Source("a.md", "a\nb\nc\nd\n")
    kinds = [("sign", None), ("index", None), ("sign", None), ("missing-sum", 2)]
    claims = tuple(
        Claim(source.span(2 * n, 2 * n + 1), "q", "wrong", kind=kind, follows_from=before)
        for n, (kind, before) in enumerate(kinds)
    )
    (row,) = table(Report(source, "", "", claims))
    assert row["kinds"] == "sign index" and row["first wrong line"] == "1"


def test_names_with_commas_quotes_and_line_ends_are_quoted() -> None:
    names = ['a, "b".md', "c\nd.md", "é;'.md", "x\r.md"]
    assert [row["document"] for row in table(*(Report(Source(n, ""), "", "", ()) for n in names))] == names
