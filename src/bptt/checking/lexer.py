"""A formula's text to tokens, each with its place and nothing decided: commands, letters, numbers, signs."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from bptt.source import Source, Span


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is "command", "letters", "number" or "symbol" until notation is applied (see `marks`).

    `spaced`: whether a space stands before it. `face` is the font, "" for the usual one.
    """

    kind: str
    text: str
    span: Span
    spaced: bool = False
    face: str = ""


_PATTERN = re.compile(
    r"""
    (?P<space>\s+|%[^\n]*|~)
  | (?P<break>\\\\\*?(?:[^\S\n]*\[\s*-?[0-9.]+\s*(?:pt|em|ex|mm|cm)\s*\])?|\\cr(?![A-Za-z])
             |\\tabularnewline(?![A-Za-z]))
  | (?P<command>\\(?:operatorname\*|[A-Za-z]+|[\s\S]|$))
  | (?P<number>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)
  | (?P<letters>[A-Za-z]+[\u0302-\u0305]*)
  | (?P<above>[\u2070-\u207f\u00b2\u00b3\u00b9\u1d2c-\u1d61\u02b0-\u02b8\u1d9c-\u1dbf\u2c7d]+)
  | (?P<below>[\u2080-\u209c\u1d62-\u1d6a\u2c7c]+)
  | (?P<symbol>\.{3,}|:=|=:|==|<<|>>|<=|>=|!=|\|\||[\s\S][\u0302-\u0305]*)
    """,
    re.VERBOSE,
)


def tokenize(source: Source, start: int, end: int, skipped: dict[int, int] | None = None) -> list[Token]:
    """The tokens of the characters `start` to `end`; what `skipped` maps from its start to its end is left
    out."""
    tokens: list[Token] = []
    text, position, spaced = source.text, start, False
    while position < end:
        if skipped and position in skipped:
            position = max(position + 1, skipped[position])
            continue
        match = _PATTERN.match(text, position, end)
        assert match is not None, "the last alternative matches every character"
        kind, found, position = match.lastgroup, match.group(), match.end()
        span = Span(match.start(), position, source)
        if kind == "space":
            spaced = True
            continue
        if kind in ("above", "below"):
            tokens += _raised(found, kind, span)
        elif kind == "letters" and len(found) > 1 and not found.isascii():
            # Combining marks belong to the last letter.
            base = found.rstrip("\u0302\u0303\u0304\u0305")
            cut = match.start() + len(base) - 1
            if len(base) > 1:
                tokens.append(Token("letters", base[:-1], Span(match.start(), cut, source), spaced))
            tokens.append(Token("symbol", found[len(base) - 1 :], Span(cut, position, source), spaced))
        else:
            assert kind is not None
            tokens.append(Token(kind, found, span, spaced))
        spaced = False
    return tokens


def _raised(found: str, kind: str, span: Span) -> list[Token]:
    """Characters that are sub- or superscripts by themselves, as a script in braces."""
    mark = "^" if kind == "above" else "_"
    inner: list[Token] = []
    for offset, character in enumerate(found):
        place = Span(span.start + offset, span.start + offset + 1, span.source)
        plain = unicodedata.normalize("NFKC", character)
        if character == "ᵀ":
            inner.append(Token("command", r"\top", place))
        elif plain.isdecimal():
            inner.append(Token("number", plain, place))
        elif plain.isascii() and plain.isalpha():
            inner.append(Token("letters", plain, place))
        else:
            inner.append(Token("symbol", plain, place))
    return [Token("symbol", mark, span), Token("symbol", "{", span), *inner, Token("symbol", "}", span)]
