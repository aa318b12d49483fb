"""A report for a terminal: what is wrong, with carets below it, what is undecided, and the rest if asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from bptt.checking.excerpt import excerpt, harmless
from bptt.checking.findings import (
    SIGNS,
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
from bptt.render.boxes import padded, width
from bptt.render.terminal_text import wrapped

MARGIN = 2
_NARROWEST = 20  # columns for words, however far to the right they begin
# The colours of verdicts, as rich names them.
_COLOURS = {"correct": "green", "convention": "cyan", "wrong": "bold red", "undecided": "yellow"}

Styled = Callable[[str, str], str]


def render(report: Report, columns: int = 80, colour: bool = False, everything: bool = False) -> str:
    """The report, each line ended. Lines are at most `columns` wide, unless a word or an equation is wider;
    with `everything` the claims that are correct are listed as well. `colour` adds escape sequences of
    terminals and changes nothing else.
    """
    page = _Terminal(report, columns, _styled(colour))
    return "".join(line + "\n" for line in page.lines(everything))


def claim_text(report: Report, claim: Claim, columns: int = 80, colour: bool = False) -> str:
    """What the report says of one claim."""
    page = _Terminal(report, columns, _styled(colour))
    return "".join(line + "\n" for line in page.claim(claim))


def _styled(colour: bool) -> Styled:
    if not colour:
        return lambda text, style: text
    # Imported where it is needed: it takes longer than the report.
    from rich.color import ColorSystem
    from rich.style import Style

    return lambda text, style: Style.parse(style).render(text, color_system=ColorSystem.STANDARD)


class _Terminal:
    def __init__(self, report: Report, columns: int, styled: Styled) -> None:
        self._report, self._columns, self._styled = report, columns, styled

    def lines(self, everything: bool) -> Iterator[str]:
        report = self._report
        for line in self._wrapped(headline(report), 0):
            yield self._styled(line, "bold")
        blocks: list[Iterable[str]] = [self._model(), self._remarks()]
        blocks += [self._finding(found.root, found.consequences) for found in findings(report)]
        blocks += [self._undecided(*group) for group in unanswered(report).items()]
        blocks.append(self._wrapped(advice(report), 0))
        if everything:
            blocks.append(self._correct())
        for block in blocks:
            content = list(block)
            yield from ["", *content] if content else []

    def _model(self) -> Iterator[str]:
        if self._report.model.strip():
            yield self._styled("the model as read", "bold")
        before: set[str] = set()
        for part in self._report.model.strip().split("\n\n"):
            lines = part.splitlines()
            # Of a model that takes the place of another, what is new.
            yield from ((" " * MARGIN + harmless(line)).rstrip() for line in lines if line not in before)
            before = set(lines)
        yield from self._wrapped(objective(self._report), 0)

    def _remarks(self) -> Iterator[str]:
        for number, remark in enumerate(remarks(self._report)):
            if number == 0:
                yield self._styled("what runs through the document", "bold")
            at = f" ({lines_named(remark.lines)})" if remark.lines else ""
            first, *rest = self._wrapped(remark.text + at, MARGIN + 2)
            yield " " * MARGIN + "- " + first.lstrip()
            yield from rest

    def _finding(self, root: Claim, consequences: Sequence[Claim]) -> Iterator[str]:
        yield from self.claim(root)
        for claim in consequences:
            what = f"{place(claim)}: {claim.target}".rstrip(": ")
            yield from self._wrapped(f"{what} follows from line {claim.follows_from}", MARGIN)
            if claim.mend:
                yield from self._labelled("mend", claim.mend, 2 * MARGIN)

    def claim(self, claim: Claim) -> Iterator[str]:
        yield from self._head(f"{place(claim)}: {verdict(claim)}", claim)
        yield from self._excerpt(claim)
        for name, text in details(claim).items():
            yield from self._labelled(name, text, MARGIN)

    def _undecided(self, missing: str, claims: Sequence[Claim]) -> Iterator[str]:
        """What is missing, once, and the claims that cannot be decided without it."""
        if len(claims) == 1:
            yield from self.claim(claims[0])
            return
        head = f"{len(claims)} undecided"
        for line in self._wrapped(f"{head}; missing: {missing}" if missing else head, 0):
            yield self._styled(line, _COLOURS["undecided"])
        for claim in claims:
            yield from self._excerpt(claim)

    def _head(self, said: str, claim: Claim) -> Iterator[str]:
        for line in self._wrapped(f"{said}: {claim.target}" if claim.target else said, 0):
            yield self._styled(line, _COLOURS[claim.verdict])

    def _excerpt(self, claim: Claim) -> Iterator[str]:
        for line, carets in excerpt(claim.fault or claim.span, self._columns):
            yield line
            if carets:
                bar = carets.index("|") + 1
                yield carets[:bar] + self._styled(carets[bar:], _COLOURS[claim.verdict])

    def _correct(self) -> Iterator[str]:
        """A line for each claim that is correct: its line, what is claimed, the verdict, and its reading."""
        claims = with_verdict(self._report, "correct", "convention")
        if not claims:
            return
        yield self._styled("what is correct", "bold")
        named = [harmless(" ".join(claim.target.split())) for claim in claims]
        widest = min(max(map(width, named)), self._columns // 2)
        for claim, target in zip(claims, named, strict=True):
            sign = self._styled(SIGNS[claim.verdict], _COLOURS[claim.verdict])
            reading = f"; read as {claim.reading}" if claim.reading else ""
            first, *rest = self._wrapped(verdict(claim) + reading, widest + 11)
            start = f"{claim.line:>6} {sign} "
            if width(target) <= widest:
                yield start + padded(target, widest) + "  " + first.lstrip()
            else:
                yield from (start + target, first)
            yield from rest

    def _labelled(self, name: str, text: str, margin: int) -> Iterator[str]:
        """`name: text`, each further line of the text below its beginning."""
        first, *rest = self._wrapped(text, margin + len(name) + 2)
        yield " " * margin + f"{name}: {first.lstrip()}"
        yield from rest

    def _wrapped(self, text: str, margin: int) -> list[str]:
        """The text in lines behind a margin; none where there is no text."""
        words = harmless(" ".join(text.split()))
        room = max(self._columns - margin, _NARROWEST)
        return [" " * margin + line for line in wrapped((words,), room)] if words else []
