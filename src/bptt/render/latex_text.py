"""Words in LaTeX: what the typeface has no sign for is set as mathematics, or named by its code."""

from __future__ import annotations

import re
import unicodedata

from bptt.syntax.spelling import GREEK, SUBSCRIPT_DIGITS, SUPERSCRIPT_DIGITS

# Signs of mathematics, by character; − is what Unicode has for a minus.
SIGNS = {
    "−": "-", "∘": r"\circ", "·": r"\cdot", "×": r"\times", "⊤": r"\top", "ᵀ": r"^{\top}", "∂": r"\partial",
    "…": r"\ldots", "′": "'", "∑": r"\sum", "Σ": r"\sum", "∏": r"\prod", "≈": r"\approx", "≠": r"\neq",
    "≤": r"\leq", "≥": r"\geq", "<": "<", ">": ">", "∈": r"\in", "∼": r"\sim", "~": r"\sim", "→": r"\to",
    "←": r"\leftarrow", "⇒": r"\Rightarrow", "⇔": r"\Leftrightarrow", "↦": r"\mapsto", "≡": r"\equiv",
    "≜": r"\triangleq", "∝": r"\propto", ":=": ":=", "=": "=", "+": "+", ",": ",", ":": ":", "∞": r"\infty",
    "√": r"\surd", "⊙": r"\odot", "⌊": r"\lfloor", "⌋": r"\rfloor", "‖": r"\Vert", "∇": r"\nabla",
}  # fmt: skip

_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%",
    "_": r"\_", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", '"': "''", "`": r"\`{}",
    "\u00a0": "~", "–": "--", "—": "---", "“": "``", "”": "''", "‘": "`", "’": "'", "…": r"\ldots{}",
}  # fmt: skip
_IN_MATHEMATICS = {
    **{sign: text for sign, text in SIGNS.items() if len(sign) == 1 and not sign.isascii()},
    **{digit: f"_{{{text}}}" for digit, text in SUBSCRIPT_DIGITS.items()},
    **{digit: f"^{{{text}}}" for digit, text in SUPERSCRIPT_DIGITS.items()},
    **{letter: f"\\{name}" for letter, name in GREEK.items() if name.lower() != "omicron"},
}
# Accents over letters of words and of mathematics, by combining mark.
_ACCENTS = {
    "\u0300": (r"\`", r"\grave"), "\u0301": (r"\'", r"\acute"), "\u0302": (r"\^", r"\hat"),
    "\u0303": (r"\~", r"\tilde"), "\u0304": (r"\=", r"\bar"), "\u0305": (r"\=", r"\bar"),
    "\u0306": (r"\u", r"\breve"), "\u0307": (r"\.", r"\dot"), "\u0308": (r'\"', r"\ddot"),
    "\u030a": (r"\r", r"\mathring"), "\u030b": (r"\H", r"\acute"), "\u030c": (r"\v", r"\check"),
    "\u0327": (r"\c", r"\underline"),
}  # fmt: skip
_LETTERS = {
    "ß": r"\ss{}",
    "æ": r"\ae{}",
    "Æ": r"\AE{}",
    "ø": r"\o{}",
    "Ø": r"\O{}",
    "œ": r"\oe{}",
    "ł": r"\l{}",
}
# Capital Greek letters that LaTeX writes as Latin ones.
_LATIN_CAPITALS = dict(
    zip(("Alpha", "Beta", "Epsilon", "Zeta", "Eta", "Iota", "Kappa", "Mu", "Nu", "Rho", "Tau", "Chi"),
        "ABEZHIKMNPTX", strict=True)
)  # fmt: skip


def escape(text: str) -> str:
    """Words for a document, in ASCII."""
    text = unicodedata.normalize("NFD", text)
    return re.sub(r".[\u0300-\u036f]*", lambda found: _character(*found.group()), text, flags=re.DOTALL)


def _character(character: str, *marks: str) -> str:
    if character in _IN_MATHEMATICS:
        inner, place, is_word = greek_command(_IN_MATHEMATICS[character]), 1, False
    else:
        inner, place, is_word = _word_character(character), 0, True
    for mark in marks:
        inner = f"{_ACCENTS[mark][place]}{{{inner}}}" if mark in _ACCENTS else inner
    return inner if is_word else rf"\ensuremath{{{inner}}}"


def _word_character(character: str) -> str:
    if character in _SPECIAL:
        return _SPECIAL[character]
    if character in _LETTERS:
        return _LETTERS[character]
    if character.isspace():
        return " "
    if not character.isascii():
        return rf"\texttt{{U+{ord(character):04X}}}"
    return character if character.isprintable() else ""


def greek_command(command: str) -> str:
    """The command for a Greek letter, as LaTeX knows it: `\\Alpha` is an A."""
    capital = _LATIN_CAPITALS.get(command.removeprefix("\\"))
    return rf"\mathrm{{{capital}}}" if capital else command


def escape_in_mathjax(text: str) -> str:
    """Words for \\text{…} where MathJax reads it: any character, four of them behind a backslash."""
    return re.sub(r"([\\{}$])", r"\\\1", text)


def upright(name: str) -> str:
    """A name of several letters within mathematics."""
    return "".join(_UPRIGHT.get(character, character) for character in name)


_UPRIGHT = {"_": r"\_", " ": r"\,", "\\": r"\backslash ", **{c: f"\\{c}" for c in "{}$&#%"}, "^": "", "~": ""}
