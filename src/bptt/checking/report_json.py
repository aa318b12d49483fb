"""A report as JSON, in a form that stays: fields may be added, none is taken away or changes its meaning.

    {"document": "solution.md",            the name it was given by
     "model": "h = …",                     the equations that it was judged by
     "objective": "cross-entropy",         or "log-likelihood"; null where it is not known and not needed
     "claims": [
       {"line": 191, "column": 4,          where its right side begins, both from 1
        "source": "\\\\sigma'(…) …",         the right side as it is written
        "target": "∂θ/∂H",                 what is claimed to be known
        "verdict": "wrong",                "correct", "convention", "wrong", "undecided"
        "kind": "index",                   of what is wrong, see `bptt.checking.report.KINDS`
        "convention": null,                under which it is correct
        "mend": "\\\\sigma'(…) …",           the right side that would be correct, LaTeX
        "reason": "…",
        "follows_from": null,              the line of the claim whose error it repeats
        "reading": null,                   how it was read, where there was a choice
        "missing": null,                   what is needed to decide it
        "fault": {"line": 191, "column": 11, "source": "k"},
        "example": {"claimed": "0.12",     its value at a random point, and the right one
                    "right": "−0.3",
                    "at": "i = 2, j = 1",  of this element
                    "shapes": null}}],     what does not fit together, if that is why
     "summary": {"correct": 0, "convention": 0, "wrong": 1, "undecided": 0},
     "remarks": [{"text": "…", "lines": [3, 7]}]}

What is not known, and what a verdict does not have, is null.
"""

from __future__ import annotations

import json
from typing import Any

from bptt.checking.findings import remarks
from bptt.checking.report import Claim, Report
from bptt.source import Span


def render(report: Report) -> str:
    """The report on one line, which is ended."""
    return json.dumps(report_data(report), ensure_ascii=False) + "\n"


def report_data(report: Report) -> dict[str, Any]:
    return {
        "document": report.document.name,
        "model": report.model,
        "objective": report.objective or None,
        "claims": [_claim(claim) for claim in report.claims],
        "summary": report.summary,
        "remarks": [{"text": remark.text, "lines": list(remark.lines)} for remark in remarks(report)],
    }


def _claim(claim: Claim) -> dict[str, Any]:
    example = claim.example
    return {
        **_place(claim.span),
        "target": claim.target,
        "verdict": claim.verdict,
        "kind": claim.kind or None,
        "convention": claim.convention or None,
        "mend": claim.mend or None,
        "reason": claim.reason or None,
        "follows_from": claim.follows_from,
        "reading": claim.reading or None,
        "missing": claim.missing or None,
        "fault": None if claim.fault is None else _place(claim.fault),
        "example": None
        if example is None
        else {
            "claimed": example.claimed,
            "right": example.right,
            "at": example.at or None,
            "shapes": example.shapes or None,
        },
    }


def _place(span: Span) -> dict[str, Any]:
    return {"line": span.line, "column": span.column, "source": span.text}
