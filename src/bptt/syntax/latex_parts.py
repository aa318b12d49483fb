"""A formula cut into parts: what stands between line breaks, wide spaces, words and commas."""

from __future__ import annotations

from dataclasses import dataclass

from bptt.source import Span
from bptt.syntax.latex_lexer import tokenize
from bptt.syntax.latex_names import Context
from bptt.syntax.lexer import Token

_OPENING, _CLOSING = ("(", "[", "{", r"\{", "⟨"), (")", "]", "}", r"\}", "⟩")
_SEPARATORS = ("break", "newline", "quad", "prose", ",", ";")
_RELATIONS = ("=", r"\in", r"\sim")
# A line that begins or ends with one of these goes on with the line before or after it.
_OPERATORS = ("+", "-", "*", "/", r"\cdot")
_PUNCTUATION = (".", ",", ";", ":")


@dataclass(frozen=True)
class Part:
    """Tokens, ended by one of kind "end"; never empty.

    `inline`: out of a formula within a line of prose. `bare`: out of a text that has no delimiters.
    """

    tokens: list[Token]
    inline: bool
    bare: bool

    @property
    def span(self) -> Span:
        return self.tokens[0].span.to(self.tokens[-2].span)


def tokens_of(segment: Span, bare: bool) -> list[Token]:
    """The tokens of a formula; in a text without delimiters, lines count."""
    return tokenize(segment, keep_newlines=bare)


def is_inline(segment: Span) -> bool:
    before = segment.source.text[max(0, segment.start - 2) : segment.start]
    return before == r"\(" or (before.endswith("$") and before != "$$")


def split(tokens: list[Token], context: Context, inline: bool = False, bare: bool = False) -> list[Part]:
    """The parts of a formula. A range of steps (`t = 1, 2, 3`) is none; its end is `context.last_step`."""
    pieces: list[list[Token]] = [[]]
    depth = 0
    position = 0
    while tokens[position].kind != "end":
        token = tokens[position]
        piece = pieces[-1]
        depth = max(0, depth + (token.kind in _OPENING) - (token.kind in _CLOSING))
        if not piece and depth == 0 and (after := _range(tokens, position)) is not None:
            if tokens[after - 1].kind in ("number", "name"):
                context.last_step = tokens[after - 1]
            position = after
            continue
        if token.kind in _SEPARATORS and depth == 0:
            if not _goes_on(tokens, position, piece):
                pieces.append([])
        elif token.kind not in ("quad", "break", "newline"):
            piece.append(token)
        position += 1
    parts = []
    for piece in pieces:
        trimmed = _trim(piece)
        if trimmed:
            last = trimmed[-1].span
            end = Token("end", "", last.source.span(last.end, last.end))
            parts.append(Part([*trimmed, end], inline, bare))
    return parts


def _goes_on(tokens: list[Token], position: int, piece: list[Token]) -> bool:
    """Whether the separator at `position` is only a line break within an equation."""
    kind = tokens[position].kind
    if kind not in ("break", "newline") or not piece:
        return False
    position += 1
    while tokens[position].kind == "newline":
        position += 1
    first = tokens[position].kind
    if first in _OPERATORS or piece[-1].kind in (*_OPERATORS, "="):
        return True
    if first == "=":
        return not any(token.kind == "=" for token in piece)
    if kind == "break":
        return False
    while tokens[position].kind not in ("newline", "break", "end"):
        if tokens[position].kind in _RELATIONS:
            return False
        position += 1
    # The line may be a left side alone, with the `=` beginning the next one.
    return tokens[position].kind != "newline" or tokens[position + 1].kind != "="


def _range(tokens: list[Token], position: int) -> int | None:
    """The index behind a range of steps that begins at `position`: `t = 1, 2, 3` or `t = 1, \\dots, T`."""
    heads = [(token.kind, token.text) for token in tokens[position : position + 2]]
    if heads != [("name", "t"), ("=", "=")] or tokens[position + 2].kind != "number":
        return None
    position += 3
    while tokens[position].kind in (",", r"\dots"):
        following = tokens[position + 1]
        is_step = following.kind in ("number", r"\dots") or (
            following.kind == "name" and tokens[position + 2].kind in (*_SEPARATORS, ".", "end")
        )
        if not is_step:
            break
        position += 2
    return position


def _trim(piece: list[Token]) -> list[Token]:
    """A part without its number in a list (`2.`, `(2)`) and the punctuation behind it."""
    kinds = [token.kind for token in piece[:4]]
    if kinds[:2] in (["number", "."], ["number", ")"]):
        piece = piece[2:]
    elif kinds[:3] == ["(", "number", ")"]:
        piece = piece[3:]
    end = len(piece)
    while end and piece[end - 1].kind in _PUNCTUATION:
        end -= 1
    return piece[:end]
