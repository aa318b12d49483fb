"""How long a model's training step takes on this machine, with random parameters and tokens."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from bptt.autodiff.through_time import cotangent_name
from bptt.backends import build_program, load_program
from bptt.backends.base import Array
from bptt.ir.model import Model
from bptt.ir.program import Kind

# A run is kept short by reading fewer tokens than asked for: so many operations on each backend.
LONGEST = {"native": 2e10, "reference": 5e8}
SECONDS = 0.6  # for all runs together, after the first
RUNS = 9
SMALLEST_WINDOW = 8


@dataclass(frozen=True)
class Times:
    """Medians in seconds for a whole run of `window`·`batch` tokens. `blocks` are those of the scheduled
    program; empty where the backend does not tell.
    """

    backend: str
    window: int
    batch: int
    runs: int
    forward: float
    training: float
    blocks: tuple[float, ...]


def measure(
    equations: Model,
    sizes: Mapping[str, int],
    window: int,
    batch: int,
    backend: str,
) -> tuple[Times, dict[str, Array], dict[str, Array]]:
    """Times of the forward pass alone and of forward and backward pass; the parameters and their gradients.

    InputError for a backend that is not there.
    """
    resets = any(state.initial is not None for state in equations.states)
    programs = [build_program(equations, "train", resets=resets, gradients=g) for g in (False, True)]
    forward, training = (load_program(program, sizes, backend) for program in programs)
    profiled: Any = training if backend == "native" else None
    params, inputs = _drawn(equations, sizes, window, batch)
    in_blocks: list[list[float]] = []
    results: dict[str, Array] = {}

    def step() -> None:
        if profiled is None:
            results.update(training.run(params, inputs))
        else:
            results.update(profiled.run(params, inputs, profile=True))
            in_blocks.append([entry[1] for entry in profiled.native.report()])

    forward.run(params, inputs)
    step()
    in_blocks.clear()
    seconds = timed([lambda: forward.run(params, inputs), step], SECONDS)
    gradients = {name: results[cotangent_name(name)] for name in params}
    return (
        Times(
            backend,
            window,
            batch,
            len(seconds[0]),
            median(seconds[0]),
            median(seconds[1]),
            _by_block([block.kind for block in training.program.blocks], in_blocks),
        ),
        params,
        gradients,
    )


def timed(actions: list[Callable[[], object]], budget: float) -> list[list[float]]:
    """The seconds of each run of each action, in turns, so that all meet the same disturbances."""
    seconds: list[list[float]] = [[] for _ in actions]
    began = time.perf_counter()
    for _ in range(RUNS):
        for taken, action in zip(seconds, actions, strict=True):
            start = time.perf_counter()
            action()
            taken.append(time.perf_counter() - start)
        if time.perf_counter() - began > budget:
            break
    return seconds


def _by_block(kinds: list[Kind], in_blocks: list[list[float]]) -> tuple[float, ...]:
    """The median of each block; those on parameters alone are run outside the executor and have no time."""
    if not in_blocks:
        return ()
    medians = iter([median(seconds) for seconds in zip(*in_blocks, strict=True)])
    return tuple(float("nan") if kind is Kind.ONCE else next(medians) for kind in kinds)


def affordable(operations: int, window: int, batch: int, longest: float) -> tuple[int, int]:
    """A window and a batch for at most `longest` operations, of which a token takes `operations`: the window
    is shortened first, then the batch.
    """
    tokens = max(1, int(longest / max(1, operations)))
    if window * batch > tokens:
        window = max(min(window, SMALLEST_WINDOW), min(window, tokens // batch))
        batch = max(1, min(batch, tokens // window))
    return window, batch


def _drawn(
    equations: Model, sizes: Mapping[str, int], window: int, batch: int
) -> tuple[dict[str, Array], dict[str, Array]]:
    rng = np.random.default_rng(0)
    params = {}
    for name, shape in equations.params.items():
        numbers = [dim.evaluate(sizes) for dim in shape]
        # As small as keeps values where functions are computed as usual.
        scale = np.float32(1 / np.sqrt(max([1, *numbers])))
        params[name] = (rng.random(numbers, np.float32) - np.float32(0.5)) * scale
    lead = (window, batch)
    inputs: dict[str, Array] = {
        name: rng.integers(0, sizes["V"], lead).astype(np.int32) for name in ("x", "y")
    }
    inputs |= {name: np.ones(lead, np.float32) for name in ("weight", "keep")}
    return params, inputs
