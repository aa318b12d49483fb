"""Why a number is not finite any more: the first equation that it shows in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from bptt.backends import trace_values
from bptt.errors import BpttError
from bptt.ir.model import Model


class DivergenceError(BpttError):
    """Training met a number that is not finite, and stopped."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: str) -> None:
        self.message = message
        self.hint = hint
        super().__init__(message)

    def __str__(self) -> str:
        return f"error: {self.message}\n  hint: {self.hint}"


Arrays = Mapping[str, NDArray[np.generic]]


def find_nonfinite(
    model: Model, params: Arrays, inputs: Arrays, carries: Arrays, sizes: Mapping[str, int], *, resets: bool
) -> tuple[str, int, str] | None:
    """The name of the first equation with a value that is not finite, the position t (from 1), and its kind.

    None if all equations are finite on these data. Positions come before the order of the equations: what is
    infinite earlier in time is the cause.
    """
    values = trace_values(model, sizes, params, inputs, carries, resets=resets)
    found: tuple[int, int, str, str] | None = None
    for order, (name, value) in enumerate(values.items()):
        bad = ~np.isfinite(value).reshape(len(value), -1).all(axis=1)
        if bad.any():
            t = int(bad.argmax())
            kind = "not a number" if np.isnan(value[t]).any() else "infinite"
            found = min(found or (t, order, name, kind), (t, order, name, kind))
    return None if found is None else (found[2], found[0] + 1, found[3])


def explain(
    model: Model, params: Arrays, inputs: Arrays, carries: Arrays, sizes: Mapping[str, int], step: int,
    gradients: Arrays, *, resets: bool,
) -> DivergenceError:  # fmt: skip
    """The error that names the equation, or the gradient, that is not finite at step number `step`."""
    hint = "a smaller --lr or --clip, or a longer --warmup; the run is saved as it was before this step"
    found = find_nonfinite(model, params, inputs, carries, sizes, resets=resets)
    if found is not None:
        name, position, kind = found
        return DivergenceError(
            f"{_place(model, name)} first became {kind} at step {step}, position {position}", hint
        )
    names = [name for name, gradient in gradients.items() if not np.isfinite(gradient).all()]
    if names:
        listed = ", ".join(f"∂J/∂{name}" for name in names)
        return DivergenceError(f"not finite at step {step}: {listed}, though every equation is", hint)
    return DivergenceError(f"the norm of the gradient overflowed at step {step}", hint)


def _place(model: Model, name: str) -> str:
    span = model.spans.get(name)
    if span is None:
        return f"`{name}`"
    line = span.source.line_text(span.line).strip()
    return f"equation `{line}` ({span.source.name}:{span.line})"
