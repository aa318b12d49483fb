"""The benchmarks run and compare like with like. Their dependency PyTorch is optional here as everywhere."""

import json
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("bptt._native")

from benchmarks.contestants import Equations
from benchmarks.workloads import WORKLOADS

from benchmarks import machine, training

SMALL = {"vocabulary": 11, "embedding": 5, "hidden": 7, "batch": 3}


@pytest.fixture
def two_small(monkeypatch):
    small = [replace(w, **SMALL, steps=4 if w.recurrent else 1) for w in WORKLOADS]
    cells = {w.cell: w for w in small}
    monkeypatch.setattr(training, "WORKLOADS", [cells["gru"], cells["bigram"]])
    monkeypatch.setattr(training, "use_cores", lambda threads: None)
    monkeypatch.setattr(machine, "SIDE", 64)


@pytest.mark.parametrize("cell", ["tanh", "sigmoid", "gru", "bigram"])
def test_every_peer_computes_the_same(cell):
    workload = replace(next(w for w in WORKLOADS if w.cell == cell), **SMALL)
    peers = training.torch_peers(workload, compiled=False)
    for peer in peers:
        training.check(Equations(workload, workload.weights(), 1), peer)
        peer.step()
        with pytest.raises(training.Disagreement, match=f"{peer.name} and we differ in"):
            training.check(Equations(workload, workload.weights(), 1), peer)


def test_a_step_goes_down_the_gradient():
    workload = replace(WORKLOADS[0], **SMALL)
    ours = Equations(workload, workload.weights(), 1)
    loss, gradients = ours.gradients()
    ours.step()
    for name, array in workload.weights().items():
        np.testing.assert_allclose(ours.weights[name], array - np.float32(0.1) * gradients[name], rtol=1e-6)
    assert ours.gradients()[0] < loss


def test_json(two_small, capsys):
    assert training.main(["--json", "--models", "M4,M5", "--repeats", "7", "--threads", "1"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [(row["model"], row["peer"]) for row in rows] == [("M4", "nn.GRU"), ("M5", "nn.Linear")]
    for row in rows:
        assert 0 < row["ratio_best"] <= row["ratio"]
        assert row["precision"] == "fp32" and row["share_of_peak"] > 0 and row["tokens_per_second"] > 0


def test_a_row_that_disagrees_fails(two_small, monkeypatch, capsys):
    monkeypatch.setattr(training, "TOLERANCE", -1.0)
    assert training.main(["--models", "M5", "--repeats", "7"]) == 1
    assert "FAILED: nn.Linear and we differ in the loss" in capsys.readouterr().out
