"""Where the time of our step goes, instruction by instruction: `python -m benchmarks.breakdown --help`."""

from __future__ import annotations

import argparse
import time

from benchmarks.contestants import Equations
from benchmarks.training import chosen_workloads, use_cores
from benchmarks.workloads import Workload

# A kind of block, its seconds, and of each instruction the name, seconds and operations.
BlockTimes = tuple[str, float, list[tuple[str, float, float]]]


def quickest(ours: Equations, runs: int) -> tuple[float, list[BlockTimes]]:
    """Seconds of the quickest profiled run, and of its blocks.

    The quickest, since on a shared machine every other one contains somebody else's time.
    """
    best = float("inf")
    for _ in range(runs):
        start = time.perf_counter()
        ours.executable.run(ours.weights, ours.inputs, profile=True)
        took = time.perf_counter() - start
        if took < best:
            best, report = took, ours.executable.native.report()
    return best, [
        (kind, seconds, [(name, s, operations) for name, s, operations, _ in instructions])
        for kind, seconds, _, _, instructions in report
    ]


def show(workload: Workload, threads: int, runs: int) -> None:
    ours = Equations(workload, workload.weights(), threads)
    total, blocks = quickest(ours, runs)
    plain = float("inf")  # steps without the clocks, which cost something in scans of small steps
    for _ in range(runs):
        start = time.perf_counter()
        ours.step()
        plain = min(plain, time.perf_counter() - start)
    print(
        f"\n{workload.model} {workload.cell} B={workload.batch}: step {plain * 1e6:,.0f} µs, "
        f"{workload.operations / plain / 1e9:.0f} GFLOP/s"
    )
    print(f"  {'run':14}{total * 1e6:10,.0f} µs, with the clocks")
    listing = [line for line in ours.executable.listing().splitlines() if line.startswith(" ")]
    outside = total - sum(seconds for _, seconds, _ in blocks)
    for kind, seconds, instructions in blocks:
        print(f"  {kind:14}{seconds * 1e6:10,.0f} µs {seconds / total:5.0%}")
        for _, own, operations in instructions:
            rate = f"{operations / own / 1e9:6.0f} GFLOP/s" if operations and own else ""
            print(f"    {own * 1e6:10,.1f} µs {own / total:5.1%} {rate:16} {listing.pop(0).strip()}")
    print(f"  {'outside':14}{outside * 1e6:10,.0f} µs {outside / total:5.0%}   Python, checks, packing")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.breakdown", description=__doc__)
    parser.add_argument("--models", default="M1,M2,M3,M4,M5", help="which, by comma (default %(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="cores (default %(default)s)")
    parser.add_argument("--runs", type=int, default=30, help="the quickest is shown (default %(default)s)")
    options = parser.parse_args(arguments)
    workloads = chosen_workloads(options.models)
    use_cores(options.threads)
    for workload in workloads:
        show(workload, options.threads, options.runs)


if __name__ == "__main__":
    main()
