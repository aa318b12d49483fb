"""From a model to something that runs: the compiler, as a list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from bptt.autodiff.through_time import differentiate
from bptt.backends.base import Executable
from bptt.errors import InputError
from bptt.ir.model import Model
from bptt.ir.program import Program
from bptt.ir.verify import verify
from bptt.passes.forward import forward_program
from bptt.passes.schedule import schedule
from bptt.passes.simplify import look_up_tokens, simplify
from bptt.passes.stabilize import stabilize

Observer = Callable[[str, Program], None]


def build_program(
    model: Model,
    goal: str,
    *,
    resets: bool = False,
    gradients: bool | None = None,
    inputs: bool = False,
    observe: Observer | None = None,
) -> Program:
    """The scheduled program of a model for a goal (see `bptt.passes.forward.GOALS`).

    Gradients are part of it where the goal is "train", or as `gradients` says; `inputs` adds the gradient
    of x. `observe` is told each pass by name with what it made.
    """
    if gradients is None:
        gradients = goal == "train"
    passes: list[tuple[str, Callable[[Program], Program]]] = [("stabilize", stabilize)]
    if gradients:
        passes.append(("differentiate", partial(differentiate, inputs=inputs)))
    passes += [("simplify", simplify), ("look up tokens", look_up_tokens), ("schedule", schedule)]
    program = forward_program(model, goal, resets=resets)
    verify(program, "forward")
    if observe:
        observe("forward", program)
    for name, run in passes:
        program = run(program)
        verify(program, name)
        if observe:
            observe(name, program)
    return program


def available_backends() -> tuple[str, ...]:
    """The names of the backends that can run here, the preferred one first."""
    try:
        import bptt._native  # noqa: F401
    except ImportError:
        return ("reference",)
    return ("native", "reference")


def load_program(
    program: Program, sizes: Mapping[str, int], backend: str = "auto", dtype: type = np.float32
) -> Executable:
    """The program on a backend. Raises InputError for a backend that is not there, or that has no such
    numbers.
    """
    if backend == "auto":
        backend = "reference" if dtype is not np.float32 else available_backends()[0]
    if backend == "reference":
        from bptt.backends.reference import ReferenceExecutable

        return ReferenceExecutable(program, sizes, np.dtype(dtype))
    if backend != "native":
        raise InputError(f"no backend is called {backend!r}", f"there are: {', '.join(available_backends())}")
    if backend not in available_backends():
        raise InputError(
            "the native backend was not built when bptt was installed",
            "install a C++ compiler and install bptt again, or use --backend reference",
        )
    if dtype is not np.float32:
        raise InputError("the native backend computes in float32", "use --backend reference for float64")
    from bptt.backends.native import NativeExecutable

    return NativeExecutable(program, sizes)


def compile_model(
    model: Model,
    sizes: Mapping[str, int],
    goal: str = "train",
    *,
    backend: str = "auto",
    dtype: type = np.float32,
    resets: bool = False,
) -> Executable:
    """A model, ready to run for a goal: "train", "loss", "score", "predict" or "trace"."""
    return load_program(build_program(model, goal, resets=resets), sizes, backend, dtype)
