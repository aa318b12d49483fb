"""Programs of one block, built a buffer at a time, for the tests of the native core."""

import os
import subprocess
import sys

import numpy as np
import pytest

ISAS = ("avx512", "avx2", "neon", "plain")


class Case:
    """A program under construction, with the arrays it will run on.

    `values` and `out` return operands: windows with `pad` columns of their buffer on either side, so that a
    kernel that leaves its window is seen.
    """

    def __init__(self, native, T, B, pad=0, seed=0):
        self.native, self.T, self.B, self.pad = native, T, B, pad
        self.rng = np.random.default_rng([seed, T, B, pad])
        self.buffers, self.arrays, self.instructions = [], [], []

    def add(self, kind, rows, cols, array):
        self.buffers.append((kind, rows, cols, f"{kind}{len(self.buffers)}"))
        self.arrays.append(array)
        return len(self.buffers) - 1

    def _rows(self, n, fill, kind):
        lead = {"sequence": self.T, "history": self.T + 1, "ring": 2}[kind]
        array = np.full((lead, self.B, n + 2 * self.pad), fill, np.float32)
        return array, self.add(kind, 0, n + 2 * self.pad, array)

    def values(self, n, draw=None, kind="sequence", shift=0):
        """An operand and its float64 values [T, B, n]."""
        array, buffer = self._rows(n, np.nan, kind)
        draw = draw or (lambda shape: self.rng.standard_normal(shape))
        window = array[..., self.pad : self.pad + n]
        window[...] = draw(window.shape)
        seen = window[shift : shift + self.T] if kind == "history" else window
        return (buffer, shift, 0, self.pad, n), seen.astype(np.float64)

    def out(self, n, kind="sequence", shift=0, fill=np.nan):
        _, buffer = self._rows(n, fill, kind)
        return (buffer, shift, 0, self.pad, n)

    def matrix(self, rows, cols, kind="param"):
        """An operand of a param or sum, one row down and `pad` columns in, and its float64 values."""
        array = self.rng.standard_normal((rows + 1, cols + 2 * self.pad)).astype(np.float32)
        buffer = self.add(kind, rows + 1, cols + 2 * self.pad, array)
        return (buffer, 0, 1, self.pad, cols), array[1:, self.pad : self.pad + cols].astype(np.float64)

    def tokens(self, vocabulary):
        ids = self.rng.integers(0, vocabulary, (self.T, self.B)).astype(np.int32)
        return (self.add("tokens", 0, vocabulary, ids), 0, 0, 0, vocabulary), ids

    def local(self, n):
        return (self.add("local", 0, n, None), 0, 0, 0, n)

    def op(self, name, dst, a=None, b=None, c=None, f0=0.0, f1=0.0, flags=0, m=0, k=0, n=0):
        self.instructions.append((self.native.OPCODES[name], dst, a, b, c, f0, f1, flags, m, k, n))

    def run(self, kind="map", threads=1, seed=0):
        program = self.native.Program(self.buffers, [(kind, self.instructions)])
        program.run(self.T, self.B, self.arrays, seed, threads)

    def window(self, operand):
        """What lies in an operand's window now, as float64; of a history the rows at its shift."""
        buffer, shift, row, col, width = operand
        kind, array = self.buffers[buffer][0], self.arrays[buffer]
        if kind in ("param", "sum"):
            array = array[row:]
        elif kind == "history":
            array = array[shift : shift + self.T]
        return array[..., col : col + width].astype(np.float64)

    def untouched(self, operand):
        """Whether everything beside an output's window is still the NaN that was there."""
        buffer, _, _, col, width = operand
        array = self.arrays[buffer]
        return bool(np.isnan(array[..., :col]).all() and np.isnan(array[..., col + width :]).all())


@pytest.fixture(scope="session")
def native():
    return pytest.importorskip("bptt._native", reason="the native core is not built")


@pytest.fixture(params=ISAS)
def isa(request, native, monkeypatch):
    """Each instruction set that this machine can run, in use while the test runs."""
    monkeypatch.setenv("BPTT_ISA", request.param)
    try:
        native.isa()
    except ValueError as error:
        pytest.skip(str(error))
    return request.param


@pytest.fixture
def case(native):
    def make(T, B, pad=0, seed=0):
        return Case(native, T, B, pad, seed)

    return make


@pytest.fixture
def python():
    """Runs a script in a fresh interpreter with more environment; returns its result."""

    def run(script, **environment):
        env = {**os.environ, **environment}
        return subprocess.run(
            [sys.executable, "-c", script], env=env, capture_output=True, text=True, timeout=60
        )

    return run
