"""A derivation as data: chains of equal formulas, each with the rule that leads to it and the reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bptt.formula.tree import Formula, Symbol, Text
from bptt.ir.dims import Shape

# What is meant by a derivative in a model with a memory. Most errors in print come from mixing these up.
READINGS = {
    "once": "the model has no memory, so there is one reading only",
    "step": "J of step t, with what was carried into the step held fixed",
    "before": "J of step t, through what step t-1 carried into it",
    "later": "J of one later step, through every step in between",
    "total": "J of all steps, through every step that the quantity can reach",
}


@dataclass(frozen=True)
class Step:
    """`before` equals `after`, by `rule`; `reason` says why it may be applied here."""

    before: Formula
    after: Formula
    rule: str
    reason: Text = ()


@dataclass(frozen=True)
class Chain:
    """`left` = the first `after` = the next = …; `notation` is "index" or "matrix", `reading` a key of
    READINGS, `title` says in words what is derived.
    """

    left: Formula
    steps: tuple[Step, ...]
    notation: str
    reading: str
    title: Text = ()

    @property
    def result(self) -> Formula:
        return self.steps[-1].after

    def equations(self) -> Iterator[tuple[Formula, Formula]]:
        """Every claim of the chain: its left side, and what it is said to equal."""
        for step in self.steps:
            yield self.left, step.after


@dataclass(frozen=True)
class Definition:
    """An equation of the model, in both notations. `matrix` is None where there is no matrix notation."""

    symbol: Symbol
    matrix: Formula | None
    left_element: Formula
    element: Formula
    meaning: str


@dataclass(frozen=True)
class Derivation:
    """The gradient of one quantity.

    `role` is "value", "parameter", "input" or "state" (a value as it was carried in). `uses` are the
    equations it stands in, `local` the derivatives of these by it. `index` and `matrix` are the two ways to
    the same result (`matrix` is None, and `obstacle` says why, where matrix notation has no word for it);
    `written_out` the result with every intermediate derivative put in. `through_time` holds the other
    readings. `forms` are other ways to write the result: with a diagonal matrix, or for the row of the token
    alone.
    """

    name: str
    symbol: Symbol
    role: str
    shape: Shape
    uses: tuple[Definition, ...]
    local: tuple[Chain, ...]
    index: Chain
    matrix: Chain | None
    obstacle: str = ""
    written_out: Chain | None = None
    through_time: tuple[Chain, ...] = ()
    forms: tuple[Chain, ...] = ()


def chain(
    left: Formula, links: list[tuple[Formula, str, Text]], notation: str, reading: str, title: Text = ()
) -> Chain:
    """A chain from its right sides; a link that changes nothing is left out."""
    steps: list[Step] = []
    before = left
    for after, rule, reason in links:
        if after != before:
            steps.append(Step(before, after, rule, reason))
            before = after
    return Chain(left, tuple(steps), notation, reading, title)
