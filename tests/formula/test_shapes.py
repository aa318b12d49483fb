"""The shapes of formulas, in symbols, are those of their values; and what does not fit fails in both."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bptt.formula.evaluate import Point, evaluate
from bptt.formula.shapes import (
    BATCH,
    LAYOUTS,
    NUMBER,
    ONE,
    NonConforming,
    Pair,
    Undefined,
    oriented,
    shape_of,
)
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
    Index,
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
    Time,
    TimeProduct,
    TokenPart,
    Transpose,
    Zeros,
    children,
    rebuild,
)
from bptt.ir.dims import ZERO, Dim, show_shape

N, M, V = (Dim.named(name) for name in "nmV")
# No small sums of some give another.
SIZES = {"n": 3, "m": 17, "V": 101}
DIMS = (N, M, V, N + M)


def symbol(*shape: Dim) -> Symbol:
    return Symbol(show_shape(shape), shape)


# Every symbol says its shape by its name.
VALUES = {
    show_shape(shape): np.linspace(0.1, 0.9, int(np.prod([d.evaluate(SIZES) for d in shape]))).reshape(
        [d.evaluate(SIZES) for d in shape]
    )
    for shape in [(), *((a,) for a in DIMS), *((a, b) for a in (ONE, *DIMS) for b in (ONE, *DIMS))]
}


def value_shape(formula: Formula, layout: str) -> tuple[int, int]:
    value = evaluate(formula, Point(SIZES, layout, lambda name, of, time: VALUES[name]))
    assert not value.letters
    return value.pair


def numbers(pair: Pair) -> tuple[int, int]:
    return pair[0].evaluate(SIZES), pair[1].evaluate(SIZES)


def shaped(draw: st.DrawFn, pair: Pair, layout: str, depth: int) -> Formula:
    """A formula of these rows and columns, whose parts are drawn in turn."""

    def part(rows: Dim, columns: Dim) -> Formula:
        return shaped(draw, (rows, columns), layout, depth - 1)

    def pick(options: list[str]) -> str:
        return draw(st.sampled_from(options))

    rows, columns = pair
    lies = layout == "row"
    vector = ONE in pair and pair != NUMBER
    as_laid_out = vector and (rows if lies else columns) == ONE
    n = columns if rows == ONE else rows
    kinds = ["leaf"] if depth < 2 else []
    if depth:
        kinds += [
            "add",
            "hadamard",
            "quotient",
            "neg",
            "power",
            "apply",
            "transpose",
            "product",
            "sum",
            "times",
        ]
        kinds += ["diag", "identity", "in time"] * (rows == columns and pair != NUMBER)
        kinds += ["softmax", "part"] * vector
        kinds += ["token"] * as_laid_out + ["concatenation"] * (as_laid_out and n == N + M)
        kinds += ["blocks"] * (not vector and N + M in pair)
        kinds += ["reduce", "ce", "element", "elements", "delta"] * (pair == NUMBER)
    match pick(kinds):
        case "leaf":
            if pair == NUMBER:
                return draw(st.sampled_from([Number(2.0), Size(M), symbol(), Grid(((3.0,),))]))
            of_ir = symbol(n) if vector else symbol(*pair)
            leaf: Formula = draw(st.sampled_from([of_ir, Zeros(of_ir.shape), Ones(of_ir.shape)]))
            return Transpose(leaf) if vector and not as_laid_out else leaf
        case "add" | "hadamard" | "quotient" as kind:
            # A number may stand beside anything.
            left, right = part(*pair), part(*draw(st.sampled_from([pair, NUMBER])))
            if kind == "quotient":
                return Quotient(left, right)
            return Add((left, right)) if kind == "add" else Hadamard((right, left))
        case "neg":
            return Neg(part(*pair))
        case "power":
            return Power(part(*pair), 2.0)
        case "apply":
            return Apply(pick(["tanh", "relu", "exp"]), part(*pair), draw(st.booleans()))
        case "transpose":
            return Transpose(part(columns, rows))
        case "product":
            inner = draw(st.sampled_from(DIMS))
            factors = [part(rows, inner), part(inner, columns)]
            if draw(st.booleans()):
                factors.insert(draw(st.integers(0, 2)), part(*NUMBER))
            return Product(tuple(factors))
        case "sum":
            return Sum("i", part(*pair), V)
        case "times":
            return Sum("s", part(*pair), None, Time("", 1), Time("", draw(st.integers(0, 2))))
        case "in time":
            return TimeProduct("s", Time("", draw(st.integers(0, 2))), Time("", 1), part(*pair), True)
        case "diag":
            return Diag(part(*draw(st.sampled_from([(ONE, rows), (rows, ONE)]))))
        case "identity":
            return Identity(rows)
        case "softmax":
            return Apply(pick(["softmax", "log_softmax"]), part(*pair))
        case "part":
            longer = n + ONE
            ones = Grid(((1.0,),))
            items = (part(*pair), ones) if as_laid_out else (Transpose(part(*pair)), ones)
            whole = Concatenation(items)
            cut: Formula = whole if as_laid_out else Transpose(whole)
            return Part(cut, ONE, longer)
        case "token":
            of_table = (V, n) if lies else (n, V)
            return TokenPart(part(*of_table), symbol(V))
        case "concatenation":
            return Concatenation(tuple(part(ONE, d) if lies else part(d, ONE) for d in (N, M)))
        case "blocks":
            heights = (N, M) if rows == N + M else (rows,)
            widths = (N, M) if columns == N + M else (columns,)
            return Blocks(tuple(tuple(part(r, c) for c in widths) for r in heights))
        case "reduce":
            return Apply(pick(["sum", "logsumexp"]), part(*draw(st.sampled_from([(ONE, M), (M, ONE)]))))
        case "ce":
            of_both = draw(st.sampled_from([(ONE, M), (M, ONE)]))
            return CrossEntropy(part(*of_both), part(*of_both))
        case "element":
            of_base = draw(st.sampled_from([(ONE, M), (M, ONE)]))
            return Sum("k", Indexed(part(*of_base), (Index("k"),)), M)
        case "elements":
            return Sum("j", Sum("k", Indexed(part(M, N), (Index("k"), Index("j"))), M), N)
        case kind:
            assert kind == "delta"
            return Sum("j", Sum("k", Kronecker(Index("k"), Index("j")), M), M)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Formula, Pair, str]:
    layout = draw(st.sampled_from(LAYOUTS))
    pair = (draw(st.sampled_from((ONE, *DIMS))), draw(st.sampled_from((ONE, *DIMS))))
    return shaped(draw, pair, layout, 3), pair, layout


@settings(max_examples=400)
@given(cases())
def test_a_formula_has_in_symbols_the_shape_of_its_value(case: tuple[Formula, Pair, str]) -> None:
    formula, pair, layout = case
    assert shape_of(formula, layout) == pair
    assert value_shape(formula, layout) == numbers(pair)


def spoiled(draw: st.DrawFn, formula: Formula, other: Formula, inside: bool = False) -> Formula:
    """The formula with another part somewhere in it; a token stays, being a symbol, and so does a vector of
    which a Part is taken, whose length only numbers show.
    """
    parts = list(children(formula))
    places = [k for k in range(len(parts)) if not (isinstance(formula, TokenPart) and k == 1)]
    if isinstance(formula, Part):
        return formula if inside else other
    if not places or (inside and draw(st.integers(0, 3)) == 0):
        return other
    k = draw(st.sampled_from(places))
    parts[k] = spoiled(draw, parts[k], other, True)
    return rebuild(formula, tuple(parts))


@st.composite
def spoiled_cases(draw: st.DrawFn) -> tuple[Formula, str]:
    formula, _, layout = draw(cases())
    shape = draw(st.sampled_from([(), (N,), (M,), (N, M), (M, N), (V, V)]))
    return spoiled(draw, formula, symbol(*shape)), layout


def outcome(run: Callable[[], tuple[int, int]]) -> object:
    try:
        return run()
    except NonConforming as error:
        return error.formula, [numbers(shape) for shape in error.shapes]


@settings(max_examples=400)
@given(spoiled_cases())
def test_in_symbols_fails_what_fails_in_numbers_and_at_the_same_part(case: tuple[Formula, str]) -> None:
    formula, layout = case
    in_symbols = outcome(lambda: numbers(shape_of(formula, layout)))
    assert outcome(lambda: value_shape(formula, layout)) == in_symbols


def test_spoiled_formulas_do_fail() -> None:
    """The property above is about something: of the formulas it sees, many fail and many do not."""
    failed: list[bool] = []

    @settings(max_examples=100, database=None)
    @given(spoiled_cases())
    def collect(case: tuple[Formula, str]) -> None:
        failed.append(not isinstance(outcome(lambda: value_shape(*case))[0], int))

    collect()
    assert 20 <= sum(failed) <= len(failed) - 20


H, U, Y = symbol(N), symbol(N, M), symbol(M)
K, J = Index("k"), Index("j")


@pytest.mark.parametrize(
    ("formula", "part", "message"),
    [
        (Product((H, H)), None, "1×n and 1×n"),
        (Product((Transpose(U), H)), None, "m×n and 1×n"),
        (Product((H, U, U)), None, "1×m and n×m"),
        (Neg(Add((H, Y))), Add((H, Y)), "1×n and 1×m"),
        (Add((H, Transpose(H))), None, "1×n and n×1"),
        (Hadamard((H, U)), None, "1×n and n×m"),
        (Quotient(H, Y), None, "1×n and 1×m"),
        (Diag(U), None, "n×m"),
        (Part(U, ZERO, ONE), None, "n×m"),
        (Part(symbol(), ZERO, ONE), None, "1×1"),
        (Indexed(H, (K, J)), None, "1×n"),
        (Indexed(U, (K,)), None, "n×m"),
        (Indexed(Product((H, Transpose(H))), (K,)), None, "1×1"),
        (Sum("k", Indexed(Product((Y, U)), (K,)), M), Product((Y, U)), "1×m and n×m"),
        (Apply("logsumexp", U), None, "n×m"),
        (Apply("softmax", Indexed(H, (K,))), None, "1×1"),
        (CrossEntropy(H, Y), None, "1×n and 1×m"),
        (CrossEntropy(U, U), None, "n×m and n×m"),
        (TokenPart(U, symbol(V)), None, "n×m and 1×V"),
        (Concatenation((H, Transpose(Y))), None, "1×n and m×1"),
        (Blocks(((U, H),)), None, "n×m and 1×n"),
        (Blocks(((U,), (H,))), None, "n×m and 1×n"),
        (TimeProduct("s", Time("t"), Time("t", -1), U, True), None, "n×m and n×m"),
    ],
    ids=repr,
)
def test_what_does_not_fit_and_where(formula: Formula, part: Formula | None, message: str) -> None:
    with pytest.raises(NonConforming, match=f"^{message}$") as caught:
        shape_of(formula, "row")
    assert caught.value.formula == (part or formula)


@pytest.mark.parametrize("function", ["softmax", "log_softmax", "logsumexp", "sum"])
def test_functions_of_a_vector_have_no_prime(function: str) -> None:
    formula = Neg(Apply(function, H, prime=True))
    for run in (lambda: shape_of(formula, "row"), lambda: value_shape(formula, "row")):
        with pytest.raises(Undefined) as caught:
            run()
        assert caught.value.formula == formula.operand


@pytest.mark.parametrize(
    ("top", "bottom", "row", "column"),
    [
        (symbol(), U, (N, M), (N, M)),
        (symbol(), H, (ONE, N), (N, ONE)),
        (Y, H, (M, N), (N, M)),
        (H, symbol(), (N, ONE), (ONE, N)),
        (U, symbol(), (N, M), (N, M)),
        (Indexed(Y, (K,)), U, (N, M), (N, M)),
    ],
)
def test_a_derivative_is_what_a_cotangent_is_multiplied_with(
    top: Formula, bottom: Formula, row: Pair, column: Pair
) -> None:
    assert shape_of(Derivative(top, bottom), "row") == row
    assert shape_of(Derivative(top, bottom), "column") == column


@pytest.mark.parametrize(
    ("top", "bottom", "row", "column"),
    [
        (symbol(BATCH), U, (N, M), (N, M)),
        (symbol(BATCH), H, (ONE, N), (N, ONE)),
        (symbol(BATCH), symbol(BATCH), (ONE, BATCH), (BATCH, ONE)),
    ],
)
def test_losses_of_a_batch_are_differentiated_as_one_number(
    top: Formula, bottom: Formula, row: Pair, column: Pair
) -> None:
    assert shape_of(Derivative(top, bottom), "row") == row
    assert shape_of(Derivative(top, bottom), "column") == column


def test_values_of_a_batch_are_differentiated_example_by_example() -> None:
    assert shape_of(Derivative(symbol(BATCH), symbol(BATCH, M)), "row") == (BATCH, M)
    assert shape_of(Derivative(symbol(BATCH), symbol(M, BATCH)), "column") == (M, BATCH)
    assert shape_of(Derivative(symbol(BATCH, M), symbol(BATCH, N)), "row") == (M, N)
    assert shape_of(Derivative(symbol(M, BATCH), symbol(N, BATCH)), "column") == (N, M)
    with pytest.raises(Undefined):
        shape_of(Derivative(symbol(BATCH, M), U), "row")


@pytest.mark.parametrize(("top", "bottom"), [(H, U), (U, H), (U, U)])
def test_a_derivative_with_three_axes_is_no_matrix(top: Formula, bottom: Formula) -> None:
    with pytest.raises(Undefined):
        shape_of(Derivative(top, bottom), "row")


def test_a_part_of_a_table_lies_as_the_layout_says() -> None:
    """Whichever axis of the table is the vocabulary's."""
    token = symbol(V)
    for table in (symbol(V, N), symbol(N, V)):
        assert shape_of(TokenPart(table, token), "row") == (ONE, N)
        assert shape_of(TokenPart(table, token), "column") == (N, ONE)


def test_orientation() -> None:
    assert oriented((), "row") == oriented((), "column") == (ONE, ONE)
    assert oriented((N,), "row") == (ONE, N)
    assert oriented((N,), "column") == (N, ONE)
    assert oriented((N, M), "row") == oriented((N, M), "column") == (N, M)
    with pytest.raises(ValueError, match="3 axes"):
        oriented((N, N, N), "row")
