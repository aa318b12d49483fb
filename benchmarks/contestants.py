"""Who takes part: a training step of some program, and ours."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from benchmarks.workloads import LEARNING_RATE, Array, Weights, Workload
from bptt import _native
from bptt.backends import build_program
from bptt.backends.native import NativeExecutable
from bptt.lowering import lower
from bptt.source import Source
from bptt.syntax import parse


class Contestant(Protocol):
    """A program with a copy of the weights, and the tokens in the form that it reads."""

    name: str

    def gradients(self) -> tuple[float, Weights]:
        """The mean cross-entropy in nats, and its gradients by the names in the equations; no update."""
        ...

    def step(self) -> None:
        """Forward, backward, and the update by SGD."""
        ...


class Equations:
    """The equations, compiled for the native backend; a step is what `bptt train` does in one."""

    name = "bptt"

    def __init__(self, workload: Workload, weights: Weights, threads: int) -> None:
        model = lower(parse(Source(workload.model, workload.equations)))
        self.executable = NativeExecutable(build_program(model, "train"), workload.sizes, threads)
        self.weights = {name: array.copy() for name, array in weights.items()}
        x, y = workload.ids()
        weight = np.full(x.shape, 1 / workload.tokens, np.float32)
        self.inputs: dict[str, Array] = {"x": x, "y": y, "weight": weight}

    def gradients(self) -> tuple[float, Weights]:
        results = self.executable.run(self.weights, self.inputs)
        return float(results["J"]), {name: results["∂" + name].copy() for name in self.weights}

    def step(self) -> None:
        results = self.executable.run(self.weights, self.inputs)
        gradients = [results["∂" + name] for name in self.weights]
        _native.sgd_step(list(self.weights.values()), gradients, None, LEARNING_RATE, 0.0, 0.0)
