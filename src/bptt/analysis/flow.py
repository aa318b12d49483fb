"""How much of a gradient survives going back k steps.

The loss J_T of step T alone is taken back through the steps before it: ∂J_T/∂s_{T-k} is ∂J_T/∂s_T times the
product of k Jacobians ∂s_t/∂s_{t-1}, whose norms and eigenvalues decide whether it vanishes or explodes
(Bengio, Simard & Frasconi 1994; Pascanu, Mikolov & Bengio 2013). Everything is kept as a natural logarithm,
and gradients are brought back to length one after each step, so that hundreds of steps neither underflow nor
overflow.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bptt.analysis.jacobians import Floats, Ids, Step
from bptt.backends.base import Arrays
from bptt.ir.model import Model

LOW, HIGH = 10, 90  # percentiles over inputs
JACOBIANS = 12  # of how many steps and inputs the Jacobian is formed, up to ORDINARY numbers in a state
ORDINARY = 256
LARGEST = 1024  # numbers in a state whose Jacobian is still formed


@dataclass(frozen=True)
class Curve:
    """ln of what is left of a gradient k = 0 … K steps back, each (K + 1,); -inf where nothing is.

    `left` is the root mean square over the inputs, relative to that at the flow's `reference`; `low` and
    `high` are percentiles LOW and HIGH over the inputs of what is left of each one's own gradient. NaN where
    numbers were too large for float64 on the way.
    """

    left: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Spread:
    """The median, smallest and largest of what was measured at several steps and inputs."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Flow:
    """The flow of the gradient of J_T through `steps` steps, over `examples` sequences.

    `whole` is the gradient by all of the state, `states` that by each variable (the others held fixed). All
    of them are relative to the whole gradient `reference` steps back, whose root mean square has the
    logarithm `log_norm`: 0 steps, or more where J_T does not depend on s_T; None where it depends on no
    state, or where the numbers overflow (log_norm is NaN then).
    `radius` and `norm` are the spectral radius and the largest singular value of the step's Jacobian; None
    where it is not formed (more than LARGEST numbers) or not finite.
    """

    steps: int
    examples: int
    reference: int | None
    log_norm: float
    whole: Curve
    states: dict[str, Curve]
    radius: Spread | None
    norm: Spread | None

    def curve(self, state: str | None = None) -> Curve:
        return self.whole if state is None else self.states[state]

    def log_factor(self, state: str | None = None) -> float:
        """ln of the factor per step: the geometric mean from the first step back to the last.

        The step from k = 0 to 1 does not count, where there are others: it is the one in which the loss reads
        the state.
        """
        left = self.curve(state).left
        first = min(max(1, self.reference or 0), self.steps - 1)
        if left[-1] == -math.inf:
            return -math.inf
        return float(left[-1] - left[first]) / (self.steps - first)

    def half(self, state: str | None = None) -> int | None:
        """The first k at which half or less is left of what there was at the first k with a gradient at all;
        None if it is not within the steps.
        """
        left = self.curve(state).left
        (some,) = np.nonzero(left > -math.inf)
        if not some.size:
            return None
        (below,) = np.nonzero(left[some[0] :] <= left[some[0]] + math.log(0.5))
        return int(some[0] + below[0]) if below.size else None


def measure_flow(model: Model, sizes: Mapping[str, int], params: Arrays, x: Ids, y: Ids, steps: int) -> Flow:
    """The flow at given parameters through the last `steps` of the sequences x, whose next tokens are y:
    both (T, B), T ≥ steps.

    What is before these steps is read first, from the initial state on. Raises ValueError for a model
    without a state.
    """
    if not model.states:
        raise ValueError(f"{model.name} carries nothing from step to step")
    step = Step(model, sizes)
    params = {name: np.asarray(array, np.float64) for name, array in params.items()}
    entering = step.states(params, x)
    variables = {s.variable: step.parts[s.name] for s in model.states if s.lag == 1}
    norms = _log_norms(step, params, x, y, entering, steps, variables)
    total = norms[""]
    reference = next((k for k in range(steps + 1) if (total[k] > -math.inf).any()), None)
    base = total[reference or 0]
    curves = {name: _curve(log, base) for name, log in norms.items()}
    radius, norm = _spectrum(step, params, x[-steps:], entering[-steps:])
    return Flow(steps, x.shape[1], reference, _log_rms(base), curves.pop(""), curves, radius, norm)


def _log_norms(
    step: Step,
    params: Arrays,
    x: Ids,
    y: Ids,
    entering: Floats,
    steps: int,
    variables: Mapping[str, slice],
) -> dict[str, Floats]:
    """ln |∂J_T/∂s_{T-k}| for k = 0 … steps and each example, (steps + 1, B); under "" of the whole state."""
    parts = {"": slice(None), **variables}
    logs = {name: np.full((steps + 1, x.shape[1]), np.nan) for name in parts}
    scale = np.zeros(x.shape[1])  # ln of what the gradient was divided by
    here, back = step.last(params, x[-1], y[-1], entering[-1])
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for k in range(steps + 1):
            gradient = here if k == 0 else back
            for name, part in parts.items():
                logs[name][k] = np.log(np.linalg.norm(gradient[:, part], axis=-1)) + scale
            if 0 < k < steps:
                length = np.linalg.norm(back, axis=-1)
                length[length == 0.0] = 1.0
                scale += np.log(length)
                back = back / length[:, None]
                back = step.back(params, x[None, -k - 1], entering[None, -k - 1], back[None])[0]
    return logs


def _curve(log: Floats, base: Floats) -> Curve:
    """From ln of norms (K + 1, B), and of those that they are relative to (B,)."""
    has = base > -math.inf
    if not has.any():
        return Curve(*np.full((3, len(log)), math.nan if np.isnan(base).any() else -math.inf))
    left = np.array([_log_rms(row) for row in log]) - _log_rms(base)
    # Order statistics: between -inf and a number nothing can be interpolated.
    low, high = (np.percentile(log[:, has] - base[has], q, axis=1, method="nearest") for q in (LOW, HIGH))
    return Curve(left, low, high)


def _log_rms(logs: NDArray[np.float64]) -> float:
    """ln of the root mean square, from logarithms."""
    top = float(logs.max())
    if not math.isfinite(top):
        return top
    return top + 0.5 * math.log(float(np.exp(2.0 * (logs - top)).mean()))


def _spectrum(step: Step, params: Arrays, x: Ids, entering: Floats) -> tuple[Spread | None, Spread | None]:
    """Spectral radius and largest singular value of the Jacobian, at steps and examples spread evenly."""
    if step.size > LARGEST:
        return None, None
    steps, examples = x.shape
    # Eigenvalues take time with the third power of the size.
    affordable = JACOBIANS if step.size <= ORDINARY else max(2, int(JACOBIANS * (ORDINARY / step.size) ** 2))
    count = min(affordable, steps * examples)
    radii, norms = [], []
    for i in range(count):
        at = (i * steps // count, i % examples)
        jacobian = step.jacobian(params, int(x[at]), entering[at])
        if not np.isfinite(jacobian).all():
            return None, None
        radii.append(float(np.abs(np.linalg.eigvals(jacobian)).max()))
        norms.append(float(np.linalg.norm(jacobian, 2)))
    return _spread(radii), _spread(norms)


def _spread(values: list[float]) -> Spread:
    return Spread(float(np.median(values)), min(values), max(values))
