"""Which gradients are derived, in which order, and by which names they can be asked for."""

from __future__ import annotations

import pytest

from bptt.errors import InputError
from cells import CELLS
from derivation.texts import derive

SHIPPED = ("bigram", "elman", "residual", "gru", "lstm", "mingru2")


def names(model: str, of: str | None = None, **options: object) -> list[str]:
    return [g.name for g in derive(model, of, **options).gradients]


def test_from_the_loss_backwards() -> None:
    assert names("elman") == ["a·yhat", "U", "b2", "h", "a·h", "H", "I", "b1", "h[t-1]", "e", "L", "x"]


@pytest.mark.parametrize("name", [*SHIPPED, *CELLS])
def test_everything_is_there_once_and_after_what_it_is_made_of(name: str) -> None:
    found = derive(CELLS.get(name, name))
    order = [g.name for g in found.gradients]
    assert len(set(order)) == len(order)
    assert set(found.board.model.params) <= set(order)
    assert {f"{s.variable}[t-{s.lag}]" for s in found.board.model.states} <= set(order)
    for gradient in found.gradients:
        users = [next(v.name for v in found.board.values.values() if v.symbol == d.symbol)
                 for d in gradient.uses]  # fmt: skip
        for user in users:
            assert user == "J" or order.index(user) < order.index(gradient.name)


def test_one_gradient_comes_with_what_leads_to_it() -> None:
    assert names("elman", "H") == ["a·yhat", "h", "a·h", "H"]
    assert names("elman", "U") == ["a·yhat", "U"]
    assert names("lstm", "bo") == ["a·yhat", "h", "o", "a·o", "bo"]
    # By x through all that is made of it.
    assert names("elman", "x")[-2:] == ["e", "x"]


@pytest.mark.parametrize(
    "written",
    ["h[t-1]", "h_{t-1}", "h_t-1", "h(t-1)", "h[t - 1]", "h_{t−1}"],
)
def test_what_was_carried_in_goes_by_many_names(written: str) -> None:
    found = derive("elman", written)
    assert found.of == "h[t-1]" and found.gradients[-1].role == "state"


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("a_h", "a·h"),
        ("aʰ", "a·h"),
        ("theta", "a·yhat"),
        ("logits", "a·yhat"),
        ("ŷ", "yhat"),
        ("h[t]", "h"),
        ("h_t", "h"),
        ("∂J/∂H", "H"),
        ("dJ/dH", "H"),
        ("b_1", "b1"),
        ("b_{1}", "b1"),
    ],
)
def test_names_as_the_page_or_a_book_writes_them(written: str, name: str) -> None:
    assert derive("elman", written).of == name


def test_a_state_that_does_not_reach_as_far() -> None:
    with pytest.raises(InputError) as error:
        derive("elman", "h[t-2]")
    assert "h[t-2]" in error.value.message and "1 step" in error.value.hint


def test_roles() -> None:
    found = {g.name: g.role for g in derive("elman").gradients}
    assert found["H"] == "parameter" and found["x"] == "input"
    assert found["h"] == "value" and found["h[t-1]"] == "state"


def test_lags_are_carried_values_of_their_own() -> None:
    assert {"k[t-1]", "k[t-2]", "h[t-1]"} <= set(names(CELLS["two layers, two steps back"]))
    assert derive(CELLS["two layers, two steps back"], "k_{t-2}").of == "k[t-2]"


def test_the_distribution_itself_is_derived_from_the_loss_as_defined() -> None:
    """The loss as it is usually written goes by the logits; who asks for ŷ wants −y/ŷ."""
    found = derive("elman", "yhat")
    assert [g.name for g in found.gradients] == ["yhat"]
    assert found.gradients[-1].matrix is not None


def test_definitions_are_those_of_the_board() -> None:
    found = derive("elman")
    assert [d.symbol.name for d in found.definitions] == ["e", "a", "h", "theta", "yhat", "J"]


def test_a_gradient_by_its_name() -> None:
    assert derive("elman").gradient("H").name == "H"


@pytest.mark.parametrize(
    ("of", "message", "hint"),
    [
        ("UU", "'UU'", "did you mean U?"),
        ("yhatt", "'yhatt'", "did you mean yhat?"),
        ("q", "'q'", "U"),
        ("", "''", "U"),
    ],
)
def test_no_such_quantity(of: str, message: str, hint: str) -> None:
    with pytest.raises(InputError) as error:
        derive("elman", of)
    assert message in error.value.message and hint in error.value.hint
    assert "·" not in error.value.hint


@pytest.mark.parametrize(
    ("options", "message", "hint"),
    [
        ({"layout": "rows"}, "no layout 'rows'", "did you mean row?"),
        ({"layout": "diagonal"}, "no layout", "row and column"),
        ({"objective": "likelihood"}, "no objective", "did you mean log-likelihood?"),
        ({"objective": "x"}, "no objective", "cross-entropy and log-likelihood"),
        ({"unroll": -1}, "-1 steps", "1 to 12"),
        ({"unroll": 13}, "13 steps", "1 to 12"),
    ],
)
def test_what_there_is_not(options: dict[str, object], message: str, hint: str) -> None:
    with pytest.raises(InputError) as error:
        derive("elman", **options)
    assert message in error.value.message and hint in error.value.hint


def test_nothing_to_unroll() -> None:
    with pytest.raises(InputError) as error:
        derive("bigram", unroll=3)
    assert "bigram" in error.value.message and "unroll" in error.value.message
    assert len(derive("bigram", unroll=0).gradients) > 0
