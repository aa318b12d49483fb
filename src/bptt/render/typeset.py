"""Formulas as marks: the conventions of writing, the same in LaTeX and in MathML.

A symbol bears its time and its indices at the foot (`h_{t-1,i}`) and whose it is at the head (`δ^h_t`). Time
`t` is left out where a page has no steps (`timed` is False); other times never are.
"""

from __future__ import annotations

from itertools import pairwise

from bptt.formula.shapes import NonConforming, shape_of
from bptt.formula.tree import (
    FUNCTIONS,
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
from bptt.render.typeset_parts import (
    COMMA,
    MINUS,
    PLUS,
    base_and_label,
    index_mark,
    indices_mark,
    number_mark,
    rounded,
    script,
    separated,
    side_by_side,
    size_mark,
    time_mark,
    typeset_name,
)
from bptt.syntax.unparse import format_number

_FUNCTION_MARKS: dict[str, Mark] = {
    "sigmoid": Letter("sigma"),
    "relu": Word("ReLU"),
    "log_softmax": Word("log softmax"),
}
# An exponent wider than this (in em) is the argument of exp instead.
_WIDEST_EXPONENT = 5.0
# The width of a character of words, in em.
_CHARACTER = 0.47
_PARTIAL = Sign("∂")
_TRANSPOSED = Sign("⊤")


def typeset(formula: Formula, timed: bool, raised: bool = False) -> Mark:
    """The whole formula on one line; with `raised` times stand at the head, in brackets: `h^{(t)}`."""
    return _Setter(timed, raised).formula(formula)


def typeset_lines(formula: Formula, timed: bool, limit: float, layout: str | None = None) -> list[Mark]:
    """The formula on lines of at most `limit` em where it can be broken; each line but the first begins with
    a sign. With a `layout` the shape stands under every factor.
    """
    setter = _Setter(timed) if layout is None else _ShapeSetter(timed, layout)
    return broken(setter.part(formula, Strength.SUM), limit)


def typeset_shape(*dims: Dim) -> Mark:
    """A shape: 1×d_h."""
    marks = [
        Brackets(size_mark(dim))
        if len(dims) > 1 and strength(Size(dim)) < Strength.PRODUCT
        else size_mark(dim)
        for dim in dims
    ]
    return separated(marks, Sign("×"))


def text_width(text: Text, timed: bool) -> float:
    """About how wide words with formulas among them are, in em."""
    return sum(
        _CHARACTER * len(part) if isinstance(part, str) else width(typeset(part, timed)) for part in text
    )


class _Setter:
    def __init__(self, timed: bool, raised: bool = False) -> None:
        self._timed, self._raised = timed, raised

    def part(self, part: Formula, needed: Strength, is_last: bool = False) -> Mark:
        """A part, in brackets where its place asks for them."""
        mark = self.formula(part)
        return Brackets(mark) if _needs_brackets(part, needed, is_last) else mark

    def formula(self, formula: Formula) -> Mark:
        negative, positive = signed(formula)
        if negative:
            return Line((MINUS, self.part(positive, Strength.OPEN)))
        match formula:
            case Number(value):
                return number_mark(format_number(float(value)))
            case Size(dim):
                return size_mark(dim)
            case Symbol():
                return self._symbol(formula)
            case Indexed(Symbol() as base, indices, called=called):
                return self._symbol(Symbol(called) if called else base, indices_mark(indices))
            case Indexed(base, indices):
                return script(self.part(base, Strength.ATOM), indices_mark(indices))
            case Part(operand, start, stop):
                first = side_by_side([size_mark(start + Dim.number(1)), Sign(":"), size_mark(stop)])
                if isinstance(operand, Symbol):
                    return self._symbol(operand, first)
                return script(self.part(operand, Strength.ATOM), first)
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
                both = separated([self.formula(target), self.formula(probabilities)], COMMA)
                return Call(Word("CE"), Brackets(both))
            case Sum():
                return self._sum(formula)
            case TimeProduct():
                return self._time_product(formula)
            case Kronecker(left, right):
                return Call(
                    Bold("1"), Brackets(Line((index_mark(left), Sign("="), index_mark(right))), "[", "]")
                )
            case Ones(shape):
                return Bold("1") if shape else Digits("1")
            case Zeros(shape):
                return Bold("0") if shape else Digits("0")
            case Identity(dim):
                return Script(Bold("I"), below=size_mark(dim))
            case Concatenation(items):
                return Brackets(separated(list(map(self.formula, items)), COMMA), "[", "]")
            case Blocks(rows):
                return Matrix(tuple(tuple(map(self.formula, row)) for row in rows))
            case Grid(grid):
                return Matrix(tuple(tuple(number_mark(rounded(value)) for value in row) for row in grid))
            case Derivative():
                return self._derivative(formula)
        raise TypeError(f"no way to write {formula!r}")

    def _terms(self, formula: Add) -> Mark:
        line: list[Mark] = []
        for negative, term in terms(formula):
            line += [MINUS] if negative else [PLUS] if line else []
            line.append(self.part(term, Strength.OPEN))
        return side_by_side(line)

    def _factors(self, formula: Product | Hadamard) -> Mark:
        needed = Strength.PRODUCT if isinstance(formula, Product) else Strength.QUOTIENT
        parts = factors(formula)
        if len(parts) == 1:
            return self.formula(parts[0])
        marks = [self.part(part, needed, place == len(parts)) for place, part in enumerate(parts, 1)]
        if isinstance(formula, Hadamard):
            return separated(marks, Sign("∘"))
        line = marks[:1]
        for before, after in pairwise(marks):
            line += [*_between(before, after), after]
        return side_by_side(line)

    def _symbol(self, symbol: Symbol, last: Mark | None = None) -> Mark:
        base, label = base_and_label(symbol.name)
        time = None
        if symbol.time is not None and (self._timed or symbol.time != NOW):
            time = time_mark(symbol.time)
        above = typeset_name(symbol.of) if symbol.of else None
        if self._raised and time is not None and above is None:
            above, time = Brackets(time), None
        below = [mark for mark in (label, time, last) if mark is not None]
        mark = script(base, separated(below, COMMA) if below else None, above)
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
        name = formula.function
        known = Word(name) if name in FUNCTIONS else typeset_name(name)
        function = _FUNCTION_MARKS.get(name, known)
        if formula.prime:
            function = Script(function, above=Sign("′"))
        return Call(function, argument if is_bare(formula) else Brackets(argument))

    def _sum(self, formula: Sum) -> Mark:
        below, above = index_mark(Index(formula.letter)), None
        if formula.lower is not None:
            below = Line((below, Sign("="), time_mark(formula.lower)))
        elif formula.size is not None:
            below = Line((below, Sign("="), Digits("1")))
        if formula.upper is not None:
            above = time_mark(formula.upper)
        elif formula.size is not None:
            above = size_mark(formula.size)
        return Line((Limits("∑", below, above), self.part(formula.body, Strength.OPEN)))

    def _time_product(self, formula: TimeProduct) -> Mark:
        letter, first, last = typeset_name(formula.letter), time_mark(formula.first), time_mark(formula.last)
        if formula.falling:
            order = separated([first, Sign("…"), last], COMMA)
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
        return mark if formula.at is None else Evaluated(mark, Brackets(time_mark(formula.at)))


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


def _raised(mark: Mark, above: Mark) -> Mark:
    """With something at its head; right above what is at its foot already."""
    match mark:
        case Known(key, Script(base, below, None)):
            return Known(key, Script(base, below, above))
        case Script(base, below, None):
            return Script(base, below, above)
        case Known(_, Script(_, _, Brackets())):
            # A time stands there.
            return Script(Brackets(mark), above=above)
        case _:
            return Script(mark, above=above)
