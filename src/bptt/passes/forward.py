"""The forward program of a model, for a purpose."""

from __future__ import annotations

from bptt.ir import build
from bptt.ir.expr import Expr
from bptt.ir.model import Model
from bptt.ir.ops import Op
from bptt.ir.program import Block, Carry, Kind, Program
from bptt.ir.traversal import substitute, topological

# What a program is made for, and which results it has besides the states it ends with:
#   train    sum J = Σ weight · objective; dropout is on
#   loss     the same without dropout
#   score    output nll = -log p(y), for each step and example
#   predict  output probabilities, for each step and example
#   trace    every definition, for each step and example
GOALS = ("train", "loss", "score", "predict", "trace")


def forward_program(model: Model, goal: str, *, resets: bool = False) -> Program:
    """One scan (one map where nothing is carried) that computes what `goal` asks for.

    With `resets` the program reads the input `keep`: where it is 0, the state that enters the step is the
    initial state. Without, states enter the first step as the caller gives them.
    """
    if goal not in GOALS:
        raise ValueError(f"unknown goal {goal!r}")
    replacements = _resets(model) if resets else {}
    roots = [*model.definitions.values(), model.objective]
    if goal != "train":
        replacements |= {e: build.const(1.0) for e in topological(roots) if e.op is Op.MASK}
    outputs: list[tuple[str, Expr]] = []
    sums: list[tuple[str, Expr]] = []
    probabilities = model.definitions[model.output]
    if goal in ("train", "loss"):
        sums.append(("J", build.mul(build.given("weight"), model.objective)))
    elif goal == "score":
        nll = build.neg(build.total(build.mul(build.token("y"), build.apply(Op.LOG, probabilities))))
        outputs.append(("nll", nll))
    elif goal == "predict":
        outputs.append(("probabilities", probabilities))
    else:
        outputs += {**model.definitions, "J": model.objective}.items()
    carries = tuple(Carry(s.name, s.shape, substitute(s.update, replacements)) for s in model.states)
    block = Block(
        Kind.SCAN if carries else Kind.MAP,
        tuple((name, substitute(e, replacements)) for name, e in outputs),
        tuple((name, substitute(e, replacements)) for name, e in sums),
        carries,
        title="forward",
    )
    names = {substitute(e, replacements): name for name, e in model.definitions.items()}
    results = tuple(name for name, _ in (*outputs, *sums))
    return Program((block,), dict(model.params), results, names)


def _resets(model: Model) -> dict[Expr, Expr]:
    """keep · carried + (1 - keep) · initial, in the place of each carried value."""
    keep = build.given("keep")
    replacements = {}
    for state in model.states:
        carried = build.carry(state.name, state.shape)
        entering = build.mul(keep, carried)
        if state.initial is not None:
            entering = build.add(entering, build.mul(build.sub(build.const(1.0), keep), state.initial))
        replacements[carried] = entering
    return replacements
