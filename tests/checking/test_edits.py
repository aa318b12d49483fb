"""Every slip has its undoing among the edits, with its kind, its words and its place."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from bptt.checking.changes import RULES
from bptt.checking.edits import Edit, edits, pool_of
from bptt.checking.fitting import Fitting
from bptt.checking.mend import TELLING
from bptt.checking.pool import Pool, negated, parts_of
from bptt.checking.report import KINDS
from bptt.checking.scene import Place, Scene, places, put
from bptt.formula.tree import (
    BEFORE,
    NOW,
    Add,
    Apply,
    Derivative,
    Diag,
    Formula,
    Hadamard,
    Index,
    Indexed,
    Kronecker,
    Neg,
    Number,
    Power,
    Product,
    Sum,
    Symbol,
    Time,
    TimeProduct,
    Transpose,
    children,
)
from bptt.ir.dims import Dim
from checking.planting import right_formulas

D, V, E = Dim.named("h"), Dim.named("V"), Dim.named("e")
U, H, C = Symbol("U", (D, V)), Symbol("H", (D, D)), Symbol("C", (D, D))
h, k, e = Symbol("h", (D,), NOW), Symbol("k", (D,), NOW), Symbol("e", (E,), NOW)
theta, d = Symbol("theta", (D,), NOW), Symbol("d", (V,), NOW)
b1, b2 = Symbol("b1", (D,)), Symbol("b2", (D,))
ONE = Number(1.0)
LAST = Time("T")


def at(symbol: Symbol, letters: str) -> Indexed:
    return Indexed(symbol, tuple(map(Index, letters)))


def slope(of: Formula, prime: bool = True) -> Apply:
    return Apply("sigmoid", of, prime)


def matrices(falling: bool) -> TimeProduct:
    first, last = (LAST, NOW) if falling else (NOW, LAST)
    return TimeProduct("s", first, last, Product((H, Diag(h))), falling)


JACOBIAN = Product((Diag(h), H))
SLIPS: dict[str, tuple[Formula, Formula, str, str]] = {
    # What was written, what was meant, the kind, and what is said.
    "sign of a term": (Add((h, k)), Add((h, Neg(k))), "sign", "the sign of k"),
    "sign of a number": (Add((ONE, Neg(h))), Add((Neg(ONE), Neg(h))), "sign", "the sign of 1"),
    "sign of all": (Product((h, H)), Neg(Product((h, H))), "sign", "the other way round"),
    "transpose missing": (Product((d, U)), Product((d, Transpose(U))), "transpose", "U should be transposed"),
    "transpose too much": (Product((h, Transpose(H))), Product((h, H)), "transpose", "H should not be"),
    "neighbours": (Product((h, H, C)), Product((h, C, H)), "order", "C should stand before H"),
    "moved": (Product((h, H, C, U)), Product((h, C, U, H)), "order", "H should stand after U"),
    "change places": (Product((h, H, C, U)), Product((U, H, C, h)), "order", "h and U should change places"),
    "permuted": (Product((h, H, C, U)), Product((H, U, h, C)), "order", "the order should be H U h C"),
    "∘ for a product": (Hadamard((h, H)), Product((h, H)), "shape", "a matrix product"),
    "product for ∘": (Product((h, k)), Hadamard((h, k)), "shape", "should stand ∘"),
    "neighbours beside a number": (
        Product((Number(2.0), H, h, C)), Product((Number(2.0), h, H, C)), "order", "h should stand before H"
    ),
    "several products for ∘": (
        Product((d, Transpose(U), h, k, H)),
        Product((Hadamard((Product((d, Transpose(U))), h, k)), H)), "shape",
        "∘ should stand in d Uᵀ ∘ h ∘ k",
    ),
    "bracket": (
        Hadamard((Product((h, d, H)), k)), Product((h, Hadamard((Product((d, H)), k)))), "order",
        "k should multiply d H",
    ),
    "no diag": (Product((d, h, H)), Product((d, Diag(h), H)), "shape", "diagonal"),
    "diag": (Product((d, Diag(h), H)), Product((d, h, H)), "shape", "no diagonal"),
    "index": (
        Product((slope(at(theta, "k")), at(U, "jk"))), Product((slope(at(theta, "j")), at(U, "jk"))), "index",
        "the index k of θₖ should be j",
    ),
    "index of a delta": (
        Product((Kronecker(Index("i"), Index("k")), at(H, "ij"))),
        Product((Kronecker(Index("i"), Index("j")), at(H, "ij"))), "index", "the index k of",
    ),
    "index of a whole factor": (
        Product((Add((at(h, "i"), Neg(at(k, "i")))), at(H, "ij"))),
        Product((Add((at(h, "j"), Neg(at(k, "j")))), at(H, "ij"))), "index",
        "the index i of hᵢ − kᵢ should be j",
    ),
    "indices swapped": (at(H, "ij"), at(H, "ji"), "index", "Hᵢⱼ should be Hⱼᵢ"),
    "letters exchanged": (
        Product((at(H, "ij"), at(h, "i"), at(k, "j"))),
        Product((at(H, "ji"), at(h, "j"), at(k, "i"))), "index", "i and j should change places",
    ),
    "letter of a sum": (Sum("i", at(H, "ij")), Sum("j", at(H, "ij")), "index", "over j and not over i"),
    "stray index": (
        Product((at(h, "k"), H)), Product((h, H)), "typo", "the index k does not belong at h"
    ),
    "index missing": (
        Product((h, at(H, "ij"))), Product((at(h, "i"), at(H, "ij"))), "index", "the index i is missing"
    ),
    "step": (Product((h, H)), Product((Symbol("h", (D,), BEFORE), H)), "index", "h should be h[t-1]"),
    "step of a factor": (
        Product((Hadamard((h, Add((ONE, Neg(h))))), H)),
        Product((Hadamard((
            Symbol("h", (D,), BEFORE), Add((ONE, Neg(Symbol("h", (D,), BEFORE)))),
        )), H)), "index", "h ∘ (1 − h) should be",
    ),
    "step of a derivative": (
        Derivative(Symbol("J", (), NOW), H, NOW), Derivative(Symbol("J", (), NOW), H, BEFORE), "index",
        "should be",
    ),
    "bound of a sum": (
        Sum("t", h, None, Time("", 1), LAST), Sum("t", h, None, Time("", 2), LAST), "index", "should be",
    ),
    "direction of steps": (matrices(False), matrices(True), "order", "other order"),
    "prime": (slope(theta, False), slope(theta), "typo", "σ(θ) should be σ′(θ)"),
    "square": (
        Add((ONE, Neg(h))), Add((ONE, Neg(Hadamard((h, h))))), "missing-factor", "h should be squared"
    ),
    "no square": (
        Add((ONE, Neg(Power(at(h, "i"), 2.0)))), Add((ONE, Neg(at(h, "i")))), "extra", "exponent"
    ),
    "other slope": (
        Hadamard((d, h, Add((ONE, Neg(h))))), Hadamard((d, Add((ONE, Neg(Hadamard((h, h))))))),
        "missing-factor", "h ∘ (1 − h) should be 1 − h ∘ h",
    ),
    "complement": (Hadamard((h, k)), Hadamard((h, Add((ONE, Neg(k))))), "missing-term", "k should be 1 − k"),
    "factor too much": (Product((h, H, H)), Product((h, H)), "extra", "the factor H is too much"),
    "term too much": (Add((h, k, b1)), Add((h, k)), "extra", "the term b₁ is too much"),
    "sum too much": (Sum("j", at(h, "i")), at(h, "i"), "extra", "the sum over j"),
    "sum missing": (
        Product((at(H, "ij"), at(h, "j"))), Sum("j", Product((at(H, "ij"), at(h, "j")))), "missing-sum",
        "the sum over j is missing",
    ),
    "sum over times missing": (
        Hadamard((h, k)), Sum("t", Hadamard((h, k)), None, Time("", 1), LAST), "missing-sum",
        "the sum over t",
    ),
    "factor missing": (h, Product((h, H)), "missing-factor", "the factor H is missing"),
    "elementwise factor missing": (
        Product((Transpose(h), k)), Product((Transpose(Hadamard((h, b1))), k)), "missing-factor",
        "b₁ is missing",
    ),
    "factor of an element missing": (
        Product((at(h, "i"), at(k, "j"))), Product((at(h, "i"), at(k, "j"), at(H, "ij"))), "missing-factor",
        "the factor Hᵢⱼ is missing",
    ),
    "term missing": (Add((h, k)), Add((h, k, Product((h, H)))), "missing-term", "the term h H is missing"),
    "other name": (Add((h, b1)), Add((h, b2)), "typo", "b₁ should be b₂"),
    "other factor": (
        Product((h, C)), Product((h, Transpose(H))), "missing-factor", "C should be Hᵀ"
    ),
}  # fmt: skip


def first(wrong: Formula, meant: Formula, pool: Pool | None = None) -> Edit | None:
    found = edits(wrong, pool or pool_of(meant), "row")
    return next((edit for edit in found if edit.formula == meant), None)


@pytest.mark.parametrize("name", SLIPS)
def test_each_slip_is_undone(name: str) -> None:
    wrong, meant, kind, words = SLIPS[name]
    # What is in the pool may be written as something else altogether.
    pool = pool_of(Add((meant, Product((b1, H))))) if name == "term missing" else pool_of(meant)
    edit = first(wrong, meant, pool)
    assert edit is not None
    assert edit.kind == kind
    assert words in edit.words


def test_every_rule_undoes_something() -> None:
    scenes = [(wrong, Scene(wrong, pool_of(meant), Fitting("row"))) for wrong, meant, _, _ in SLIPS.values()]
    vectors = Indexed(Symbol("U", (D, D)), (Index("w"),), along=0, called="u")
    scenes.append((Symbol("u_o", (D,)), Scene(Symbol("u_o", (D,)), Pool(factors=(vectors,)), Fitting("row"))))
    for _, rule in RULES:
        assert any(list(rule(place, scene)) for wrong, scene in scenes for place in places(wrong)), (
            rule.__name__
        )


def test_kinds_are_those_of_the_report() -> None:
    assert set(TELLING) == set(KINDS)
    for wrong, meant, kind, _ in SLIPS.values():
        assert kind in KINDS
        assert {edit.kind for edit in edits(wrong, pool_of(meant), "row")} <= set(KINDS)


def test_the_cheapest_come_first() -> None:
    for right in right_formulas("gru", "row")[::9]:
        costs = [edit.cost for edit in edits(right.formula, pool_of(right.formula), "row")]
        assert costs == sorted(costs)


def test_a_place_is_an_object_of_the_formula() -> None:
    for layout in ("row", "column"):
        for right in right_formulas("elman", layout)[::3]:
            own = {id(part) for part in parts_of(right.formula)}
            for edit in edits(right.formula, pool_of(right.formula), layout):
                assert id(edit.place) in own, edit.words


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("neighbours", Product((h, H, C))),
        ("transpose missing", U),
        ("index", at(theta, "k")),
        ("stray index", at(h, "k")),
        ("factor too much", H),
        ("term too much", b1),
        ("sign of a term", k),
        ("prime", slope(theta, False)),
    ],
)
def test_the_place_is_the_part_at_fault(name: str, place: Formula) -> None:
    wrong, meant, _, _ = SLIPS[name]
    edit = first(wrong, meant)
    assert edit is not None and edit.place == place


def test_nothing_is_put_where_it_does_not_fit() -> None:
    """With a layout, no factor beside which nothing fits; without one, anything goes."""
    pool = pool_of(Product((e, Symbol("I", (E, D)))))
    fitting = [x for x in edits(Product((d, Transpose(U))), pool, "row") if x.kind == "missing-factor"]
    anything = [x for x in edits(Product((d, Transpose(U))), pool) if x.kind == "missing-factor"]
    assert len(fitting) < len(anything)


def test_names_are_left_alone() -> None:
    """What is differentiated, and whose element is taken, is a symbol or an element in every edit."""
    derivative = Derivative(Symbol("J", (), NOW), h)
    right = Sum("i", Product((at(H, "ij"), at(h, "i"), Hadamard((h, Add((ONE, Neg(h))))), H)))
    for wrong in (
        Product((derivative, H)),
        Sum("i", Product((at(H, "ij"), Derivative(derivative.top, at(h, "i"))))),
    ):
        for edit in edits(wrong, pool_of(right), "row"):
            for part in parts_of(edit.formula):
                if isinstance(part, Derivative):
                    assert all(isinstance(child, Symbol | Indexed) for child in children(part)), edit.words


def test_brackets_of_products_in_products_are_not_kept() -> None:
    wrong = Product((h, Hadamard((H, C)), U))
    place = Place(wrong.factors[1], wrong, (1,))
    assert put(wrong, place.path, Product((H, C))) == Product((h, H, C, U))


@pytest.mark.parametrize(
    ("formula", "turned"),
    [
        (Neg(h), h),
        (h, Neg(h)),
        (Add((h, Neg(k))), Add((k, Neg(h)))),
        (Product((Add((h, Neg(k))), H)), Product((Add((k, Neg(h))), H))),
        (Hadamard((d, Add((ONE, Neg(h))))), Neg(Hadamard((d, Add((ONE, Neg(h))))))),
        (Sum("i", Neg(at(h, "i"))), Sum("i", at(h, "i"))),
        (Neg(Add((h, Neg(k)))), Add((h, Neg(k)))),
    ],
)
def test_a_negative_has_as_few_signs_as_may_be(formula: Formula, turned: Formula) -> None:
    assert negated(formula) == turned


def test_a_pool_is_joined_without_repeating() -> None:
    one, other = pool_of(Product((h, H))), pool_of(Product((h, C)))
    joined = one + other
    assert joined.factors.count(h) == 1
    assert {H, C} <= set(joined.factors)
    assert one + one == one


SHOWN = """
import sys
sys.path.insert(0, {tests!r})
from bptt.checking.edits import edits, pool_of
from checking.planting import right_formulas
for right in right_formulas("elman", "row")[::8]:
    for edit in edits(right.formula, pool_of(right.formula), "row"):
        print(edit.cost, edit.kind, edit.words)
"""


def test_the_order_is_the_same_in_every_process() -> None:
    tests = os.path.dirname(os.path.dirname(__file__))
    runs = []
    for seed in ("1", "2"):
        settings = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", SHOWN.format(tests=tests)]
        runs.append(subprocess.run(command, env=settings, capture_output=True, check=True).stdout)
    assert runs[0] == runs[1] and len(runs[0]) > 1000
