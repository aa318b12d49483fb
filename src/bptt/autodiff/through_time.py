"""Backpropagation through time: from a forward program to the program that also computes its gradients.

The forward scan carries states from t to t+1; the reverse scan carries their cotangents from t+1 to t. At
each step the cotangent of a new state is what the step's own outputs ask of it plus what the later steps
carried back, and one reverse sweep over the step's equations passes it on: to the parameters, whose parts
are summed over all steps, and to the state that entered, which is the next thing carried back. (Werbos
1990, Backpropagation through time: what it does and how to do it.)

The window is as long as the arrays the program is run on. States enter the window as given, and nothing is
passed back beyond its first step: run on a whole sequence this is full BPTT, on windows with carried states
truncated BPTT.
"""

from __future__ import annotations

from functools import partial

from bptt.autodiff.reverse import reverse
from bptt.ir import build
from bptt.ir.expr import Expr
from bptt.ir.ops import Op
from bptt.ir.program import Block, Carry, Kind, Program
from bptt.ir.traversal import topological

OBJECTIVE = "J"
NON_LINEARITIES = frozenset({Op.TANH, Op.SIGMOID, Op.RELU, Op.SOFTPLUS, Op.SOFTMAX})


def cotangent_name(name: str) -> str:
    """What the derivative of J by `name` is called in programs; no user's name can begin so."""
    return "∂" + name


def differentiate(program: Program, *, inputs: bool = False) -> Program:
    """The program with, beside its results, the gradient of its sum J for each parameter and each given
    state.

    The gradient of parameter `H` is the sum `∂H`; that of a state as it enters the first step is the final
    value of the carry `∂h`. With `inputs` also `∂x`: for each step and example the derivative by the
    one-hot vector x, taken as real numbers.
    """
    (forward,) = program.blocks
    objective = dict(forward.sums)[OBJECTIVE]
    seeds: dict[Expr, list[Expr]] = {objective: [build.const(1.0)]}
    for c in forward.carries:
        seeds.setdefault(c.update, []).append(build.carry(cotangent_name(c.name), c.shape))
    entering = {c.name: build.carry(c.name, c.shape) for c in forward.carries}
    tokens = [build.token("x")] if inputs else []
    shared = _made_of_parameters(list(seeds), program)
    names = dict(program.names)
    cotangents = reverse(seeds, [*entering.values(), *shared, *tokens], partial(_name_cotangents, names))

    carries = tuple(
        Carry(cotangent_name(c.name), c.shape, cotangents[entering[c.name]], given=False)
        for c in forward.carries
    )
    outputs = tuple((cotangent_name(x.attr), cotangents[x]) for x in tokens)
    sums, once = _parameter_gradients(program, {e: cotangents[e] for e in shared})
    backward = Block(forward.kind, outputs, sums, carries, reverse=True, title="backward")
    results = (
        *program.results,
        *(cotangent_name(name) for name in program.params),
        *(name for name, _ in outputs),
    )
    return Program((forward, backward, *once), program.params, results, names)


def _name_cotangents(names: dict[Expr, str], e: Expr, g: Expr, a: Expr, part: Expr) -> None:
    """Names ∂J/∂e after e, and, as is usual, the derivative at what a non-linearity is applied to δ."""
    name = names.get(e)
    if name is not None:
        names.setdefault(g, cotangent_name(name))
        if e.op in NON_LINEARITIES and a not in names:
            names.setdefault(part, "δ" + name)


def _made_of_parameters(roots: list[Expr], program: Program) -> list[Expr]:
    """What the steps take from the parameters: each parameter, or each largest expression of parameters
    alone.

    Such an expression is the same at every step, so its cotangent is summed over the steps first and taken
    back to its parameters once.
    """
    order = topological(roots)
    has_parameter: set[Expr] = set()
    for e in order:
        if e.op is Op.PARAM or any(a in has_parameter for a in e.args):
            has_parameter.add(e)
    taken: dict[Expr, None] = {}
    for e in order:
        for a in e.args:
            if e.varies and not a.varies and a in has_parameter:
                taken[a] = None
    for root in roots:
        if not root.varies and root in has_parameter:
            taken[root] = None
    return list(taken)


def _parameter_gradients(
    program: Program, cotangents: dict[Expr, Expr]
) -> tuple[tuple[tuple[str, Expr], ...], tuple[Block, ...]]:
    """The sums of the backward block, and the block after it that goes on from derived values to
    parameters.
    """
    sums: dict[str, Expr] = {}
    seeds: dict[Expr, list[Expr]] = {}
    for number, (e, cotangent) in enumerate(cotangents.items()):
        direct = e.op is Op.PARAM
        name = cotangent_name(e.attr) if direct else f"∂·{number}"
        sums[name] = cotangent
        if not direct:
            seeds[e] = [build.param(name, e.shape)]
    parameters = {name: build.param(name, shape) for name, shape in program.params.items()}
    if not seeds:
        for name, p in parameters.items():
            sums.setdefault(cotangent_name(name), build.zeros(p.shape))
        return tuple(sums.items()), ()
    through = reverse(seeds, list(parameters.values()))
    outputs = []
    for name, p in parameters.items():
        total, derived = cotangent_name(name), through[p]
        if build.is_zero(derived):
            sums.setdefault(total, build.zeros(p.shape))
            continue
        if total in sums:
            sums[total + "·direct"] = sums.pop(total)
            derived = build.add(build.param(total + "·direct", p.shape), derived)
        outputs.append((total, derived))
    return tuple(sums.items()), (Block(Kind.ONCE, tuple(outputs), title="from shared values to parameters"),)
