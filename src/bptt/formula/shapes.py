"""The shape of a formula in matrix form: rows by columns, as it is written out under the factors."""

from __future__ import annotations

from bptt.formula.tree import (
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
from bptt.ir.dims import Dim, Shape

Pair = tuple[Dim, Dim]
ONE = Dim.number(1)
NUMBER: Pair = (ONE, ONE)
LAYOUTS = ("row", "column")
# Functions that make one number of a vector.
_TO_NUMBER = frozenset({"sum", "logsumexp"})


class NonConforming(ValueError):
    """Factors that cannot be multiplied, or terms that cannot be added, with their shapes."""

    def __init__(self, formula: Formula, shapes: tuple[Pair, ...]) -> None:
        super().__init__(" and ".join(f"{r}×{c}" for r, c in shapes))
        self.formula, self.shapes = formula, shapes


def oriented(shape: Shape, layout: str) -> Pair:
    """Rows and columns of a value: a vector lies or stands, as the layout says."""
    match shape:
        case ():
            return NUMBER
        case (n,):
            return (ONE, n) if layout == "row" else (n, ONE)
        case (m, n):
            return (m, n)
    raise ValueError(f"a value with {len(shape)} axes")


def shape_of(formula: Formula, layout: str) -> Pair:
    """Rows and columns of a formula. NonConforming where its parts do not fit together."""
    match formula:
        case Number() | Size() | Indexed() | Kronecker() | CrossEntropy():
            return NUMBER
        case Symbol(shape=shape) | Ones(shape) | Zeros(shape):
            return oriented(shape, layout)
        case Apply(function=function) if function in _TO_NUMBER:
            return NUMBER
        case Neg(a) | Power(base=a) | Apply(argument=a) | Sum(body=a) | TimeProduct(body=a):
            return shape_of(a, layout)
        case Add(parts) | Hadamard(parts):
            return _agreeing(formula, tuple(shape_of(part, layout) for part in parts))
        case Quotient(a, b):
            return _agreeing(formula, (shape_of(a, layout), shape_of(b, layout)))
        case Product(factors):
            return _product(formula, tuple(shape_of(factor, layout) for factor in factors))
        case Transpose(a):
            rows, columns = shape_of(a, layout)
            return columns, rows
        case Diag(a):
            rows, columns = shape_of(a, layout)
            n = columns if rows == ONE else rows
            return n, n
        case Identity(n):
            return n, n
        case TokenPart(table=table):
            rows, columns = shape_of(table, layout)
            return (ONE, columns) if layout == "row" else (rows, ONE)
        case Concatenation(items):
            shapes = [shape_of(item, layout) for item in items]
            axis = 1 if layout == "row" else 0
            total = sum((shape[axis] for shape in shapes), Dim())
            other = shapes[0][1 - axis]
            return (other, total) if layout == "row" else (total, other)
        case Part(start=start, stop=stop):
            return oriented((stop - start,), layout)
        case Blocks(rows):
            height = sum((shape_of(row[0], layout)[0] for row in rows), Dim())
            width = sum((shape_of(item, layout)[1] for item in rows[0]), Dim())
            return height, width
        case Grid(rows):
            return Dim.number(len(rows)), Dim.number(len(rows[0]))
        case Derivative(top, bottom):
            return _derivative(top, bottom, layout)
    raise TypeError(f"no shape for {formula!r}")


def _derivative(top: Formula, bottom: Formula, layout: str) -> Pair:
    """Of a number: the shape of what it is by. Of a vector by a vector: the matrix that a cotangent is
    multiplied with, on its right in rows and on its left in columns (the transposed Jacobian).
    """
    above, below = shape_of(top, layout), shape_of(bottom, layout)
    if above == NUMBER:
        return below
    outputs = above[1] if layout == "row" else above[0]
    inputs = below[1] if layout == "row" else below[0]
    return (outputs, inputs) if layout == "row" else (inputs, outputs)


def _agreeing(formula: Formula, shapes: tuple[Pair, ...]) -> Pair:
    """Numbers go with every shape; all the rest has to be equal."""
    others = [shape for shape in shapes if shape != NUMBER]
    if any(shape != others[0] for shape in others):
        raise NonConforming(formula, shapes)
    return others[0] if others else NUMBER


def _product(formula: Formula, shapes: tuple[Pair, ...]) -> Pair:
    result = NUMBER
    for shape in shapes:
        if result == NUMBER or shape == NUMBER:
            # A number scales, and a 1×1 in front of a row is the number it is.
            result = shape if result == NUMBER else result
        elif result[1] != shape[0]:
            raise NonConforming(formula, (result, shape))
        else:
            result = (result[0], shape[1])
    return result
