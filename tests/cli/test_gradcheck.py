"""`bptt gradcheck`: a table, a verdict, and what it refuses."""

import json
from pathlib import Path

import pytest

from bptt.autodiff.rules import RULES, Rule
from bptt.cli.main import main
from bptt.ir.ops import Op


def test_all_gradients_of_a_shipped_model_agree(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gradcheck", "elman", "--size", "h=3,e=2"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("V = 7, h = 3, e = 2; 5 steps, 3 examples, seed 0")
    rows = [line for line in out.splitlines() if line.endswith(" ok")]
    assert [row.split()[0] for row in rows] == ["L", "H", "I", "b1", "U", "b2", "x", "h[0]"]
    assert "8 of 8 gradients agree" in out
    assert max(map(len, out.splitlines())) <= 80


def test_a_size_goes_by_all_its_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gradcheck", "gru", "--size", "z=2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sizes"]["h"] == 2


def test_a_wrong_rule_fails_with_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    right = RULES[Op.SIGMOID]
    monkeypatch.setitem(RULES, Op.SIGMOID, Rule(right.name, right.formula, lambda g, y: (g,)))
    assert main(["gradcheck", "elman", "--json"]) == 1
    result = json.loads(capsys.readouterr().out)
    failed = {gradient["name"] for gradient in result["gradients"] if not gradient["passed"]}
    # What lies behind the sigmoid; the output layer is right.
    assert not result["passed"] and failed == {"L", "H", "I", "b1", "x", "h"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--size", "q=3"], "has no size q"),
        (["--size", "V=1"], "the size V=1 is too small"),
        (["--window", "0"], "--window and --batch are 1 or more"),
        (["--batch", "x"], "--batch x is not a whole number"),
    ],
)
def test_refusals(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gradcheck", "elman", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_an_objective_without_a_finite_value(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "log.eq"
    path.write_text("h = log(x @ L)\nyhat = softmax(h @ U)\n")
    assert main(["gradcheck", str(path)]) == 2
    assert "not finite at a random point" in capsys.readouterr().err
