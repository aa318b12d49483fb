"""A model: equations understood. What `lowering` makes of a document, and everything else starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bptt.ir.dims import Shape
from bptt.ir.expr import Expr
from bptt.source import Source, Span


@dataclass(frozen=True)
class State:
    """A value carried over time: variable `variable` as it was `lag` steps ago, the carry called `name`.

    `h[t-1]` is the carry `h`; `h[t-2]` is the carry `h@2`. `update` is what enters the next step under this
    name: the variable itself for lag 1, the carry of the next smaller lag otherwise. `initial` is its value
    before the first step, made from parameters and constants (None: zeros).
    """

    name: str
    variable: str
    lag: int
    shape: Shape
    update: Expr
    initial: Expr | None


@dataclass(frozen=True)
class Model:
    """The equations with names, shapes and recurrences resolved.

    `definitions` are the equations in an order in which they can be computed, by the names on their left
    sides, each made of parameters, tokens and carries alone; `equations` are the same as they were written,
    with the other definitions as VALUE leaves. `output` is the name of the next token's distribution,
    `objective` the per-token quantity to be minimised, as an expression. `layout` is how the file writes
    vectors: "row" (`x @ L`) or "column" (`W @ x`). `dims` gives for each free size all the names it may be
    called by (the vectors that have it), the first being its own; `sizes` the numbers that the file gives.
    `remarks` say how the text was read where it left room. `spans` are places of definitions and parameters
    in the source.
    """

    name: str
    source: Source
    definitions: dict[str, Expr]
    equations: dict[str, Expr]
    params: dict[str, Shape]
    states: tuple[State, ...]
    output: str
    objective: Expr
    layout: str
    dims: dict[str, tuple[str, ...]]
    sizes: Mapping[str, int]
    remarks: tuple[str, ...] = ()
    spans: dict[str, Span] = field(default_factory=dict)
