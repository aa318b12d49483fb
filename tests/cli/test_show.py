"""`bptt show`: the program after each pass, and as the executor runs it."""

import json

import pytest

from bptt.backends import available_backends
from bptt.cli.main import main


def test_the_scheduled_program_is_what_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "elman"]) == 0
    default = capsys.readouterr().out
    assert main(["show", "elman", "--program"]) == 0
    assert capsys.readouterr().out == default
    loops = [line for line in default.splitlines() if line.startswith("loop")]
    assert loops == [
        "loop through time, t = 1, …, T, carrying h:",
        "loop back through time, t = T, …, 1, carrying ∂h⁺:",
    ]
    assert max(map(len, default.splitlines())) <= 80


def test_each_pass_can_be_seen(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "bigram", "--after", "list"]) == 0
    passes = capsys.readouterr().out.split("\n")[:-1]
    assert passes == ["forward", "stabilize", "differentiate", "simplify", "look up tokens", "schedule"]
    for name in passes:
        assert main(["show", "bigram", "--after", name, "--json"]) == 0
        shown = json.loads(capsys.readouterr().out)
        assert shown["after"] == name and "J" in shown["program"]
        assert ("∂U" in shown["program"]) == (passes.index(name) >= passes.index("differentiate"))


@pytest.mark.skipif("native" not in available_backends(), reason="the native executor is not built")
def test_instructions(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "elman", "--instructions"]) == 0
    out = capsys.readouterr().out
    # One product in each loop: the state's.
    loop = out.split("scan, loop through time:\n")[1].split("map,")[0]
    assert [line.split()[0] for line in loop.splitlines()] == ["GEMM", "ADD", "SIGMOID"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["elman", "--after", "schedul"], "there is no pass 'schedul'"),
        (["elman", "--goal", "win"], "there is no goal win"),
        (["elmann"], "did you mean elman"),
    ],
)
def test_refusals(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", *arguments]) == 2
    assert message in capsys.readouterr().err
