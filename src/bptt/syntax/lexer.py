"""Equations to tokens, each with its place."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bptt.errors import EquationError
from bptt.source import Source, Span
from bptt.syntax.spelling import SUPERSCRIPT_DIGITS, canonical_name, spell

# A model is a page of equations; whatever is longer is a mix-up, and is refused before work is spent on it.
MAX_CHARACTERS = 300_000


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is "name", "number", "newline", "end", or the symbol itself; `text` the canonical spelling."""

    kind: str
    text: str
    span: Span


# The canonical symbol of each accepted spelling that is a single character.
SYMBOLS = {character: character for character in "+-*/@()[],=:~"} | {
    "−": "-", "∘": "*", "⊙": "*", "·": "*", "⋅": "*", "∙": "*", "×": "×", "∼": "~",
}  # fmt: skip

_NUMBER = r"(?:[0-9]+(?:\.(?![A-Za-z_])[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_PATTERN = re.compile(
    rf"""
    (?P<space>[^\S\n]+|\#[^\n]*)
  | (?P<newline>\n)
  | (?P<number>{_NUMBER})
  | (?P<name>[^\W\d_ᵀ²³₀-₉](?:(?![²³ᵀ])[\w\u0302-\u0305])*)
  | (?P<transpose>\.\s?T(?![A-Za-z0-9_])|\^\s?(?:T(?![A-Za-z0-9_])|⊤)|ᵀ)
  | (?P<superscript>[²³])
  | (?P<power>\*\*)
  | (?P<equals>==)
  | (?P<symbol>.)
    """,
    re.VERBOSE,
)

# What was probably meant by a character that the language does not have.
_MEANT = {
    "^": "a power is written `**`, a transpose `.T`",
    "{": "brackets are ( ) and, to concatenate, [ ]",
    "}": "brackets are ( ) and, to concatenate, [ ]",
    ";": "write one statement a line; in a concatenation, separate the parts with commas",
    "'": "names have no primes: write `h2` or `h_prime`; derivatives are worked out, not written",
    "’": "names have no primes: write `h2` or `h_prime`; derivatives are worked out, not written",
    "%": "a comment starts with `#`",
    ".": "a transpose is written `.T`; a decimal number begins or goes on with a digit",
    "_": "a name starts with a letter",
    "|": "sizes are plain names: write `V`",
    "∈": "a shape is stated as `H : h, h`",
    "\\": "a text in LaTeX is read as LaTeX; the equation language has no commands",
    "$": "a text in LaTeX is read as LaTeX; the equation language has no `$`",
    "<": "a time is written `h[t-1]`",
    ">": "a time is written `h[t-1]`",
}


def check_length(source: Source) -> None:
    if len(source.text) > MAX_CHARACTERS:
        raise EquationError.at(
            source.span(0, 0),
            f"this text has {len(source.text)} characters; a model may have {MAX_CHARACTERS}",
            hint="give the file with the equations, not the training text",
        )


def tokenize(source: Source) -> list[Token]:
    """The tokens of a source, ended by one of kind "end".

    A newline inside brackets is no token, so a statement may continue there.
    """
    check_length(source)
    tokens: list[Token] = []
    depth = 0
    for match in _PATTERN.finditer(source.text):
        kind, text = match.lastgroup or "", match.group()
        span = source.span(*match.span())
        if kind == "space" or (kind == "newline" and depth > 0):
            continue
        if kind == "name":
            text = canonical_name(_spell_name(text, span))
        elif kind == "transpose":
            kind = text = ".T"
        elif kind == "superscript":
            tokens.append(Token("**", "**", span))
            kind, text = "number", SUPERSCRIPT_DIGITS[text]
        elif kind == "power":
            kind = "**"
        elif kind == "equals":
            raise EquationError.at(
                span, "`==` is no part of the language", hint="an equation has a single `=`"
            )
        elif kind == "symbol":
            if text not in SYMBOLS:
                raise _unexpected(text, span)
            kind = text = SYMBOLS[text]
            depth = depth + 1 if text in "([" else max(0, depth - 1) if text in ")]" else depth
        tokens.append(Token(kind, text, span))
    end = len(source.text)
    tokens.append(Token("end", "", source.span(end, end)))
    return tokens


def _spell_name(text: str, span: Span) -> str:
    words = [spell(character) for character in text]
    if not all(words):
        place = words.index("")
        offset = span.start + place
        raise _unexpected(text[place], span.source.span(offset, offset + 1))
    return "".join(words)


def _unexpected(character: str, span: Span) -> EquationError:
    shown = f"`{character}`" if character.isprintable() else f"U+{ord(character):04X}"
    hint = _MEANT.get(character, "names are made of Latin or Greek letters, digits and `_`")
    return EquationError.at(span, f"unexpected character {shown}", hint=hint)
