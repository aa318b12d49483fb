"""The proof for random cells, in both layouts, for one example and for a batch."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bptt.derivation.board import OBJECTIVES, put_on_board
from bptt.formula.shapes import LAYOUTS
from cells import model_of
from derivation.claims import ZERO, claims_of, failures
from models_strategy import RandomModel, random_models

SLOW_TOO = [HealthCheck.too_slow, HealthCheck.data_too_large]
# A failure says which formula it is: to look for a smaller model would take minutes.
PHASES = [Phase.explicit, Phase.generate]


def check(model: RandomModel, written: str, layout: str, objective: str, batch: bool) -> None:
    board = put_on_board(model_of(getattr(model, written)), layout, objective, batch)
    claims = claims_of(board)
    # A random cell may compute what no loss ever needs.
    failed = [f for f in failures(claims, seed=10) if f.fault != ZERO]
    assert not failed, "\n".join(map(str, failed[:20]))
    assert batch or any(claim.reading == "total" for claim in claims.claims)


choices = st.tuples(*map(st.sampled_from, (LAYOUTS, LAYOUTS, OBJECTIVES)))


@settings(max_examples=15, phases=PHASES, suppress_health_check=SLOW_TOO)
@given(random_models(), choices)
def test_every_formula_of_a_random_cell(model: RandomModel, choice: tuple[str, str, str]) -> None:
    check(model, *choice, batch=False)


@settings(max_examples=15, phases=PHASES, suppress_health_check=SLOW_TOO)
@given(random_models(), choices)
def test_every_formula_of_a_random_cell_and_a_batch(model: RandomModel, choice: tuple[str, str, str]) -> None:
    check(model, *choice, batch=True)


@pytest.mark.slow
@settings(max_examples=12, phases=PHASES, suppress_health_check=SLOW_TOO)
@given(random_models(max_states=3), choices, st.booleans())
def test_every_formula_of_many_random_cells(
    model: RandomModel, choice: tuple[str, str, str], batch: bool
) -> None:
    check(model, *choice, batch)
