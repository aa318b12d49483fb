"""Names, indices and numbers in Unicode: `yhat` is ŷ, `b1` is b₁, the error `delta` of `h` is δʰ.

Where a small letter is missing or two marks would run together, the marks are put down in ASCII: the error of
`hidden2` is δ^hidden₂, its element δ^hidden₂_k, the element of `W_e` is W_{e,ij}, that of `b1` is b₁,ₖ.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence

from bptt.formula.tree import Index, Symbol, Time
from bptt.ir.dims import ZERO, Dim
from bptt.syntax.spelling import GREEK, PRIME
from bptt.syntax.to_latex import name_parts
from bptt.syntax.unparse import format_number

MINUS = "−"

_SUBSCRIPTS = dict(zip("0123456789+-=aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True))
_DIGITS_ABOVE = dict(zip("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻", strict=True))
# No digits, which would be read as a power, and no T, which would be read as a transpose.
_LETTERS_ABOVE = dict(
    zip(
        "abcdefghijklmnoprstuvwxyzABDEGHIJKLMNOPRUVWβγδθφχ",
        "ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵁⱽᵂᵝᵞᵟᶿᵠᵡ",
        strict=True,
    )
)
_ACCENTS = {"hat": "\u0302", "tilde": "\u0303", "bar": "\u0304"}
# Capitals that look like Latin ones, or like the signs of sums and products, stay words.
_OWN_CAPITALS = frozenset({"Gamma", "Delta", "Theta", "Lambda", "Xi", "Phi", "Psi", "Omega"})
# Of the characters of one name the first, which is the usual one, but for the final sigma.
_GREEK = {name: character for character, name in reversed(GREEK.items())} | {"sigma": "σ"}
_GREEK = {name: character for name, character in _GREEK.items() if name.islower() or name in _OWN_CAPITALS}
# Of one letter with or without its accent, as far as it is written.
_ONE_LETTER = re.compile(r"\w[\u0302-\u0304]?")
_WORD = re.compile(r"(?P<word>.*?)(?P<digits>[0-9]*)")


def name(written: str) -> str:
    """A name of the equation language: ŷ, b₁, W_e, θ."""
    parts = name_parts(written)
    if parts is None:
        word = _WORD.fullmatch(written)
        assert word is not None
        return word["word"] + _below(word["digits"])
    letter = _GREEK.get(parts.letter, parts.letter) + (_ACCENTS[parts.accent] if parts.accent else "")
    label = f"_{_GREEK.get(parts.label, parts.label)}" if parts.label else ""
    label = "′" if parts.label == PRIME else label
    return unicodedata.normalize("NFC", letter) + label + _below(parts.digits)


def symbol(symbol: Symbol, hide: bool = False) -> str:
    """The symbol; with `hide` its time is not written."""
    text = name(symbol.name) + _label(symbol)
    return text if symbol.time is None or hide else f"{text}[{time(symbol.time)}]"


def element(of: Symbol, indices: Sequence[str], hide: bool = False) -> str:
    """The element of the symbol, or the elements, at these indices."""
    text, foot = symbol(of, hide), joined(indices)
    if "^" in text and not text.endswith("]") and not _ONE_LETTER.fullmatch(name(of.of)):
        return f"{text}_{foot}" if len(foot) == 1 else f"{text}_{{{foot}}}"
    if of.of or text.endswith("]"):
        return text + subscript(foot)
    stem, _, label = text.partition("_")
    if label:
        return f"{stem}_{{{label},{foot}}}"
    stem = text.rstrip("".join(_SUBSCRIPTS.values()))
    digits = "".join(str(unicodedata.digit(digit)) for digit in text[len(stem) :])
    if not digits:
        return text + subscript(foot)
    small = _below(foot)
    return f"{text},{small}" if small else f"{stem}_{{{digits},{foot}}}"


def index(index: Index) -> str:
    """An index with its offset: `i`, `i+e`."""
    return index.letter if index.offset == ZERO else f"{index.letter}+{dim(index.offset)}".replace("+-", "-")


def joined(indices: Sequence[str]) -> str:
    """`ij`, or `i+e,j` where one is more than a letter."""
    return ("" if all(len(one) == 1 for one in indices) else ",").join(indices)


def dim(dim: Dim) -> str:
    """A size without spaces: `e+h`."""
    return str(dim).replace(" ", "")


def size(dim: Dim) -> str:
    """A size among other numbers: `dₕ`, for `h` would be the vector; V, B and T are known by their letter."""
    known = {"V", "B", "T"}
    parts = []
    for term, factor in dim.terms:
        one = term if term in known else f"d{subscript(term)}"
        parts.append(one if factor == 1 else f"{factor} {one}")
    if dim.constant or not parts:
        parts.append(str(dim.constant))
    return " + ".join(parts).replace("+ -", "− ")


def time(written: Time) -> str:
    """A time as it stands in brackets: `t`, `t-1`, `T`, `0`."""
    if not written.letter:
        return str(written.offset)
    return f"{written.letter}{written.offset:+d}" if written.offset else written.letter


def subscript(text: str) -> str:
    """The text in small letters below the line, `_{…}` where one of them is missing."""
    return _below(text) or f"_{{{text}}}"


def mark(text: str) -> str:
    """What stands at the foot of Σ or |, where no name can be meant: `_b`, `_{t+1}`."""
    return _below(text) or (f"_{text}" if len(text) == 1 else f"_{{{text}}}")


def power(exponent: float) -> str:
    """The exponent above the line; with ^ where it is no whole number."""
    if float(exponent).is_integer() and abs(exponent) < 1e15:
        return "".join(_DIGITS_ABOVE[digit] for digit in str(int(exponent)))
    text = number(abs(exponent))
    return f"^({MINUS}{text})" if exponent < 0 else f"^{text}"


def number(value: float) -> str:
    """The shortest digits that mean `value`: 0.5, 10⁻⁸, −2.5·10⁻⁵, ∞."""
    value = float(value)
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    mantissa, _, exponent = format_number(value).partition("e")
    if exponent:
        tens = "10" + power(float(exponent))
        mantissa = {"1": tens, "-1": f"-{tens}"}.get(mantissa, f"{mantissa}·{tens}")
    return mantissa.replace("-", MINUS)


def rounded(value: float) -> str:
    """Three places behind the point, or three digits where the first of them are zeros."""
    if not math.isfinite(value) or value == 0:
        return number(value)
    places = max(3, 2 - math.floor(math.log10(abs(value))))
    if places > 6 or abs(value) >= 1e7:
        mantissa, _, exponent = f"{value:.2e}".partition("e")
        return f"{mantissa}·10{power(float(exponent))}".replace("-", MINUS)
    text = f"{value:.{places}f}".rstrip("0").rstrip(".")
    return text.replace("-", MINUS)


def _label(symbol: Symbol) -> str:
    if not symbol.of:
        return ""
    written = name(symbol.of)
    small = [_LETTERS_ABOVE.get(letter, "") for letter in written]
    return "".join(small) if all(small) else f"^{written}"


def _below(text: str) -> str:
    """The text in small letters, empty where one of them is missing."""
    small = [_SUBSCRIPTS.get(letter, "") for letter in text]
    return "".join(small) if all(small) else ""
