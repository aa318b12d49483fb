"""The accepted spellings of names and functions, and the one that each stands for; for both languages."""

from __future__ import annotations

import re
import unicodedata

from bptt.syntax.tree import FUNCTIONS

_GREEK_LETTERS = (
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu",
    "nu", "xi", "omicron", "pi", "rho", "final sigma", "sigma", "tau", "upsilon", "phi", "chi", "psi",
    "omega",
)  # fmt: skip
# Character to name: α to alpha, Α to Alpha. Final sigma and the variants of fonts have their letter's name.
GREEK = {chr(0x3B1 + place): name.removeprefix("final ") for place, name in enumerate(_GREEK_LETTERS)}
GREEK |= {
    chr(0x391 + place): name.capitalize()
    for place, name in enumerate(_GREEK_LETTERS)
    if not name.startswith("final ")
}
GREEK |= {"µ": "mu", "ϵ": "epsilon", "ϑ": "theta", "ϕ": "phi", "ϱ": "rho", "ϖ": "pi", "ℓ": "ell"}
GREEK_NAMES = frozenset(GREEK.values()) - {"ell"}

# Combining marks, by the word that a name without marks has in their place.
ACCENTS = {"\u0302": "hat", "\u0303": "tilde", "\u0304": "bar", "\u0305": "bar"}
SUBSCRIPT_DIGITS = {chr(0x2080 + digit): str(digit) for digit in range(10)}
SUPERSCRIPT_DIGITS = {"²": "2", "³": "3"}

# Other spellings of a function, where it is called; as a name, `sigma` is a quantity like any other.
FUNCTION_SPELLINGS = {"sigma": "sigmoid", "ln": "log", "ReLU": "relu"}
# Names that mean something else already.
RESERVED_NAMES = frozenset(FUNCTIONS) | {"t"}

_ACCENT_JOINT = re.compile(r"_+(?=(?:hat|tilde|bar)(?:_|$))")
# The label of a name that bears a prime: `w_prime` is w′.
PRIME = "prime"
_NUMBER_TAIL = re.compile(r"(?:_+[0-9]+)+$")


def canonical_name(name: str) -> str:
    """The one spelling of `name`: `y_hat` is `yhat`, `b_1` is `b1`."""
    name = _ACCENT_JOINT.sub("", name)
    return _NUMBER_TAIL.sub(lambda tail: tail.group().replace("_", ""), name)


def canonical_function(name: str) -> str:
    return FUNCTION_SPELLINGS.get(name, name)


def spell(character: str) -> str:
    """What one character of a name stands for, in ASCII: `θ` is `theta`, `ŷ` is `yhat`, `₁` is `1`.

    Empty where the character cannot be part of a name.
    """
    if character.isascii():
        return character if character.isalnum() or character == "_" else ""
    known = GREEK.get(character) or ACCENTS.get(character) or SUBSCRIPT_DIGITS.get(character)
    if known:
        return known
    parts = unicodedata.normalize("NFD", character)
    if len(parts) == 1:
        return ""
    words = [spell(part) for part in parts]
    return "".join(words) if all(words) else ""
