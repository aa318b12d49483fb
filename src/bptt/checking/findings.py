"""A report in the order in which it is read, and the words for its parts: what every form of it shares."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from bptt.checking.documents import Notebook
from bptt.checking.report import KINDS, Claim, Counterexample, Remark, Report

# A sign for every verdict, so that none is told by its colour alone.
SIGNS = {"correct": "✓", "convention": "≈", "wrong": "✗", "undecided": "?"}
# How a verdict is counted, and how a claim that has it is called.
COUNTED = {
    "correct": "correct",
    "convention": "under a convention",
    "wrong": "wrong",
    "undecided": "undecided",
}
CALLED = COUNTED | {"convention": "correct under a convention"}


# What the author alone can tell.
_ASKED = re.compile(r"the equations of the model|what \S+ (?:is|are)")


@dataclass(frozen=True)
class Finding:
    """A wrong claim, and those that are wrong because it is, directly or by way of one another."""

    root: Claim
    consequences: tuple[Claim, ...] = ()


def findings(report: Report) -> list[Finding]:
    """The wrong claims, each once, in the order of the document."""
    wrong = with_verdict(report, "wrong")
    at: dict[int, Claim] = {}
    for claim in sorted(wrong, key=lambda claim: claim.follows_from is not None):
        at.setdefault(claim.line, claim)
    consequences: dict[int, list[Claim]] = {}
    roots = []
    for claim in wrong:
        root = _root(claim, at)
        if root is claim:
            roots.append(claim)
        else:
            consequences.setdefault(id(root), []).append(claim)
    return [Finding(root, tuple(consequences.get(id(root), ()))) for root in roots]


def _root(claim: Claim, at: dict[int, Claim]) -> Claim:
    """Where its error comes from; itself where that leads nowhere, or in a circle."""
    root, seen = claim, {id(claim)}
    while root.follows_from is not None and root.follows_from in at:
        before = at[root.follows_from]
        if before is root:
            break
        if id(before) in seen:
            return claim
        seen.add(id(before))
        root = before
    return root


def unanswered(report: Report) -> dict[str, list[Claim]]:
    """The undecided claims by what is missing to decide them, in the order of the document."""
    found: dict[str, list[Claim]] = {}
    for claim in with_verdict(report, "undecided"):
        found.setdefault(claim.missing, []).append(claim)
    return found


def advice(report: Report) -> str:
    """What can be done about undecided claims; "" where nothing is asked for by name."""
    if not any(_ASKED.fullmatch(missing) for missing in unanswered(report)):
        return ""
    return (
        "What a name is can be said in the document, or in a comment at its head, "
        "<!-- bptt: … -->; a model is given with --model."
    )


def with_verdict(report: Report, *verdicts: str) -> list[Claim]:
    return [claim for claim in report.claims if claim.verdict in verdicts]


def remarks(report: Report) -> list[Remark]:
    """What concerns the whole document: the remarks, and every convention that no remark is about, once,
    with the lines of the claims that hold under it. A remark is about a convention if it says it, or
    concerns the same lines.
    """
    lines: dict[str, set[int]] = {}
    for claim in report.claims:
        if claim.convention:
            lines.setdefault(claim.convention, set()).add(claim.line)
    unsaid = [
        Remark(text, tuple(sorted(at)))
        for text, at in lines.items()
        if not any(text in remark.text or at == set(remark.lines) for remark in report.remarks)
    ]
    return [*report.remarks, *unsaid]


def headline(report: Report) -> str:
    """How many claims there are, and how many of each verdict."""
    number = len(report.claims)
    if not number:
        return f"{report.document.name}: no claims about derivatives were found"
    follow = sum(len(finding.consequences) for finding in findings(report))
    counts = {name: f"{n} {COUNTED[name]}" for name, n in report.summary.items() if n}
    if follow:
        counts["wrong"] += f" ({_following(follow)})"
    said = ", ".join(counts.values())
    return f"{report.document.name}: {number} {'claim' if number == 1 else 'claims'}: {said}"


def _following(number: int) -> str:
    return "1 follows from another" if number == 1 else f"{number} follow from others"


def place(claim: Claim) -> str:
    """Line and column; in a notebook, whose cells are one text here, also those in the cell."""
    named = f"line {claim.line}, column {claim.column}"
    if isinstance(claim.span.source, Notebook):
        cell, line, column = claim.span.source.cell_place(claim.span.start)
        named += f" (cell {cell}, line {line}, column {column})"
    return named


def verdict(claim: Claim) -> str:
    """The verdict in words, with the kind of what is wrong."""
    return CALLED[claim.verdict] + (f" ({claim.kind})" if claim.kind else "")


def details(claim: Claim) -> dict[str, str]:
    """What else is known of a claim, by what it is called; the mend is LaTeX, all others are words."""
    example = ""
    if claim.example is not None:
        example = _in_numbers(claim.example)
    known = {
        "what": "" if claim.reason else KINDS.get(claim.kind, ""),
        "mend": claim.mend,
        "why": claim.reason,
        "in numbers": example,
        "convention": claim.convention,
        "missing": claim.missing,
        "read as": claim.reading,
        "follows from": "" if claim.follows_from is None else f"line {claim.follows_from}",
    }
    return {name: text for name, text in known.items() if text.strip()}


def _in_numbers(example: Counterexample) -> str:
    if example.shapes:
        return f"nothing comes out of it ({example.shapes}); right is {example.right}"
    at = f" for {example.at}" if example.at else ""
    return f"{example.claimed} is claimed, {example.right} is right{at}"


def objective(report: Report) -> str:
    return f"J is the {report.objective}." if report.objective else ""


def lines_named(numbers: Iterable[int]) -> str:
    """`line 3`, or `lines 3, 5-7`; neighbours are put together."""
    ordered = sorted(set(numbers))
    # Numbers that follow each other are as far from their places.
    runs = groupby(enumerate(ordered), lambda pair: pair[1] - pair[0])
    named = ", ".join(_run([number for _, number in run]) for _, run in runs)
    return f"line{'' if len(ordered) == 1 else 's'} {named}"


def _run(run: Sequence[int]) -> str:
    return f"{run[0]}-{run[-1]}" if len(run) > 2 else ", ".join(map(str, run))
