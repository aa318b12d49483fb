"""GFLOP/s of the native core's products beside NumPy's, in one interleaved run.

    python benchmarks/native_products.py [repetitions]

Each number is the best of the repetitions, since a busy machine only ever takes time away; even so, believe
the ratios. Set OPENBLAS_NUM_THREADS=1 to compare one thread with one thread.
"""

import sys
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bptt import _native as native

# what, kind of block, T, B, K, N
GEMMS = [
    ("scan 16x128x128", "scan_forward", 64, 16, 128, 128),
    ("scan 32x128x128", "scan_forward", 64, 32, 128, 128),
    ("scan 10x200x200", "scan_forward", 35, 10, 200, 200),
    ("scan 20x200x200", "scan_forward", 35, 20, 200, 200),
    ("scan 32x256x256", "scan_forward", 64, 32, 256, 256),
    ("scan 64x256x768", "scan_forward", 64, 64, 256, 768),
    ("scan 32x512x512", "scan_forward", 35, 32, 512, 512),
    ("map 2048x64x128", "map", 64, 32, 64, 128),
    ("map 700x200x10000", "map", 35, 20, 200, 10000),
    ("map 1120x512x10000", "map", 35, 32, 512, 10000),
]
OUTER_SUMS = [
    ("outer 2048x128x128", 64, 32, 128, 128),
    ("outer 2048x128x96", 64, 32, 128, 96),
    ("outer 700x200x10000", 35, 20, 200, 10000),
    ("outer 1120x512x10000", 35, 32, 512, 10000),
    ("outer 1120x512x1536", 35, 32, 512, 1536),
]
Run = Callable[[], object]


def aligned(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Normal numbers that begin at a cache line, so that no vector of the kernels straddles two."""
    size = int(np.prod(shape))
    raw = np.random.default_rng(0).standard_normal(size + 16, dtype=np.float32)
    start = -raw.ctypes.data % 64 // 4
    return raw[start : start + size].reshape(shape)


def gemm(kind: str, T: int, B: int, K: int, N: int, transposed: bool, threads: int) -> tuple[Run, Run]:
    """One run of ours and one of NumPy's: a scan multiplies step by step, a map all rows, tile by tile."""
    a, w, out = aligned((T, B, K)), aligned((N, K) if transposed else (K, N)), aligned((T, B, N))
    local = kind == "map" and N >= 1000  # as in an output layer: a tile at a time, never all of it
    buffers = [
        ("sequence", 0, K, "a"),
        ("param", *w.shape, "w"),
        ("local" if local else "sequence", 0, N, "out"),
    ]
    code = native.OPCODES["GEMM"]
    operands = ((2, 0, 0, 0, N), (0, 0, 0, 0, K), (1, 0, 0, 0, w.shape[1]), None)
    program = native.Program(buffers, [(kind, [(code, *operands, 0.0, 0.0, 2 * transposed, 0, 0, 0)])])
    arrays = [a, w, None if local else out]
    right = w.T if transposed else w

    def numpy() -> None:
        if kind == "map":
            np.matmul(a.reshape(T * B, K), right, out=out.reshape(T * B, N))
        else:
            for t in range(T):
                np.matmul(a[t], right, out=out[t])

    return lambda: program.run(T, B, arrays, 0, threads), numpy


def outer_sum(T: int, B: int, K: int, N: int, threads: int) -> tuple[Run, Run]:
    a, b, out = aligned((T, B, K)), aligned((T, B, N)), aligned((K, N))
    buffers = [("sequence", 0, K, "a"), ("sequence", 0, N, "b"), ("sum", K, N, "out")]
    operands = ((2, 0, 0, 0, N), (0, 0, 0, 0, K), (1, 0, 0, 0, N), None)
    code = native.OPCODES["OUTER_SUM"]
    program = native.Program(buffers, [("map", [(code, *operands, 0.0, 0.0, 0, 0, 0, 0)])])
    arrays = [a, b, out]

    def numpy() -> None:
        out[...] += a.reshape(T * B, K).T @ b.reshape(T * B, N)

    return lambda: program.run(T, B, arrays, 0, threads), numpy


def seconds(run: Run) -> float:
    """Of one run, after another that wakes the threads and warms the caches."""
    run()
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def main() -> None:
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    print(f"{native.isa()}, {native.hardware_threads()} processors, GFLOP/s")
    print(f"{'':30}{'1 thread':>10}{'2 threads':>11}{'NumPy':>9}")
    table = [
        (f"{name}{' T' if transposed else ''}", 2.0 * T * B * K * N,
         [gemm(kind, T, B, K, N, transposed, threads) for threads in (1, 2)])
        for name, kind, T, B, K, N in GEMMS for transposed in (False, True)
    ] + [
        (name, 2.0 * T * B * K * N, [outer_sum(T, B, K, N, threads) for threads in (1, 2)])
        for name, T, B, K, N in OUTER_SUMS
    ]  # fmt: skip
    for name, operations, ((one, numpy), (two, _)) in table:
        times: list[list[float]] = [[], [], []]
        for _ in range(repetitions):
            for kept, run in zip(times, (one, two, numpy), strict=True):
                kept.append(seconds(run))
        rates = [operations / min(kept) / 1e9 for kept in times]
        print(f"{name:30}{rates[0]:10.0f}{rates[1]:11.0f}{rates[2]:9.0f}", flush=True)


if __name__ == "__main__":
    main()
