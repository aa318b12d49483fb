"""Formulas as they are written: with indices and sums, or with matrices in an order, and with times.

The IR (ir/) knows what is computed; a formula also knows how it is put down: which of two vectors stands
first and which is turned, under which letter a sum runs, whether a derivative holds the step before fixed.
One tree serves both notations, so a line may mix them as people do: `(h H)_k`, `Σ_k δ_k U_ik`.

A Symbol has the shape that the IR gives it: () for a number, (n,) for a vector, (m, n) for a matrix. Whether
a vector stands as a row or as a column is the layout of the whole text (shapes.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from bptt.ir.dims import ZERO, Dim, Shape


@dataclass(frozen=True, slots=True)
class Time:
    """A time as it is written: `t`, `t-1`, `s`, `T`, or a number (no letter)."""

    letter: str = "t"
    offset: int = 0

    def shift(self, steps: int) -> Time:
        return replace(self, offset=self.offset + steps)


NOW = Time()
BEFORE = Time("t", -1)
NEXT = Time("t", 1)


@dataclass(frozen=True, slots=True)
class Index:
    """An index, by its letter; `offset` shifts it (the part of a concatenation that begins there)."""

    letter: str
    offset: Dim = ZERO


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Size:
    """The size of an axis, as a number."""

    dim: Dim


@dataclass(frozen=True, slots=True)
class Symbol:
    """A quantity with a name. `of` says whose it is: the pre-activation `a` or the error `delta` of `h`.

    Names are those of the equation language (`yhat`, `b1`, `W_e`, `delta`); renderers set them as ŷ, b₁, …
    `time` is None for what does not change with time.
    """

    name: str
    shape: Shape = ()
    time: Time | None = None
    of: str = ""


@dataclass(frozen=True, slots=True)
class Indexed:
    """An element: `U_ij`, `(h H)_k`. As many indices as `base` has axes.

    With `along`, one of the rows (1) or columns (0) of a matrix: `along` is the axis that stays, and the one
    index is that of the other. It is a vector like any other, `called` by a letter of its own where it has
    one (`u_w` of U).
    """

    base: Formula
    indices: tuple[Index, ...]
    along: int | None = None
    called: str = ""


@dataclass(frozen=True, slots=True)
class TokenPart:
    """The row (or column) of a table that a one-hot token picks: `L_x`."""

    table: Formula
    token: Symbol


@dataclass(frozen=True, slots=True)
class Add:
    """A sum of terms; a term that is a Neg is written with a minus."""

    terms: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Neg:
    operand: Formula


@dataclass(frozen=True, slots=True)
class Product:
    """Factors side by side: a product of matrices, or of numbers."""

    factors: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Hadamard:
    """Factors multiplied element by element, written with ∘."""

    factors: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Quotient:
    """Element by element where the operands are not numbers."""

    top: Formula
    bottom: Formula


@dataclass(frozen=True, slots=True)
class Power:
    """Element by element where the base is not a number."""

    base: Formula
    exponent: float


@dataclass(frozen=True, slots=True)
class Transpose:
    operand: Formula


@dataclass(frozen=True, slots=True)
class Diag:
    """The diagonal matrix with the elements of a vector."""

    operand: Formula


@dataclass(frozen=True, slots=True)
class Apply:
    """A function of one argument, or its derivative: `σ(a)`, `σ′(a)`. `function` is one of FUNCTIONS, or
    any other name: of such a function nothing is known but that it acts on every element and is smooth.
    """

    function: str
    argument: Formula
    prime: bool = False


FUNCTIONS = (
    "sigmoid", "tanh", "relu", "step", "softplus", "exp", "log", "sqrt",
    "softmax", "log_softmax", "logsumexp", "sum",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CrossEntropy:
    """CE(target, probabilities) = -Σ_k target_k log probabilities_k."""

    target: Formula
    probabilities: Formula


@dataclass(frozen=True, slots=True)
class Sum:
    """Σ over one letter. Without bounds it is an index, and runs over its axis, whose size is `size`; with
    bounds it is a time (or, with `size` as its number, the examples of a batch).
    """

    letter: str
    body: Formula
    size: Dim | None = None
    lower: Time | None = None
    upper: Time | None = None

    @property
    def over_times(self) -> bool:
        return self.lower is not None or self.upper is not None


@dataclass(frozen=True, slots=True)
class TimeProduct:
    """The matrix product of `body` for the times from `first` to `last`, in that order, left to right.

    The identity where there is no time in between. `falling` says that `first` is the later one.
    """

    letter: str
    first: Time
    last: Time
    body: Formula
    falling: bool


@dataclass(frozen=True, slots=True)
class Kronecker:
    """1 where the indices are equal, else 0."""

    left: Index
    right: Index


@dataclass(frozen=True, slots=True)
class Ones:
    """The vector (or matrix) of ones."""

    shape: Shape


@dataclass(frozen=True, slots=True)
class Zeros:
    shape: Shape


@dataclass(frozen=True, slots=True)
class Identity:
    dim: Dim


@dataclass(frozen=True, slots=True)
class Concatenation:
    """Vectors one after the other."""

    items: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """The elements of a vector from `start` on, up to `stop`: what belongs to one item of a concatenation."""

    operand: Formula
    start: Dim
    stop: Dim


@dataclass(frozen=True, slots=True)
class Blocks:
    """A matrix made of matrices, row by row."""

    rows: tuple[tuple[Formula, ...], ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """A matrix of numbers, row by row."""

    rows: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Derivative:
    """∂top/∂bottom; with `at`, what flows through the use of `bottom` at that time alone: `|_(t-1)`.

    Where `top` is no name it is written after the fraction: ∂/∂U_ij (Σ_k h_k U_kj).
    """

    top: Formula
    bottom: Formula
    at: Time | None = None


Formula = (
    Number
    | Size
    | Symbol
    | Indexed
    | TokenPart
    | Add
    | Neg
    | Product
    | Hadamard
    | Quotient
    | Power
    | Transpose
    | Diag
    | Apply
    | CrossEntropy
    | Sum
    | TimeProduct
    | Kronecker
    | Ones
    | Zeros
    | Identity
    | Concatenation
    | Part
    | Blocks
    | Grid
    | Derivative
)

# Words and formulas in the order of reading.
Text = tuple[str | Formula, ...]


def children(formula: Formula) -> tuple[Formula, ...]:
    """The parts that are formulas themselves, in the order of writing."""
    match formula:
        case Indexed(base=a) | Neg(a) | Transpose(a) | Diag(a) | Power(base=a) | Apply(argument=a):
            return (a,)
        case Sum(body=a) | TimeProduct(body=a) | Part(operand=a):
            return (a,)
        case Add(many) | Product(many) | Hadamard(many) | Concatenation(many):
            return many
        case Quotient(a, b) | CrossEntropy(a, b) | TokenPart(a, b) | Derivative(top=a, bottom=b):
            return (a, b)
        case Blocks(rows):
            return tuple(item for row in rows for item in row)
        case _:
            return ()


def rebuild(formula: Formula, parts: tuple[Formula, ...]) -> Formula:
    """The same formula with other parts, in the order of `children`."""
    match formula:
        case Indexed() as e:
            return replace(e, base=parts[0])
        case Neg() | Transpose() | Diag():
            return type(formula)(parts[0])
        case Power() as e:
            return replace(e, base=parts[0])
        case Apply() as e:
            return replace(e, argument=parts[0])
        case Sum() | TimeProduct() as e:
            return replace(e, body=parts[0])
        case Part() as e:
            return replace(e, operand=parts[0])
        case Add() | Product() | Hadamard() | Concatenation():
            return type(formula)(parts)
        case Quotient() | CrossEntropy():
            return type(formula)(*parts)
        case TokenPart() as e:
            assert isinstance(parts[1], Symbol)
            return TokenPart(parts[0], parts[1])
        case Derivative() as e:
            return replace(e, top=parts[0], bottom=parts[1])
        case Blocks(rows):
            rest = iter(parts)
            return Blocks(tuple(tuple(next(rest) for _ in row) for row in rows))
        case _:
            return formula


def transform(formula: Formula, change: Callable[[Formula], Formula]) -> Formula:
    """`change` applied to every part, from the inside out."""
    parts = children(formula)
    changed = tuple(transform(part, change) for part in parts)
    return change(formula if changed == parts else rebuild(formula, changed))


def shift_time(formula: Formula, steps: int, letter: str = "t") -> Formula:
    """The formula `steps` later: every time that is written with `letter` is shifted."""
    return _retimed(formula, letter, Time(letter, steps))


def at_time(formula: Formula, time: Time, letter: str = "t") -> Formula:
    """The formula with every time that is written with `letter` counted from `time` instead.

    ValueError where a sum or product over `time.letter` itself would catch it.
    """
    return _retimed(formula, letter, time)


def _retimed(formula: Formula, letter: str, origin: Time) -> Formula:
    """Times with the letter, also in the bounds of sums and products, counted from `origin`. What a sum or a
    product runs over is its own letter, whatever it is called, and stays.
    """

    def move(time: Time | None) -> Time | None:
        return origin.shift(time.offset) if time is not None and time.letter == letter else time

    over = None
    if isinstance(formula, TimeProduct) or (isinstance(formula, Sum) and formula.over_times):
        over = formula.letter
    parts = children(formula)
    changed = parts if over == letter else tuple(_retimed(part, letter, origin) for part in parts)
    if over == origin.letter and changed != parts:
        raise ValueError(f"{origin.letter} is bound where {letter} stands")
    formula = formula if changed == parts else rebuild(formula, changed)
    match formula:
        case Symbol() as e:
            return replace(e, time=move(e.time))
        case Derivative() as e:
            return replace(e, at=move(e.at))
        case Sum() as e:
            return replace(e, lower=move(e.lower), upper=move(e.upper))
        case TimeProduct() as e:
            first, last = move(e.first), move(e.last)
            assert first is not None and last is not None
            return replace(e, first=first, last=last)
    return formula
