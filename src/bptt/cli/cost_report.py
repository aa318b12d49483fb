"""All that `bptt cost` says, as values, and as the JSON object that docs/cost.md describes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import isnan
from typing import Any

from bptt.analysis.cost import Cost, Numbers, Part
from bptt.analysis.dominance import LargestTerm, Majority, largest_term, majority
from bptt.analysis.measure import Times
from bptt.analysis.operations import Work
from bptt.analysis.polynomial import Polynomial
from bptt.analysis.traffic import Traffic
from bptt.analysis.update import UPDATES, Update
from bptt.ir import dims

VOCABULARY = str(dims.VOCABULARY)


@dataclass(frozen=True)
class Intensity:
    """Operations and bytes of a part of a step of `window`·`batch` tokens, for all of them."""

    part: str
    window: int
    batch: int
    operations: float
    bytes: int

    @property
    def per_byte(self) -> float:
        return self.operations / self.bytes if self.bytes else 0.0


@dataclass(frozen=True)
class Report:
    """A cost at the sizes that were chosen; `assumed` are the sizes that neither user nor equations give."""

    cost: Cost
    sizes: dict[str, int]
    assumed: tuple[str, ...]
    window: int
    batch: int
    optimizer: str

    @property
    def tokens(self) -> int:
        return self.window * self.batch

    @property
    def change(self) -> Update:
        return UPDATES[self.optimizer]

    @cached_property
    def numbers(self) -> Numbers:
        return self.cost.evaluate(self.sizes, self.window, self.batch, self.optimizer)

    @cached_property
    def term(self) -> LargestTerm | None:
        return largest_term(self.cost.operations, self.sizes)

    @cached_property
    def majorities(self) -> list[Majority]:
        """Of the equation that costs the most, if it can have the majority, or else of all that can; of none
        where the others cost no more than a few operations whatever the sizes.
        """
        parts = {part.name: part.work.operations for part in self.cost.forward}
        costliest = max(parts, key=lambda name: parts[name].evaluate(self.sizes))
        found = [majority(parts, name, self.sizes) for name in (costliest, *parts)]
        possible = [
            m for m in found if m.condition is not None and any(n for n, _ in m.condition.smaller.terms())
        ]
        return possible[:1] if found[0] in possible else possible

    def holders(self) -> list[str]:
        """The parts that the largest term comes from."""
        if self.term is None:
            return []
        parts = (*self.cost.forward, *self.cost.backward)
        return [p.name for p in parts if p.work.operations.factor(self.term.monomial)]

    def looked_up(self) -> list[Part]:
        """The gradients that only get a token's row, of tables that the update changes as a whole."""
        rows = {part.name[1:]: part for part in self.cost.backward}
        return [
            rows[name]
            for name, elements in self.cost.elements.items()
            if name in rows
            and any(VOCABULARY in m for m, _ in elements.terms())
            and not any(VOCABULARY in m for m, _ in rows[name].work.steps.terms())
        ]

    def moved(self) -> list[tuple[str, Traffic, int]]:
        """What a training step moves in its parts: as formulas, and in bytes."""
        cost, n = self.cost, self.numbers
        update = Traffic(per_run=cost.parameters * (self.change.read + self.change.written))
        return [
            ("forward", cost.forward_traffic, n.forward_bytes),
            ("backward", cost.training_traffic - cost.forward_traffic, n.training_bytes - n.forward_bytes),
            ("update", update, n.update_bytes),
        ]

    @property
    def break_even(self) -> float:
        """At how many tokens a step the update takes as many operations as forward and backward."""
        passes = self.numbers.forward + self.numbers.backward
        return self.change.operations * self.numbers.parameters / passes if passes else 0.0

    def intensities(self) -> list[Intensity]:
        """Of one token alone, of one example, and of the step that was asked for."""
        found = []
        for window, batch in dict.fromkeys(((1, 1), (self.window, 1), (self.window, self.batch))):
            n = self.cost.evaluate(self.sizes, window, batch, self.optimizer)
            tokens = window * batch
            passes = (n.forward + n.backward) * tokens
            found.append(Intensity("forward", window, batch, n.forward * tokens, n.forward_bytes))
            if (window, batch) != (1, 1) or self.tokens == 1:
                found.append(Intensity("forward and backward", window, batch, passes, n.training_bytes))
        update = self.numbers.update * self.tokens
        return [*found, Intensity("update", self.window, self.batch, update, self.numbers.update_bytes)]


@dataclass(frozen=True)
class PartTime:
    """Seconds and counted operations of a part, per token."""

    name: str
    seconds: float
    operations: float

    @property
    def gflops(self) -> float | None:
        """10⁹ operations a second; None where the time was too short to be told from nothing."""
        return self.operations / self.seconds / 1e9 if self.seconds > 0 else None


@dataclass(frozen=True)
class Measured:
    """`parts` are forward, backward, update and all of a step; `blocks` those of the program."""

    times: Times
    parts: tuple[PartTime, ...]
    blocks: tuple[PartTime, ...]


def measured_parts(report: Report, times: Times, update: float) -> Measured:
    """The times per token; that of the update is shared by the tokens of the step that was asked for."""
    tokens = times.window * times.batch
    n = report.numbers
    parts = [
        PartTime("forward", times.forward / tokens, n.forward),
        PartTime("backward", max(0.0, times.training - times.forward) / tokens, n.backward),
        PartTime("update", update / report.tokens, n.update),
    ]
    whole = PartTime(
        "together",
        times.training / tokens + update / report.tokens,
        sum(part.operations for part in parts),
    )
    blocks = tuple(
        PartTime(part.name, seconds / tokens, part.work.operations.evaluate(report.sizes))
        for part, seconds in zip(report.cost.blocks, times.blocks, strict=bool(times.blocks))
        if not isnan(seconds)
    )
    return Measured(times, (*parts, whole), blocks)


def as_json(report: Report, measured: Measured | None) -> dict[str, Any]:
    cost, n = report.cost, report.numbers
    return {
        "model": cost.name,
        "sizes": report.sizes,
        "assumed": list(report.assumed),
        "window": report.window,
        "batch": report.batch,
        "optimizer": report.optimizer,
        "forward": [_part(report, part, n.forward) for part in cost.forward],
        "backward": [_part(report, part, n.backward) for part in cost.backward],
        "totals": {
            "forward": _work(cost.forward_work) | {"operations": n.forward},
            "backward": _work(cost.backward_work) | {"operations": n.backward},
            "once": _work(cost.once) | {"operations": n.once},
            "update": {
                "per_parameter": report.change.operations,
                "operations": n.update,
                "break_even_tokens": report.break_even,
            },
            "parameters": {"formula": cost.parameters.in_python(), "number": n.parameters},
        },
        "largest_term": _term(report),
        "majorities": [_majority(m, report) for m in report.majorities],
        "memory": n.memory | {"total": sum(n.memory.values())},
        "moved": [
            {
                "part": part,
                "per_token": traffic.per_token.in_python(),
                "per_time_step": traffic.per_time_step.in_python(),
                "per_step": traffic.per_run.in_python(),
                "bytes": number,
            }
            for part, traffic, number in report.moved()
        ],
        "intensity": [
            {
                "part": i.part,
                "window": i.window,
                "batch": i.batch,
                "operations": i.operations,
                "bytes": i.bytes,
                "operations_per_byte": i.per_byte,
            }
            for i in report.intensities()
        ],
        "measured": None if measured is None else _measured(measured),
    }


def _work(work: Work) -> dict[str, Any]:
    return {"formula": work.operations.in_python(), "order": work.steps.order_in_python()}


def _part(report: Report, part: Part, whole: int) -> dict[str, Any]:
    work, operations = part.work, part.work.operations.evaluate(report.sizes)
    return {
        "name": part.name,
        **_work(work),
        "operations": operations,
        "share": operations / whole if whole else 0.0,
        "products": work.products.in_python(),
        "elementwise": work.elementwise.in_python(),
        "functions": work.functions.in_python(),
        "copied": work.copied.in_python(),
        "once": part.once.operations.in_python(),
    }


def _term(report: Report) -> dict[str, Any] | None:
    term = report.term
    if term is None:
        return None
    return {
        "term": Polynomial({term.monomial: term.factor}).in_python(),
        "share": term.share,
        "parts": report.holders(),
        "conditions": [c.in_python() for c in term.conditions],
        "by_size": {
            name: [
                {
                    "from": start,
                    "term": Polynomial({m: report.cost.operations.factor(m)}).in_python(),
                }
                for start, m in ranges
            ]
            for name, ranges in term.ranges.items()
        },
    }


def _majority(m: Majority, report: Report) -> dict[str, Any]:
    assert m.condition is not None
    return {
        "name": m.name,
        "share": m.share,
        "condition": m.condition.in_python(),
        "holds": m.share > 0.5,
        "by_size": {
            name: [{"from": start, "holds": holds} for start, holds in ranges]
            for name, ranges in m.ranges.items()
        },
    }


def _measured(measured: Measured) -> dict[str, Any]:
    def entry(part: PartTime) -> dict[str, Any]:
        return {
            "name": part.name,
            "seconds_per_token": part.seconds,
            "operations_per_token": part.operations,
            "gflops": part.gflops,
        }

    times = measured.times
    return {
        "backend": times.backend,
        "window": times.window,
        "batch": times.batch,
        "runs": times.runs,
        "parts": [entry(part) for part in measured.parts],
        "blocks": [entry(part) for part in measured.blocks],
    }
