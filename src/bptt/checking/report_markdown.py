"""A report in the Markdown of GitHub, where formulas of their own stand in ```math."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape

from bptt.checking.excerpt import excerpt, harmless
from bptt.checking.findings import (
    SIGNS,
    Finding,
    advice,
    details,
    findings,
    headline,
    lines_named,
    objective,
    place,
    remarks,
    unanswered,
    verdict,
    with_verdict,
)
from bptt.checking.report import Claim, Report

_COLUMNS = 100  # of the lines of the document that are shown
_SPECIAL = re.compile(r"[\\`*_\[\]#|~]")


def render(report: Report, everything: bool = False) -> str:
    """The report with its parts as headings; with `everything` also a table of what is correct."""
    return "\n\n".join(_blocks(report, everything)) + "\n"


def escaped(text: str) -> str:
    """Words that mean nothing to Markdown, to HTML and to the reader of mathematics, on one line."""
    plain = harmless(" ".join(text.split()))
    return escape(_SPECIAL.sub(r"\\\g<0>", plain), quote=False).replace("$", "<span>$</span>")


def _blocks(report: Report, everything: bool) -> Iterator[str]:
    yield f"# {escaped(headline(report))}"
    if report.model.strip():
        yield "## The model as read"
        yield _fenced("text", report.model.strip("\n"))
    if objective(report):
        yield escaped(objective(report))
    if found := remarks(report):
        yield "## What runs through the document"
        yield "\n".join(
            f"- {escaped(remark.text)}" + (f" ({lines_named(remark.lines)})" if remark.lines else "")
            for remark in found
        )
    if wrong := findings(report):
        yield "## What is wrong"
        for finding in wrong:
            yield from _finding(finding)
    if undecided := unanswered(report):
        yield "## What is undecided"
        for missing, claims in undecided.items():
            yield from _undecided(missing, claims)
        if advice(report):
            yield escaped(advice(report))
    correct = with_verdict(report, "correct", "convention")
    if everything and correct:
        yield "## What is correct"
        yield "\n".join(
            ["| line | claim | verdict | read as |", "| ---: | --- | --- | --- |", *map(_row, correct)]
        )


def _finding(finding: Finding) -> Iterator[str]:
    yield from _claim(finding.root)
    for claim in finding.consequences:
        target = f": {escaped(claim.target)}" if claim.target else ""
        yield f"**{SIGNS[claim.verdict]} {place(claim)}**{target} follows from line {claim.follows_from}"
        if claim.mend:
            yield _fenced("math", claim.mend)


def _undecided(missing: str, claims: Sequence[Claim]) -> Iterator[str]:
    """What is missing, once, and the claims that cannot be decided without it."""
    if len(claims) == 1:
        yield from _claim(claims[0])
        return
    at = _capital(lines_named(claim.line for claim in claims))
    yield f"### {SIGNS['undecided']} {at}" + (f": missing is {escaped(missing)}" if missing else "")
    rows = [row for claim in claims for row in excerpt(claim.fault or claim.span, _COLUMNS)]
    yield _fenced("text", "\n".join(line for row in rows for line in row if line))


def _claim(claim: Claim) -> Iterator[str]:
    target = f": {escaped(claim.target)}" if claim.target else ""
    yield f"### {SIGNS[claim.verdict]} {_capital(place(claim))}, {verdict(claim)}{target}"
    lines = [line for row in excerpt(claim.fault or claim.span, _COLUMNS) for line in row if line]
    yield _fenced("text", "\n".join(lines))
    known = details(claim)
    mend = known.pop("mend", "")
    if mend:
        yield "Mend:"
        yield _fenced("math", mend)
    if known:
        yield "\n".join(f"- *{name}*: {escaped(text)}" for name, text in known.items())


def _row(claim: Claim) -> str:
    said = f"{SIGNS[claim.verdict]} {verdict(claim)}"
    return f"| {claim.line} | {escaped(claim.target)} | {said} | {escaped(claim.reading)} |"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _fenced(kind: str, text: str) -> str:
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}{kind}\n{harmless(text.strip(chr(10)))}\n{fence}"
