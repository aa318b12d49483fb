"""Every gradient of a model held against two independent witnesses, in float64.

Finite differences know nothing of derivative rules; reverse mode of the unrolled program knows nothing of carries, reverse
loops and schedules. Where the native backend is there, its float32 gradients are compared too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bptt.autodiff.through_time import cotangent_name
from bptt.autodiff.unrolled import unrolled_gradients
from bptt.backends import available_backends, build_program, load_program
from bptt.errors import InputError
from bptt.ir.model import Model
from bptt.passes.forward import forward_program
from bptt.passes.simplify import simplify
from bptt.passes.stabilize import stabilize

Floats = npt.NDArray[np.float64]

# Single precision carries 24 bits through a recurrence of a few steps.
NATIVE_TOLERANCE = 2e-4


@dataclass(frozen=True)
class GradientCheck:
    """The relative errors of one gradient. `native` is None where there is no native backend (or the gradient is of x).

    An error is |a - b| over the larger of |a| and |b|; where both are below 1/1000 of the largest entry of the gradient, over that, since
    a difference of numbers that small only measures rounding.
    """

    name: str
    kind: str  # parameter, input or state
    shape: tuple[int, ...]
    directions: float
    entries: float
    unrolled: float
    native: float | None
    largest: float  # the largest absolute entry of the gradient

    def passed(self, tolerance: float) -> bool:
        exact = max(self.directions, self.entries, self.unrolled) <= tolerance
        return exact and (self.native is None or self.native <= NATIVE_TOLERANCE)


def check_sizes(model: Model, given: Mapping[str, int]) -> dict[str, int]:
    """Small sizes that are all different, so that no transposed matrix passes by luck; `given` ones are kept."""
    sizes = {"V": 7, **given}
    candidates = iter(n for n in (5, 4, 6, 3, 8, 9, 10, 11, 12, *range(13, 1000)) if n not in sizes.values())
    for dim in model.dims:
        if dim not in sizes:
            sizes[dim] = next(candidates)
    return sizes


def check_gradients(
    model: Model, sizes: Mapping[str, int], *, steps: int = 5, examples: int = 3, seed: int = 0, samples: int = 4
) -> list[GradientCheck]:
    """A check of each parameter, of the inputs x, and of each state as it enters the first step.

    Parameters, states and inputs (as real vectors) are drawn at random, and so are the weights of the tokens and the steps
    at which the state starts anew. `samples` random directions and as many single entries are taken of each.
    """
    rng = np.random.default_rng(seed)
    point = _Point(model, sizes, steps, examples, rng)
    program = build_program(model, "train", resets=True, inputs=True)
    exact = load_program(program, sizes, "reference", np.float64)
    gradients = exact.run(point.params, point.inputs, point.states, seed)
    if not math.isfinite(float(gradients["J"])):
        raise InputError(
            "the objective is not finite at a random point, so there is nothing to compare",
            "a log or square root of a negative number, or a division by zero, does that",
        )

    def objective(params: Mapping[str, Floats], inputs: Mapping[str, Floats], states: Mapping[str, Floats]) -> float:
        return float(forward.run(params, inputs, states, seed)["J"])

    forward = load_program(build_program(model, "train", resets=True, gradients=False), sizes, "reference", np.float64)
    unrolled = _unrolled(model, sizes, point, seed)
    without_dropout = load_program(
        build_program(model, "loss", resets=True, gradients=True, inputs=True), sizes, "reference", np.float64
    ).run(point.params, point.inputs, point.states)
    native = _native(model, sizes, point, seed)
    checks = []
    for kind, group in (("parameter", point.params), ("input", {"x": point.inputs["x"]}), ("state", point.states)):
        for name, array in group.items():
            key = cotangent_name(name)

            def moved(delta: Floats, kind: str = kind, name: str = name, array: Floats = array) -> float:
                groups = {"parameter": point.params, "input": point.inputs, "state": point.states}
                groups[kind] = {**groups[kind], name: array + delta}
                return objective(groups["parameter"], groups["input"], groups["state"])

            gradient = np.asarray(gradients[key])
            directions, entries = _finite_differences(gradient, moved, samples, rng)
            checks.append(
                GradientCheck(
                    name,
                    kind,
                    array.shape[2:] if kind == "input" else array.shape[1:] if kind == "state" else array.shape,
                    directions,
                    entries,
                    relative_error(np.asarray(without_dropout[key]), unrolled[key]),
                    native.get(key),
                    float(np.abs(gradient).max(initial=0.0)),
                )
            )
    return checks


class _Point:
    """Where the gradients are taken."""

    def __init__(
        self, model: Model, sizes: Mapping[str, int], steps: int, examples: int, rng: np.random.Generator
    ) -> None:
        lead = (steps, examples)
        self.tokens = {name: rng.integers(0, sizes["V"], lead).astype(np.int32) for name in ("x", "y")}
        self.numbers = {
            "weight": rng.uniform(0.5, 1.5, lead) / (steps * examples),
            "keep": (rng.random(lead) < 0.8).astype(np.float64),
        }
        # x as a real vector near its one-hot, so that its own derivative can be taken.
        x = np.eye(sizes["V"])[self.tokens["x"]] + 0.1 * rng.standard_normal((*lead, sizes["V"]))
        self.inputs = {"x": x, "y": self.tokens["y"], **self.numbers}
        self.params = {
            name: rng.standard_normal([dim.evaluate(sizes) for dim in shape]) / math.sqrt(max(len(shape), 1) * 2)
            for name, shape in model.params.items()
        }
        self.states = {
            s.name: 0.5 * rng.standard_normal((examples, *(dim.evaluate(sizes) for dim in s.shape)))
            for s in model.states
        }


def _unrolled(model: Model, sizes: Mapping[str, int], point: _Point, seed: int) -> dict[str, Floats]:
    steps = len(point.tokens["x"])
    program = simplify(unrolled_gradients(stabilize(forward_program(model, "loss", resets=True)), steps))
    inputs = {f"{name}@{t + 1}": array[t : t + 1] for name, array in point.inputs.items() for t in range(steps)}
    inputs |= {f"{name}@0": array[None] for name, array in point.states.items()}
    run = load_program(program, sizes, "reference", np.float64).run(point.params, {**inputs, "x": inputs["x@1"]})
    found = {name: np.asarray(array) for name, array in run.items()}
    for s in point.states:
        found[cotangent_name(s)] = found[cotangent_name(s)][0]
    found["∂x"] = np.concatenate([found.pop(f"∂x@{t + 1}") for t in range(steps)])
    return found


def _native(model: Model, sizes: Mapping[str, int], point: _Point, seed: int) -> dict[str, float]:
    """The errors of the native backend's gradients, with x as tokens; none where there is no native backend."""
    if "native" not in available_backends():
        return {}
    program = build_program(model, "train", resets=True)
    inputs = {**point.tokens, **point.numbers}
    exact = load_program(program, sizes, "reference", np.float64).run(point.params, inputs, point.states, seed)
    fast = load_program(program, sizes, "native").run(point.params, inputs, point.states, seed)
    return {name: relative_error(np.asarray(array), np.asarray(fast[name])) for name, array in exact.items()}


def _finite_differences(
    gradient: Floats, moved: Callable[[Floats], float], samples: int, rng: np.random.Generator
) -> tuple[float, float]:
    """The largest relative errors over random directions, and over single entries."""
    along = 0.0
    for _ in range(samples):
        direction = rng.standard_normal(gradient.shape)
        direction /= math.sqrt(max(direction.size, 1))
        slope = difference_quotient(moved, direction)
        floor = 1e-3 * float(np.linalg.norm(gradient)) / math.sqrt(max(direction.size, 1))
        along = max(along, _relative(float((gradient * direction).sum()), slope, floor))
    single = 0.0
    floor = 1e-3 * float(np.abs(gradient).max(initial=0.0))
    for flat in rng.choice(gradient.size, min(samples, gradient.size), replace=False):
        direction = np.zeros(gradient.shape)
        direction.flat[flat] = 1.0
        single = max(single, _relative(float(gradient.flat[flat]), difference_quotient(moved, direction), floor))
    return along, single


def difference_quotient(moved: Callable[[Floats], float], direction: Floats) -> float:
    """The derivative along `direction` by central differences of sixth order.

    Of several steps the one is taken whose result a step half as wide confirms best: near a kink only small steps are
    right, elsewhere wider ones have less rounding. The gradient to be checked has no say in it.
    """
    best, doubt = 0.0, math.inf
    for step in (1e-2, 2e-3, 4e-4, 8e-5):
        wide, narrow = (_sixth_order(moved, direction, h) for h in (step, step / 2))
        if abs(wide - narrow) < doubt:
            best, doubt = narrow, abs(wide - narrow)
    return best


def _sixth_order(moved: Callable[[Floats], float], direction: Floats, h: float) -> float:
    one, two, three = (moved(n * h * direction) - moved(-n * h * direction) for n in (1, 2, 3))
    return (45 * one - 9 * two + three) / (60 * h)


def _relative(a: float, b: float, floor: float) -> float:
    # A gradient that is zero throughout is compared absolutely: 1e-12 is rounding of an objective of order one.
    return abs(a - b) / max(abs(a), abs(b), floor, 1e-5)


def relative_error(a: Floats, b: Floats) -> float:
    """The largest difference of entries, relative to the largest entry."""
    scale = max(float(np.abs(a).max(initial=0.0)), float(np.abs(b).max(initial=0.0)), 1e-5)
    return float(np.abs(a - b).max(initial=0.0)) / scale
