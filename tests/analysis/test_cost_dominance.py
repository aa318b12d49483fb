"""What is said to be the largest is the largest, everywhere that it is said of."""

import random
from itertools import pairwise
from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bptt.analysis.cost import Cost, cost
from bptt.analysis.dominance import cancelled, largest_term, majority, positive
from bptt.analysis.polynomial import Polynomial
from cells import MODELS, model_of
from models_strategy import RandomModel, random_models

SIZES = {"V": 10_000, "h": 128, "e": 64}


def values_to_try(ranges: tuple) -> list[int]:
    """Small numbers, and both sides of whatever change is reported."""
    near = [start + step for start, _ in ranges for step in (-2, -1, 0, 1, 2)]
    far = [10**power for power in range(3, 8)]
    return sorted({n for n in (*range(1, 300), *near, *far) if n >= 1})


def at(ranges: tuple, value: int) -> object:
    return [found for start, found in ranges if start <= value][-1]


def value_of(total: Polynomial, monomial: tuple, sizes: dict[str, int]) -> int:
    return total.factor(monomial) * prod(sizes[name] for name in monomial)


def verify_dominance(counted: Cost, sizes: dict[str, int]) -> None:
    total = counted.operations
    term = largest_term(total, sizes)
    assert term is not None
    assert value_of(total, term.monomial, sizes) == max(value_of(total, m, sizes) for m, _ in total.terms())
    for size, ranges in term.ranges.items():
        for value in values_to_try(ranges):
            here = sizes | {size: value}
            largest = max(value_of(total, m, here) for m, _ in total.terms())
            assert value_of(total, at(ranges, value), here) == largest, (size, value)
    parts = {part.name: part.work.operations for part in counted.forward}
    for name in parts:
        m = majority(parts, name, sizes)
        for size, ranges in m.ranges.items():
            for value in values_to_try(ranges):
                here = sizes | {size: value}
                rest = sum(p.evaluate(here) for other, p in parts.items() if other != name)
                assert at(ranges, value) == (parts[name].evaluate(here) > rest), (name, size, value)


@pytest.mark.parametrize("name", MODELS)
def test_largest_term_and_majority_by_brute_force(name: str) -> None:
    counted = cost(MODELS[name])
    if not counted.operations.leading():
        return
    verify_dominance(counted, {size: SIZES.get(size, 96 + n) for n, size in enumerate(counted.sizes)})


@settings(max_examples=15)
@given(random_models(max_states=1))
def test_dominance_in_random_models(model: RandomModel) -> None:
    counted = cost(model_of(model.row))
    verify_dominance(counted, {name: model.sizes.get(name, 4) for name in counted.sizes})


@pytest.mark.parametrize("name", MODELS)
def test_conditions_hold_just_where_they_should(name: str) -> None:
    counted, rng = cost(MODELS[name]), random.Random(0)
    parts = {part.name: part.work.operations for part in counted.forward}
    for _ in range(50):
        sizes = {size: int(10 ** rng.uniform(0.5, 5)) for size in counted.sizes}
        term = largest_term(counted.operations, sizes)
        leading = counted.operations.leading()
        if term is not None and leading.factor(term.monomial):
            own = value_of(leading, term.monomial, sizes)
            others = [value_of(leading, m, sizes) for m, _ in leading.terms() if m != term.monomial]
            assert all(c.holds(sizes) for c in term.conditions) == all(own > other for other in others)
        for part in parts:
            m = majority(parts, part, sizes)
            rest = sum((p for other, p in parts.items() if other != part), Polynomial())
            ahead = parts[part].leading().evaluate(sizes) > rest.leading().evaluate(sizes)
            if m.condition is not None:
                assert m.condition.holds(sizes) == ahead
            else:
                assert not ahead or not rest.leading()


def test_elman_says_when_the_output_dominates() -> None:
    counted = cost(MODELS["elman"])
    term = largest_term(counted.operations, SIZES)
    assert term is not None and term.monomial == ("V", "h")
    assert sorted(map(str, term.conditions)) == ["V > e", "V > h"]
    assert term.ranges["h"] == ((1, ("V",)), (2, ("V", "h")), (10_001, ("h", "h")))
    assert term.ranges["V"] == ((1, ("h", "h")), (129, ("V", "h")))
    parts = {part.name: part.work.operations for part in counted.forward}
    output = majority(parts, "yhat", SIZES)
    assert str(output.condition) == "V > e + h"
    # 2·V·h + 4·V > 2·e·h + 2·h² + 3·h + 4, exactly.
    assert output.ranges["V"] == ((1, False), (191, True))
    hidden = majority(parts, "h", SIZES)
    assert str(hidden.condition) == "e + h > V"


def test_gates_are_counted_in_the_condition() -> None:
    for name, gates in (("gru", 3), ("lstm", 4)):
        parts = {part.name: part.work.operations for part in cost(MODELS[name]).forward}
        assert str(majority(parts, "yhat", SIZES).condition) == f"V > {gates}·e + {gates}·h"
        # Where all sizes are large, what takes h operations is nothing beside what takes h².
        assert majority(parts, "h", SIZES).condition is None
        assert majority(parts, "J", SIZES).condition is None
        # No gate ever costs more than the others together.
        assert majority(parts, next(p for p in parts if p not in ("e", "yhat")), SIZES).condition is None


def test_a_condition_is_divided_by_what_both_sides_have() -> None:
    a, b = Polynomial({("V", "h"): 6}), Polynomial({("e", "h"): 4, ("h", "h"): 2, ("h",): 8})
    assert str(cancelled(a, b)) == "3·V > 2·e + h + 4"
    assert str(cancelled(a + b, b * 2)) == "3·V > 2·e + h + 4"
    assert cancelled(a, b).in_python() == "3*V > 2*e + h + 4"


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=5))
def test_where_a_polynomial_is_positive(coefficients: list[int]) -> None:
    ranges = positive(coefficients)
    assert all(a[1] != b[1] for a, b in pairwise(ranges))
    for n in (*range(1, 60), 10**6):
        assert at(ranges, n) == (sum(c * n**power for power, c in enumerate(coefficients)) > 0)


def test_changes_are_exact_however_far_away() -> None:
    assert positive([-(10**40), 0, 1]) == ((1, False), (10**20 + 1, True))
    term = largest_term(cost(MODELS["elman"]).operations, SIZES | {"h": 10**30})
    assert term is not None and term.ranges["V"] == ((1, ("h", "h")), (10**30 + 1, ("V", "h")))
