"""The tree of formulas: parts and rebuilding for every class, and what changing the time does to it."""

from dataclasses import replace
from typing import get_args

import pytest

from bptt.formula import tree
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
    at_time,
    children,
    rebuild,
    shift_time,
    transform,
)
from bptt.ir.dims import ZERO, Dim

N, V = Dim.named("n"), Dim.named("V")
T, BEFORE, ONE = Time("t"), Time("t", -1), Time("", 1)


def vector(name: str, time: Time | None = T) -> Symbol:
    return Symbol(name, (N,), time)


A, B, C, D = (vector(name) for name in "abcd")
X = Symbol("x", (V,), T)
# One of every class, with its parts in the order of writing.
SAMPLES: list[tuple[Formula, tuple[Formula, ...]]] = [
    (Number(2.0), ()),
    (Size(N), ()),
    (A, ()),
    (Indexed(A, (Index("k"),)), (A,)),
    (TokenPart(Symbol("L", (V, N)), X), (Symbol("L", (V, N)), X)),
    (Add((A, B, C)), (A, B, C)),
    (Neg(A), (A,)),
    (Product((A, B, C)), (A, B, C)),
    (Hadamard((A, B)), (A, B)),
    (Quotient(A, B), (A, B)),
    (Power(A, 3.0), (A,)),
    (Transpose(A), (A,)),
    (Diag(A), (A,)),
    (Apply("tanh", A, True), (A,)),
    (CrossEntropy(A, B), (A, B)),
    (Sum("k", A, N), (A,)),
    (Sum("s", A, None, ONE, T), (A,)),
    (TimeProduct("s", T, ONE, A, True), (A,)),
    (Kronecker(Index("i"), Index("j")), ()),
    (Ones((N,)), ()),
    (Zeros((N,)), ()),
    (Identity(N), ()),
    (Concatenation((A, B)), (A, B)),
    (Part(A, ZERO, N), (A,)),
    (Blocks(((A, B), (C, D))), (A, B, C, D)),
    (Grid(((1.0, 2.0),)), ()),
    (Derivative(A, B, BEFORE), (A, B)),
]
IDS = [type(sample).__name__ for sample, _ in SAMPLES]


def test_every_class_has_a_sample() -> None:
    assert {type(sample) for sample, _ in SAMPLES} == set(get_args(Formula))


@pytest.mark.parametrize(("sample", "parts"), SAMPLES, ids=IDS)
def test_parts_come_in_the_order_of_writing(sample: Formula, parts: tuple[Formula, ...]) -> None:
    assert children(sample) == parts


@pytest.mark.parametrize(("sample", "parts"), SAMPLES, ids=IDS)
def test_rebuilding_with_other_parts_and_back(sample: Formula, parts: tuple[Formula, ...]) -> None:
    others = tuple(replace(part, name=part.name + "2") for part in parts if isinstance(part, Symbol))
    assert len(others) == len(parts)
    built = rebuild(sample, others)
    assert children(built) == others
    assert (built == sample) == (not parts)
    assert rebuild(built, parts) == sample


@pytest.mark.parametrize(("sample", "parts"), SAMPLES, ids=IDS)
def test_transform_reaches_all_parts_from_the_inside_out(sample: Formula, parts: tuple[Formula, ...]) -> None:
    seen: list[Formula] = []

    def note(part: Formula) -> Formula:
        seen.append(part)
        return part

    assert transform(sample, note) is sample
    assert seen == [*parts, sample]


def test_transform_gives_the_changed_parts_to_what_holds_them() -> None:
    def change(part: Formula) -> Formula:
        if part == A:
            return B
        return Number(1.0) if part == Neg(B) else part

    assert transform(Add((Neg(A), C)), change) == Add((Number(1.0), C))


@pytest.mark.parametrize(("sample", "parts"), SAMPLES, ids=IDS)
def test_a_shift_and_its_opposite(sample: Formula, parts: tuple[Formula, ...]) -> None:
    shifted = shift_time(sample, 2)
    assert shift_time(shifted, -2) == sample
    assert (shifted != sample) == (bool(parts) or sample == A)
    assert children(shifted) == tuple(shift_time(part, 2) for part in parts)
    assert shift_time(sample, 2, "T") == sample
    assert at_time(at_time(sample, Time("T", 1)), Time("t", -1), "T") == sample


S = Time("s")


@pytest.mark.parametrize(
    ("given", "shifted"),
    [
        (Symbol("W", (N, N)), Symbol("W", (N, N))),
        (vector("h", BEFORE), vector("h", Time("t", 1))),
        (vector("h", S), vector("h", S)),
        (Derivative(A, B, BEFORE), Derivative(shift_time(A, 2), shift_time(B, 2), Time("t", 1))),
        (Sum("s", vector("h", S), None, ONE, T), Sum("s", vector("h", S), None, ONE, Time("t", 2))),
        (
            TimeProduct("s", T, Time("k", 1), Add((vector("h", S), A)), True),
            TimeProduct("s", Time("t", 2), Time("k", 1), Add((vector("h", S), shift_time(A, 2))), True),
        ),
        (Sum("s", A, None, T, Time("T")), Sum("s", shift_time(A, 2), None, Time("t", 2), Time("T"))),
        # A sum over t is about its own t; a sum over the axis t is not about times.
        (Sum("t", A, None, ONE, Time("T")), Sum("t", A, None, ONE, Time("T"))),
        (Sum("t", A, N), Sum("t", shift_time(A, 2), N)),
    ],
)
def test_what_a_shift_of_two_steps_moves(given: Formula, shifted: Formula) -> None:
    assert shift_time(given, 2) == shifted


def test_at_time_counts_from_another_time() -> None:
    flow = Derivative(vector("J"), vector("h", BEFORE), BEFORE)
    assert at_time(flow, Time("", 3)) == Derivative(
        vector("J", Time("", 3)), vector("h", Time("", 2)), Time("", 2)
    )
    assert at_time(vector("h", BEFORE), Time("T")) == vector("h", Time("T", -1))


def test_a_time_is_not_caught_by_a_sum_over_its_letter() -> None:
    inside = Sum("s", Add((vector("h", S), A)), None, ONE, Time("T"))
    with pytest.raises(ValueError, match="s is bound where t stands"):
        at_time(inside, S)
    assert at_time(replace(inside, body=vector("h", S)), S) == replace(inside, body=vector("h", S))


def test_functions_are_named_once() -> None:
    assert len(set(tree.FUNCTIONS)) == len(tree.FUNCTIONS)
