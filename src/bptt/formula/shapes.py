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
# The examples of a batch.
BATCH = Dim.named("B")
LAYOUTS = ("row", "column")
# Functions that make one number of a vector.
_TO_NUMBER = frozenset({"sum", "logsumexp"})
# Functions of a whole vector; `sum` takes numbers and matrices too.
_OF_VECTORS = frozenset({"softmax", "log_softmax", "logsumexp"})
# Of a matrix these are taken row by row, or column by column in a layout of columns.
_OF_EACH = frozenset({"softmax", "log_softmax"})


class NonConforming(ValueError):
    """Factors that cannot be multiplied, or terms that cannot be added, with their shapes."""

    def __init__(self, formula: Formula, shapes: tuple[Pair, ...]) -> None:
        super().__init__(" and ".join(f"{r}×{c}" for r, c in shapes))
        self.formula, self.shapes = formula, shapes


class Undefined(NonConforming):
    """A part that has no meaning as a matrix: `softmax′(a)`, or the derivative of a matrix by a vector."""

    def __init__(self, formula: Formula) -> None:
        super().__init__(formula, ())
        self.args = (f"no matrix: {type(formula).__name__}",)


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
    """Rows and columns of a formula. NonConforming where its parts do not fit together, Undefined where it
    has no meaning. Indices are not looked at: whether they run over equal axes, only numbers show.
    """
    match formula:
        case Number() | Size() | Kronecker():
            return NUMBER
        case Symbol(shape=shape) | Ones(shape) | Zeros(shape):
            return oriented(shape, layout)
        case Indexed():
            return _indexed(formula, layout)
        case Apply(function=function):
            return _applied(formula, function, shape_of(formula.argument, layout))
        case Neg(a) | Power(base=a) | Sum(body=a):
            return shape_of(a, layout)
        case TimeProduct(body=a):
            rows, columns = shape_of(a, layout)
            if rows != columns:
                raise NonConforming(formula, ((rows, columns), (rows, columns)))
            return rows, columns
        case CrossEntropy(a, b):
            target, probabilities = shape_of(a, layout), shape_of(b, layout)
            if target != probabilities or not _is_vector(target):
                raise NonConforming(formula, (target, probabilities))
            return NUMBER
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
            if ONE not in (rows, columns):
                raise NonConforming(formula, ((rows, columns),))
            n = columns if rows == ONE else rows
            return n, n
        case Identity(n):
            return n, n
        case TokenPart(table, token):
            return _token_part(formula, shape_of(table, layout), shape_of(token, layout), layout)
        case Concatenation(items):
            rows_of_items = (items,) if layout == "row" else tuple((item,) for item in items)
            return _blocks(formula, tuple(tuple(shape_of(i, layout) for i in row) for row in rows_of_items))
        case Part(a, start, stop):
            rows, columns = shape_of(a, layout)
            if not _is_vector((rows, columns)):
                raise NonConforming(formula, ((rows, columns),))
            return (ONE, stop - start) if rows == ONE else (stop - start, ONE)
        case Blocks(rows_of_blocks):
            return _blocks(formula, tuple(tuple(shape_of(i, layout) for i in row) for row in rows_of_blocks))
        case Grid(numbers):
            return Dim.number(len(numbers)), Dim.number(len(numbers[0]))
        case Derivative():
            return _derivative(formula, layout)
    raise TypeError(f"no shape for {formula!r}")


def _is_vector(shape: Pair) -> bool:
    return ONE in shape and shape != NUMBER


def _indexed(formula: Indexed, layout: str) -> Pair:
    """A number, if there is an index for each axis, and a vector along one that has none. A Symbol has the
    axes that the IR gives it.
    """
    counted = counted_axis(formula)
    if counted is not None:
        return oriented((shape_of(formula.base, layout)[1 - counted],), layout)
    if isinstance(formula.base, Symbol):
        axes = len(formula.base.shape)
    else:
        shape = shape_of(formula.base, layout)
        axes = 0 if shape == NUMBER else 1 if ONE in shape else 2
    if axes != len(formula.indices):
        raise NonConforming(formula, (shape_of(formula.base, layout),))
    return NUMBER


def counted_axis(formula: Indexed) -> int | None:
    """The axis along which the one index at a matrix counts vectors: that which `along` leaves, or that of
    the examples in a matrix of many.
    """
    if formula.along is not None:
        return 1 - formula.along
    base = formula.base
    if (
        isinstance(base, Symbol)
        and len(base.shape) == 2
        and len(formula.indices) == 1
        and BATCH in base.shape
    ):
        return base.shape.index(BATCH)
    return None


def _applied(formula: Apply, function: str, argument: Pair) -> Pair:
    if formula.prime and function in _OF_VECTORS | _TO_NUMBER:
        raise Undefined(formula)
    taken_of_each = function in _OF_EACH and argument != NUMBER
    if function in _OF_VECTORS and not (_is_vector(argument) or taken_of_each):
        raise NonConforming(formula, (argument,))
    return NUMBER if function in _TO_NUMBER else argument


def _token_part(formula: TokenPart, table: Pair, token: Pair, layout: str) -> Pair:
    """The axis that is as long as the token is gone; of two, the rows in rows, and the columns in columns."""
    for axis in (0, 1) if layout == "row" else (1, 0):
        if token in ((ONE, table[axis]), (table[axis], ONE)):
            return oriented((table[1 - axis],), layout)
    raise NonConforming(formula, (table, token))


def _blocks(formula: Formula, rows: tuple[tuple[Pair, ...], ...]) -> Pair:
    """Blocks in one row are equally high, and all rows equally wide."""
    for row in rows:
        if any(block[0] != row[0][0] for block in row):
            raise NonConforming(formula, row)
    widths = [sum((block[1] for block in row), Dim()) for row in rows]
    if any(width != widths[0] for width in widths):
        raise NonConforming(formula, tuple(block for row in rows for block in row))
    return sum((row[0][0] for row in rows), Dim()), widths[0]


def _of_one_example(shape: Pair, layout: str) -> Pair:
    """Examples stand one below the other in rows, and side by side in columns; their losses are a vector."""
    rows, columns = shape
    if BATCH in shape and ONE in shape:
        return NUMBER
    if layout == "row":
        return (ONE, columns) if rows == BATCH else shape
    return (rows, ONE) if columns == BATCH else shape


def _derivative(formula: Derivative, layout: str) -> Pair:
    """Of a number: the shape of what it is by. Of a vector by a vector: the matrix that a cotangent is
    multiplied with, on its right in rows and on its left in columns (the transposed Jacobian). With a batch,
    it is the sum of the losses that is differentiated, and of everything else one example by the same.
    """
    tops, bottoms = shape_of(formula.top, layout), shape_of(formula.bottom, layout)
    above, below = _of_one_example(tops, layout), _of_one_example(bottoms, layout)
    if above == NUMBER:
        return bottoms
    if tops == above or bottoms == below:
        above, below = tops, bottoms
    if below == NUMBER and not _is_vector(above):
        # A matrix by a number, element by element.
        return above
    if not _is_vector(above) or not (_is_vector(below) or below == NUMBER):
        raise Undefined(formula)
    outputs, inputs = (shape[1] if shape[0] == ONE else shape[0] for shape in (above, below))
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
