"""`bptt cost`: a page that fits, numbers that agree with each other, and what it refuses."""

import json
import re
from pathlib import Path

import pytest

from bptt.analysis.measure import affordable
from bptt.backends import available_backends
from bptt.cli.columns import table, wrap_formula
from bptt.cli.main import main
from bptt.ir.ops import Op
from bptt.models import shipped
from cells import CELLS

PAGE = Path(__file__).parents[2] / "docs" / "cost.md"


def output(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["cost", *arguments]) == 0
    return capsys.readouterr().out


def report(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    return json.loads(output(capsys, *arguments, "--json"))


def test_the_page_of_elman(capsys: pytest.CaptureFixture[str]) -> None:
    out = output(capsys, "elman", "--no-measure")
    assert "V = 10000 is assumed" in out
    (shown,) = re.findall(r"\n    (forward .*?)\n\n", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert shown.replace("\n    ", "\n") in out
    assert "yhat: 98.1%; in leading terms it does where V > e + h (here 10,000 and 192)" in out
    assert "h  6·V up to 1, 6·V·h up to 10,000, then 6·h²" in out
    assert "V  from 191 on" in out
    assert "a token adds e numbers to ∂L, its own row; the update changes all V·e of L" in out
    assert "O(τ·(V·h + e·h" in out


@pytest.mark.parametrize("model", [*shipped(), *CELLS.values()], ids=[*shipped(), *CELLS])
def test_every_page_fits(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["--size", "V=1000000000", "--window", "100000"]):
        out = output(capsys, model, "--no-measure", *arguments)
        assert max(map(len, out.splitlines())) <= 80
        assert not any(line != line.rstrip() for line in out.splitlines())


@pytest.mark.parametrize("model", ["elman", "gru", CELLS["initial state of parameters"]])
def test_formulas_and_numbers_agree(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    result = report(capsys, model, "--no-measure", "--size", "V=50,h=7")
    sizes = result["sizes"]
    assert sizes["V"] == 50 and result["measured"] is None
    for direction in ("forward", "backward"):
        parts = result[direction]
        for part in parts:
            assert eval(part["formula"], {}, sizes) == part["operations"]
            kinds = [eval(part[kind], {}, sizes) for kind in ("products", "elementwise", "functions")]
            assert sum(kinds) == part["operations"]
        whole = result["totals"][direction]
        assert whole["operations"] == sum(part["operations"] for part in parts)
        assert whole["operations"] == eval(whole["formula"], {}, sizes)
        assert sum(part["share"] for part in parts) == pytest.approx(1)
    parameters = result["totals"]["parameters"]
    assert eval(parameters["formula"], {}, sizes) == parameters["number"]
    assert result["totals"]["update"]["operations"] == 15 * parameters["number"] / (64 * 32)
    assert result["memory"]["total"] == sum(n for kind, n in result["memory"].items() if kind != "total")
    for entry in result["moved"]:
        token, step, run = (
            eval(entry[kind], {}, sizes) for kind in ("per_token", "per_time_step", "per_step")
        )
        assert entry["bytes"] == 4 * (64 * 32 * token + 64 * step + run)
    whole_step = [e for e in result["intensity"] if (e["window"], e["batch"]) == (64, 32)]
    assert sum(e["bytes"] for e in result["moved"]) == sum(e["bytes"] for e in whole_step[1:])
    for entry in result["intensity"]:
        assert entry["operations_per_byte"] == pytest.approx(entry["operations"] / entry["bytes"])
    for m in result["majorities"]:
        assert m["holds"] == (m["share"] > 0.5)


def test_a_window_of_one_token(capsys: pytest.CaptureFixture[str]) -> None:
    result = report(capsys, "elman", "--no-measure", "--window", "1", "--batch", "1", "--optimizer", "sgd")
    assert result["totals"]["update"]["operations"] == 4 * result["totals"]["parameters"]["number"]
    assert [entry["part"] for entry in result["intensity"]] == ["forward", "forward and backward", "update"]
    # One multiplication and one addition for each weight of four bytes that is read.
    assert result["intensity"][0]["operations_per_byte"] == pytest.approx(0.5, rel=0.02)


@pytest.mark.parametrize("backend", available_backends())
def test_times_have_parts_and_blocks(backend: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = (
        "gru2",
        "--size",
        "V=60,e=9,h1=8,h2=7",
        "--window",
        "6",
        "--batch",
        "3",
        "--backend",
        backend,
    )
    result = report(capsys, *arguments)
    measured = result["measured"]
    assert (measured["backend"], measured["window"], measured["batch"]) == (backend, 6, 3)
    forward, backward, update, together = measured["parts"]
    assert [p["name"] for p in measured["parts"]] == ["forward", "backward", "update", "together"]
    assert forward["seconds_per_token"] > 0 and update["seconds_per_token"] > 0
    assert together["seconds_per_token"] >= forward["seconds_per_token"] + update["seconds_per_token"] - 1e-9
    assert forward["operations_per_token"] == result["totals"]["forward"]["operations"]
    assert backward["operations_per_token"] == result["totals"]["backward"]["operations"]
    if backend == "native":
        # Two scans and their reverses, and a map before, between and after them.
        assert len(measured["blocks"]) == 9
        counted = sum(block["operations_per_token"] for block in measured["blocks"])
        assert counted >= forward["operations_per_token"] + backward["operations_per_token"]
    else:
        assert measured["blocks"] == []
    out = output(capsys, *arguments)
    assert "measured on this machine" in out and max(map(len, out.splitlines())) <= 80


def test_times_where_a_block_has_none(capsys: pytest.CaptureFixture[str]) -> None:
    """What is made of parameters alone runs outside of the executor."""
    result = report(capsys, CELLS["initial state of parameters"], "--size", "V=20", "--batch", "2")
    names = [block["name"] for block in result["measured"]["blocks"]]
    assert not any("parameters" in name for name in names)


def test_long_runs_are_shortened() -> None:
    assert affordable(10, 64, 32, 1e9) == (64, 32)
    assert affordable(1000, 64, 32, 1000 * 16 * 32) == (16, 32)
    assert affordable(1000, 64, 32, 1000 * 16) == (8, 2)
    assert affordable(10**9, 64, 32, 1) == (8, 1)
    assert affordable(10**9, 3, 5, 1) == (3, 1)


def test_what_is_too_large_is_counted_but_not_timed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cost", "elman", "--size", "V=1000000000000"]) == 0
    captured = capsys.readouterr()
    assert "not measured, since a step holds" in captured.err and "measured on" not in captured.out


def test_the_page_in_the_documents_names_every_operation() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row.split("|")[1])}
    assert named == {op.name for op in Op}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["elman", "--size", "q=3"], "elman has no size q"),
        (["elman", "--size", "h=0"], "the size h=0 is too small"),
        (["elman", "--size", "V=1"], "the size V=1 is too small"),
        (["elman", "--window", "0"], "--window and --batch are 1 or more"),
        (["elman", "--batch", "x"], "--batch x is not a whole number"),
        (["elman", "--optimizer", "adm"], "there is no optimizer adm"),
        (["elman", "--backend", "gpu", "--window", "1"], "no backend is called 'gpu'"),
        (["elmann"], "did you mean elman"),
        (["yhat = softmax(x @ A +)"], "<equations>:1:"),
    ],
)
def test_refusals(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cost", *arguments]) == 2
    captured = capsys.readouterr()
    assert message in captured.err and captured.out == ""
    assert captured.err.count("error:") == 1


def test_formulas_are_broken_before_signs() -> None:
    assert wrap_formula("2·V·h + 4·e·h - h + 3", 10) == ["2·V·h", "+ 4·e·h", "- h + 3"]
    assert wrap_formula("abc·def·ghi", 8) == ["abc·def·", "ghi"]


def test_columns_give_way_to_each_other() -> None:
    short = table([["a", "1 + 2", "x"], ["bb", "3", "yy"]], flexible=(1,), right=(2,))
    assert short == ["a   1 + 2   x", "bb  3      yy"]
    terms = " + ".join(f"x{n}·y{n}" for n in range(20))
    wide = table([["name", terms, "O(n)", "7"]], flexible=(1, 2), right=(3,))
    assert max(map(len, wide)) <= 80 and len(wide) > 1
    assert " ".join(line[6:70].strip() for line in wide).replace("  O(n)", "").count("y") == 20
