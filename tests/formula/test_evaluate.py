"""The value of formulas: every class against NumPy, the two notations against each other, and what fails."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bptt.formula.evaluate import Point, Unbound, evaluate
from bptt.formula.functions import ELEMENTWISE, OF_VECTORS, ROWS_AND_COLUMNS, complex_step
from bptt.formula.shapes import LAYOUTS, NonConforming, Undefined
from bptt.formula.tensor import Disagreeing, Tensor, named
from bptt.formula.tree import (
    FUNCTIONS,
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
)
from bptt.ir.dims import ZERO, Dim

Array = npt.NDArray[Any]
N, M, V = (Dim.named(name) for name in "nmV")
SIZES = {"n": 3, "m": 4, "V": 5}
STEPS = 6
T, ONE = Time("t"), Time("", 1)
I, J, K, L = (Index(letter) for letter in "ijkl")
FROM_N = Index("k", N)


def values(seed: int) -> dict[str, Array]:
    """Vectors u (n), v, w, p and y (m; p and y sum to one), c (n + m); matrices A, B (n, m), S (n, n) and
    E (V, n); a token x; the numbers r and q; and with a time in front h (n), g (number) and F (n, n).
    """
    rng = np.random.default_rng(seed)
    shapes = {"u": (3,), "v": (4,), "w": (4,), "c": (7,), "A": (3, 4), "B": (3, 4), "S": (3, 3), "E": (5, 3)}
    found: dict[str, Array] = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    found |= {name: rng.dirichlet(np.ones(4)) for name in "py"}
    found["x"] = np.eye(5, dtype=np.int64)[2]
    found |= {"r": np.array(0.7), "q": np.array(-1.3)}
    found |= {
        name: rng.normal(size=(STEPS, *shape)) for name, shape in {"h": (3,), "g": (), "F": (3, 3)}.items()
    }
    return found


VALUES = values(0)
GIVEN = Symbol("J")


def derivative(top: Formula, bottom: Formula, at: int | None, times: Mapping[str, int]) -> Tensor:
    """∂v_k/∂u_i is A_ik; ∂J/∂u at a step is that of h there."""
    if isinstance(top, Indexed):
        return named(VALUES["A"], ("i", "k"))
    return named(VALUES["h"][times["t"] if at is None else at][None, :], ("row", "column"))


def point(layout: str = "row", given: Mapping[str, Array] = VALUES, **more: Any) -> Point:
    def symbol(name: str, of: str, at: int | None) -> Array:
        assert not of
        return given[name] if at is None else given[name][at]

    return replace(Point(SIZES, layout, symbol, derivative, {"t": 3, "T": 5}), **more)


u, v, w, c = Symbol("u", (N,)), Symbol("v", (M,)), Symbol("w", (M,)), Symbol("c", (N + M,))
p, y, x = Symbol("p", (M,)), Symbol("y", (M,)), Symbol("x", (V,))
A, B, S, E = Symbol("A", (N, M)), Symbol("B", (N, M)), Symbol("S", (N, N)), Symbol("E", (V, N))
r, q = Symbol("r"), Symbol("q")


def h(at: Time = T) -> Symbol:
    return Symbol("h", (N,), at)


def F(at: Time = T) -> Symbol:
    return Symbol("F", (N, N), at)


def at(base: Formula, *indices: Index) -> Indexed:
    return Indexed(base, indices)


def sigmoid(z: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-z))


def _expected() -> dict[str, tuple[Formula, Array, str]]:
    """A formula in rows, the value that NumPy finds, and the letters of its axes ("" for a matrix's two)."""
    U, V_, C, P, Y, A_, B_, S_, E_ = (VALUES[name] for name in "uvcpyABSE")
    H, G, F_, R, Q = (VALUES[name] for name in ("h", "g", "F", "r", "q"))
    soft = np.exp(V_) / np.exp(V_).sum()
    later = Time("t", 1)
    s = Time("s")
    return {
        "number": (Number(2.5), np.array(2.5), ""),
        "size": (Size(N + M), np.array(7.0), ""),
        "symbol of a number": (r, R, ""),
        "symbol": (u, U[None, :], ""),
        "symbol at a step": (h(Time("t", -2)), H[1][None, :], ""),
        "symbol at the last step": (h(Time("T", -1)), H[4][None, :], ""),
        "symbol at a numbered step": (h(ONE), H[1][None, :], ""),
        "token": (x, np.eye(5)[2:3], ""),
        "element": (at(A, J, I), A_.T, "ij"),
        "element of a product": (at(Product((u, A)), K), U @ A_, "k"),
        "element of a transpose": (at(Transpose(A), I, J), A_.T, "ij"),
        "diagonal element": (at(S, I, I), np.diag(S_), "i"),
        "element of what has the index": (at(Product((at(v, K), v)), K), V_**2, "k"),
        "element with an offset": (at(c, FROM_N), C[3:], "k"),
        "table's row": (TokenPart(E, x), E_[2:3], ""),
        "add": (Add((u, Neg(h()), r)), (U - H[3] + R)[None, :], ""),
        "add of indices": (Add((at(u, J), at(v, I))), V_[:, None] + U, "ij"),
        "product": (Product((u, A, Transpose(v))), U @ A_ @ V_, ""),
        "outer product": (Product((Transpose(u), v)), np.outer(U, V_), ""),
        "scaled": (Product((r, u, q, A, Number(2.0))), (2 * R * Q * U @ A_)[None, :], ""),
        "product of elements": (Product((at(u, I), at(A, I, K))), U[:, None] * A_, "ik"),
        "matrix scaled at every index": (Product((at(u, I), v)), (U[:, None] * V_)[:, None, :], "i"),
        "number made in front of a row": (Product((u, Transpose(u), v)), (U @ U * V_)[None, :], ""),
        "hadamard": (Hadamard((A, r, B)), R * A_ * B_, ""),
        "hadamard of elements": (Hadamard((at(u, I), at(h(), I))), U * H[3], "i"),
        "quotient": (Quotient(u, h()), (U / H[3])[None, :], ""),
        "quotient by a number": (Quotient(A, r), A_ / R, ""),
        "quotient of a number": (Quotient(r, A), R / A_, ""),
        "quotient of elements": (Quotient(at(u, I), at(v, K)), U[:, None] / V_, "ik"),
        "quotient by an element": (Quotient(u, at(v, K)), (U / V_[:, None])[:, None, :], "k"),
        "power": (Power(A, 2.0), A_**2, ""),
        "power of a token": (Power(Add((x, r)), -1.0), 1 / (np.eye(5)[2:3] + R), ""),
        "transpose": (Transpose(u), U[:, None], ""),
        "transpose of a number": (Transpose(r), R, ""),
        "diag": (Diag(u), np.diag(U), ""),
        "diag of a column": (Diag(Transpose(u)), np.diag(U), ""),
        "diag at every index": (Diag(Product((at(v, K), u))), V_[:, None, None] * np.diag(U), "k"),
        "apply": (Apply("tanh", A), np.tanh(A_), ""),
        "apply to an element": (Apply("sigmoid", at(A, I, J)), sigmoid(A_), "ij"),
        "prime": (Apply("tanh", u, prime=True), (1 - np.tanh(U) ** 2)[None, :], ""),
        "softmax": (Apply("softmax", v), soft[None, :], ""),
        "softmax of a column": (Apply("softmax", Transpose(v)), soft[:, None], ""),
        "softmax at every index": (
            Apply("softmax", Product((at(u, I), v))),
            np.exp(np.outer(U, V_))[:, None, :] / np.exp(np.outer(U, V_)).sum(1)[:, None, None],
            "i",
        ),
        "softmax of every row": (
            Apply("softmax", A),
            np.exp(A_) / np.exp(A_).sum(axis=1, keepdims=True),
            "",
        ),
        "log-softmax": (Apply("log_softmax", v), np.log(soft)[None, :], ""),
        "logsumexp": (Apply("logsumexp", v), np.log(np.exp(V_).sum()), ""),
        "sum function": (Apply("sum", A), A_.sum(), ""),
        "sum function of a number": (Apply("sum", r), R, ""),
        "cross-entropy": (CrossEntropy(y, p), -(Y * np.log(P)).sum(), ""),
        "sum": (Sum("k", Product((at(A, I, K), at(v, K))), M), A_ @ V_, "i"),
        "sum of what has no such index": (Sum("k", r, M), 4 * R, ""),
        "sum with the size by use": (Sum("k", at(v, K)), V_.sum(), ""),
        "sum of matrices": (Sum("k", Product((at(v, K), u)), M), (V_.sum() * U)[None, :], ""),
        "sum in a sum over the same letter": (
            Sum("k", Product((at(v, K), Sum("k", at(u, K)))), M), V_.sum() * U.sum(), ""
        ),
        "sum over times": (Sum("s", h(s), None, ONE, T), H[1:4].sum(0)[None, :], ""),
        "sum over times of elements": (Sum("s", at(h(s), K), None, later, Time("T")), H[4:].sum(0), "k"),
        "sum over no times": (Sum("s", F(s), None, later, T), np.zeros((3, 3)), ""),
        "sum over examples": (Sum("b", Symbol("g", (), Time("b")), N, ONE, Time("N")), G[1:4].sum(), ""),
        "sum over examples as an index": (Sum("b", at(A, Index("b"), K), N, ONE, Time("N")), A_.sum(0), "k"),
        "product over falling times": (TimeProduct("s", T, ONE, F(s), True), F_[3] @ F_[2] @ F_[1], ""),
        "product over rising times": (TimeProduct("s", ONE, T, F(s), False), F_[1] @ F_[2] @ F_[3], ""),
        "product over no times": (TimeProduct("s", T, later, F(s), True), np.eye(3), ""),
        "product over no times of numbers": (TimeProduct("s", later, T, r, False), np.array(1.0), ""),
        "delta": (
            Sum("j", Product((Kronecker(I, J), at(A, I, K), at(S, J, L)))),
            A_[:, :, None] * S_[:, None],
            "ikl",
        ),
        "ones": (Ones((M,)), np.ones((1, 4)), ""),
        "zeros": (Zeros((N, M)), np.zeros((3, 4)), ""),
        "identity": (Add((Identity(N), Neg(S))), np.eye(3) - S_, ""),
        "concatenation": (Concatenation((u, v)), np.r_[U, V_][None, :], ""),
        "concatenation with a number": (Concatenation((u, r)), np.r_[U, R][None, :], ""),
        "concatenation at every index": (
            Concatenation((at(v, K), u)), np.c_[V_, np.tile(U, (4, 1))][:, None, :], "k"
        ),
        "part": (Part(c, N, N + M), C[None, 3:], ""),
        "blocks": (
            Blocks(((S, A), (Transpose(B), Zeros((M, M))))),
            np.block([[S_, A_], [B_.T, np.zeros((4, 4))]]),
            "",
        ),
        "grid": (Grid(((1.0, 2.0), (3.0, 4.0))), np.array([[1.0, 2.0], [3.0, 4.0]]), ""),
        "derivative": (Derivative(GIVEN, u, Time("t", -1)), H[2][None, :], ""),
        "derivative of an element": (Derivative(at(v, K), at(u, I)), A_, "ik"),
    }  # fmt: skip


EXPECTED = _expected()


def test_every_class_is_expected() -> None:
    def classes(formula: Formula) -> set[type]:
        return {type(formula)}.union(*map(classes, children(formula)))

    assert set().union(*(classes(formula) for formula, _, _ in EXPECTED.values())) == set(get_args(Formula))


@pytest.mark.parametrize("case", EXPECTED)
def test_value(case: str) -> None:
    formula, expected, letters = EXPECTED[case]
    value = evaluate(formula, point())
    is_matrix = expected.ndim > len(letters)
    assert value.axes == tuple(letters) + ("row", "column") * is_matrix
    np.testing.assert_allclose(value.array, expected, rtol=1e-12, atol=1e-14)


# The same content in both notations, and in both layouts.


def same(left: Formula, right: Formula, where: Point) -> None:
    a, b = evaluate(left, where), evaluate(right, where)
    assert a.axes == b.axes
    np.testing.assert_allclose(a.array, b.array, rtol=1e-10, atol=1e-12)


def rows_times(vector: Formula, matrix: Formula, layout: str) -> Formula:
    """The vector times the matrix as it is written with rows, or with columns."""
    return Product((vector, matrix)) if layout == "row" else Product((Transpose(matrix), vector))


def total(letters: str, *factors: Formula) -> Formula:
    """The product of elements, summed over the letters."""
    body: Formula = Product(factors)
    for letter in reversed(letters):
        body = Sum(letter, body)
    return body


def outer(left: Formula, right: Formula, layout: str) -> Formula:
    return Product((Transpose(left), right) if layout == "row" else (left, Transpose(right)))


@given(st.integers(0, 10_000), st.sampled_from(LAYOUTS))
def test_matrices_and_indices_say_the_same(seed: int, layout: str) -> None:
    here = point(layout, values(seed))
    same(at(rows_times(u, A, layout), K), total("i", at(u, I), at(A, I, K)), here)
    same(at(outer(u, v, layout), I, K), Product((at(u, I), at(v, K))), here)
    same(at(Product((S, A)), I, K), total("j", at(S, I, J), at(A, J, K)), here)
    same(
        Product((v, Transpose(w)) if layout == "row" else (Transpose(v), w)),
        total("k", at(v, K), at(w, K)),
        here,
    )
    same(total("k", Kronecker(J, K), at(v, K)), at(v, J), here)
    same(total("jk", Kronecker(J, K), at(S, I, J), at(u, K)), total("j", at(S, I, J), at(u, J)), here)
    same(total("ik", Kronecker(J, K), at(u, I), at(A, I, K)), at(rows_times(u, A, layout), J), here)
    same(Hadamard((u, h())), rows_times(u, Diag(h()), layout), here)
    same(at(Diag(u), I, J), Product((at(u, I), Kronecker(I, J))), here)
    same(at(Identity(N), I, J), Product((Kronecker(I, J), Power(at(u, I), 0.0), Power(at(u, J), 0.0))), here)
    same(CrossEntropy(y, p), Neg(total("k", at(y, K), Apply("log", at(p, K)))), here)
    exp = Apply("exp", at(v, K))
    same(at(Apply("softmax", v), K), Quotient(exp, Sum("l", Apply("exp", at(v, L)))), here)
    same(Apply("logsumexp", v), Apply("log", Sum("k", exp)), here)
    same(at(TokenPart(E, x), K), total("i", at(x, I), at(E, I, K)), here)


@given(st.integers(0, 10_000))
def test_what_stands_in_columns_is_what_lies_in_rows_turned(seed: int) -> None:
    rows, columns = point("row", values(seed)), point("column", values(seed))
    for lying, standing in [
        (u, u),
        (Product((u, S, A)), Product((Transpose(A), Transpose(S), u))),
        (Product((Transpose(u), v)), Product((v, Transpose(u)))),
        (Concatenation((u, v)), Concatenation((u, v))),
        (Part(c, N, N + M), Part(c, N, N + M)),
        (Apply("softmax", v), Apply("softmax", v)),
        (TokenPart(E, x), TokenPart(E, x)),
        (TokenPart(E, x), TokenPart(Transpose(E), x)),
        (Blocks(((S, A),)), Blocks(((Transpose(S),), (Transpose(A),)))),
        (
            TimeProduct("s", T, ONE, F(Time("s")), True),
            TimeProduct("s", ONE, T, Transpose(F(Time("s"))), False),
        ),
    ]:
        a, b = evaluate(lying, rows), evaluate(standing, columns)
        np.testing.assert_allclose(a.array, b.array.T, rtol=1e-10, atol=1e-12)


@given(st.integers(0, 10_000), st.sampled_from(LAYOUTS))
def test_offsets_count_within_a_concatenation(seed: int, layout: str) -> None:
    here = point(layout, values(seed))
    both, back = Concatenation((u, v)), ZERO - N
    same(at(both, FROM_N), at(v, K), here)
    same(at(Part(both, N, N + M), K), at(v, K), here)
    # An element of the whole, from the parts: the range of each is guarded by its delta, or by zeros.
    spread = Concatenation((Zeros((N,)), v))
    same(total("l", Kronecker(K, Index("l", N)), at(v, L), Power(at(c, K), 0.0)), at(spread, K), here)
    same(Product((at(v, Index("k", back)), Power(at(c, K), 0.0))), at(spread, K), here)
    same(at(v, Index("k", back)), at(spread, K), here)
    # A product with a concatenation is a sum of products, with the blocks of the matrix.
    split = Add((total("i", at(u, I), at(c, I)), Sum("k", Product((at(v, K), at(c, FROM_N))), M)))
    same(split, total("k", at(both, K), at(c, K)), here)
    # The first item begins at no offset; its index runs over less than the axis of the whole, or over more.
    same(Sum("i", Product((at(u, I), at(both, I))), N), total("i", at(u, I), at(u, I)), here)
    same(Sum("i", Product((at(both, I), at(u, I)))), total("i", at(u, I), at(u, I)), here)
    same(Sum("i", Product((at(c, I), at(u, I))), N + M), total("i", at(u, I), at(c, I)), here)
    # Asked for by nothing else, the size of an index with an offset is what is left from there.
    assert evaluate(at(c, Index("k", N + Dim.number(1))), here).array.shape == (3,)


def test_what_a_delta_leaves_out_may_be_infinite() -> None:
    """A place of the whole, counted from where its second item begins, is before that item for the first."""
    second, here = Index("k", ZERO - N), point(letters={"j": 4})
    slope, delta, expected = Apply("log", at(p, second), prime=True), Kronecker(second, J), 1 / VALUES["p"]
    numbers = evaluate(Sum("k", Product((slope, delta)), N + M), here)
    np.testing.assert_allclose(numbers.array, expected)
    rows = evaluate(Sum("k", Product((delta, slope, u)), N + M), here)
    np.testing.assert_allclose(rows.array[:, 0], np.outer(expected, VALUES["u"]))


@pytest.mark.parametrize(
    "formula", [at(A, I, K), at(Product((u, A)), K), Product((Kronecker(I, J), at(S, J, I)))]
)
def test_a_letter_that_is_fixed_is_the_element_there(formula: Formula) -> None:
    free = evaluate(formula, point())
    for letter in free.axes:
        for place in range(free.array.shape[free.axes.index(letter)]):
            fixed = evaluate(formula, point(), {letter: place, "z": None})
            assert fixed.axes == tuple(name for name in free.axes if name != letter)
            np.testing.assert_array_equal(fixed.array, free.array.take(place, free.axes.index(letter)))


def test_fixed_letters_reach_derivatives_and_offsets_but_no_sum_of_their_own() -> None:
    fixed = evaluate(Derivative(at(v, K), at(u, I)), point(), {"i": 2})
    np.testing.assert_array_equal(fixed.array, VALUES["A"][2])
    assert evaluate(at(c, FROM_N), point(), {"k": 1}).array == VALUES["c"][4]
    assert evaluate(at(v, Index("k", ZERO - N)), point(), {"k": 1}).array == 0
    assert evaluate(Sum("k", at(v, K)), point(), {"k": 1}).array == pytest.approx(VALUES["v"].sum())
    assert evaluate(Kronecker(Index("i", N), K), point(), {"i": 1, "k": 4}).array == 1


def test_a_delta_alone_runs_where_the_point_says() -> None:
    with pytest.raises(Unbound, match="i"):
        evaluate(Kronecker(I, J), point())
    delta = evaluate(Kronecker(Index("i", N), J), point(letters={"i": 4, "j": 7}))
    np.testing.assert_array_equal(delta.array, np.eye(7)[3:])
    # A sum has its own letter, whatever the point says of another of that name.
    assert evaluate(Sum("k", Product((Kronecker(K, J), at(v, K)))), point(letters={"k": 9, "j": 4})).axes == (
        "j",
    )


def test_where_a_delta_finds_its_size() -> None:
    # Not at another letter of the same name, which an inner sum has for itself.
    scaled = evaluate(Product((Kronecker(K, J), at(v, J), Sum("k", at(u, K)))), point())
    np.testing.assert_allclose(scaled.array, np.diag(VALUES["v"]) * VALUES["u"].sum())
    # But through the letter of an inner sum that is equal to its own.
    through = Product((Kronecker(J, L), Sum("k", Product((Kronecker(J, K), at(v, K))))))
    np.testing.assert_allclose(evaluate(through, point()).array, np.diag(VALUES["v"]))
    # Not from a letter with another offset: how long the whole is, its part does not say.
    with pytest.raises(Unbound, match="j"):
        evaluate(Sum("k", Product((Kronecker(FROM_N, J), at(v, K)))), point())


# What fails.

NOT_IN_ROWS = Product((A, v))


@pytest.mark.parametrize(
    ("formula", "part", "message"),
    [
        (Sum("k", Product((NOT_IN_ROWS, at(v, K))), M), NOT_IN_ROWS, "3×4 and 1×4"),
        (Product((u, A, u)), None, "1×4 and 1×3"),
        (Product((A, B)), None, "3×4 and 3×4"),
        (Neg(Add((u, v))), Add((u, v)), "1×3 and 1×4"),
        (Add((u, at(u, I))), None, "1×3 and 1×1"),
        (Hadamard((Product((at(u, I), v)), at(v, K))), None, "1×4 and 1×1"),
        (Hadamard((u, Transpose(u))), None, "1×3 and 3×1"),
        (Apply("softmax", at(v, K)), None, "1×1"),
        (Apply("sum", at(v, K)), None, "1×1"),
        (Apply("softmax", r), None, "1×1"),
        (CrossEntropy(at(y, K), at(p, K)), None, "1×1 and 1×1"),
        (at(r, K), None, "1×1"),
        (at(Product((u, A)), I, K), None, "1×4"),
        (at(Product((S, A)), K), None, "3×4"),
        (Part(c, N, N + M + M), None, "1×7"),
        (TokenPart(A, x), None, "3×4 and 1×5"),
        (TimeProduct("s", T, ONE, A, True), None, "3×4 and 3×4"),
        (TimeProduct("s", ONE, T, h(Time("s")), True), None, "1×3 and 1×3"),
    ],
)
def test_what_does_not_conform(formula: Formula, part: Formula | None, message: str) -> None:
    with pytest.raises(NonConforming, match=f"^{message}$") as caught:
        evaluate(formula, point())
    assert caught.value.formula == (part or formula)
    assert not isinstance(caught.value, Disagreeing)


MIXED = Product((at(u, K), at(v, K)))


@pytest.mark.parametrize(
    ("formula", "part", "message"),
    [
        (Neg(MIXED), MIXED, "k runs over 3 and 4"),
        (Add((at(u, J), at(A, I, J))), None, "j runs over 3 and 4"),
        (at(A, I, I), None, "i runs over 3 and 4"),
        (Sum("k", at(u, K), M), None, "k runs over 4 and 3"),
        (Product((at(u, K), Kronecker(K, J), at(v, J), at(u, J))), None, "j runs over 4 and 3"),
        (at(Product((at(u, K), v)), K), None, "k runs over 4 and 3"),
        (Quotient(at(u, K), at(v, K)), None, "k runs over 3 and 4"),
    ],
)
def test_an_index_runs_over_axes_of_one_size(formula: Formula, part: Formula | None, message: str) -> None:
    with pytest.raises(Disagreeing, match=f"^{message}$") as caught:
        evaluate(formula, point())
    assert caught.value.formula == (part or formula)
    assert (caught.value.letter, len(caught.value.sizes)) == (message[0], 2)


def test_what_the_point_says_of_a_letter_is_held_against_its_use() -> None:
    with pytest.raises(Disagreeing, match="k runs over 4 and 3"):
        evaluate(at(v, K), point(letters={"k": 3}))
    with pytest.raises(Disagreeing, match="k runs over 4 and 5"):
        evaluate(at(v, K), point(), {"k": 4})


@pytest.mark.parametrize(
    ("formula", "letter"),
    [
        (h(Time("z")), "z"),
        (Sum("s", r, None, ONE, Time("z")), "z"),
        (Sum("k", r), "k"),
        (Derivative(GIVEN, u, Time("z")), "z"),
    ],
)
def test_a_letter_that_nothing_binds(formula: Formula, letter: str) -> None:
    with pytest.raises(Unbound) as caught:
        evaluate(formula, point())
    assert caught.value.letter == letter


def test_a_point_without_derivatives() -> None:
    bare = Point(SIZES, "row", lambda name, of, time: VALUES[name])
    with pytest.raises(Undefined) as caught:
        evaluate(Neg(Derivative(r, u)), bare)
    assert caught.value.formula == Derivative(r, u)


# Functions and complex steps.

# Where all of them are defined, where they are steep, and where a clumsy form overflows.
PLACES = np.array([0.3, 1.7, 40.0, 800.0])
SIGNED = np.concatenate([-PLACES, PLACES])
POSITIVE_ONLY = {"log", "sqrt"}


def test_every_function_is_computed() -> None:
    assert set(ELEMENTWISE) | set(OF_VECTORS) == set(FUNCTIONS)
    assert not set(ELEMENTWISE) & set(OF_VECTORS)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_the_prime_is_the_derivative(name: str) -> None:
    function, prime = ELEMENTWISE[name]
    places = PLACES if name in POSITIVE_ONLY else SIGNED[np.abs(SIGNED) < 700] if name == "exp" else SIGNED
    slopes = np.diag(complex_step(function, places))
    np.testing.assert_allclose(slopes, prime(places), rtol=1e-12, atol=1e-300)
    # And of the real function, by differences, where these are exact enough.
    moderate = places[np.abs(places) < 2]
    differences = (function(moderate + 1e-6) - function(moderate - 1e-6)) / 2e-6
    np.testing.assert_allclose(differences, prime(moderate), rtol=1e-8, atol=1e-9)


def test_the_functions_are_those_of_their_names() -> None:
    z = np.array([-1.7, -0.3, 0.3, 1.7])
    expected = {
        "sigmoid": sigmoid(z),
        "tanh": np.tanh(z),
        "relu": np.maximum(z, 0.0),
        "step": np.array([0.0, 0.0, 1.0, 1.0]),
        "softplus": np.log(1.0 + np.exp(z)),
        "exp": np.exp(z),
        "log": np.log(np.abs(z)),
        "sqrt": np.sqrt(np.abs(z)),
    }
    assert expected.keys() == ELEMENTWISE.keys()
    for name, (function, _) in ELEMENTWISE.items():
        found = function(np.abs(z) if name in POSITIVE_ONLY else z)
        np.testing.assert_allclose(found, expected[name], rtol=1e-14, err_msg=name)


def test_the_functions_have_no_blind_tails() -> None:
    far = np.array([-800.0, -40.0, 40.0, 800.0])
    np.testing.assert_allclose(ELEMENTWISE["sigmoid"][0](far[1:3]), [np.exp(-40.0), 1.0], rtol=1e-15)
    np.testing.assert_allclose(ELEMENTWISE["softplus"][0](far)[2:], far[2:], rtol=1e-15)
    logarithms = OF_VECTORS["log_softmax"](far[None, :], ROWS_AND_COLUMNS)
    np.testing.assert_allclose(logarithms, far[None, :] - 800.0, rtol=1e-15)


def by_complex_step(formula: Formula, name: str, layout: str) -> Array:
    def f(array: Array) -> Array:
        return evaluate(formula, point(layout, VALUES | {name: array})).array

    return complex_step(f, VALUES[name])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_formulas_are_analytic(layout: str) -> None:
    """Derivatives of formulas by complex steps, against the formulas of the derivatives."""
    loss = CrossEntropy(y, Apply("softmax", rows_times(u, A, layout)))
    error = Add((Apply("softmax", rows_times(u, A, layout)), Neg(y)))
    gradient = evaluate(outer(u, error, layout), point(layout)).array
    np.testing.assert_allclose(by_complex_step(loss, "A", layout), gradient, rtol=1e-10, atol=1e-13)
    # Axes of the result first, then those of what it is by: ∂v_k² / ∂v_l = 2 v_k δ_kl.
    square = at(Power(v, 2.0), K)
    np.testing.assert_allclose(
        by_complex_step(square, "v", layout), np.diag(2 * VALUES["v"]), rtol=1e-12, atol=0
    )
    for power in (-2.0, 0.5, 3.0):
        slope = evaluate(at(Product((Number(power), Power(p, power - 1))), K), point(layout)).array
        by_step = by_complex_step(at(Power(p, power), K), "p", layout)
        np.testing.assert_allclose(by_step, np.diag(slope), rtol=1e-10, atol=0)
    bilinear = total("ik", at(u, I), at(A, I, K), at(v, K))
    np.testing.assert_allclose(
        by_complex_step(bilinear, "A", layout), np.outer(VALUES["u"], VALUES["v"]), rtol=1e-12, atol=0
    )


def test_a_third_power_of_negative_numbers() -> None:
    by_step = by_complex_step(at(Power(v, 3.0), K), "v", "row")
    assert VALUES["v"].min() < 0
    np.testing.assert_allclose(by_step, np.diag(3 * VALUES["v"] ** 2), rtol=1e-10, atol=0)


def test_overflow_is_a_value_and_no_warning() -> None:
    assert evaluate(Apply("exp", Number(1000.0)), point()).array == np.inf
    assert np.isnan(evaluate(Apply("log", Number(-1.0)), point()).array)


def test_two_thousand_formulas_take_no_time() -> None:
    """Three sums in each other; far more than they take, so that a busy machine passes too."""
    formula = total("ikl", at(u, I), at(A, I, K), at(v, K), at(w, L))
    here = point()
    start = time.process_time()
    for _ in range(500):
        evaluate(formula, here)
    assert time.process_time() - start < 1.25
