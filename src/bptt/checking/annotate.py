"""A copy of a document with what was found in it, as comments on lines of their own.

Nothing else is changed: the document without these lines is the one that was checked, byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bptt.checking.findings import SIGNS, details, verdict
from bptt.checking.report import Claim, Report
from bptt.checking.report_markdown import escaped

TEX = "% bptt: "
QUOTE = "> "
# What opens and closes a display, and what only looks like it: code in a line, and signs behind a backslash.
_DISPLAYS = re.compile(
    r"(?P<code>(`+)(?!`).*?(?<!`)\2(?!`))|\\begin\{(?P<begin>[^}]*)\}|\\end\{(?P<end>[^}]*)\}"
    r"|(?P<bracket>\\[\[\]])|\\.|(?P<dollars>\$\$)"
)
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")


def annotate(report: Report, form: str = "markdown", original: str | None = None) -> str:
    """The text of the document with a line for each claim.

    In LaTeX (`form` "latex") it is a comment after the last line of the claim. In Markdown and plain text it
    is a quotation after the paragraph or display that the claim stands in: before the next blank line outside
    of displays, so that nothing of what follows is taken for a part of the quotation. `original` is the text
    as it was before its line ends were made alike; they stay as they are.
    """
    document = report.document
    pattern = r"(\r?\n)" if original is None else r"(\r\n|\r|\n)"
    parts = re.split(pattern, document.text if original is None else original)
    lines, ends = parts[::2], [*parts[1::2], ""]
    closing = [True] * len(lines) if form == "latex" else _ends_of_blocks(lines)
    notes: dict[int, list[Claim]] = {}
    for claim in report.claims:
        last = document.line_and_column(max(claim.span.start, claim.span.end - 1))[0] - 1
        at = next((n for n in range(last, len(lines)) if closing[n]), len(lines) - 1)
        notes.setdefault(at, []).append(claim)
    out = ""
    for number, (line, end) in enumerate(zip(lines, ends, strict=True)):
        said = list((_comments if form == "latex" else _quotation)(notes.get(number, [])))
        # After a last line that is not ended the lines begin with an end, and the last has none.
        before = end or (ends[number - 1] if number else "\n")
        out += before.join([line, *said]) + end
    return out


def _comments(claims: list[Claim]) -> Iterator[str]:
    for claim in claims:
        mend = f"; mend: {' '.join(claim.mend.split())}" if claim.mend else ""
        yield TEX + " ".join(_said(claim).split()) + mend


def _quotation(claims: list[Claim]) -> Iterator[str]:
    """A line a claim; a backslash at the end keeps the next one on a line of its own."""
    for number, claim in enumerate(claims, 1):
        mend = f"; mend: {_in_line(claim.mend)}" if claim.mend else ""
        yield QUOTE + escaped(_said(claim)) + mend + ("\\" if number < len(claims) else "")


def _in_line(mend: str) -> str:
    """A formula in a line; where a dollar in it would end it, as code."""
    formula = " ".join(mend.split())
    return f"`{formula}`" if "$" in formula else f"${formula}$"


def _said(claim: Claim) -> str:
    known = details(claim)
    head = f"{SIGNS[claim.verdict]} line {claim.line}" + (f" ({claim.kind})" if claim.kind else "")
    says = known.get("why") or known.get("what") if claim.verdict == "wrong" else verdict(claim)
    parts = [f"{claim.target}: {says or verdict(claim)}" if claim.target else says or verdict(claim)]
    parts += [known[name] for name in ("convention", "missing") if name in known]
    parts += [f"{name} {known[name]}" for name in ("read as", "follows from") if name in known]
    return f"{head}: {'; '.join(part.rstrip('. ') for part in parts)}"


def _ends_of_blocks(lines: list[str]) -> list[bool]:
    """Whether after a line of Markdown a block ends: a blank line or nothing follows, and no display and no
    fenced code is open.
    """
    displays: list[str] = []
    fence = ""
    ends = []
    for number, line in enumerate(lines):
        found = _FENCE.match(line)
        if fence:
            if found and found[1].startswith(fence) and not found[2].strip():
                fence = ""
        elif found and not displays:
            fence = found[1]
        else:
            _follow(line, displays)
        is_last = number + 1 == len(lines) or not lines[number + 1].strip()
        ends.append(is_last and bool(line.strip()) and not displays and not fence)
    return ends


def _follow(line: str, displays: list[str]) -> None:
    """Brings the displays that are open, outermost first, up to the end of the line."""
    for found in _DISPLAYS.finditer(line):
        if found["dollars"]:
            if "$$" in displays:
                del displays[displays.index("$$") :]
            else:
                displays.append("$$")
        elif found["bracket"] == "\\[" or found["begin"]:
            displays.append(found["begin"] or "\\]")
        elif (closed := found["end"] or found["bracket"]) in displays:
            del displays[displays.index(closed) :]
