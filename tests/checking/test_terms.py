"""A sum compared with the right one, term by term, on recursions of gated cells."""

from __future__ import annotations

import pytest

from bptt.checking.mend import compare_terms
from bptt.checking.pool import terms_of
from bptt.formula.tree import Add, Formula, Hadamard, Neg, Product, Symbol, Transpose, children
from checking.planting import Numbers, Right, right_formulas


def recursion(layout: str) -> Right:
    """∂J/∂h of the step before in a gated unit: four paths."""
    found = (f for f in right_formulas("gru", layout) if " h[t-1] " in f.name and f.notation == "matrix")
    return next(f for f in found if len(terms_of(f.formula)) == 4)


@pytest.fixture(params=["row", "column"])
def truth(request: pytest.FixtureRequest) -> Right:
    return recursion(request.param)


def without(formula: Formula, *numbers: int) -> Formula:
    return Add(tuple(term for k, term in enumerate(terms_of(formula)) if k not in numbers))


def test_equal_sums_agree_in_any_order(truth: Right) -> None:
    turned = Add(tuple(reversed(terms_of(truth.formula))))
    assert compare_terms(turned, truth.formula, Numbers(truth, 1).value).agrees


@pytest.mark.parametrize("k", range(4))
def test_a_path_that_is_missing(truth: Right, k: int) -> None:
    missing, extra, wrong = compare_terms(without(truth.formula, k), truth.formula, Numbers(truth, 1).value)
    assert missing == (terms_of(truth.formula)[k],)
    assert not extra and not wrong


def test_two_paths_that_are_missing(truth: Right) -> None:
    claimed = without(truth.formula, 0, 2)
    missing, extra, wrong = compare_terms(claimed, truth.formula, Numbers(truth, 1).value)
    assert set(missing) == {terms_of(truth.formula)[0], terms_of(truth.formula)[2]}
    assert not extra and not wrong


def test_a_term_that_is_too_much_is_the_object_of_the_claim(truth: Right) -> None:
    spare = Symbol("cn", truth.formula and _shape(truth))
    claimed = Add((*terms_of(truth.formula), spare))
    missing, extra, wrong = compare_terms(claimed, truth.formula, Numbers(truth, 1).value)
    assert extra[0] is spare and len(extra) == 1
    assert not missing and not wrong


def _shape(truth: Right) -> tuple:  # type: ignore[type-arg]
    vector = next(part for part in _symbols(truth.formula) if len(part.shape) == 1)
    return vector.shape


def _symbols(formula: Formula) -> list[Symbol]:
    inner = [symbol for part in children(formula) for symbol in _symbols(part)]
    return [*inner, formula] if isinstance(formula, Symbol) else inner


def test_a_wrong_term_is_shown_with_the_one_that_was_meant(truth: Right) -> None:
    terms = terms_of(truth.formula)
    product = next(k for k, term in enumerate(terms) if isinstance(term, Product))
    assert isinstance(terms[product], Product)
    factors = children(terms[product])
    plain = tuple(f.operand if isinstance(f, Transpose) else f for f in factors)
    slip = Product(plain)
    claimed = Add((*terms[:product], slip, *terms[product + 1 :]))
    missing, extra, wrong = compare_terms(claimed, truth.formula, Numbers(truth, 1).value)
    assert wrong == ((slip, terms[product]),)
    assert wrong[0][0] is slip
    assert not missing and not extra


def test_a_wrong_sign_is_a_wrong_term(truth: Right) -> None:
    terms = terms_of(truth.formula)
    claimed = Add((*terms[:-1], Neg(terms[-1])))
    missing, extra, wrong = compare_terms(claimed, truth.formula, Numbers(truth, 1).value)
    assert wrong == ((Neg(terms[-1]), terms[-1]),) and not missing and not extra


def test_a_wrong_and_a_missing_term_at_once(truth: Right) -> None:
    terms = terms_of(truth.formula)
    last = terms[-1]
    assert isinstance(last, Hadamard)
    slip = Hadamard((*last.factors, last.factors[-1]))
    claimed = Add((*terms[1:-1], slip))
    missing, extra, wrong = compare_terms(claimed, truth.formula, Numbers(truth, 1).value)
    assert missing == (terms[0],) and wrong == ((slip, last),) and not extra


def test_brackets_are_multiplied_out_only_where_that_explains(truth: Right) -> None:
    """(δ + ε) z for δ z + ε z, with one of the two paths lost in the bracket."""
    n = _shape(truth)
    a, b, c, z = (Symbol(name, n) for name in "abcz")
    right = Add((Hadamard((a, z)), Hadamard((b, z)), c))
    numbers = Numbers(Right("", right, truth.layout, "matrix", truth.sizes), 1)
    assert compare_terms(Add((Hadamard((Add((a, b)), z)), c)), right, numbers.value).agrees
    claimed = Add((Hadamard((Add((a, Product((c, Transpose(c), a)))), z)), c))
    missing, extra, wrong = compare_terms(claimed, right, numbers.value)
    assert Hadamard((b, z)) in missing and not (extra and wrong)


def test_a_term_that_means_nothing_equals_nothing(truth: Right) -> None:
    terms = terms_of(truth.formula)
    product = next(k for k, term in enumerate(terms) if isinstance(term, Product))
    turned = Product(tuple(reversed(children(terms[product]))))
    claimed = Add((*terms[:product], turned, *terms[product + 1 :]))
    result = compare_terms(claimed, truth.formula, Numbers(truth, 1).value)
    assert result.wrong == ((turned, terms[product]),)


def test_many_terms_and_brackets_take_no_time(truth: Right) -> None:
    n = _shape(truth)
    names = [Symbol(f"v{k}", n) for k in range(40)]
    right = Add(tuple(names))
    numbers = Numbers(Right("", right, truth.layout, "matrix", truth.sizes), 1)
    pairs = tuple(Add((a, Hadamard((b, b)))) for a, b in zip(names[::2], names[1::2], strict=True))
    result = compare_terms(Hadamard(pairs), right, numbers.value)
    assert len(result.missing) == 40 and len(result.extra) == 1
