"""The proof notices faults: formulas that hold, with one thing changed in each, are refused."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from bptt.formula.tree import Derivative, Diag, Formula, Indexed, Symbol, children
from bptt.render.unicode import show
from cells import MODELS
from derivation.claims import ZERO, claims_of_model
from derivation.mutations import KINDS, mutants
from derivation.test_proof import OTHERS, SETTINGS, SHIPPED

ENOUGH = 0.97
AT_MOST = 4  # kinds of fault in one formula


# A gate passes its state on element by element: such Jacobians are diagonal, so they commute.
OF_DIAGONALS = (
    "factors in the other order",
    "steps in the other order",
    "an elementwise product for a matrix one",
)


def has_diagonals(formula: Formula) -> bool:
    match formula:
        case Diag() | Derivative(Symbol(shape=(_,)), Symbol(shape=(_,))):
            return True
    return any(map(has_diagonals, children(formula)))


def has_elements_by_elements(formula: Formula) -> bool:
    """∂v_k/∂w_i may be 𝟙[k=i], and is the same at every step where the equation is linear in w."""
    match formula:
        case Derivative(Indexed(), Indexed()):
            return True
    return any(map(has_elements_by_elements, children(formula)))


def tried(name: str, setting: tuple[str, str, bool]) -> tuple[Counter[str], list[tuple[str, Formula, str]]]:
    """Faults by kind, some for every different formula, and those that were not noticed."""
    claims = claims_of_model(name, *setting)
    proof = claims.proof(1)
    rng = np.random.default_rng(8)
    symbols = set(claims.board.symbols.values())
    made: Counter[str] = Counter()
    missed = []
    seen: set[Formula] = set()
    for claim in claims.claims:
        if claim.right in seen:
            continue
        seen.add(claim.right)
        faulty: dict[str, list[Formula]] = {}
        for kind, formula in mutants(claim.right, setting[0], symbols):
            if formula != claim.right:
                faulty.setdefault(kind, []).append(formula)
        for kind in map(str, rng.permutation(sorted(faulty))[:AT_MOST]):
            formulas = faulty[kind]
            formula = formulas[rng.integers(len(formulas))]
            made[kind] += 1
            if proof.fault(replace(claim, right=formula)) in ("", ZERO):
                told = f"{kind}: {show(claim.left)} = {show(claim.right)} as {show(formula)}"
                missed.append((kind, claim.right, told))
    return made, missed


def check(name: str, setting: tuple[str, str, bool]) -> Counter[str]:
    made, missed = tried(name, setting)
    told = "\n".join(text for *_, text in missed)
    assert len(missed) <= (1 - ENOUGH) * made.total(), told
    for kind, formula, text in missed:
        same = kind in ("another index", "another step") and has_elements_by_elements(formula)
        assert same or (kind in OF_DIAGONALS and has_diagonals(formula)), text
    return made


@pytest.mark.parametrize("number", range(len(SHIPPED)))
def test_faults_are_noticed(number: int) -> None:
    made = check(SHIPPED[number], SETTINGS[number % 2])
    assert made.total() > 100


@pytest.mark.parametrize("number", [1, 2])
def test_faults_are_noticed_in_a_batch(number: int) -> None:
    check(SHIPPED[number], SETTINGS[1 + number])


@pytest.mark.slow
@pytest.mark.parametrize("setting", OTHERS[:1])
@pytest.mark.parametrize("name", SHIPPED)
def test_faults_are_noticed_in_every_setting(name: str, setting: tuple[str, str, bool]) -> None:
    check(name, setting)


def test_every_kind_of_fault_is_tried() -> None:
    made = sum((tried(name, SETTINGS[0])[0] for name in ("elman", "gru")), Counter())
    assert set(made) == set(KINDS)
    assert MODELS["elman"].layout == "row"
