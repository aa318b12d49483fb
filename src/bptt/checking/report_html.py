"""Reports as one HTML file that needs nothing else: the document's text with its claims marked, and beside
each line what was found: of what is wrong all of it, of the rest at a click.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from bptt.checking.excerpt import harmless
from bptt.checking.findings import (
    COUNTED,
    SIGNS,
    details,
    findings,
    headline,
    lines_named,
    objective,
    place,
    remarks,
    verdict,
)
from bptt.checking.report import VERDICTS, Claim, Report
from bptt.checking.report_style import REPORT_STYLE
from bptt.render.style import DOCUMENT_SCRIPT, DOCUMENT_STYLE, STYLE

# Where claims lie within each other, the text between shows the first of these.
_GRAVEST = ("wrong", "undecided", "convention", "correct")


def render(reports: Sequence[Report]) -> str:
    """The whole file, the reports one after the other."""
    title = escape(harmless(", ".join(report.document.name for report in reports)))
    body = "\n".join(_Document(report, number).section() for number, report in enumerate(reports, 1))
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{STYLE}{DOCUMENT_STYLE}{REPORT_STYLE}</style>\n</head>\n<body>\n"
        f'<main class="bptt check">\n{body}\n</main>\n<script>{DOCUMENT_SCRIPT}</script>\n</body>\n</html>\n'
    )


def fragment(report: Report) -> str:
    """The report in an element of its own, with its style: for a notebook."""
    # Other outputs on the page have anchors, too.
    number = zlib.crc32((report.document.name + report.document.text).encode(errors="replace"))
    body = _Document(report, number).section()
    return f'<div class="bptt check">\n<style>{STYLE}{REPORT_STYLE}</style>\n{body}\n</div>\n'


@dataclass(frozen=True)
class _Piece:
    """A part of a line, and the claim that it is shown to belong to; `begins`: it is the claim's first."""

    text: str
    claim: int | None = None
    begins: bool = False
    is_fault: bool = False


class _Document:
    """The section of one report; `number` keeps its anchors apart from those of the others."""

    def __init__(self, report: Report, number: int) -> None:
        self._report, self._number = report, number

    def section(self) -> str:
        report = self._report
        parts = [f"<h1>{_text(report.document.name)}</h1>", self._counts()]
        if report.model.strip():
            parts.append(f"<h2>The model as read</h2>\n<pre><code>{_text(report.model.strip())}</code></pre>")
        if objective(report):
            parts.append(f"<p>{_text(objective(report))}</p>")
        if found := remarks(report):
            items = "".join(f"<li>{_text(remark.text)}{self._lines(remark.lines)}</li>" for remark in found)
            parts.append(f"<h2>What runs through the document</h2>\n<ul>{items}</ul>")
        parts += [*self._wrong(), "<h2>The document</h2>", self._text_with_notes()]
        return "<section>\n" + "\n".join(parts) + "\n</section>"

    def _counts(self) -> str:
        if not self._report.claims:
            return f"<p>{_text(headline(self._report))}</p>"
        items = "".join(
            f'<li class="{name}">{_sign(name)} {self._report.summary[name]} {COUNTED[name]}</li>'
            for name in VERDICTS
        )
        return f'<ul class="counts">{items}</ul>'

    def _wrong(self) -> Iterator[str]:
        found = findings(self._report)
        if not found:
            return
        places = {id(claim): number for number, claim in enumerate(self._report.claims)}

        def link(claim: Claim) -> str:
            return f'<a href="#{self._key(places[id(claim)])}">{place(claim)}</a> {_text(claim.target)}'

        items = []
        for one in found:
            follow = "".join(f"<li>{link(claim)}</li>" for claim in one.consequences)
            below = f"; from it follow<ul>{follow}</ul>" if follow else ""
            items.append(f"<li>{link(one.root)}: {verdict(one.root)}{below}</li>")
        yield f'<h2>What is wrong</h2>\n<nav aria-label="What is wrong"><ol>{"".join(items)}</ol></nav>'

    def _text_with_notes(self) -> str:
        """A row for each line: its number, its text, and the notes on the claims that begin in it."""
        pieces = _pieces(self._report)
        notes: dict[int, list[str]] = {}
        for index, claim in enumerate(self._report.claims):
            notes.setdefault(claim.line, []).append(self._note(index, claim))
        rows = [self._row(number, line, notes.get(number, [])) for number, line in enumerate(pieces, 1)]
        return '<div class="document">\n' + "\n".join(rows) + "\n</div>"

    def _row(self, number: int, line: Sequence[_Piece], notes: Sequence[str]) -> str:
        text = "".join(map(self._piece, line))
        # The text is as high as all of its notes, so that they stand beside it.
        height = f' style="grid-row: 1 / span {len(notes)}"' if len(notes) > 1 else ""
        return (
            f'<div class="row" id="{self._line_key(number)}"><span class="number">{number}</span>'
            f"<code{height}>{text}</code>{''.join(notes)}</div>"
        )

    def _piece(self, piece: _Piece) -> str:
        text = _text(piece.text)
        if piece.claim is None:
            return text
        kind = self._report.claims[piece.claim].verdict + (" begins" if piece.begins else "")
        inner = f"<mark>{text}</mark>" if piece.is_fault else text
        return f'<a class="claim {kind}" href="#{self._key(piece.claim)}">{inner}</a>'

    def _note(self, number: int, claim: Claim) -> str:
        target = f": {_text(claim.target)}" if claim.target else ""
        head = f"{_sign(claim.verdict)} {verdict(claim)}{target}"
        rows = "".join(self._detail(name, text, claim) for name, text in details(claim).items())
        is_open = " open" * (claim.verdict == "wrong")
        return (
            f'<details class="{claim.verdict}" id="{self._key(number)}"{is_open}><summary>{head}</summary>'
            f"<p>{place(claim)}</p><dl>{rows}</dl></details>"
        )

    def _detail(self, name: str, text: str, claim: Claim) -> str:
        shown = _text(text)
        if name == "mend":
            shown = f"<code>{shown}</code>"
        elif name == "follows from" and claim.follows_from is not None:
            shown = self._line(claim.follows_from)
        return f"<dt>{name}</dt><dd>{shown}</dd>"

    def _lines(self, numbers: Sequence[int]) -> str:
        if not numbers:
            return ""
        if len(numbers) == 1:
            return f" ({self._line(numbers[0])})"
        return f' (<a href="#{self._line_key(min(numbers))}">{lines_named(numbers)}</a>)'

    def _line(self, number: int) -> str:
        return f'<a href="#{self._line_key(number)}">line {number}</a>'

    def _key(self, claim: int) -> str:
        return f"claim-{self._number}-{claim + 1}"

    def _line_key(self, line: int) -> str:
        return f"line-{self._number}-{line}"


def _pieces(report: Report) -> list[list[_Piece]]:
    """The lines of the document, cut where a claim or a fault begins or ends; nothing after a last end."""
    text = report.document.text
    claims = report.claims
    cuts = {0, len(text), *(n + 1 for n, character in enumerate(text) if character == "\n")}
    for claim in claims:
        cuts |= {claim.span.start, claim.span.end}
        if claim.fault is not None:
            cuts |= {claim.fault.start, claim.fault.end}
    ordered = sorted(cuts)
    owners = _owners(report, ordered)
    lines: list[list[_Piece]] = [[]]
    begun: set[int] = set()
    for start, end in pairwise(ordered):
        owner = owners.get(start)
        part = text[start:end].rstrip("\r\n")
        fault = claims[owner].fault if owner is not None else None
        is_fault = fault is not None and fault.start <= start and end <= fault.end
        if part:
            lines[-1].append(_Piece(part, owner, owner is not None and owner not in begun, is_fault))
            begun |= {owner} if owner is not None else set()
        if text[end - 1] == "\n":
            lines.append([])
    return lines if lines[-1] or len(lines) == 1 else lines[:-1]


def _owners(report: Report, cuts: Sequence[int]) -> dict[int, int]:
    """The claim that each piece shows, by where the piece begins: the gravest, of those the shortest."""
    places = {cut: number for number, cut in enumerate(cuts)}

    def rank(number: int) -> tuple[int, int]:
        claim = report.claims[number]
        return _GRAVEST.index(claim.verdict), claim.span.end - claim.span.start

    owners: dict[int, int] = {}
    for number in sorted(range(len(report.claims)), key=rank):
        span = report.claims[number].span
        for cut in cuts[places[span.start] : places[span.end]]:
            owners.setdefault(cut, number)
    return owners


def _sign(name: str) -> str:
    return f'<span class="sign" aria-hidden="true">{SIGNS[name]}</span>'


def _text(text: str) -> str:
    return escape(harmless(text))
