"""A formula in Unicode: on one line, or as the parts of which several lines are made.

What is written is a run of items: text, places where a line may be broken, factors (which may get their
shape below) and matrices (which may be drawn over several lines). `show` reads the run as one line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

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
    Indexed,
    Kronecker,
    Neg,
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
from bptt.render import unicode_names as names
from bptt.render.precedence import Strength, brackets, factors, is_bare, is_name, signed, strength, terms
from bptt.render.unicode_names import MINUS


@dataclass(frozen=True, slots=True)
class Break:
    """A place where a line may be broken; the lowest ranks are taken first."""

    rank: int


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows of cells; `numbers` says that they are plain numbers, to be aligned on the point.

    With `widths` its columns are so wide, and cells that are wider are broken.
    """

    rows: tuple[tuple[Run, ...], ...]
    numbers: bool
    widths: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Factor:
    """What belongs together where shapes are written below."""

    formula: Formula
    run: Run


Item = str | Break | Matrix | Factor
# Brackets are items of their own, so that they can grow with what they hold.
Run = tuple[Item, ...]

# A line is broken before + and − first, then before ∘, before /, between factors, behind a comma; inside
# brackets later than outside of all of them.
RANKS = 5
BEFORE_TERM, _HADAMARD, _QUOTIENT, PRODUCT, _COMMA = range(RANKS)
# Behind Σ, Π and ∂/∂x there is a place for when there is no other, however deep.
_PREFIXED: Run = (" ", Break(1000))

_FUNCTION_NAMES = {"sigmoid": "σ", "sqrt": "√"}


def show(formula: Formula) -> str:
    """The formula on one line."""
    return flat(run(formula))


def run(formula: Formula) -> Run:
    """The formula as items, from which lines are made. A size by itself stands as in a shape: `h`."""
    if isinstance(formula, Size):
        return (str(formula.dim),)
    return _Writer().part(formula, Strength.SUM)


def _of_hadamard(part: Formula) -> Strength:
    """A fraction on one line goes in brackets, for `a / b ∘ c` might be read as a / (b ∘ c)."""
    return Strength.PRODUCT if isinstance(part, Quotient) else Strength.QUOTIENT


def flat(items: Run) -> str:
    """The items on one line: matrices as [1, 2; 3, 4]."""
    return "".join(_flat(items))


def _flat(items: Run) -> Iterator[str]:
    for item in items:
        match item:
            case str():
                yield item
            case Factor(run=inner):
                yield from _flat(inner)
            case Matrix():
                yield from _flat(row_by_row(item))


def row_by_row(matrix: Matrix) -> Run:
    """The matrix as [1, 2; 3, 4]."""
    rows = [_separated(list(row), ",") for row in matrix.rows]
    return ("[", *_deeper(_separated([_deeper(row) for row in rows], ";")), "]")


@dataclass(frozen=True, slots=True)
class _Writer:
    # The letters of times that a sum or product runs over, whose times are written out.
    running: frozenset[str] = frozenset()

    def part(self, formula: Formula, needed: Strength, is_last: bool = False) -> Run:
        """The formula in brackets where its place asks for them, as a factor unless it has factors itself."""
        items = self.formula(formula)
        is_bracketed = _needs_brackets(formula, needed, is_last)
        if is_bracketed:
            items = _bracketed(items)
        has_factors = isinstance(formula, Neg | Product | Hadamard | Quotient | Sum | TimeProduct)
        if has_factors or (isinstance(formula, Add) and not is_bracketed):
            return items
        return (Factor(formula, items),)

    def formula(self, formula: Formula) -> Run:
        negative, positive = signed(formula)
        if negative:
            return (MINUS, *self.part(positive, Strength.OPEN))
        match formula:
            case Number(value):
                return (names.number(value),)
            case Size(dim):
                return (names.size(dim),)
            case Symbol():
                return (names.symbol(formula, self._hides(formula)),)
            case Indexed(base, indices, called=called):
                if called:
                    base = Symbol(called)
                return self._at_foot(base, [names.index(index) for index in indices])
            case Part(operand, start, stop):
                first = names.dim(start + Dim.number(1))
                return self._at_foot(operand, [f"{first}:{names.dim(stop)}"])
            case TokenPart(table, token):
                return (*self._base(table), "[", *self.formula(token), "]")
            case Add():
                return self._sum(formula)
            case Product():
                return self._product(formula)
            case Hadamard():
                return self._hadamard(formula)
            case Quotient(top, bottom):
                below = self.part(bottom, Strength.POWER, is_last=True)
                return (*self.part(top, Strength.PRODUCT), " ", Break(_QUOTIENT), "/ ", *below)
            case Power(base, exponent):
                return (*self._base(base), names.power(exponent))
            case Transpose(operand):
                return (*self._base(operand), "ᵀ")
            case Diag(operand):
                return ("diag", *_bracketed(self.formula(operand)))
            case Apply(function, argument, prime):
                known = function if function in FUNCTIONS else names.symbol(Symbol(function))
                name = _FUNCTION_NAMES.get(function, known) + "′" * prime
                inner = self.formula(argument)
                return (name, " ", *inner) if is_bare(formula) else (name, *_bracketed(inner))
            case CrossEntropy(target, probabilities):
                return ("CE", *_listed("(", [self.formula(target), self.formula(probabilities)], ")"))
            case Sum():
                return self._sum_over(formula)
            case TimeProduct(letter, first_time, last_time, body):
                foot = f"{letter}={names.time(first_time)}…{names.time(last_time)}"
                inner = _Writer(self.running | {letter}).part(body, Strength.POWER)
                return (f"Π_{{{foot}}}", *_PREFIXED, *inner)
            case Kronecker(left, right):
                return (f"𝟙[{names.index(left)}={names.index(right)}]",)
            case Ones(shape):
                return ("𝟏" if shape else "1",)
            case Zeros(shape):
                return ("𝟎" if shape else "0",)
            case Identity():
                return ("𝐈",)
            case Concatenation(items):
                return _listed("[", [self.formula(item) for item in items], "]")
            case Blocks(rows):
                return (Matrix(tuple(tuple(map(self.formula, row)) for row in rows), numbers=False),)
            case Grid(grid):
                numbers = tuple(tuple((names.rounded(value),) for value in row) for row in grid)
                return (Matrix(numbers, numbers=True),)
            case Derivative():
                return self._derivative(formula)
        raise TypeError(f"no way to write {formula!r}")

    def _hides(self, symbol: Symbol) -> bool:
        """`t` itself is understood, except where a sum runs over it."""
        return symbol.time == NOW and NOW.letter not in self.running

    def _base(self, formula: Formula) -> Run:
        """What a mark can stand above of: a label is no obstacle where a time stands behind it."""
        if isinstance(formula, Symbol) and formula.time is not None and not self._hides(formula):
            return self.formula(formula)
        return self.part(formula, Strength.ATOM)

    def _at_foot(self, base: Formula, indices: list[str]) -> Run:
        if isinstance(base, Symbol):
            return (names.element(base, indices, self._hides(base)),)
        return (*self.part(base, Strength.ATOM), names.subscript(names.joined(indices)))

    def _sum(self, formula: Add) -> Run:
        items: Run = ()
        for negative, term in terms(formula):
            sign = f"{MINUS if negative else '+'} "
            items += (" ", Break(BEFORE_TERM), sign) if items else (MINUS,) if negative else ()
            items += self.part(term, Strength.OPEN)
        return items

    def _product(self, formula: Product) -> Run:
        parts = factors(formula)
        items: Run = ()
        before = ""
        for place, part in enumerate(parts):
            is_fraction = isinstance(part, Derivative) and part.at is None
            needed = Strength.QUOTIENT if is_fraction else Strength.PRODUCT
            written = self.part(part, needed, place == len(parts) - 1)
            if place:
                items += (" ", Break(PRODUCT), *(("· ",) if _needs_dot(before, written) else ()))
            items += written
            before = flat(written)
        return items

    def _hadamard(self, formula: Hadamard) -> Run:
        parts = factors(formula)
        items: Run = ()
        for place, part in enumerate(parts):
            items += (" ", Break(_HADAMARD), "∘ ") if items else ()
            items += self.part(part, _of_hadamard(part), place == len(parts) - 1)
        return items

    def _sum_over(self, formula: Sum) -> Run:
        letter, lower, upper = formula.letter, formula.lower, formula.upper
        if not formula.over_times:
            return (f"Σ{names.mark(letter)}", *_PREFIXED, *self.part(formula.body, Strength.OPEN))
        foot = f"{letter}={names.time(lower)}" if lower else letter
        top = names.time(upper) if upper else str(formula.size) if formula.size else ""
        sign = f"Σ_{{{foot}}}^{{{top}}}" if top else f"Σ_{{{foot}}}"
        return (sign, *_PREFIXED, *_Writer(self.running | {letter}).part(formula.body, Strength.OPEN))

    def _derivative(self, formula: Derivative) -> Run:
        below = flat(self.part(formula.bottom, Strength.POWER))
        bar = () if formula.at is None else (f" |{names.mark(names.time(formula.at))}",)
        if is_name(formula.top):
            return (f"∂{flat(self.formula(formula.top))}/∂{below}", *bar)
        return (f"∂/∂{below}", *_PREFIXED, *_bracketed(self.formula(formula.top)), *bar)


def _needs_brackets(part: Formula, needed: Strength, is_last: bool) -> bool:
    """On one line a bar, or a sum below a /, says even less where it ends."""
    has_bar = isinstance(part, Derivative) and part.at is not None
    if has_bar or (isinstance(part, Quotient) and strength(part.bottom) == Strength.OPEN):
        return needed > Strength.OPEN
    return brackets(part, needed, is_last)


def _needs_dot(before: str, written: Run) -> bool:
    """Before digits; behind a derivative, whose denominator would go on; between σ and a bracket."""
    text = flat(written)
    return text[0] in "0123456789" or before.startswith("∂") or (before == "σ" and text.startswith("("))


def _bracketed(items: Run) -> Run:
    return ("(", *_deeper(items), ")")


def _listed(left: str, parts: list[Run], right: str) -> Run:
    return (left, *_deeper(_separated(parts, ",")), right)


def _separated(parts: list[Run], sign: str) -> Run:
    items = parts[0]
    for part in parts[1:]:
        items += (sign, " ", Break(_COMMA), *part)
    return items


def _deeper(items: Run) -> Run:
    """The same in brackets: lines are broken there later."""
    return tuple(
        Break(item.rank + RANKS)
        if isinstance(item, Break)
        else Factor(item.formula, _deeper(item.run))
        if isinstance(item, Factor)
        else item
        for item in items
    )
