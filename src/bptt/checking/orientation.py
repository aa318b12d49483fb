"""Which matrix has the vectors u_w, and whether as its rows or as its columns.

A document says so in words ("the r_wᵀ are the rows of R"), lists them (U = [u_1, …, u_V]), gives the shape
(R^{d×V}), or multiplies: U v holds the u_wᵀ v if they are rows, Uᵀ v if they are columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bptt.checking.names import Lettering, Unclear, walk
from bptt.checking.written import Bracketed, Chain, Letter, Reading, Written

ROWS, COLUMNS = 1, 0
_ROW = r"rows?|Zeilen?|lignes?|filas?|righe|riga|linhas?|строки|строка|行"
_COLUMN = r"columns?|Spalten?|colonnes?|columnas?|colonn[ea]|colunas?|столбцы|столбец|列"
_WORD = re.compile(rf"(?<![A-Za-z])(?:(?P<row>{_ROW})|(?P<column>{_COLUMN}))(?![A-Za-z])(?!\s*-?\s*vectors?)")
# "the rows of U", "die Zeilen von U".
_OF = re.compile(r"\W*(?:of|von|der|des|de|del|di|da|do)?\W*(?:(?:the|der|la|le)\W+)?(?:matri\w+\W+)?$")
_FONTS = re.compile(
    r"\\(?:bm|boldsymbol|mathbf|mathit|mathrm|emph|textbf|textit|mathbb|vec|mathsf)\s*\{([^{}]*)\}"
)
_VOCABULARY = frozenset({"V", "W"})
_FAR = 90  # characters between a matrix and what is said of it


def lies_along(name: str, listed: str, reading: Reading, letters: Lettering, layout: str) -> tuple[str, int]:
    """The matrix with these vectors, and the axis of it along which they lie. Where none is told, a matrix
    that has their own name, with a row for each.
    """
    text = plain(reading.source.text)
    candidates = [t for t in (listed, *_capitals(name, reading, letters)) if t]
    for table in candidates:
        told = {
            _said(name, table, text),
            _shaped(name, table, text),
            _multiplied(name, table, reading, letters, layout),
        } - {None}
        if len(told) == 1:
            return table, told.pop() or COLUMNS
        if not told and table == listed:
            return table, COLUMNS if layout == "column" else ROWS
    return name, ROWS


def plain(text: str) -> str:
    """The text without fonts, as far as they matter here."""
    before = ""
    while before != text:
        before, text = text, _FONTS.sub(r"\1", text)
    return text


def _capitals(name: str, reading: Reading, letters: Lettering) -> list[str]:
    """Matrices whose name is that of the vectors in capitals, with a label or without; that first."""
    found: dict[str, None] = {}
    for statement in reading.statements:
        sides = [statement.left, *(link.right for link in statement.links)]
        for part in walk([side for side in sides if side is not None]):
            if isinstance(part, Letter) and part.name[:1].isupper():
                try:
                    found[letters.resolve(part).name] = None
                except Unclear:
                    continue
    stem = name[:1].upper()
    return sorted((n for n in found if n.split("_")[0] == stem), key=len)


def _said(name: str, table: str, text: str) -> int | None:
    """What the sentence says in which the matrix and its rows or columns stand."""
    mention = re.compile(rf"\$\s*{_spelling(table)}\s*(?:=[^$]*|\\in[^$]*)?\$")
    for at in mention.finditer(text):
        before = _sentence(text[max(0, at.start() - _FAR) : at.start()], last=True)
        words = list(_WORD.finditer(before))
        if words and _OF.fullmatch(before[words[-1].end() :]):
            return ROWS if words[-1]["row"] else COLUMNS
    for at in mention.finditer(text):
        after = _sentence(text[at.end() : at.end() + _FAR], last=False)
        word = _WORD.search(after)
        between = re.findall(r"\$([^$]*)", after[: word.start()])[::2] if word is not None else []
        own = all(math.strip(" {\\").startswith(name) for math in between)
        if word is not None and own and "$" not in after[word.end() : word.end() + 4]:
            return ROWS if word["row"] else COLUMNS
    return None


def _sentence(text: str, last: bool) -> str:
    parts = re.split(r"[.;。；](?=\s|$)|\n\s*\n", text)
    return parts[-1] if last else parts[0]


def _spelling(name: str) -> str:
    """A name as it is written in LaTeX: U_N, U_{N}."""
    base, _, label = name.partition("_")
    return re.escape(base) + (rf"_\{{?\s*(?:\\\w+\{{)?{re.escape(label)}\}}*" if label else "")


def _shaped(name: str, table: str, text: str) -> int | None:
    """By the shape that is given: the axis that is as long as the vocabulary is counted."""
    shape = re.compile(
        rf"(?<![A-Za-z\\]){_spelling(table)}\s*(?:=[^$]*?)?\\in\s*\\?\w*\s*\^\s*\{{([^{{}}]*?)\\times([^{{}}]*?)\}}"
    )
    found = shape.search(text)
    if found is None:
        return None
    first, second = (side.replace("\\", "").replace("{", "").strip(" |") for side in found.groups())
    if (first in _VOCABULARY) == (second in _VOCABULARY):
        return None
    return ROWS if first in _VOCABULARY else COLUMNS


def _multiplied(name: str, table: str, reading: Reading, letters: Lettering, layout: str) -> int | None:
    """By a product of the matrix with the vector that the others are multiplied with."""
    partners = {partner for own, _, partner in _products(reading, letters) if own == name}
    for own, turned, partner in _products(reading, letters, layout):
        if own == table and partner in partners:
            # In columns, U v has rows and Uᵀ v columns; in rows, v Uᵀ and v U.
            return COLUMNS if turned == (layout == "column") else ROWS
    return None


def _products(reading: Reading, letters: Lettering, layout: str = "") -> Iterator[tuple[str, bool, str]]:
    """Names that stand beside one another in a product: one, whether it is turned, and the other."""
    for statement in reading.statements:
        sides = [statement.left, *(link.right for link in statement.links)]
        for part in walk([side for side in sides if side is not None]):
            if isinstance(part, Chain):
                pairs = list(zip(part.factors, part.factors[1:], strict=False))
                if layout != "row":
                    yield from (p for one, other in pairs for p in _pair(one, other, letters))
                if layout != "column":
                    yield from (p for one, other in pairs for p in _pair(other, one, letters))


def _pair(one: Written, other: Written, letters: Lettering) -> Iterator[tuple[str, bool, str]]:
    if isinstance(other, Bracketed) and isinstance(other.inner, Letter):
        other = other.inner
    if isinstance(one, Letter) and isinstance(other, Letter):
        try:
            first, second = letters.resolve(one), letters.resolve(other)
        except Unclear:
            return
        yield first.name, first.turned, second.name
