"""What a check found: a verdict on every claim of a document, and what runs through all of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from bptt.source import Source, Span

VERDICTS = ("correct", "convention", "wrong", "undecided")
# What can be wrong with a claim, and how it is said.
KINDS = {
    "sign": "a sign is wrong",
    "transpose": "something is turned over that should not be, or the other way round",
    "order": "the factors stand in the wrong order",
    "shape": "the shapes do not fit together",
    "index": "an index is wrong",
    "missing-factor": "a factor is missing",
    "missing-term": "a term is missing",
    "missing-sum": "a sum is missing",
    "extra": "something is there that does not belong there",
    "typo": "a slip of the pen",
}


@dataclass(frozen=True)
class Counterexample:
    """Numbers that show it: the claim's value and the right one, as text, at a random point. `at` says of
    which element, `shapes` what does not fit together where the claim has no value.
    """

    claimed: str
    right: str
    shapes: str = ""
    at: str = ""


@dataclass(frozen=True)
class Claim:
    """One link of a chain of equations, judged.

    `span` is that of the right side, `fault` that of the part that is wrong. `target` is what is claimed to
    be known ("∂J/∂U"), `kind` a key of KINDS for a wrong one, `convention` the convention under which it is
    right, `mend` the right side that would be right, as LaTeX, and `reason` why, for a student.
    `follows_from` is the line of the claim whose error it repeats, `reading` how it was read where there
    was a choice, and `missing` what would be needed to decide it.
    """

    span: Span
    target: str
    verdict: str
    kind: str = ""
    convention: str = ""
    mend: str = ""
    reason: str = ""
    follows_from: int | None = None
    reading: str = ""
    missing: str = ""
    fault: Span | None = None
    example: Counterexample | None = None

    @property
    def line(self) -> int:
        return self.span.line

    @property
    def column(self) -> int:
        return self.span.column

    @property
    def source(self) -> str:
        return self.span.text


@dataclass(frozen=True)
class Remark:
    """Something that concerns the document and not one claim: a convention that runs through it, two
    definitions that cannot both hold, a name that nobody defined. `lines` are those it concerns.
    """

    text: str
    lines: tuple[int, ...] = ()


@dataclass(frozen=True)
class Report:
    """`model` are the equations that the claims were judged by, in the equation language; `objective` says
    what J is ("cross-entropy", "log-likelihood", or "" where it was never said and nothing depends on it).
    """

    document: Source
    model: str
    objective: str
    claims: tuple[Claim, ...]
    remarks: tuple[Remark, ...] = ()

    @property
    def summary(self) -> dict[str, int]:
        counts = Counter(claim.verdict for claim in self.claims)
        return {verdict: counts[verdict] for verdict in VERDICTS}

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.summary["wrong"]
