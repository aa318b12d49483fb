"""Every gradient of a model held against two independent witnesses, in float64.

Finite differences know nothing of derivative rules; reverse mode of the unrolled program knows nothing of
carries, reverse loops and schedules. Where the native backend is there, its float32 gradients are compared
too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from bptt.autodiff.through_time import cotangent_name
from bptt.autodiff.unrolled import unrolled_gradients
from bptt.backends import Executable, available_backends, build_program, load_program
from bptt.backends.base import Array
from bptt.errors import InputError
from bptt.ir.model import Model
from bptt.ir.program import Program
from bptt.passes.forward import forward_program
from bptt.passes.simplify import simplify
from bptt.passes.stabilize import stabilize

Floats = npt.NDArray[np.float64]

# Single precision carries 24 bits through a recurrence of a few steps.
NATIVE_TOLERANCE = 2e-4


@dataclass(frozen=True)
class GradientCheck:
    """The relative errors of one gradient. `native` is None where there is no native backend (or the
    gradient is of x).

    An error is |a - b| over the larger of |a| and |b|. Where both are small beside the rest of the gradient
    (1/1000 of its largest entry, 1/100 of a typical slope along a direction) it is taken over that, since a
    difference of numbers that small only measures rounding.
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
    """Small sizes that are all different, so that no transposed matrix passes by luck; `given` ones are
    kept.
    """
    sizes = {"V": 7, **given}
    candidates = iter(n for n in (5, 4, 6, 3, 8, 9, 10, 11, 12, *range(13, 1000)) if n not in sizes.values())
    for dim in model.dims:
        if dim not in sizes:
            sizes[dim] = next(candidates)
    return sizes


def check_gradients(
    model: Model,
    sizes: Mapping[str, int],
    *,
    steps: int = 5,
    examples: int = 3,
    seed: int = 0,
    samples: int = 4,
) -> list[GradientCheck]:
    """A check of each parameter, of the inputs x, and of each state as it enters the first step.

    Parameters, states and inputs (as real vectors) are drawn at random, and so are the weights of the tokens
    and the steps at which the state starts anew. `samples` random directions and as many single entries are
    taken of each. Raises InputError where the objective is not finite at that point.
    """
    rng = np.random.default_rng(seed)
    point = _Point(model, sizes, steps, examples, rng)
    gradients = point.run(build_program(model, "train", resets=True, inputs=True), sizes, seed)
    if not math.isfinite(float(gradients["J"])):
        raise InputError(
            "the objective is not finite at a random point, so there is nothing to compare",
            "a log or square root of a negative number, or a division by zero, does that",
        )
    # The equations written out have no dropout: its masks go by the place of a step in the whole window.
    plain = point.run(build_program(model, "loss", resets=True, gradients=True, inputs=True), sizes, seed)
    unrolled = _unrolled(model, sizes, point)
    native = _native(model, sizes, point, seed)
    forward = build_program(model, "train", resets=True, gradients=False)
    objective = load_program(forward, sizes, "reference", np.float64)
    checks = []
    for kind, name, array in point.variables():
        key = cotangent_name(name)
        gradient = np.asarray(gradients[key], np.float64)
        moved = partial(_objective_at, objective, point, kind, name, seed)
        directions, entries = _finite_differences(gradient, moved, samples, rng)
        checks.append(
            GradientCheck(
                name,
                kind,
                array.shape[{"parameter": 0, "state": 1, "input": 2}[kind] :],
                directions,
                entries,
                relative_error(np.asarray(plain[key]), unrolled[key]),
                native.get(key),
                float(np.abs(gradient).max(initial=0.0)),
            )
        )
    return checks


class _Point:
    """Where the gradients are taken. `params`, `x` and `states` are what they are taken by."""

    def __init__(
        self,
        model: Model,
        sizes: Mapping[str, int],
        steps: int,
        examples: int,
        rng: np.random.Generator,
    ) -> None:
        lead = (steps, examples)
        self.ids = {name: rng.integers(0, sizes["V"], lead).astype(np.int32) for name in ("x", "y")}
        self.numbers: dict[str, Floats] = {
            "weight": rng.uniform(0.5, 1.5, lead) / (steps * examples),
            "keep": (rng.random(lead) < 0.8).astype(np.float64),
        }
        # x as a real vector near its one-hot, so that its own derivative can be taken.
        self.x: Floats = np.eye(sizes["V"])[self.ids["x"]]
        self.x += 0.1 * rng.standard_normal(self.x.shape)
        self.params: dict[str, Floats] = {
            name: rng.standard_normal([dim.evaluate(sizes) for dim in shape])
            / math.sqrt(2 * max(len(shape), 1))
            for name, shape in model.params.items()
        }
        self.states: dict[str, Floats] = {
            s.name: 0.5 * rng.standard_normal((examples, *(dim.evaluate(sizes) for dim in s.shape)))
            for s in model.states
        }

    def variables(self) -> Iterator[tuple[str, str, Floats]]:
        """Kind, name and value of everything that a gradient is taken by."""
        for name, array in self.params.items():
            yield "parameter", name, array
        yield "input", "x", self.x
        for name, array in self.states.items():
            yield "state", name, array

    def moved(self, kind: str, name: str, delta: Floats) -> _Point:
        """The point with one of its variables changed."""
        other = copy(self)
        if kind == "parameter":
            other.params = {**self.params, name: self.params[name] + delta}
        elif kind == "state":
            other.states = {**self.states, name: self.states[name] + delta}
        else:
            other.x = self.x + delta
        return other

    def inputs(self) -> dict[str, Array]:
        return {"x": self.x, "y": self.ids["y"], **self.numbers}

    def run(self, program: Program, sizes: Mapping[str, int], seed: int) -> dict[str, Array]:
        """The results of a program at this point, in float64 on the reference backend."""
        executable = load_program(program, sizes, "reference", np.float64)
        return executable.run(self.params, self.inputs(), self.states, seed)


def _objective_at(
    executable: Executable, point: _Point, kind: str, name: str, seed: int, delta: Floats
) -> float:
    at = point.moved(kind, name, delta)
    return float(executable.run(at.params, at.inputs(), at.states, seed)["J"])


def _unrolled(model: Model, sizes: Mapping[str, int], point: _Point) -> dict[str, Floats]:
    """The gradients by reverse mode of the equations written out, without dropout."""
    steps = len(point.x)
    program = simplify(unrolled_gradients(stabilize(forward_program(model, "loss", resets=True)), steps))
    inputs = {
        f"{name}@{t + 1}": array[t : t + 1] for name, array in point.inputs().items() for t in range(steps)
    }
    inputs |= {f"{name}@0": array[None] for name, array in point.states.items()}
    executable = load_program(program, sizes, "reference", np.float64)
    found = executable.run(point.params, {**inputs, "x": inputs["x@1"]})
    for name in map(cotangent_name, point.states):
        found[name] = found[name][0]
    found[cotangent_name("x")] = np.concatenate([found[cotangent_name(f"x@{t + 1}")] for t in range(steps)])
    return found


def _native(model: Model, sizes: Mapping[str, int], point: _Point, seed: int) -> dict[str, float]:
    """The errors of the native backend's gradients, with x as tokens; none where it was not built."""
    if "native" not in available_backends():
        return {}
    program = build_program(model, "train", resets=True)
    inputs: dict[str, Array] = {**point.ids, **point.numbers}
    exact = load_program(program, sizes, "reference", np.float64).run(
        point.params, inputs, point.states, seed
    )
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
        floor = 1e-2 * float(np.linalg.norm(gradient)) / math.sqrt(max(direction.size, 1))
        along = max(along, _relative(float((gradient * direction).sum()), slope, floor))
    single = 0.0
    floor = 1e-3 * float(np.abs(gradient).max(initial=0.0))
    for flat in rng.choice(gradient.size, min(samples, gradient.size), replace=False):
        direction = np.zeros(gradient.shape)
        direction.flat[flat] = 1.0
        single = max(
            single, _relative(float(gradient.flat[flat]), difference_quotient(moved, direction), floor)
        )
    return along, single


def difference_quotient(moved: Callable[[Floats], float], direction: Floats) -> float:
    """The derivative along `direction` by central differences of sixth order.

    Of several steps the one is taken whose result is least in doubt: by how much half the step changes it,
    and by how much rounding can. Near a kink only small steps are right, elsewhere wider ones round less.
    The gradient to be checked has no say in it.
    """
    rounding = float(np.finfo(np.float64).eps) * abs(moved(np.zeros_like(direction)))
    best, doubt = 0.0, math.inf
    for step in (5e-2, 1e-2, 2e-3, 4e-4, 8e-5):
        wide, narrow = (_sixth_order(moved, direction, h) for h in (step, step / 2))
        now = abs(wide - narrow) + 4 * rounding / step
        if now < doubt:
            best, doubt = narrow, now
    return best


def _sixth_order(moved: Callable[[Floats], float], direction: Floats, h: float) -> float:
    one, two, three = (moved(n * h * direction) - moved(-n * h * direction) for n in (1, 2, 3))
    return (45 * one - 9 * two + three) / (60 * h)


def _relative(a: float, b: float, floor: float) -> float:
    # A gradient that is zero throughout is compared absolutely: 1e-12 is rounding of an objective of order
    # one.
    return abs(a - b) / max(abs(a), abs(b), floor, 1e-5)


def relative_error(a: Floats, b: Floats) -> float:
    """The largest difference of entries, relative to the largest entry."""
    scale = max(float(np.abs(a).max(initial=0.0)), float(np.abs(b).max(initial=0.0)), 1e-5)
    return float(np.abs(a - b).max(initial=0.0)) / scale
