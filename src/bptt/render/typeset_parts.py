"""Names, times, indices, sizes and numbers as marks."""

from __future__ import annotations

from bptt.formula.tree import Index, Time
from bptt.ir.dims import Dim
from bptt.render.marks import Digits, Letter, Line, Mark, Script, Sign, Word
from bptt.syntax.spelling import GREEK_NAMES, PRIME
from bptt.syntax.to_latex import name_parts

# Sizes that are known by their letter alone: the vocabulary, the batch, the time steps.
_PLAIN_SIZES = ("V", "B", "T")
COMMA, PLUS, MINUS = Sign(","), Sign("+"), Sign("−")


def typeset_name(name: str) -> Mark:
    """A name without time: W_e, ŷ, b₁, θ."""
    base, label = base_and_label(name)
    return script(base, label)


def base_and_label(name: str) -> tuple[Mark, Mark | None]:
    """The base of a name, and its label and digits."""
    parts = name_parts(name)
    if parts is None:
        word = name.rstrip("0123456789")
        if not word:
            return Digits(name), None
        return Word(word), Digits(name.removeprefix(word)) if word != name else None
    label: list[Mark] = []
    if parts.label == PRIME:
        primed = Script(Letter(parts.letter, parts.accent), above=Sign("′"))
        return primed, Digits(parts.digits) if parts.digits else None
    if parts.label:
        is_letter = len(parts.label) == 1 or parts.label in GREEK_NAMES
        label.append(Letter(parts.label) if is_letter and not parts.is_label_upright else Word(parts.label))
    if parts.digits:
        label.append(Digits(parts.digits))
    return Letter(parts.letter, parts.accent), side_by_side(label) if label else None


def time_mark(time: Time) -> Mark:
    if not time.letter:
        return number_mark(str(time.offset))
    letter = typeset_name(time.letter)
    if not time.offset:
        return letter
    return Line((letter, MINUS if time.offset < 0 else PLUS, Digits(str(abs(time.offset)))))


def indices_mark(indices: tuple[Index, ...]) -> Mark:
    """`ij` where every index is one letter, else with commas."""
    marks = list(map(index_mark, indices))
    are_letters = all(isinstance(mark, Letter) for mark in marks)
    return side_by_side(marks) if are_letters else separated(marks, COMMA)


def index_mark(index: Index) -> Mark:
    """Its letter, or the number that stands for it."""
    name = index.letter.rstrip("'*")
    letter = typeset_name(name)
    for mark in index.letter[len(name) :]:
        letter = Script(letter, above=Sign("′") if mark == "'" else Letter("*"))
    offset = index.offset
    if offset == Dim():
        return letter
    return Line((letter, PLUS, size_mark(offset)))


def size_mark(dim: Dim) -> Mark:
    """d_h for the size that bears the name of h; V, B and T as they are."""
    line: list[Mark] = []
    for name, factor in (*dim.terms, ("", dim.constant)):
        if not factor and (line or name):
            continue
        line += [MINUS] if factor < 0 else [PLUS] if line else []
        if not name or abs(factor) != 1:
            line.append(Digits(str(abs(factor))))
        if name:
            own = Letter(name) if name in _PLAIN_SIZES else Script(Letter("d"), below=typeset_name(name))
            line.append(own)
    return side_by_side(line)


def number_mark(text: str) -> Mark:
    """A number as Python writes it: 1e-05 with a power of ten."""
    digits, _, exponent = text.partition("e")
    marks: list[Mark] = [MINUS] if digits.startswith("-") else []
    if not exponent or digits not in ("1", "-1"):
        marks.append(Digits(digits.removeprefix("-")))
    if exponent:
        marks += [Sign("·")] if Digits in map(type, marks) else []
        marks.append(Script(Digits("10"), above=number_mark(str(int(exponent)))))
    return side_by_side(marks)


def rounded(value: float) -> str:
    """Three significant digits; whole numbers in full up to a million."""
    size = abs(value)
    if size < 999.5 or size >= 1e6:
        return format(value, ".3g")
    return format(value, ".0f")


def side_by_side(marks: list[Mark]) -> Mark:
    return marks[0] if len(marks) == 1 else Line(tuple(marks))


def separated(marks: list[Mark], sign: Sign) -> Mark:
    return side_by_side([part for mark in marks for part in (sign, mark)][1:])


def script(base: Mark, below: Mark | None = None, above: Mark | None = None) -> Mark:
    return base if below is None and above is None else Script(base, below, above)
