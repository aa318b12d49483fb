"""Reports as a table, a row a document: for a spreadsheet."""

from __future__ import annotations

import csv
import io

from bptt.checking.findings import findings, with_verdict
from bptt.checking.report import Report

COLUMNS = (
    "document",
    "claims",
    "correct",
    "convention",
    "wrong",
    "undecided",
    "first wrong line",
    "kinds",
)


def header() -> str:
    return _row(COLUMNS)


def render(report: Report) -> str:
    """The row of a document. `kinds` are those of its errors, in their order and without what follows from
    them; with no error it and the first wrong line are empty.
    """
    kinds = dict.fromkeys(found.root.kind for found in findings(report))
    first = min((claim.line for claim in with_verdict(report, "wrong")), default="")
    counts = report.summary.values()
    return _row((report.document.name, len(report.claims), *counts, first, " ".join(filter(None, kinds))))


def _row(cells: tuple[object, ...]) -> str:
    # With the line end of the standard both of its characters are quoted within a cell.
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue().removesuffix("\r\n") + "\n"
