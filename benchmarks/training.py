"""A training step of ours beside PyTorch's: `python -m benchmarks.training --help`."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np

from benchmarks import machine
from benchmarks.contestants import Contestant, Equations
from benchmarks.timing import Spread, interleaved, ratios
from benchmarks.workloads import WORKLOADS, Workload

TOLERANCE = 1e-4  # of losses and gradients, relative
PEAK = "peak"


@dataclass(frozen=True)
class Row:
    """One workload. `ratio` is the time of `peer` over ours, `ratio_best` that of the fastest, `best_peer`.

    `ratios` are those of all peers, each with its quartiles, and `ratio_undisturbed` compares the quickest
    round of `peer` with our quickest. `share_of_peak` is the rate at which our step does the operations of
    its products, over that of a large product beside it.
    """

    model: str
    cell: str
    batch: int
    precision: str
    ratio: float
    ratio_low: float
    ratio_high: float
    ratio_undisturbed: float
    peer: str
    ratio_best: float
    best_peer: str
    ratios: dict[str, Spread]
    share_of_peak: float
    tokens_per_second: float
    seconds: float


class Disagreement(Exception):
    """Two programs that should compute the same do not."""


def check(ours: Contestant, theirs: Contestant) -> None:
    """Raises Disagreement unless both have the same loss and gradients at the same weights."""
    (loss, gradients), (other_loss, others) = ours.gradients(), theirs.gradients()
    errors = {"the loss": abs(loss - other_loss) / abs(other_loss)}
    if gradients.keys() != others.keys():
        raise Disagreement(f"{theirs.name} has gradients of {sorted(others)}, we of {sorted(gradients)}")
    for name, other in others.items():
        difference = np.linalg.norm((gradients[name] - other).ravel())
        errors[f"the gradient of {name}"] = float(difference / np.linalg.norm(other.ravel()))
    for what, error in errors.items():
        if not error <= TOLERANCE:
            raise Disagreement(f"{theirs.name} and we differ in {what} by {error:.1e}, relatively")


def torch_peers(workload: Workload, compiled: bool) -> list[Contestant]:
    """The first is the one that `ratio` is about: what a user of PyTorch would take."""
    from benchmarks.torch_by_hand import ByHand
    from benchmarks.torch_peers import Autograd, Loop, Modules

    weights = workload.weights()
    peers: list[Contestant] = []
    if workload.cell != "sigmoid":  # nn.RNN does not offer it
        name = {"tanh": "nn.RNN", "gru": "nn.GRU", "bigram": "nn.Linear"}[workload.cell]
        peers.append(Autograd(name, workload, Modules(workload, weights)))
    if workload.recurrent:
        peers.append(Autograd("loop", workload, Loop(workload, weights)))
        if compiled:
            peers.append(Autograd("compiled loop", workload, Loop(workload, weights), compiled=True))
    peers.append(ByHand(workload, weights))
    return peers


def measure(
    workload: Workload, peers: list[Contestant], peak: Callable[[], object], threads: int, rounds: int
) -> Row:
    ours = Equations(workload, workload.weights(), threads)
    for peer in peers:
        check(ours, peer)
    runs = {c.name: c.step for c in (ours, *peers)} | {PEAK: peak}
    times = interleaved(runs, rounds)
    own = times[ours.name]
    against = {peer.name: ratios(times[peer.name], own) for peer in peers}
    first = peers[0].name
    best = min(against, key=lambda name: against[name].median)
    time = Spread.of(own).median
    return Row(
        workload.model, workload.cell, workload.batch, "fp32",
        against[first].median, against[first].low, against[first].high, min(times[first]) / min(own), first,
        against[best].median, best, against,
        ratios(times[PEAK], own).median * workload.operations / machine.OPERATIONS,
        workload.tokens / time, time,
    )  # fmt: skip


def chosen_workloads(models: str) -> list[Workload]:
    wanted = models.split(",")
    known = {w.model for w in WORKLOADS}
    if unknown := [name for name in wanted if name not in known]:
        sys.exit(f"there is no model {unknown[0]}; there are {', '.join(sorted(known))}")
    return [w for w in WORKLOADS if w.model in wanted]


def use_cores(threads: int) -> None:
    """Keeps this process to as many cores, for every library alike. Before any of them starts threads."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def heading(rates: dict[str, float], rounds: int) -> str:
    shown = ", ".join(f"{name} {rate:.0f}" for name, rate in rates.items())
    return (
        f"{machine.description()}\n"
        f"{machine.SIDE}x{machine.SIDE} products in GFLOP/s: {shown}; the fastest is the peak\n"
        f"one training step in fp32; median of {rounds} rounds, with quartiles; ratio = theirs / ours\n\n"
        f"{'model':6}{'cell':9}{'B':>4} {'peer':15} {'ratio':>18} {'of peak':>8} {'tokens/s':>11}"
    )


def name_of(row: Row | Workload) -> str:
    return f"{row.model:6}{row.cell:9}{row.batch:4}"


def lines(row: Row) -> str:
    shown = []
    for i, (name, ratio) in enumerate(row.ratios.items()):
        first = i == 0
        left = name_of(row) if first else " " * 19
        right = f" {row.share_of_peak:8.0%} {row.tokens_per_second:11,.0f}" if first else ""
        shown.append(f"{left} {name:15} {ratio!s:>18}{right}")
    return "\n".join(shown)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__)
    parser.add_argument("--against", choices=["torch"], default="torch", help="the library to compare with")
    parser.add_argument("--models", default="M1,M2,M3,M4,M5", help="by comma; also M6 (default %(default)s)")
    parser.add_argument("--repeats", type=int, default=9, help="rounds, 7 or more (default %(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="cores for each side (default %(default)s)")
    parser.add_argument(
        "--compile", action="store_true", help="also torch.compile of the loop, which takes minutes"
    )
    parser.add_argument("--json", action="store_true", help="print JSON in place of the table")
    options = parser.parse_args(arguments)
    if options.repeats < 7 or options.threads < 1:
        parser.error("a median needs --repeats 7 or more, and --threads is at least 1")
    workloads = chosen_workloads(options.models)
    use_cores(options.threads)
    try:
        import torch
    except ImportError:
        sys.exit("these benchmarks need PyTorch: pip install torch==2.13.0")
    torch.set_num_threads(options.threads)

    a, b = (torch.from_numpy(factor) for factor in machine.factors())
    squares = machine.products(options.threads) | {"PyTorch": lambda: torch.mm(a, b)}
    rates = {
        name: machine.OPERATIONS / min(times) / 1e9
        for name, times in interleaved(squares, options.repeats).items()
    }
    fastest = max(rates, key=lambda name: rates[name])
    table = sys.stderr if options.json else sys.stdout
    print(heading(rates, options.repeats), file=table, flush=True)
    rows, failures = [], 0
    for workload in workloads:
        try:
            peers = torch_peers(workload, options.compile)
            row = measure(workload, peers, squares[fastest], options.threads, options.repeats)
        except Disagreement as error:
            failures += 1
            print(f"{name_of(workload)} FAILED: {error}", file=table, flush=True)
            continue
        rows.append(row)
        print(lines(row), file=table, flush=True)
    if len(rows) > 1:
        over_first = statistics.geometric_mean(row.ratio for row in rows)
        over_best = statistics.geometric_mean(row.ratio_best for row in rows)
        print(f"\ngeometric mean: {over_first:.2f}; over the fastest peers {over_best:.2f}", file=table)
    if options.json:
        print(json.dumps({
            "machine": machine.description(), "torch": torch.__version__, "threads": options.threads,
            "repeats": options.repeats, "product_gflops": rates, "peak": fastest,
            "rows": [asdict(row) for row in rows],
        }, indent=1))  # fmt: skip
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
