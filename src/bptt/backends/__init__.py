"""Who runs a program: the reference interpreter in NumPy, and the native executor."""

from bptt.backends.base import Executable
from bptt.backends.compile import available_backends, build_program, compile_model, load_program
from bptt.backends.trace import trace_values

__all__ = [
    "Executable",
    "available_backends",
    "build_program",
    "compile_model",
    "load_program",
    "trace_values",
]
