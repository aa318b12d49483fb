"""Optimisers: parameters changed in place by their gradients.

The native core's routines are used where it is installed, and the same formulas in NumPy where it is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bptt.lm.config import TrainConfig

_native: Any
try:
    from bptt import _native
except ImportError:
    _native = None

Array = NDArray[np.float32]
Params = dict[str, Array]

BETA1 = 0.9
BETA2 = 0.999
EPSILON = 1e-8


def gradient_norm(gradients: Mapping[str, Array]) -> float:
    """The Euclidean norm over all gradients together."""
    arrays = list(gradients.values())
    if _native is not None:
        return float(np.sqrt(_native.squared_norm(arrays)))
    return float(np.sqrt(sum(float(np.vdot(wide, wide)) for wide in (a.astype(np.float64) for a in arrays))))


def scale(gradients: Mapping[str, Array], factor: float) -> None:
    if _native is not None:
        _native.scale(list(gradients.values()), factor)
        return
    for gradient in gradients.values():
        gradient *= np.float32(factor)


class Optimizer:
    """sgd, momentum, adam or adamw, with their memory in `slots`: one array per parameter and kind of memory.

    momentum  v = momentum·v + g,  p -= lr·v
    adam      Kingma & Ba 2015; weight decay is added to the gradient
    adamw     Loshchilov & Hutter 2019; weight decay shrinks the parameter by lr·decay
    Weight decay (of sgd and momentum too, added to the gradient) is for matrices only.
    """

    def __init__(self, config: TrainConfig, params: Params) -> None:
        self.params = params
        self.name = config.optimizer
        self.momentum = config.momentum if self.name == "momentum" else 0.0
        self.weight_decay = config.weight_decay
        kinds = {"sgd": (), "momentum": ("velocity",)}.get(self.name, ("mean", "square"))
        self.slots: dict[str, Params] = {
            kind: {name: np.zeros_like(p) for name, p in params.items()} for kind in kinds
        }
        # Matrices may decay, the rest may not; each group is one call of the core.
        matrices = [name for name, p in params.items() if p.ndim == 2]
        others = [name for name, p in params.items() if p.ndim != 2]
        self._groups = (
            [(matrices, self.weight_decay), (others, 0.0)] if self.weight_decay else [(list(params), 0.0)]
        )

    def update(self, gradients: Mapping[str, Array], lr: float, step: int) -> None:
        """One step, the `step`-th (from 1). The gradients may be used up."""
        # What overflows here is infinite in the next step's values, and is reported there with its place.
        with np.errstate(over="ignore", invalid="ignore"):
            self._update(gradients, lr, step)

    def _update(self, gradients: Mapping[str, Array], lr: float, step: int) -> None:
        for names, decay in self._groups:
            p = [self.params[name] for name in names]
            g = [gradients[name] for name in names]
            slots = [[slot[name] for name in names] for slot in self.slots.values()]
            if self.name in ("adam", "adamw"):
                if self.name == "adam" and decay:
                    for gradient, parameter in zip(g, p, strict=True):
                        gradient += np.float32(decay) * parameter
                    decay = 0.0
                adam_step(p, g, slots[0], slots[1], lr, BETA1, BETA2, EPSILON, decay, step)
            else:
                sgd_step(p, g, slots[0] if slots else None, lr, self.momentum, decay)


def _numpy_sgd_step(
    params: list[Array],
    grads: list[Array],
    velocities: list[Array] | None,
    lr: float,
    momentum: float,
    weight_decay: float,
) -> None:
    for i, (p, g) in enumerate(zip(params, grads, strict=True)):
        change = g + np.float32(weight_decay) * p if weight_decay else g
        if velocities is not None:
            velocities[i] *= np.float32(momentum)
            velocities[i] += change
            change = velocities[i]
        p -= np.float32(lr) * change


def _numpy_adam_step(
    params: list[Array], grads: list[Array], means: list[Array], squares: list[Array],
    lr: float, beta1: float, beta2: float, epsilon: float, weight_decay: float, step: int,
) -> None:  # fmt: skip
    rate = np.float32(lr / (1 - beta1**step))
    root = np.float32(1 / np.sqrt(1 - beta2**step))
    for p, g, m, v in zip(params, grads, means, squares, strict=True):
        m *= np.float32(beta1)
        m += np.float32(1 - beta1) * g
        v *= np.float32(beta2)
        v += np.float32(1 - beta2) * (g * g)
        if weight_decay:
            p *= np.float32(1 - lr * weight_decay)
        p -= rate * m / (np.sqrt(v) * root + np.float32(epsilon))


sgd_step: Any = _numpy_sgd_step if _native is None else _native.sgd_step
adam_step: Any = _numpy_adam_step if _native is None else _native.adam_step
