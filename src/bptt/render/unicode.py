"""A formula in Unicode: on one line, or as the parts of which several lines are made.

What is written is a run of items: text, places where a line may be broken, factors (which may get their
shape below) and matrices (which may be drawn over several lines). `show` reads the run as one line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

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
    Indexed,
    Kronecker,
    Neg,
    Number,
    Ones,
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
from bptt.render import unicode_names as names
from bptt.render.unicode_names import MINUS


@dataclass(frozen=True, slots=True)
class Break:
    """A place where a line may be broken; the lowest ranks are taken first."""

    rank: int


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows of cells; `numbers` says that they are plain numbers, to be aligned on the point."""

    rows: tuple[tuple[Run, ...], ...]
    numbers: bool


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
_TERM, _HADAMARD, _QUOTIENT, _PRODUCT, _COMMA = range(5)
_DEEPER = 5

# The kinds of formulas by their outermost sign: "prefix" is Σ, Π and ∂/∂x, which reach to the end of a
# product; "open" is a product that ends in one; "at" is a derivative with a bar behind it; "marked" is what
# has something above it already.
_LEAVES = frozenset({"fraction", "marked", "atom"})
_FACTORS = _LEAVES | {"product"}
_TERMS = _FACTORS | {"hadamard", "quotient", "at", "prefix", "open"}
# What stands without brackets, by its place.
_BARE = {
    "whole": _TERMS | {"sum", "negative"},
    "first term": _TERMS | {"sum", "negative"},
    "term": _TERMS,
    "operand of minus": _TERMS,
    "operand of prefix": _TERMS,
    "first factor": _FACTORS,
    "factor": _LEAVES,
    "last factor": _LEAVES | {"prefix"},
    "first of ∘": _LEAVES | {"hadamard"},
    "operand of ∘": _LEAVES,
    "last of ∘": _LEAVES | {"prefix"},
    "top": frozenset({"product", "marked", "atom"}),
    "bottom": frozenset({"prefix", "marked", "atom"}),
    "base": frozenset({"atom"}),
    "operand of ∂": frozenset({"atom"}),
}  # fmt: skip

_FUNCTION_NAMES = {"sigmoid": "σ", "sqrt": "√"}


def show(formula: Formula) -> str:
    """The formula on one line."""
    return flat(run(formula))


def run(formula: Formula) -> Run:
    """The formula as items, from which lines are made."""
    return _Writer().operand(formula, "whole")


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
            case Matrix(rows):
                yield f"[{'; '.join(', '.join(map(flat, row)) for row in rows)}]"


@dataclass(frozen=True, slots=True)
class _Writer:
    # The letters of times that a sum or product runs over, whose times are written out.
    running: frozenset[str] = frozenset()

    def operand(self, formula: Formula, place: str) -> Run:
        """The formula where it stands: in brackets if the table says so."""
        items, kind = self._written(formula)
        is_bare = kind in _BARE[place]
        if not is_bare:
            items = _bracketed(items)
        is_leaf = kind in _LEAVES or kind == "at" or (isinstance(formula, Add) and not is_bare)
        return (Factor(formula, items),) if is_leaf else items

    def _written(self, formula: Formula) -> tuple[Run, str]:
        match formula:
            case Number(value):
                return (names.number(value),), "negative" if value < 0 else "atom"
            case Size(dim):
                return (str(dim),), "sum" if len(dim.terms) + bool(dim.constant) > 1 else "atom"
            case Symbol():
                text, is_marked = names.symbol(formula, self._hides(formula.time))
                return (text,), "marked" if is_marked else "atom"
            case Indexed(Symbol() as symbol, indices):
                return (names.element(symbol, indices, self._hides(symbol.time)),), "atom"
            case Indexed(base, indices):
                letters = "".join(map(names.index, indices))
                if any(index.offset.terms or index.offset.constant for index in indices):
                    letters = ",".join(map(names.index, indices))
                return (*self.operand(base, "base"), names.subscript(letters)), "atom"
            case TokenPart(table, token):
                return (*self.operand(table, "base"), f"[{flat(self.operand(token, 'whole'))}]"), "atom"
            case Add(terms):
                return self._sum(terms), "sum"
            case Neg(a):
                return (MINUS, *self.operand(a, "operand of minus")), "negative"
            case Product(factors):
                return self._product(factors)
            case Hadamard(factors):
                return self._hadamard(factors)
            case Quotient(top, bottom):
                below = self.operand(bottom, "bottom")
                items = (*self.operand(top, "top"), " ", Break(_QUOTIENT), "/ ", *below)
                return items, "open" if _reaches_on(bottom) else "quotient"
            case Power(base, exponent):
                return (*self.operand(base, "base"), names.power(exponent)), "marked"
            case Transpose(a):
                return (*self.operand(a, "base"), "ᵀ"), "marked"
            case Diag(a):
                return _call("diag", self.operand(a, "whole")), "atom"
            case Apply(function, argument, prime):
                text = _FUNCTION_NAMES.get(function, function) + "′" * prime
                return _call(text, self.operand(argument, "whole")), "atom"
            case CrossEntropy(target, probabilities):
                both = self.operand(target, "whole"), self.operand(probabilities, "whole")
                return _call("CE", _listed(both)), "atom"
            case Sum():
                return self._over(formula)
            case TimeProduct(letter, first, last, body):
                foot = f"{letter}={names.time(first)}…{names.time(last)}"
                inner = _Writer(self.running | {letter}).operand(body, "operand of prefix")
                return (f"Π_{{{foot}}} ", *inner), "prefix"
            case Kronecker(left, right):
                return (f"𝟙[{names.index(left)}={names.index(right)}]",), "atom"
            case Ones():
                return ("𝟏",), "atom"
            case Zeros():
                return ("𝟎",), "atom"
            case Identity():
                return ("𝐈",), "atom"
            case Concatenation(items):
                return ("[", *_listed(tuple(self.operand(one, "whole") for one in items)), "]"), "atom"
            case Blocks(rows):
                cells = tuple(tuple(self.operand(one, "whole") for one in row) for row in rows)
                return (Matrix(cells, numbers=False),), "atom"
            case Grid(values):
                numbers = tuple(tuple((names.rounded(value),) for value in row) for row in values)
                return (Matrix(numbers, numbers=True),), "atom"
            case Derivative():
                return self._derivative(formula)
        raise TypeError(f"no notation for {formula!r}")

    def _hides(self, time: Time | None) -> bool:
        """`t` itself is understood, except where a sum runs over it."""
        return time == NOW and NOW.letter not in self.running

    def _sum(self, terms: tuple[Formula, ...]) -> Run:
        items = self.operand(terms[0], "first term")
        for term in terms[1:]:
            term, is_negative = _unsigned(term)
            sign, place = (MINUS, "operand of minus") if is_negative else ("+", "term")
            items += (" ", Break(_TERM), f"{sign} ", *self.operand(term, place))
        return items

    def _product(self, factors: tuple[Formula, ...]) -> tuple[Run, str]:
        is_negative = isinstance(factors[0], Number) and factors[0].value < 0
        first = "whole" if is_negative else "first factor"
        parts = [
            self.operand(factor, _place(i, len(factors), first, "factor", "last factor"))
            for i, factor in enumerate(factors)
        ]
        items = parts[0]
        for before, factor, part in zip(factors, factors[1:], parts[1:], strict=False):
            items += (" ", Break(_PRODUCT), *(("· ",) if _needs_dot(before, factor, part) else ()), *part)
        kind = "negative" if is_negative else "open" if _reaches_on(factors[-1]) else "product"
        return items, kind

    def _hadamard(self, factors: tuple[Formula, ...]) -> tuple[Run, str]:
        items: Run = ()
        for i, factor in enumerate(factors):
            place = _place(i, len(factors), "first of ∘", "operand of ∘", "last of ∘")
            items += (" ", Break(_HADAMARD), "∘ ") if items else ()
            items += self.operand(factor, place)
        return items, "open" if _reaches_on(factors[-1]) else "hadamard"

    def _over(self, formula: Sum) -> tuple[Run, str]:
        letter, lower, upper = formula.letter, formula.lower, formula.upper
        if lower is None and upper is None:
            return (f"Σ{names.mark(letter)} ", *self.operand(formula.body, "operand of prefix")), "prefix"
        foot = f"{letter}={names.time(lower)}" if lower else letter
        top = names.time(upper) if upper else str(formula.size) if formula.size else ""
        sign = f"Σ_{{{foot}}}^{{{top}}} " if top else f"Σ_{{{foot}}} "
        inner = _Writer(self.running | {letter}).operand(formula.body, "operand of prefix")
        return (sign, *inner), "prefix"

    def _derivative(self, formula: Derivative) -> tuple[Run, str]:
        top, bottom, at = formula.top, formula.bottom, formula.at
        below = flat(self.operand(bottom, "whole" if _is_name(bottom) else "operand of ∂"))
        bar = () if at is None else (f" |{names.mark(names.time(at))}",)
        if _is_name(top):
            items: Run = (f"∂{flat(self.operand(top, 'whole'))}/∂{below}", *bar)
            return items, "at" if bar else "fraction"
        inner = self.operand(top, "operand of ∂")
        return (f"∂/∂{below} ", *inner, *bar), "prefix"


def _place(i: int, count: int, first: str, middle: str, last: str) -> str:
    return first if i == 0 and count > 1 else last if i == count - 1 else middle


def _unsigned(term: Formula) -> tuple[Formula, bool]:
    """A later term without its minus, and whether it had one."""
    match term:
        case Neg(a):
            return a, True
        case Number(value) if value < 0:
            return Number(-value), True
        case Product((Number(value), *rest)) if value < 0:
            return Product((Number(-value), *rest)), True
    return term, False


def _needs_dot(before: Formula, factor: Formula, part: Run) -> bool:
    """Between numbers, behind a derivative (whose denominator would go on), behind σ before a bracket."""
    text = flat(part)
    is_call = isinstance(before, Symbol) and before.name == "sigma" and text.startswith("(")
    return text[0] in "0123456789" or isinstance(before, Derivative) or is_call


def _reaches_on(formula: Formula) -> bool:
    """Whether what follows would belong to it: the kind "prefix"."""
    is_operator = isinstance(formula, Derivative) and not _is_name(formula.top)
    return isinstance(formula, Sum | TimeProduct) or is_operator


def _is_name(formula: Formula) -> bool:
    """What stands above or below ∂ as it is."""
    return isinstance(formula, Symbol | Indexed | TokenPart)


def _bracketed(items: Run) -> Run:
    return ("(", *_deeper(items), ")")


def _call(function: str, argument: Run) -> Run:
    return (function, *_bracketed(argument))


def _listed(parts: tuple[Run, ...]) -> Run:
    items = parts[0]
    for part in parts[1:]:
        items += (",", " ", Break(_COMMA), *part)
    return _deeper(items)


def _deeper(items: Run) -> Run:
    """The same in brackets: lines are broken there later."""
    return tuple(
        Break(item.rank + _DEEPER)
        if isinstance(item, Break)
        else Factor(item.formula, _deeper(item.run))
        if isinstance(item, Factor)
        else item
        for item in items
    )
