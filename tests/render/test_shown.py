"""`bptt.Model.derivation`: steps as data, text, and mathematics in a notebook."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path

import pytest

import bptt


@pytest.fixture(scope="module")
def model() -> bptt.Model:
    return bptt.Model("elman")


def test_steps_have_a_rule_what_they_lead_from_and_to_and_a_reason(model: bptt.Model) -> None:
    steps = model.derivation(of="U").steps
    assert [(s.notation, s.rule, s.after) for s in steps] == [
        ("index", "definition", "∂/∂Uᵢⱼ (Σₗ hₗ Uₗₖ + b₂,ₖ)"),
        ("index", "matrix product", "Σₗ hₗ 𝟙[l=i] 𝟙[k=j]"),
        ("index", "Kronecker delta", "hᵢ 𝟙[k=j]"),
        ("index", "chain rule", "Σₖ (ŷₖ − yₖ) ∂θₖ/∂Uᵢⱼ"),
        ("index", "the derivatives above put in", "Σₖ (ŷₖ − yₖ) hᵢ 𝟙[k=j]"),
        ("index", "Kronecker delta", "hᵢ (ŷⱼ − yⱼ)"),
        ("matrix", "chain rule and matrix product", "hᵀ (ŷ − y)"),
    ]
    assert steps[2].before == steps[1].after and steps[0].before == "∂θₖ/∂Uᵢⱼ"
    assert "l = i" in steps[2].reason and "θ" in steps[3].reason
    assert r"\top" in steps[-1].latex and r"\hat" in steps[-1].latex


def test_without_a_name_all_gradients_have_their_steps(model: bptt.Model) -> None:
    everything = model.derivation()
    assert len(everything.steps) > 50 and len(everything.result.splitlines()) == 12
    assert "∂J/∂H |ₜ = h[t-1]ᵀ δʰ" in everything.result.splitlines()


def test_results(model: bptt.Model) -> None:
    assert model.derivation(of="U").result == "∂J/∂U = hᵀ (ŷ − y)"
    assert model.derivation(of="U", layout="column").result == "∂J/∂U = (ŷ − y) hᵀ"
    assert model.derivation(of="U", objective="log-likelihood").result == "∂J/∂U = hᵀ (y − ŷ)"
    assert model.derivation(of="h_{t-1}").result == "∂J/∂h[t-1] = δʰ Hᵀ"
    assert bptt.Model("bigram").derivation(of="b2", batch=True).result == "∂J/∂b₂ = 𝟏 (ŷ − y)"


def test_it_prints_as_text(model: bptt.Model) -> None:
    found = model.derivation(of="U", explain=True, shapes=True)
    assert str(found) == found.text() and "Why this transpose" in str(found)
    assert "(h×1)" in str(found)
    assert max(map(len, found.text(60).splitlines())) <= 60
    assert repr(found) == "<derivation of elman by U>" and repr(model.derivation()) == "<derivation of elman>"


def test_options_reach_the_page(model: bptt.Model) -> None:
    assert "As matrices" not in model.derivation(of="U", notation="index").text()
    assert "Unrolled over T = 2 steps" in model.derivation(of="H", unroll=2).text()


def test_a_notebook_shows_mathematics(model: bptt.Model) -> None:
    found = model.derivation(of="U")
    shown = found._repr_html_()
    assert shown.startswith("<div") and "<math" in shown and "<html" not in shown
    assert found.html().startswith("<!DOCTYPE html>")
    tex = found._repr_latex_()
    assert r"\frac{\partial" in tex and r"\documentclass" not in tex
    assert found.latex().startswith(r"\documentclass")
    assert found.markdown().startswith("# The gradient of elman by U")


def test_two_of_them_in_one_notebook_do_not_meet(model: bptt.Model) -> None:
    """The style applies to what is inside, and no anchor of a document is left."""
    shown = model.derivation(of="U")._repr_html_()
    assert not re.search(r"(^|[}\s])body\s*{", shown)


def test_data_are_those_of_the_command(model: bptt.Model, capsys: pytest.CaptureFixture[str]) -> None:
    from bptt.cli.main import main

    assert main(["derive", "elman", "--of", "H", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == model.derivation(of="H").data()


@pytest.mark.parametrize(
    "options",
    [{"of": "Q"}, {"layout": "diagonal"}, {"objective": "x"}, {"unroll": 99}],
    ids=str,
)
def test_what_there_is_not(model: bptt.Model, options: dict[str, object]) -> None:
    with pytest.raises(bptt.InputError):
        model.derivation(**options)  # type: ignore[arg-type]


def test_the_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(Path(__file__).parents[2] / "examples" / "derivation.py"), run_name="__main__")
    results, steps = capsys.readouterr().out.split("\n\n")
    assert "∂J/∂Uz |ₜ = h[t-1]ᵀ δᶻ" in results.splitlines() and len(results.splitlines()) == 5
    assert re.search(r"^h\[t-1\]ᵢ δᶻⱼ +Kronecker delta$", steps, re.MULTILINE)
