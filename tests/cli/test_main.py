"""The command line as a whole: dispatch, exit codes, mistakes."""

import os
import subprocess
import sys

import pytest

from bptt.backends import available_backends
from bptt.cli import main as module
from bptt.cli.main import COMMANDS, main


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    out = capsys.readouterr().out
    assert all(f"  {name} " in out for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_of_80_columns(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as stopped:
        main([name, "--help"])
    assert stopped.value.code == 0
    out = capsys.readouterr().out
    assert f"bptt {name}" in out


def test_no_arguments_show_the_help_and_fail(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "commands:" in captured.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trian"], "error: there is no command 'trian'\n  hint: did you mean train?"),
        (["train", "--learning-rate", "3"], "knows no option --learning-rate\n  hint: did you mean --lr?"),
        (["train", "--epoch", "3"], "knows no option --epoch\n  hint: did you mean --epochs?"),
        (["train", "--lr", "fast"], "error: --lr fast is not a number"),
        (["train", "--steps", "1.5"], "error: --steps 1.5 is not a whole number"),
        (["train", "--size", "h"], "error: --size h is not understood\n  hint: it is a name and a number"),
        (["train", "--optimizer", "adamm"], "hint: did you mean adam"),
        (["train", "--lr"], "error: argument --lr: expected one argument"),
        (["evaluate"], "error: the following arguments are required: RUN, TEXT"),
        (["evaluate", "missing", "text"], "error: there is no file missing"),
        (["sample", "x", "--length", "no"], "error: --length no is not a whole number"),
        (["models", "grru"], "gru"),
        (["models", "gru", "lstm"], "knows no argument lstm"),
        (["--versio"], "did you mean --version?"),
    ],
)
def test_a_mistake_is_one_diagnostic(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert "Traceback" not in captured.err


def test_models_are_listed_and_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    assert "gru " in capsys.readouterr().out
    assert main(["models", "gru"]) == 0
    assert "yhat = softmax(" in capsys.readouterr().out
    assert main(["models", "--json"]) == 0
    assert '"name": "lstm"' in capsys.readouterr().out


def test_an_interrupted_command_is_no_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(arguments: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_dispatch", interrupt)
    assert main(["models"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_a_fault_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(arguments: list[str]) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(module, "_dispatch", fail)
    with pytest.raises(ZeroDivisionError):
        main(["models"])


def test_a_reader_that_leaves_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "bptt", "models", "lstm2"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif("native" not in available_backends(), reason="the native executor is not built")
@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("BPTT_ISA", "sse9", "error: BPTT_ISA=sse9: unknown"),
        ("BPTT_THREADS", "many", "error: BPTT_THREADS=many is no number of threads"),
        ("BPTT_THREADS", "0", "error: BPTT_THREADS=0 is no number of threads"),
    ],
)
def test_wrong_environment(
    variable: str,
    value: str,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(variable, value)
    assert main(["gradcheck", "bigram"]) == 2
    assert capsys.readouterr().err.startswith(message)
