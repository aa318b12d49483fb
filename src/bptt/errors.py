"""The mistakes that a user can make, and how they are shown.

One family: whatever derives from `BpttError` is the user's to mend and is printed as one diagnostic,
without a traceback. Every other exception is a fault of ours and keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from bptt.source import Span


class BpttError(Exception):
    """Base of all mistakes of the user. `exit_code` is what the command line ends with."""

    exit_code: ClassVar[int] = 2


class InputError(BpttError):
    """A wrong option, a missing file, unusable data: no place in a text to point at.

    `hint` says what to do about it.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        self.message = message
        self.hint = hint
        super().__init__(message)

    def __str__(self) -> str:
        return f"error: {self.message}" + (f"\n  hint: {self.hint}" if self.hint else "")


@dataclass(frozen=True)
class Label:
    """A marked place: carets under `span`, with a short `text` below them."""

    span: Span
    text: str = ""


@dataclass(frozen=True)
class Diagnostic:
    """What is wrong, where, why, and what to do.

    The first label is the place of the diagnostic. `notes` say where each conflicting fact came from.
    """

    message: str
    labels: tuple[Label, ...]
    notes: tuple[str, ...] = ()
    hint: str = ""

    def __str__(self) -> str:
        place = self.labels[0].span
        lines = [f"{place.source.name}:{place.line}:{place.column}: error: {self.message}"]
        by_line: dict[int, list[Label]] = {}
        for label in self.labels:
            by_line.setdefault(label.span.line, []).append(label)
        for line in sorted(by_line):
            lines += _excerpt(by_line[line])
        lines += [f"  note: {note}" for note in self.notes]
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)


class EquationError(BpttError):
    """A mistake in a model's equations; carries the `diagnostic` with its places."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        self.diagnostic = diagnostic
        super().__init__(diagnostic.message)

    def __str__(self) -> str:
        return str(self.diagnostic)

    @classmethod
    def at(
        cls,
        span: Span,
        message: str,
        *,
        label: str = "",
        more: Sequence[Label] = (),
        notes: Sequence[str] = (),
        hint: str = "",
    ) -> EquationError:
        """The error with its main place at `span`."""
        return cls(Diagnostic(message, (Label(span, label), *more), tuple(notes), hint))


WIDTH = 100  # longest part of a source line that is shown


def _excerpt(labels: list[Label]) -> list[str]:
    """The source line with carets below the labels, and the labels' texts below the carets.

    Of a line longer than WIDTH the part around the labels is shown, or around the first if they lie too far
    apart.
    """
    ordered = sorted(labels, key=lambda label: label.span.start)
    number = labels[0].span.line
    whole = ordered[0].span.source.line_text(number)
    begin, end = _shown_part(len(whole), labels[0], ordered)
    text = whole[begin:end]
    prefix = f"{number:>4} | "
    blank = " " * (len(prefix) - 2) + "| "
    # Tabs are kept in the margin below, so that carets stand under what they mark.
    margin = [character if character == "\t" else " " for character in text] + [" "] * 2
    carets = margin.copy()
    rows: list[list[str]] = []
    for label in ordered:
        start = label.span.column - 1 - begin
        if not 0 <= start <= len(text):
            continue
        width = max(1, min(label.span.end - label.span.start, len(text) - start))
        carets[start : start + width] = "^" * width
        if label.text:
            row = next((row for row in rows if len(row) < start), None)
            if row is None:
                row = []
                rows.append(row)
            row += margin[len(row) : start] + list(label.text)
    lines = [prefix + text, blank + "".join(carets).rstrip()]
    return lines + [blank + "".join(row) for row in rows]


def _shown_part(length: int, first: Label, ordered: list[Label]) -> tuple[int, int]:
    """From which column to which a line of this length is shown."""
    if length <= WIDTH:
        return 0, length
    last = ordered[-1].span
    if last.column + last.end - last.start - ordered[0].span.column > WIDTH - 20:
        ordered = [first]
    begin = max(0, min(ordered[0].span.column - 1 - 20, length - WIDTH))
    return begin, begin + WIDTH
