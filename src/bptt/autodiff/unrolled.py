"""A forward program written out step by step, and reverse mode over all of it at once.

No carry, no reverse scan, no schedule: T copies of the equations in one expression, differentiated as any
expression is. It grows with T and is of no use for training; it is what backpropagation through time is
checked against.
"""

from __future__ import annotations

from bptt.autodiff.reverse import reverse
from bptt.autodiff.through_time import OBJECTIVE, cotangent_name
from bptt.ir import build
from bptt.ir.dims import Shape
from bptt.ir.expr import Expr, make
from bptt.ir.ops import Op
from bptt.ir.program import Block, Kind, Program
from bptt.ir.traversal import substitute, topological


def unrolled_gradients(program: Program, steps: int) -> Program:
    """One map over the examples with the sums `∂NAME` for each parameter and the outputs `∂h` (the state
    that entered) and `∂x@t` for t = 1 … steps.

    It reads x, y and the other inputs of step t as `x@t`, `y@t`, …, and the state that enters the first
    step as the input `h@0`.
    """
    (forward,) = program.blocks
    objective = dict(forward.sums)[OBJECTIVE]
    state = {c.name: _input(f"{c.name}@0", c.shape) for c in forward.carries}
    entered = dict(state)
    total = build.const(0.0)
    tokens: list[Expr] = []
    for t in range(1, steps + 1):
        replacements = {build.carry(c.name, c.shape): state[c.name] for c in forward.carries}
        for e in topological(forward.roots()):
            if e.op in (Op.TOKEN, Op.INPUT):
                replacements[e] = make(e.op, attr=f"{e.attr}@{t}", shape=e.shape)
        tokens.append(make(Op.TOKEN, attr=f"x@{t}", shape=build.token("x").shape))
        total = build.add(total, substitute(objective, replacements))
        state = {c.name: substitute(c.update, replacements) for c in forward.carries}
    parameters = {name: build.param(name, shape) for name, shape in program.params.items()}
    cotangents = reverse({total: [build.const(1.0)]}, [*parameters.values(), *entered.values(), *tokens])
    sums = tuple((cotangent_name(name), cotangents[p]) for name, p in parameters.items())
    outputs = [(cotangent_name(name), cotangents[e]) for name, e in entered.items()]
    outputs += [(cotangent_name(e.attr), cotangents[e]) for e in tokens]
    block = Block(Kind.MAP, tuple(outputs), sums, title="all steps written out")
    return Program((block,), program.params, tuple(name for name, _ in (*outputs, *sums)))


def _input(name: str, shape: Shape) -> Expr:
    return make(Op.INPUT, attr=name, shape=shape)
