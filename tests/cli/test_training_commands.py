"""train, evaluate, sample and score, from end to end."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import bptt
from bptt.cli.main import main
from bptt.cli.plots import plot_curves, shown_losses

TEXT = "the cat sat on the mat.\nthe dog sat on the log.\na cat and a dog.\n" * 20
QUICK = ["--size", "e=6", "--size", "h=8", "--batch", "4", "--window", "8", "--steps", "20"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a text, and runs on its characters (`chars`) and its lines of words (`lines`)."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "text.txt").write_text(TEXT)
    (folder / "other.txt").write_text("the cat\n\na zebra and a dog\n")
    for name, options in (("chars", []), ("lines", ["--tokens", "word", "--lines"])):
        assert (
            main(
                [
                    "train",
                    "gru",
                    str(folder / "text.txt"),
                    "--run",
                    str(folder / name),
                    "--quiet",
                    *QUICK,
                    *options,
                ]
            )
            == 0
        )
    return folder


def test_a_run_has_its_files(folder: Path) -> None:
    names = sorted(path.name for path in (folder / "chars").iterdir())
    assert names == ["curves.png", "metrics.jsonl", "model.safetensors", "state.safetensors"]
    assert (folder / "chars" / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_training_prints_results_on_stdout_and_progress_on_stderr(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, run = str(folder / "text.txt"), str(folder / "printed")
    assert main(["train", "elman", text, "--run", run, *QUICK]) == 0
    captured = capsys.readouterr()
    assert "validation" in captured.out
    assert "a sample" in captured.out
    assert "tokens/s" in captured.err
    assert all(len(line) <= 80 for line in captured.err.splitlines())


def test_json_is_one_object(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, run = str(folder / "text.txt"), str(folder / "json")
    assert main(["train", "elman", text, "--run", run, "--json", "--quiet", *QUICK]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["run"], result["stopped"], result["steps"]) == (run, "steps", 20)
    assert " ".join(result) == (
        "run stopped steps epochs tokens seconds parameters train_nats_per_token"
        " valid_nats_per_token valid_unknown_rate"
    )


def test_evaluate(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(folder / "lines"), str(folder / "other.txt"), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert " ".join(result) == (
        "tokens nats nats_per_token perplexity bits_per_token bits_per_character unknown unknown_rate"
    )
    # Three sentences of two, no and five words, each with its end.
    assert (result["tokens"], result["unknown"]) == (10, 1)
    lm = bptt.LanguageModel.load(folder / "lines")
    assert result["nats"] == pytest.approx(-lm.score((folder / "other.txt").read_text()), rel=1e-6)
    assert main(["evaluate", str(folder / "chars"), str(folder / "other.txt")]) == 0
    assert "bits per character" in capsys.readouterr().out


def test_several_texts_are_added_up(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = [str(folder / "other.txt"), str(folder / "text.txt")]
    results = []
    for names in ([texts[0]], [texts[1]], texts):
        assert main(["evaluate", str(folder / "chars"), *names, "--json"]) == 0
        results.append(json.loads(capsys.readouterr().out))
    assert results[2]["nats"] == pytest.approx(results[0]["nats"] + results[1]["nats"])
    assert results[2]["tokens"] == results[0]["tokens"] + results[1]["tokens"]


def test_score_prints_a_number_a_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, text = str(folder / "lines"), str(folder / "other.txt")
    assert main(["score", run, text]) == 0
    numbers = [float(line) for line in capsys.readouterr().out.splitlines()]
    assert len(numbers) == 3
    assert main(["evaluate", run, text, "--json"]) == 0
    assert -sum(numbers) == pytest.approx(json.loads(capsys.readouterr().out)["nats"], rel=1e-5)
    assert main(["score", run, text, "--tokens"]) == 0
    captured = capsys.readouterr()
    assert "note: 1 of 10 tokens (10.00%) are unknown" in captured.err
    blocks = captured.out.split("\n\n")
    assert [line.split("\t")[0] for line in blocks[0].splitlines()] == ["the", "cat", "</s>"]
    assert blocks[2].splitlines()[1].split("\t")[0::2] == ["<unk>", "unknown"]
    assert main(["score", run, text, "--json", "--tokens"]) == 0
    objects = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [o["tokens"] for o in objects] == [3, 1, 6]
    assert objects[0]["log_probability"] == pytest.approx(numbers[0], abs=1e-5)


def test_sample(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["sample", str(folder / "chars"), "--prompt", "the ", "--length", "20", "--seed", "3"]
    assert main([*command, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["seed"] == 3
    assert result["text"].startswith("the ")
    assert len(result["text"]) == 24
    assert main(command) == 0
    assert capsys.readouterr().out.strip() == result["text"].strip()


def test_a_text_in_the_place_of_the_model_is_a_text(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = folder / "default"
    assert main(["train", str(folder / "text.txt"), "--run", str(run), "--json", "--quiet", *QUICK]) == 0
    capsys.readouterr()
    assert bptt.LanguageModel.load(run).model.name == "gru"


def test_a_run_gets_a_folder_of_its_own(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for expected in ("runs/bigram", "runs/bigram-2"):
        assert main(["train", "bigram", str(folder / "text.txt"), "--json", "--quiet", "--steps", "1"]) == 0
        assert json.loads(capsys.readouterr().out)["run"] == expected


def test_mistakes_in_training(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = str(folder / "text.txt")
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "file").write_text("")
    for arguments, message in (
        (["gru", text, "--run", str(folder / "chars")], "holds a run already"),
        (["gru", text, "--run", str(tmp_path / "file")], "cannot make the folder"),
        (["gru", text, "--run", str(tmp_path / "file" / "run")], "cannot make the folder"),
        (["gru", str(tmp_path / "empty.txt")], "is empty"),
        (["gru", str(tmp_path / "missing.txt")], "there is no file"),
        (["h = (", text], "error"),
        (["gruu", text], "gru"),
        (["--resume", str(tmp_path / "none")], "there is no file"),
        (["--resume", str(folder / "chars"), "--run", str(tmp_path / "x")], "--run cannot name another"),
    ):
        assert main(["train", *arguments, *(QUICK if "--resume" not in arguments else [])]) == 2, arguments
        captured = capsys.readouterr()
        assert message in captured.err
        assert captured.out == ""


def test_ctrl_c_leaves_a_run_that_goes_on(folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    command = [sys.executable, "-m", "bptt", "train"]
    options = [
        "elman",
        str(folder / "text.txt"),
        "--run",
        str(run),
        "--steps",
        "1000000",
        "--batch",
        "4",
        "--window",
        "8",
    ]
    process = subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    while "tokens/s" not in process.stderr.readline():
        assert process.poll() is None
    time.sleep(0.2)
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert f"go on: bptt train --resume {run}" in err
    assert "Traceback" not in err
    done = subprocess.run(
        [*command, "--resume", str(run), "--steps", "1", "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["steps"] > 1


def test_curves_need_no_validation(tmp_path: Path) -> None:
    records = [{"tokens": i, "train_nats": 3.0 - i / 10, "valid_nats": None} for i in range(5)]
    plot_curves(records, tmp_path / "a.png", "test")
    plot_curves([], tmp_path / "b.png", "nothing")
    assert (tmp_path / "b.png").exists()


def test_the_first_moments_do_not_flatten_the_curve() -> None:
    limits = shown_losses([10.0] + [2.0 - i / 100 for i in range(99)])
    assert limits is not None
    assert limits[0] < 1.02
    assert 1.9 < limits[1] < 3
    assert shown_losses([3.0, 2.0]) is None
