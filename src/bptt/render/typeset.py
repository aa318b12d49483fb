"""Formulas as marks: the conventions of writing, the same in LaTeX and in MathML.

A symbol bears its time and its indices at the foot (`h_{t-1,i}`) and whose it is at the head (`δ^h_t`). Time
`t` is left out where a page has no steps (`timed` is False); other times never are.
"""

from __future__ import annotations

from itertools import pairwise

from bptt.formula.shapes import NonConforming, shape_of
from bptt.formula.tree import (
    NOW,
    Add,
    Apply,
    Blocks,
    Concatenation,
    CrossEntropy,
    Derivative,
    Diag,
    Formula,
    Grid,
    Hadamard,
    Identity,
    Index,
    Indexed,
    Kronecker,
    Number,
    Ones,
    Part,
    Power,
    Product,
    Quotient,
    Size,
    Sum,
    Symbol,
    Time,
    TimeProduct,
    TokenPart,
    Transpose,
    Zeros,
)
from bptt.ir.dims import Dim
from bptt.render.line_breaks import broken
from bptt.render.marks import (
    Bold,
    Brackets,
    Call,
    Digits,
    Evaluated,
    Fraction,
    Known,
    Letter,
    Limits,
    Line,
    Mark,
    Matrix,
    Root,
    Script,
    Sign,
    Space,
    Under,
    Word,
    is_tall,
    width,
)
from bptt.render.page import Text
from bptt.render.precedence import Strength, brackets, factors, is_bare, is_name, signed, strength, terms
from bptt.syntax.spelling import GREEK_NAMES
from bptt.syntax.to_latex import name_parts
from bptt.syntax.unparse import format_number

_FUNCTION_MARKS: dict[str, Mark] = {
    "sigmoid": Letter("sigma"),
    "relu": Word("ReLU"),
    "log_softmax": Word("log softmax"),
}
# Sizes that are known by their letter alone: the vocabulary, the batch, the time steps.
_PLAIN_SIZES = ("V", "B", "T")
# An exponent wider than this (in em) is the argument of exp instead.
_WIDEST_EXPONENT = 5.0
# The width of a character of words, in em.
_CHARACTER = 0.47
_COMMA = Sign(",")
_PLUS, _MINUS = Sign("+"), Sign("−")
_PARTIAL = Sign("∂")
_TRANSPOSED = Sign("⊤")


def typeset(formula: Formula, timed: bool) -> Mark:
    """The whole formula on one line."""
    return _Setter(timed).formula(formula)


def typeset_lines(formula: Formula, timed: bool, limit: float, layout: str | None = None) -> list[Mark]:
    """The formula on lines of at most `limit` em where it can be broken; each line but the first begins with
    a sign. With a `layout` the shape stands under every factor.
    """
    setter = _Setter(timed) if layout is None else _ShapeSetter(timed, layout)
    return broken(setter.part(formula, Strength.SUM), limit)


def typeset_name(name: str) -> Mark:
    """A name without time: W_e, ŷ, b₁, θ."""
    base, label = _name(name)
    return _script(base, label)


def typeset_shape(*dims: Dim) -> Mark:
    """A shape: 1×d_h."""
    marks = [
        Brackets(_size(dim)) if len(dims) > 1 and strength(Size(dim)) < Strength.PRODUCT else _size(dim)
        for dim in dims
    ]
    return _separated(marks, Sign("×"))


def text_width(text: Text, timed: bool) -> float:
    """About how wide words with formulas among them are, in em."""
    return sum(
        _CHARACTER * len(part) if isinstance(part, str) else width(typeset(part, timed)) for part in text
    )


class _Setter:
    def __init__(self, timed: bool) -> None:
        self._timed = timed

    def part(self, part: Formula, needed: Strength, is_last: bool = False) -> Mark:
        """A part, in brackets where its place asks for them."""
        mark = self.formula(part)
        return Brackets(mark) if _needs_brackets(part, needed, is_last) else mark

    def formula(self, formula: Formula) -> Mark:
        negative, positive = signed(formula)
        if negative:
            return Line((_MINUS, self.part(positive, Strength.OPEN)))
        match formula:
            case Number(value):
                return _number(format_number(float(value)))
            case Size(dim):
                return _size(dim)
            case Symbol():
                return self._symbol(formula)
            case Indexed(Symbol() as base, indices):
                return self._symbol(base, _indices(indices))
            case Indexed(base, indices):
                return _script(self.part(base, Strength.ATOM), _indices(indices))
            case Part(operand, start, stop):
                first = _line([_size(start + Dim.number(1)), Sign(":"), _size(stop)])
                if isinstance(operand, Symbol):
                    return self._symbol(operand, first)
                return _script(self.part(operand, Strength.ATOM), first)
            case TokenPart(table, token):
                return self._token_part(table, token)
            case Add():
                return self._terms(formula)
            case Product() | Hadamard():
                return self._factors(formula)
            case Quotient(top, bottom):
                return Fraction(self.formula(top), self.formula(bottom))
            case Power(base, exponent):
                if exponent == 0.5:
                    return Root(self.formula(base))
                return _raised(self.part(base, Strength.ATOM), self.formula(Number(exponent)))
            case Transpose(operand):
                return _raised(self.part(operand, Strength.ATOM), Sign("⊤"))
            case Diag(operand):
                return Call(Word("diag"), Brackets(self.formula(operand)))
            case Apply():
                return self._apply(formula)
            case CrossEntropy(target, probabilities):
                both = _separated([self.formula(target), self.formula(probabilities)], _COMMA)
                return Call(Word("CE"), Brackets(both))
            case Sum():
                return self._sum(formula)
            case TimeProduct():
                return self._time_product(formula)
            case Kronecker(left, right):
                return Call(Bold("1"), Brackets(Line((_index(left), Sign("="), _index(right))), "[", "]"))
            case Ones(shape):
                return Bold("1") if shape else Digits("1")
            case Zeros(shape):
                return Bold("0") if shape else Digits("0")
            case Identity(dim):
                return Script(Bold("I"), below=_size(dim))
            case Concatenation(items):
                return Brackets(_separated(list(map(self.formula, items)), _COMMA), "[", "]")
            case Blocks(rows):
                return Matrix(tuple(tuple(map(self.formula, row)) for row in rows))
            case Grid(grid):
                return Matrix(tuple(tuple(_number(_rounded(value)) for value in row) for row in grid))
            case Derivative():
                return self._derivative(formula)
        raise TypeError(f"no way to write {formula!r}")

    def _terms(self, formula: Add) -> Mark:
        line: list[Mark] = []
        for negative, term in terms(formula):
            line += [_MINUS] if negative else [_PLUS] if line else []
            line.append(self.part(term, Strength.OPEN))
        return _line(line)

    def _factors(self, formula: Product | Hadamard) -> Mark:
        needed = Strength.PRODUCT if isinstance(formula, Product) else Strength.QUOTIENT
        parts = factors(formula)
        if len(parts) == 1:
            return self.formula(parts[0])
        marks = [self.part(part, needed, place == len(parts)) for place, part in enumerate(parts, 1)]
        if isinstance(formula, Hadamard):
            return _separated(marks, Sign("∘"))
        line = marks[:1]
        for before, after in pairwise(marks):
            line += [*_between(before, after), after]
        return _line(line)

    def _symbol(self, symbol: Symbol, last: Mark | None = None) -> Mark:
        base, label = _name(symbol.name)
        time = None
        if symbol.time is not None and (self._timed or symbol.time != NOW):
            time = _time(symbol.time)
        below = [mark for mark in (label, time, last) if mark is not None]
        above = typeset_name(symbol.of) if symbol.of else None
        mark = _script(base, _separated(below, _COMMA) if below else None, above)
        return Known((symbol.name, symbol.of), mark)

    def _token_part(self, table: Formula, token: Symbol) -> Mark:
        """L_x; a table that has something at its foot already goes in brackets."""
        mark = self.part(table, Strength.ATOM)
        is_plain = isinstance(mark, Known) and isinstance(mark.body, Letter | Word)
        is_closed = isinstance(mark, Brackets) or is_plain
        return Script(mark if is_closed else Brackets(mark), below=self.formula(token))

    def _apply(self, formula: Apply) -> Mark:
        argument = self.formula(formula.argument)
        if not formula.prime:
            if formula.function == "sqrt":
                return Root(argument)
            if _is_power_of_e(formula):
                return Script(Word("e"), above=argument)
        function = _FUNCTION_MARKS.get(formula.function) or Word(formula.function)
        if formula.prime:
            function = Script(function, above=Sign("′"))
        return Call(function, argument if is_bare(formula) else Brackets(argument))

    def _sum(self, formula: Sum) -> Mark:
        below, above = typeset_name(formula.letter), None
        if formula.lower is not None:
            below = Line((below, Sign("="), _time(formula.lower)))
        elif formula.size is not None:
            below = Line((below, Sign("="), Digits("1")))
        if formula.upper is not None:
            above = _time(formula.upper)
        elif formula.size is not None:
            above = _size(formula.size)
        return Line((Limits("∑", below, above), self.part(formula.body, Strength.OPEN)))

    def _time_product(self, formula: TimeProduct) -> Mark:
        letter, first, last = typeset_name(formula.letter), _time(formula.first), _time(formula.last)
        if formula.falling:
            order = _separated([first, Sign("…"), last], _COMMA)
            sign = Limits("∏", Line((letter, Sign("="), order)))
        else:
            sign = Limits("∏", Line((letter, Sign("="), first)), last)
        return Line((sign, self.part(formula.body, Strength.POWER)))

    def _derivative(self, formula: Derivative) -> Mark:
        bottom = Line((_PARTIAL, self.part(formula.bottom, Strength.POWER)))
        if is_name(formula.top):
            mark: Mark = Fraction(Line((_PARTIAL, self.formula(formula.top))), bottom)
        else:
            top = self.part(formula.top, Strength.POWER)
            space = () if isinstance(top, Brackets) else (Space(),)
            mark = Line((Fraction(_PARTIAL, bottom), *space, top))
        return mark if formula.at is None else Evaluated(mark, Brackets(_time(formula.at)))


class _ShapeSetter(_Setter):
    """Sets the shape under every factor, down to the first brackets and functions."""

    def __init__(self, timed: bool, layout: str) -> None:
        super().__init__(timed)
        self._layout, self._plain = layout, _Setter(timed)

    def part(self, part: Formula, needed: Strength, is_last: bool = False) -> Mark:
        is_open = not _needs_brackets(part, needed, is_last)
        if is_open and (isinstance(part, Add | Product | Hadamard) or signed(part)[0]):
            return self.formula(part)
        mark = self._plain.part(part, needed, is_last)
        try:
            shape = shape_of(part, self._layout)
        except NonConforming:
            return mark
        return mark if isinstance(part, Number | Size) else Under(mark, typeset_shape(*shape))


def _needs_brackets(part: Formula, needed: Strength, is_last: bool = False) -> bool:
    """As on one line, but that a fraction has its bar and e its exponent."""
    if isinstance(part, Apply) and _is_power_of_e(part):
        return needed > Strength.POWER
    if strength(part) == Strength.QUOTIENT:
        return needed > Strength.PRODUCT
    return brackets(part, needed, is_last)


def _is_power_of_e(formula: Apply) -> bool:
    if formula.function != "exp" or formula.prime:
        return False
    argument = typeset(formula.argument, timed=True)
    return width(argument) <= _WIDEST_EXPONENT and not is_tall(argument)


def _between(before: Mark, after: Mark) -> list[Mark]:
    """What keeps two factors apart: a dot before digits, and where brackets would be an argument."""
    first = _first(after)
    if isinstance(before, Under) and isinstance(after, Under):
        return [Space(), Space()]
    if isinstance(first, Digits):
        return [Sign("·")]
    if (
        isinstance(first, Brackets)
        and isinstance(before, Known)
        and before.key[0] in ("sigma", "phi", "f", "g")
    ):
        return [Sign("·")]
    is_word = isinstance(first, Word | Bold)
    return [Space()] if is_word or (isinstance(first, Fraction) and isinstance(before, Fraction)) else []


def _first(mark: Mark) -> Mark:
    """The outermost mark that a reader meets first."""
    match mark:
        case (
            Line((first, *_))
            | Call(first)
            | Script(first)
            | Under(first)
            | Known(body=first)
            | Evaluated(first)
        ):
            return _first(first)
        case _:
            return mark


def _line(marks: list[Mark]) -> Mark:
    return marks[0] if len(marks) == 1 else Line(tuple(marks))


def _separated(marks: list[Mark], sign: Sign) -> Mark:
    return _line([part for mark in marks for part in (sign, mark)][1:])


def _script(base: Mark, below: Mark | None = None, above: Mark | None = None) -> Mark:
    return base if below is None and above is None else Script(base, below, above)


def _raised(mark: Mark, above: Mark) -> Mark:
    """With something at its head; right above what is at its foot already."""
    match mark:
        case Known(key, Script(base, below, None)):
            return Known(key, Script(base, below, above))
        case Script(base, below, None):
            return Script(base, below, above)
        case _:
            return Script(mark, above=above)


def _name(name: str) -> tuple[Mark, Mark | None]:
    """The base of a name, and its label and digits."""
    parts = name_parts(name)
    if parts is None:
        word = name.rstrip("0123456789")
        return Word(word), Digits(name.removeprefix(word)) if word != name else None
    label: list[Mark] = []
    if parts.label:
        is_letter = len(parts.label) == 1 or parts.label in GREEK_NAMES
        label.append(Letter(parts.label) if is_letter and not parts.is_label_upright else Word(parts.label))
    if parts.digits:
        label.append(Digits(parts.digits))
    return Letter(parts.letter, parts.accent), _line(label) if label else None


def _time(time: Time) -> Mark:
    if not time.letter:
        return _number(str(time.offset))
    letter = typeset_name(time.letter)
    if not time.offset:
        return letter
    return Line((letter, _MINUS if time.offset < 0 else _PLUS, Digits(str(abs(time.offset)))))


def _indices(indices: tuple[Index, ...]) -> Mark:
    """`ij` where every index is one letter, else with commas."""
    marks = list(map(_index, indices))
    are_letters = all(isinstance(mark, Letter) for mark in marks)
    return _line(marks) if are_letters else _separated(marks, _COMMA)


def _index(index: Index) -> Mark:
    letter = typeset_name(index.letter)
    offset = index.offset
    if offset == Dim():
        return letter
    return Line((letter, _PLUS, _size(offset)))


def _size(dim: Dim) -> Mark:
    """d_h for the size that bears the name of h; V, B and T as they are."""
    line: list[Mark] = []
    for name, factor in (*dim.terms, ("", dim.constant)):
        if not factor and (line or name):
            continue
        line += [_MINUS] if factor < 0 else [_PLUS] if line else []
        if not name or abs(factor) != 1:
            line.append(Digits(str(abs(factor))))
        if name:
            own = Letter(name) if name in _PLAIN_SIZES else Script(Letter("d"), below=typeset_name(name))
            line.append(own)
    return _line(line)


def _number(text: str) -> Mark:
    """A number as Python writes it: 1e-05 with a power of ten."""
    digits, _, exponent = text.partition("e")
    marks: list[Mark] = [_MINUS] if digits.startswith("-") else []
    if not exponent or digits not in ("1", "-1"):
        marks.append(Digits(digits.removeprefix("-")))
    if exponent:
        marks += [Sign("·")] if Digits in map(type, marks) else []
        marks.append(Script(Digits("10"), above=_number(str(int(exponent)))))
    return _line(marks)


def _rounded(value: float) -> str:
    """Three significant digits; whole numbers in full up to a million."""
    size = abs(value)
    if size < 999.5 or size >= 1e6:
        return format(value, ".3g")
    return format(value, ".0f")
