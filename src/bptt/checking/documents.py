"""A document to its formulas: where mathematics stands in Markdown, LaTeX, a notebook or a plain text.

Nothing that is wrong with one formula may derail those after it: a dollar sign finds its partner within its
paragraph or is a mere dollar sign, and an environment that is never ended ends with its paragraph.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePath

from bptt.checking.written import Unread
from bptt.errors import InputError
from bptt.source import Source, Span

FORMS = ("markdown", "latex", "notebook", "text")
# What a file's name says of its form.
_ENDINGS = {
    ".md": "markdown", ".markdown": "markdown", ".tex": "latex", ".latex": "latex", ".ipynb": "notebook",
}  # fmt: skip
MAX_DOCUMENT = 2_000_000  # characters; above it is no text that somebody wrote
MAX_FORMULA = 20_000  # characters of one formula
MAX_MATHEMATICS = 100_000  # characters of all formulas
MAX_SEGMENTS = 10_000
MAX_WORDS = 160  # characters of prose that are kept before a formula


@dataclass(frozen=True)
class Segment:
    """A formula's place, without its delimiters.

    `display`: on lines of its own. `words`: the prose right before it. `section`: the number of the heading
    it stands under; 0 is what stands before the first. `margins`: where the signs of a quotation stand
    at the beginnings of its lines, from start to end.
    """

    span: Span
    display: bool
    words: str = ""
    section: int = 0
    margins: dict[int, int] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Document:
    """`headings[0]` is "", for what stands before the first heading."""

    source: Source
    segments: tuple[Segment, ...]
    headings: tuple[str, ...]
    unread: tuple[Unread, ...]


@dataclass(frozen=True)
class Notebook(Source):
    """The Markdown cells of a notebook as one text, with an empty line between them.

    Lines are counted through this text; `cell_place` says which cell of the notebook it is.
    `cells` has the offset where each cell begins and its number among all cells, from 1.
    """

    cells: tuple[tuple[int, int], ...] = field(default=(), repr=False)

    def cell_place(self, offset: int) -> tuple[int, int, int]:
        """Number of the cell, line and column in it, each from 1."""
        index = max(0, bisect_right(self._cell_starts, offset) - 1)
        start, number = self.cells[index] if self.cells else (0, 1)
        line, column = self.line_and_column(offset)
        return number, line - self.line_and_column(start)[0] + 1, column

    @cached_property
    def _cell_starts(self) -> list[int]:
        return [start for start, _ in self.cells]


def document_source(name: str, data: bytes | str, form: str | None = None) -> Source:
    """The text of a file with this name, or of this form of FORMS; what is no UTF-8 in it is shown as such.
    InputError if it is too long, or is said to be a notebook and is none.
    """
    text = data.decode("utf-8", errors="replace") if isinstance(data, bytes) else data
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if (form or form_of(name, "")) == "notebook":
        return _notebook(name, text)
    if len(text) > MAX_DOCUMENT:
        raise InputError(f"{name} has more than {MAX_DOCUMENT:,} characters", "check a part of it")
    return Source(name, text)


def _notebook(name: str, text: str) -> Notebook:
    try:
        cells = json.loads(text)["cells"]
        found = [
            (number, "".join(cell["source"]))
            for number, cell in enumerate(cells, start=1)
            if cell["cell_type"] == "markdown"
        ]
    except (ValueError, KeyError, TypeError, RecursionError):
        hint = "give a notebook, or a text in Markdown or LaTeX"
        raise InputError(f"{name} is not a Jupyter notebook", hint) from None
    parts: list[str] = []
    places: list[tuple[int, int]] = []
    offset = 0
    for number, content in found:
        places.append((offset, number))
        parts.append(content)
        offset += len(content) + 2
    if offset > MAX_DOCUMENT:
        raise InputError(f"{name} has more than {MAX_DOCUMENT:,} characters", "check a part of it")
    return Notebook(name, "\n\n".join(parts), tuple(places))


_ENVIRONMENTS = (
    "equation|align|aligned|alignat|alignedat|gather|gathered|multline|eqnarray|split|cases|displaymath|math"
    "|flalign|dmath|array|bmatrix|pmatrix|IEEEeqnarray|empheq|subequations"
)
_OPENING = re.compile(
    rf"""
    (?P<fence>^[ \t>]*(?P<ticks>`{{3,}}|~{{3,}})[ \t]*(?P<language>[^\n`]*)$)
  | (?P<comment><!--)
  | (?P<verbatim>\\begin\s*\{{(?P<code>verbatim|lstlisting|minted|Verbatim|comment)\*?\}})
  | (?P<ticked>\$`)
  | (?P<inline>`+)
  | (?P<heading>^[ ]{{0,3}}\#{{1,6}}[ \t]+(?P<title>[^\n]*)$
               |\\(?:part|chapter|(?:sub)*section|(?:sub)?paragraph)\*?\s*\{{(?P<command>[^\n{{}}]*)\}})
  | (?P<escape>\\\\\$|\\[$%]|\\\\(?!\(|\[))
  | (?P<percent>%[%\ \t]*)
  | (?P<opening>\$\$|\$|\\\\[(\[]|\\[(\[]|\\begin\s*\{{(?P<name>{_ENVIRONMENTS})\*?\}})
    """,
    re.MULTILINE | re.VERBOSE,
)
# A dollar sign behind an odd number of backslashes is no delimiter.
_DOLLAR = r"(?:(?<!\\)|(?<=\\\\))\$"
_CLOSING = {"$": _DOLLAR + r"\$", "(": r"\\\\?\)", "[": r"\\\\?\]"}
_ONE_DOLLAR = re.compile(_DOLLAR)
_PARAGRAPH_END = re.compile(r"\n[ \t>]*(?:\n|$)|\n[ ]{0,3}#{1,6}[ \t]|\n[ \t]*(?:```|~~~)")
_IS_LATEX = re.compile(r"^[ \t]*\\(?:documentclass|begin\s*\{document\}|usepackage)", re.MULTILINE)
_QUOTED = re.compile(r"\n[ \t]*(?:>[ \t]?)+")
_AMOUNT = re.compile(r"\s?[0-9][0-9.,]*(?:[kKMB]\b|\s?(?:%|million|billion))?[\s,.;:)]*(?:\s[A-Za-z]{2,}|$)")
_MATHEMATICAL = re.compile(r"[\\_^={}<>|+*/]|[^\x00-\x7f]")
_WORDY = re.compile(r"[A-Za-z]{2,}")
_PROSE_LINE = re.compile(r"(?:(?<![\\A-Za-z{])[A-Za-z]{2,}[ ,.;:]+){4}")
_DELIMITER_BEFORE = re.compile(r"(?:\$\$?|\\\\?[(\[]|\$`|\\begin\s*\{[^{}]*\}|[`~]{3,}[^\n`]*)\s*$")
_COMMENT = re.compile(r"(?<!\\)%[^\n]*")
_LINE = re.compile(
    r"^[ \t]*(?:[-*•][ \t]+|\(?[0-9a-z]{1,2}[.)][ \t]+)?"
    r"(?:(?:let|where|with|and|so|then|thus|hence|we have)\b[ \t:,]*)*"
    r"(?P<formula>[^\n]+?)[ \t]*$",
    re.MULTILINE | re.IGNORECASE,
)
_SAYS_SOMETHING = re.compile(r"[=≈∝∈]|\\approx|\\frac|∂|\\nabla|∇")
_PROSE_IN_LINE = re.compile(
    r"(?<![\\A-Za-z{_^])[A-Za-z]{2,},?[ \t]+(?!(?:where|for|and|if)\b)[A-Za-z]{3,}(?![A-Za-z(])"
)
_COMMAND_IN_PROSE = re.compile(r"\\[A-Za-z]+|[${}*_`#]")


def read_document(source: Source, form: str | None = None) -> Document:
    """The formulas of a text in order, and its headings. Without a `form`, one of FORMS, its name and itself
    tell how it is written.
    """
    return _Scan(source, form or form_of(source.name, source.text)).document()


def form_of(name: str, text: str) -> str:
    """Which of FORMS a document with this name and text is."""
    ending = PurePath(name).suffix.lower()
    return _ENDINGS.get(ending) or ("latex" if _IS_LATEX.search(text) else "text")


class _Scan:
    def __init__(self, source: Source, form: str) -> None:
        self.source = source
        self.text = source.text
        self.is_latex = form == "latex"
        self.segments: list[Segment] = []
        self.headings = [""]
        self.unread: list[Unread] = []
        self._prose_start = 0  # the end of what was read before: formulas, headings, code
        self._paragraph_end = -1
        self._never: set[str] = set()  # endings that the rest of the text does not have
        self._room = MAX_MATHEMATICS
        position = 0
        while self._room > 0 and (match := _OPENING.search(self.text, position)):
            position = self._read(match)

        if not self.segments and not self.unread:
            self._bare_lines()

    def _bare_lines(self) -> None:
        """In a text without delimiters, the lines that look like formulas are formulas."""
        for line in _LINE.finditer(self.text):
            formula = line["formula"]
            if _SAYS_SOMETHING.search(formula) and not _PROSE_IN_LINE.search(formula):
                self._add(line.start("formula"), line.end("formula"), line.end(), True)

    def document(self) -> Document:
        return Document(self.source, tuple(self.segments), tuple(self.headings), tuple(self.unread))

    def _read(self, match: re.Match[str]) -> int:
        """Deal with what begins here; the offset where to go on."""
        if match["fence"]:
            return self._fence(match)
        if match["comment"]:
            return self._after(r"-->", match.end())
        if match["verbatim"]:
            return self._after(rf"\\end\s*\{{{match['code']}\*?\}}", match.end())
        if match["heading"]:
            self.headings.append(_plain(match["title"] or match["command"] or ""))
            self._prose_start = match.end()
            # A title may hold formulas: only its mark is passed.
            return match.start("command" if match["title"] is None else "title")
        if match["percent"]:
            line_end = self.text.find("\n", match.end())
            return (len(self.text) if line_end < 0 else line_end) if self.is_latex else match.end()
        if match["ticked"]:
            end = self._closing(re.compile(r"`\$"), match.end())
            return match.end() if end is None else self._add(match.end(), end.start(), end.end(), False)
        if match["inline"]:
            return self._inline_code(match)
        if match["opening"]:
            return self._formula(match)
        return match.end()

    def _after(self, ending: str, position: int) -> int:
        """The offset behind the next such ending; the position itself where there is none."""
        end = None if ending in self._never else re.compile(ending).search(self.text, position)
        if end is None:
            self._never.add(ending)
            return position
        self._prose_start = end.end()
        return end.end()

    def _fence(self, match: re.Match[str]) -> int:
        ticks = match["ticks"]
        end = re.compile(rf"^[ \t>]*{re.escape(ticks)}[`~]*[ \t]*$", re.MULTILINE).search(
            self.text, match.end()
        )
        stop, after = (len(self.text), len(self.text)) if end is None else end.span()
        if match["language"].strip().lower() in ("math", "latex", "tex", "{math}"):
            inside = self.text[match.end() : stop]
            if match["language"].strip().lower() in ("math", "{math}") or "\\begin" in inside:
                return self._add(match.end(), stop, after, True)
        self._prose_start = after
        return after

    def _inline_code(self, match: re.Match[str]) -> int:
        if self.is_latex:
            return match.end()  # a quotation mark
        end = self.text.find(match["inline"], match.end(), self._end_of_paragraph(match.end()))
        return match.end() if end < 0 else end + len(match["inline"])

    def _end_of_paragraph(self, position: int) -> int:
        if not position <= self._paragraph_end:
            end = _PARAGRAPH_END.search(self.text, position)
            self._paragraph_end = len(self.text) if end is None else end.start()
        return self._paragraph_end

    def _closing(self, pattern: re.Pattern[str], position: int, stop: int = -1) -> re.Match[str] | None:
        return pattern.search(self.text, position, self._end_of_paragraph(position) if stop < 0 else stop)

    def _formula(self, match: re.Match[str]) -> int:
        opening, start = match["opening"], match.end()
        if opening == "$":
            return self._dollar(match)
        if opening.startswith("\\\\") and self.is_latex:
            return start  # a line break before a bracket
        name = match["name"]
        if name:
            pattern = re.compile(rf"\\end\s*\{{{name}\*?\}}")
        else:
            pattern = re.compile(_CLOSING[opening[-1]])
        limit = min(len(self.text), start + 60_000)
        paragraph = self._end_of_paragraph(start)
        end = pattern.search(self.text, start, paragraph)
        if end is None:
            end = pattern.search(self.text, start, limit)
            between = self.text[start : end.start()] if end else ""
            if end is not None and self._holds_prose(between, name):
                end = None
        display = opening != "\\("
        if end is None:
            self._refuse(self.source.span(*match.span()), "this is never closed")
            if opening == "$$" and not self.text[start:paragraph].strip():
                return start
            return self._add(start, paragraph, paragraph, display)
        return self._add(start, end.start(), end.end(), display)

    def _holds_prose(self, between: str, name: str | None) -> bool:
        """Whether a formula that goes over empty lines holds what stands outside of formulas only."""
        if name:
            again = rf"\\begin\s*\{{{name}\*?\}}|\\(?:sub)*section\b|^#{{1,6}} "
            return bool(re.search(again, between, re.MULTILINE))
        return any(
            _PROSE_LINE.search(part) or part.lstrip().startswith("#") or "\\section" in part
            for part in re.split(r"\n[ \t>]*\n", between)[1:]
        ) or bool(_ONE_DOLLAR.search(between))

    def _dollar(self, match: re.Match[str]) -> int:
        start = match.end()
        stop = self._end_of_paragraph(start)
        end = _ONE_DOLLAR.search(self.text, start, stop)
        if end is None:
            if not self.text[start : start + 1].isdigit():
                self._refuse(self.source.span(*match.span()), "this has no partner in its paragraph")
            return start
        inside = self.text[start : end.start()]
        following = self.text[end.end() : end.end() + 1]
        if not inside or _is_prose(inside, following):
            return start
        return self._add(start, end.start(), end.end(), False)

    def _add(self, start: int, end: int, after: int, display: bool) -> int:
        span = self.source.span(start, max(start, end))
        self._room -= span.end - span.start if span.end - span.start <= MAX_FORMULA else 0
        if self._room <= 0 or len(self.segments) >= MAX_SEGMENTS:
            self._room = 0
            self._refuse(span, "from here on there is more mathematics than is read")
            return after
        if span.end - span.start > MAX_FORMULA:
            self._refuse(span, "this formula is too long")
            return after
        words = self._words(start)
        line = self.text.rfind("\n", 0, start) + 1
        quoted = display and self.text[line:start].lstrip().startswith(">")
        margins = (
            {mark.start(): mark.end() for mark in _QUOTED.finditer(self.text, start, end)} if quoted else {}
        )
        self.segments.append(Segment(span, display, words, len(self.headings) - 1, margins))
        self._prose_start = after
        return after

    def _refuse(self, span: Span, reason: str) -> None:
        self.unread.append(Unread(span.text[:80], reason, span))

    def _words(self, start: int) -> str:
        """The prose between the formula and the one before it, from its last paragraph on."""
        text = self.text[max(self._prose_start, start - 4 * MAX_WORDS) : start].rstrip()
        text = _DELIMITER_BEFORE.sub("", text)
        if self.is_latex:
            text = _COMMENT.sub("", text)
        paragraphs = [part for part in re.split(r"\n[ \t>]*\n", text) if part.strip()]
        return _plain(paragraphs[-1])[-MAX_WORDS:].strip() if paragraphs else ""


def _is_prose(inside: str, following: str) -> bool:
    """Whether what stands between two dollar signs is an amount of money, or prose between two formulas."""
    if _AMOUNT.match(inside) and (inside[-1:].isspace() or following.isdigit() or _WORDY.search(inside)):
        return not _MATHEMATICAL.search(inside)
    if inside[-1:].isspace() or inside[:1].isspace():
        words = _WORDY.findall(inside)
        return len(words) > 1 - (following.isdigit()) and not _MATHEMATICAL.search(inside)
    return False


def _plain(prose: str) -> str:
    prose = re.sub(r"^[ \t]*>+", "", prose, flags=re.MULTILINE)
    return " ".join(_COMMAND_IN_PROSE.sub(" ", prose).split())
