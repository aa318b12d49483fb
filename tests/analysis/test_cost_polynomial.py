"""Polynomials in sizes: arithmetic, order, and how they are written."""

from hypothesis import given
from hypothesis import strategies as st

from bptt.analysis.polynomial import Polynomial
from bptt.ir.dims import Dim

SIZES = {"V": 11, "e": 5, "h": 3}
monomials = st.lists(st.sampled_from("Veh"), max_size=4).map(lambda names: tuple(sorted(names)))
polynomials = st.dictionaries(monomials, st.integers(-3, 9), max_size=5).map(Polynomial)
V, e, h = (Polynomial.size(Dim.named(name)) for name in SIZES)


@given(polynomials, polynomials)
def test_arithmetic_is_that_of_the_values(a: Polynomial, b: Polynomial) -> None:
    assert (a + b).evaluate(SIZES) == a.evaluate(SIZES) + b.evaluate(SIZES)
    assert (a - b).evaluate(SIZES) == a.evaluate(SIZES) - b.evaluate(SIZES)
    assert (a * b).evaluate(SIZES) == a.evaluate(SIZES) * b.evaluate(SIZES)
    assert a * b == b * a and hash(a * b) == hash(b * a)


@given(polynomials)
def test_what_is_written_is_what_it_is(a: Polynomial) -> None:
    assert eval(a.in_python(), {}, SIZES) == a.evaluate(SIZES)
    assert len(str(a).split()) == len(a.in_python().split())


@given(polynomials, st.sampled_from("Veh"), st.integers(1, 50))
def test_as_a_function_of_one_size(a: Polynomial, name: str, value: int) -> None:
    coefficients = a.in_one(name, SIZES)
    assert sum(c * value**power for power, c in enumerate(coefficients)) == a.evaluate(SIZES | {name: value})


@given(polynomials)
def test_leading_terms_bound_the_others_and_none_of_them_another(a: Polynomial) -> None:
    leading = a.leading()
    positive = [Polynomial({m: 1}) for m, factor in a.terms() if factor > 0]
    for term in positive:
        # A multiple of a term is at least as large wherever sizes are 1 or more.
        assert any(
            all(top.evaluate(sizes) >= term.evaluate(sizes) for sizes in _corners())
            for top in (Polynomial({m: 1}) for m, _ in leading.terms())
        )
    for m, _ in leading.terms():
        for n, _ in leading.terms():
            larger = [Polynomial({m: 1}).evaluate(s) > Polynomial({n: 1}).evaluate(s) for s in _corners()]
            assert m == n or any(larger), "one of two leading terms is never the larger"


def _corners() -> list[dict[str, int]]:
    return [{"V": a, "e": b, "h": c} for a in (1, 1000) for b in (1, 1000) for c in (1, 1000)]


def test_notation() -> None:
    work = 2 * V * h + 3 * h * h * h - e + 1
    assert str(work) == "3·h³ + 2·V·h - e + 1"
    assert work.in_python() == "3*h**3 + 2*V*h - e + 1"
    assert work.order() == "O(h³ + V·h)" and work.order_in_python() == "O(h**3 + V*h)"
    assert str(Polynomial()) == "0" and Polynomial.number(7).order() == "O(1)"


def test_elements_of_sums_of_sizes() -> None:
    shape = (Dim.named("e") + Dim.named("h"), Dim.named("h") + Dim.number(2))
    assert str(Polynomial.elements(shape)) == "e·h + h² + 2·e + 2·h"
    assert Polynomial.elements(()) == Polynomial.number(1)
