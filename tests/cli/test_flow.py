"""`bptt flow`: tables, sentences that follow from the numbers, pictures, JSON, and refusals."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from bptt.analysis.flow import Curve, Flow, Spread
from bptt.cli.flow_remarks import Measured, remarks, show_left
from bptt.cli.flow_report import report
from bptt.cli.flow_subjects import Subject, Weights
from bptt.cli.main import main
from bptt.lm.language_model import LanguageModel
from bptt.lm.model import understand
from bptt.models import source_of

SMALL = ["--size", "h=10,V=8", "--steps", "20", "--batch", "4"]
TEXT = "the cat sat on the mat.\nthe dog sat on the log.\na cat and a dog.\n" * 20


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["flow", *arguments]) == 0
    return capsys.readouterr().out


def flows(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict]:
    return json.loads(shown(capsys, *arguments, "--json"))["flows"]


def row(out: str, start: str) -> list[str]:
    return next(line for line in out.splitlines() if line.startswith(start)).removeprefix(start).split()


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a text and runs on its characters and its lines of words."""
    folder = tmp_path_factory.mktemp("runs")
    text = folder / "text.txt"
    text.write_text(TEXT)
    options = ["--size", "h=8", "--batch", "4", "--window", "8", "--steps", "20", "--quiet"]
    for name, more in (("chars", []), ("lines", ["--tokens", "word", "--lines"])):
        assert main(["train", "elman", str(text), "--run", str(folder / name), *options, *more]) == 0
    return folder


def test_the_default_of_a_plain_cell(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, "tanh", *SMALL)
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0] == "How much of a gradient is left k steps back: |∂J_T/∂h_(T-k)| / |∂J_T/∂h_T|,"
    assert "tanh: e = 64, h = 10, V = 8; recurrent: H" in lines
    assert "diag(1 − h ∘ h) Hᵀ" in out.split("\n\n")[1]
    for table in out.split("\n\n")[2:4]:
        labels = [line[:9].strip() for line in table.splitlines()[2:]]
        assert labels == ["H × 0.5", "H × 1", "H × 1.5", "H × 2"]
    # Nothing is said of a path that the cell does not have.
    assert "without h[t-1]" not in out and "-0.9 I" not in out


def test_the_table_shows_the_numbers_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    (flow,) = flows(capsys, "tanh", *SMALL, "--scales", "0.5")
    out = shown(capsys, "tanh", *SMALL, "--scales", "0.5")
    assert row(out, "k =") == ["1", "2", "5", "10", "20", "10–90", "%"]
    logs = [flow["left"]["log"][k] for k in (1, 2, 5, 10, 20)]
    *numbers, band = row(out, "H × 0.5")
    assert numbers == [show_left(log) for log in logs]
    assert band == f"{show_left(flow['left']['log_p10'][-1], 0)}–{show_left(flow['left']['log_p90'][-1], 0)}"
    assert f"{math.exp(flow['log_factor']):.3f}" in out
    assert flow["log_factor"] == pytest.approx((logs[-1] - logs[0]) / 19)


def test_the_claim_about_residual_connections(capsys: pytest.CaptureFixture[str]) -> None:
    """The default run has weights for which it fails, and says so with the numbers measured."""
    out = shown(capsys, "residual", "--size", "h=32")
    measured = flows(capsys, "residual", "--size", "h=32")
    left = {
        (flow["variant"], flow["weights"]["kind"], flow["weights"]["scale"]): flow["left"]["log"][-1]
        for flow in measured
    }
    without = "without h[t-1]"
    assert left[None, "initial", 0.5] > math.log(0.1) > left[without, "initial", 0.5]
    assert left[None, "-identity", 0.9] < left[without, "-identity", 0.9] - 20
    assert left[None, "random", 1.0] > math.log(2) > left[without, "random", 1.0]
    text = " ".join(out.split())
    worse, better = (show_left(left[v, "-identity", 0.9]) for v in (None, without))
    assert (
        "The term h[t-1] does not keep the gradient alive for every H. Left after 40 steps:"
        f" {worse} with H = -0.9 I ({better} without it), where a step has the spectral radius" in text
    )
    assert "The term h[t-1] helps where" in text
    assert "The term h[t-1] does not keep the gradient from growing." in text
    assert max(map(len, out.splitlines())) <= 80


def test_several_models_are_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, "tanh", "residual", *SMALL)
    table = out.splitlines()
    (first, second) = (i for i, line in enumerate(table) if line.startswith("H = -0.9 I"))
    for i in (first, second):
        assert table[i].split()[4] == "tanh" and table[i + 1].split()[0] == "residual"
    text = " ".join(out.split())
    assert "training begins with × 1, each model with its own" in text
    assert "in tanh), where a step has the spectral radius" in text
    # What training begins with is not the same for both: it decides nothing about the path.
    assert "with H × 1 (" not in text.split("The term")[1]


def test_of_several_states_each_has_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, "lstm", *SMALL, "--scales", "1")
    assert "|∂J_T/∂s_(T-k)| / |∂J_T/∂s_T|" in out and "recurrent: Uf, Ui, Ug, Uo" in out
    whole, c, h = (row(out, start)[0] for start in ("× 1  s", "     c", "     h"))
    assert float(whole) == pytest.approx(math.hypot(float(c), float(h)), abs=0.02)
    only = shown(capsys, "lstm", *SMALL, "--scales", "1", "--state", "c")
    assert row(only, "× 1")[0] == c and "|∂J_T/∂c_(T-k)|" in only


def test_kinds_and_scales(capsys: pytest.CaptureFixture[str]) -> None:
    found = flows(capsys, "residual", *SMALL, "--recurrent=-identity,random", "--scales", "1,0.5")
    kinds = [(flow["weights"]["kind"], flow["weights"]["scale"]) for flow in found if not flow["variant"]]
    assert kinds == [("-identity", 1.0), ("-identity", 0.5), ("random", 1.0), ("random", 0.5)]
    labels = [Weights(*kind).label("H") for kind in kinds]
    assert labels == ["H = -I", "H = -0.5 I", "H random", "H random × 0.5"]
    assert Weights("trained", 1.0).label() == "as trained" and Weights("identity", 1.0).label() == "I"


def test_a_model_without_recurrent_matrix(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, "mingru", *SMALL)
    assert "recurrent: no matrix" in out and row(out, "initial weights")
    # Sigmoid gates begin near one half.
    assert 0.4 < math.exp(flows(capsys, "mingru", *SMALL)[0]["log_factor"]) < 0.6


def test_a_seed_decides_all(capsys: pytest.CaptureFixture[str]) -> None:
    first, again, other = (shown(capsys, "gru", *SMALL, "--seed", seed) for seed in ("1", "1", "2"))
    assert first == again != other


def test_json_has_its_form(capsys: pytest.CaptureFixture[str]) -> None:
    result = json.loads(shown(capsys, "lstm", *SMALL, "--json", "--scales", "0,1"))
    assert list(result) == ["steps", "seed", "text", "flows", "remarks"]
    flow = result["flows"][0]
    assert " ".join(flow) == (
        "model variant weights recurrent sizes examples reference log_norm left states log_factor half fate"
        " spectral_radius norm"
    )
    assert set(flow["states"]) == {"h", "c"} and list(flow["left"]) == ["log", "log_p10", "log_p90"]
    assert len(flow["left"]["log"]) == 21 and flow["left"]["log"][0] == 0.0
    # With U = 0 nothing goes back by h: not a number, so null.
    assert flow["states"]["h"]["log"][1] is None
    assert list(flow["spectral_radius"]) == ["median", "low", "high"]


def test_a_run(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, str(runs / "chars"), "--steps", "10")
    assert "drawn uniformly from the vocabulary (no text)" in " ".join(out.split())
    assert row(out, "H as trained")
    (flow,) = flows(capsys, str(runs / "chars" / "model.safetensors"), "--steps", "10")
    assert (flow["model"], flow["weights"]) == ("chars", {"kind": "trained", "scale": 1.0})
    lm = LanguageModel.load(runs / "chars")
    assert flow["sizes"] == lm.sizes
    # The derivative of a sigmoid is at most 1/4.
    assert flow["norm"]["high"] <= np.linalg.norm(lm.params["H"], 2) / 4 * (1 + 1e-6)
    scaled = flows(capsys, str(runs / "chars"), "elman", "--steps", "10", "--scales", "0.5")
    assert [f["weights"]["kind"] for f in scaled] == ["trained", "initial"]


def test_a_text(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = str(runs / "text.txt")
    for name, steps in (("chars", "12"), ("lines", "4")):
        uniform, read = (
            flows(capsys, str(runs / name), "--steps", steps, *more) for more in ([], ["--text", text])
        )
        assert uniform[0]["left"]["log"] != read[0]["left"]["log"]
    assert f"inputs: 32 parts of {text}, seed 0" in " ".join(
        shown(capsys, str(runs / "chars"), "--text", text).split()
    )


def test_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "flow.png"
    assert main(["flow", "tanh", "residual", "lstm", "mingru", *SMALL, "--plot", str(picture)]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert str(picture) in capsys.readouterr().err


def test_overflow_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    equations = "h = exp(h[t-1] @ H + x @ L)\nyhat = softmax(h @ U)"
    picture = str(tmp_path / "flow.png")
    out = shown(capsys, equations, "--size", "h=6", "--scales", "0.1,9", "--plot", picture)
    assert "overflows with H × 9" in out and set(row(out, "H × 9")) == {"-"}
    assert "(no Jacobian:" in out
    flow = flows(capsys, equations, "--size", "h=6", "--scales", "9")[0]
    assert flow["fate"] == "overflows" and flow["left"]["log"][-1] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no model is named"),
        (["bigram"], "bigram carries nothing from step to step"),
        (["tanhh"], "did you mean tanh?"),
        (["tanh", "--state", "c"], "it carries h"),
        (["tanh", "--steps", "0"], "--steps and --batch are 1 or more"),
        (["tanh", "--seed", "-1"], "a seed of -1 is not possible"),
        (["tanh", "--scales", "1,x"], "--scales 1,x is not understood"),
        (["tanh", "--scales=-1"], "0 or more"),
        (["tanh", "--recurrent", "odd"], "there are random, orthogonal, identity, -identity"),
        (["mingru", "--scales", "2"], "no matrix that its state goes through"),
        (["tanh", "--text", "a.txt"], "--text goes with a run"),
        (["tanh", "--size", "q=3"], "tanh has no size q"),
        (["tanh", "--size", "V=1"], "the size V=1 is too small"),
        (["--plot", "tanh"], "put --plot after the models"),
        (["nowhere/model.safetensors"], "there is no file nowhere/model.safetensors"),
        (["yhat = softmax(h @ U)\nh = tanh(h[t-1] @@ H)"], "<equations>:2:"),
        (["z = softmax(u @ U)\nu = tanh(z[t-1] @ A + x @ L)\nyhat = z", "--recurrent", "identity"], "square"),
    ],
)
def test_refusals(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["flow", *arguments]) == 2
    captured = capsys.readouterr()
    assert message in captured.err and captured.out == ""
    assert captured.err.count("error:") == 1


def test_refusals_of_runs(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, text = str(runs / "lines"), str(runs / "text.txt")
    for arguments, message in (
        ([str(runs)], "holds no run"),
        ([run, "--size", "h=3"], "a run has its sizes"),
        ([run, "--text", text, "--steps", "9"], "--steps 7 at most"),
        ([str(runs / "chars"), "--text", text, "--steps", "9999"], "has only"),
    ):
        assert main(["flow", *arguments]) == 2
        assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("log", "text"),
    [
        (0.0, "1.00"),
        (math.log(0.0711), "0.071"),
        (math.log(0.5), "0.50"),
        (math.log(12.57), "12.6"),
        (math.log(483.2), "483"),
        (math.log(5.4e-13), "5.4e-13"),
        (-2000.0, "2.6e-869"),
        (1e4, "8.8e4342"),
        (math.log(9.96e-4), "1.0e-3"),
        (-math.inf, "0"),
        (math.nan, "-"),
    ],
)
def test_shares(log: float, text: str) -> None:
    assert show_left(log) == text


def made_up(left: float, variant: str, radius: float = 1.0) -> Measured:
    """A flow that ends with a share of `left`."""
    model = understand(source_of("residual"))
    subject = Subject("r", model, {}, {}, (), (), carried=() if variant else ("h",), variant=variant)
    logs = np.linspace(0.0, math.log(left), 5)
    flow = Flow(4, 2, 0, 0.0, Curve(logs, logs, logs), {}, Spread(radius, radius, radius), None)
    return Measured(subject, Weights("random", 1.0), flow)


@pytest.mark.parametrize(
    ("with_it", "without", "said"),
    [
        (0.4, 0.001, {"helps"}),
        (0.001, 0.4, {"alive"}),
        (50.0, 0.5, {"growing"}),
        (50.0, 1e-9, {"helps", "growing"}),
        (0.4, 300.0, {"helps"}),
        (0.4, 0.41, set()),
    ],
)
def test_sentences_follow_from_the_numbers(with_it: float, without: float, said: set[str]) -> None:
    rows = [made_up(with_it, ""), made_up(without, "without h[t-1]")]
    claims = [sentence for sentence in remarks(rows, "") if sentence.startswith("The term")]
    assert {word for word in ("helps", "alive", "growing") if any(word in c for c in claims)} == said
    assert len(claims) == len(said)


def test_a_state_that_is_carried_whole_and_lost() -> None:
    assert remarks([made_up(0.001, "")], "H")[1:] == [
        "The term h[t-1] does not keep the gradient alive here."
        " Left after 4 steps: 1.0e-3 with random weights."
    ]
    assert len(remarks([made_up(0.5, "")], "H")) == 1


def test_fates() -> None:
    lefts = {"vanishes": 0.005, "fades": 0.1, "keeps its size": 0.9, "grows": 5.0, "explodes": 500.0}
    assert {fate: made_up(left, "").fate for fate, left in lefts.items()} == {fate: fate for fate in lefts}


def test_symbols_stand_above_the_numbers() -> None:
    lines = report([made_up(0.5, "")], "nothing", ["∂h_t/∂h_{t-1} = …", "and so on"]).splitlines()
    assert (
        lines.index("∂h_t/∂h_{t-1} = …") + 1
        == lines.index("and so on")
        < lines.index("What is left after k steps, and the 10th to 90th percentile of it after the last")
    )
