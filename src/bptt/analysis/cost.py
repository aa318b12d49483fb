"""What a model costs: operations of forward and backward pass per token, by equation, as polynomials.

The counts are made of the same program that runs: each expression of it counts once, with the first equation
(or the first derivative) that needs it. What is made of parameters alone is computed once for all tokens of
a run, and is counted apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from bptt.analysis.operations import NO_WORK, Count, Work, accumulation, sum_operands, total
from bptt.analysis.polynomial import Polynomial
from bptt.analysis.traffic import Kept, Traffic, kept_values, traffic_of
from bptt.analysis.update import FLOAT, UPDATES
from bptt.autodiff.through_time import NON_LINEARITIES, OBJECTIVE, cotangent_name, differentiate
from bptt.backends.compile import build_program
from bptt.ir.expr import Expr
from bptt.ir.model import Model
from bptt.ir.ops import Op
from bptt.ir.program import Block, Program
from bptt.ir.text import CARRIED_BACK
from bptt.ir.traversal import topological
from bptt.passes.forward import forward_program
from bptt.passes.simplify import look_up_tokens, simplify
from bptt.passes.stabilize import stabilize

# Marks the name of what a non-linearity is applied to, so that its derivative is found again.
INSIDE = "·"


@dataclass(frozen=True)
class Part:
    """The work of one equation, derivative or block: for each token, and `once` a run for all its tokens."""

    name: str
    work: Work
    once: Work = NO_WORK


@dataclass(frozen=True)
class Numbers:
    """A cost at given sizes, for training steps of `window`·`batch` tokens.

    Operations per token: of each part, of the passes, of what is computed `once` a step and of the update,
    each divided by the tokens of a step. Bytes that a step moves: of a forward pass alone, of forward and
    backward, and of the update. `memory` is in bytes too.
    """

    parts: dict[str, int]
    forward: int
    backward: int
    once: float
    update: float
    parameters: int
    forward_bytes: int
    training_bytes: int
    update_bytes: int
    memory: dict[str, int]


@dataclass(frozen=True)
class Cost:
    """Polynomials in `sizes` (the names of the model's sizes, V first).

    `forward` has a part for each equation and for the objective J; `backward` one for each derivative by a
    variable (∂h; δh where only what h's non-linearity is applied to has one), by what is carried back (∂h⁺)
    and by a parameter (∂H), in the order of computation. `blocks` are those of the scheduled program.
    `elements` is how many numbers each parameter has, `parameters` all of them together.
    """

    name: str
    sizes: tuple[str, ...]
    forward: tuple[Part, ...]
    backward: tuple[Part, ...]
    elements: dict[str, Polynomial]
    blocks: tuple[Part, ...]
    forward_traffic: Traffic
    training_traffic: Traffic
    kept: Kept

    @property
    def parameters(self) -> Polynomial:
        return sum(self.elements.values(), Polynomial())

    @property
    def forward_work(self) -> Work:
        return total(part.work for part in self.forward)

    @property
    def backward_work(self) -> Work:
        return total(part.work for part in self.backward)

    @property
    def operations(self) -> Polynomial:
        """Of forward and backward pass together, per token."""
        return self.forward_work.operations + self.backward_work.operations

    @property
    def once(self) -> Work:
        return total(part.once for part in (*self.forward, *self.backward))

    def evaluate(
        self, sizes: Mapping[str, int], window: int = 64, batch: int = 32, optimizer: str = "adam"
    ) -> Numbers:
        """The cost for a number for each size, in training steps of `window`·`batch` tokens.

        KeyError names a size that is missing, or an optimizer that is not in UPDATES.
        """
        tokens = window * batch
        parameters = self.parameters.evaluate(sizes)
        change = UPDATES[optimizer]
        return Numbers(
            {p.name: p.work.operations.evaluate(sizes) for p in (*self.forward, *self.backward)},
            self.forward_work.operations.evaluate(sizes),
            self.backward_work.operations.evaluate(sizes),
            self.once.operations.evaluate(sizes) / tokens,
            change.operations * parameters / tokens,
            parameters,
            self.forward_traffic.bytes(sizes, window, batch),
            self.training_traffic.bytes(sizes, window, batch),
            change.bytes * parameters,
            {
                "parameters": FLOAT * parameters,
                "gradients": FLOAT * parameters,
                "optimizer": FLOAT * change.slots * parameters,
                "values": self.kept.bytes(sizes, window, batch),
            },
        )


def cost(equations: Model) -> Cost:
    """What one training step on the equations costs, per token."""
    resets = any(state.initial is not None for state in equations.states)
    program = _unscheduled(equations, resets)
    count = Count()
    forward = _forward_parts(program.blocks[0], count)
    backward = _backward_parts(program, equations, count)
    trained = build_program(equations, "train", resets=resets)
    evaluated = build_program(equations, "train", resets=resets, gradients=False)
    return Cost(
        equations.name,
        tuple(dict.fromkeys(("V", *equations.dims))),
        forward,
        backward,
        {name: Polynomial.elements(shape) for name, shape in equations.params.items()},
        tuple(_block_part(block) for block in trained.blocks),
        traffic_of(evaluated),
        traffic_of(trained),
        kept_values(trained),
    )


def _unscheduled(equations: Model, resets: bool) -> Program:
    """The program for training before it is scheduled, with the value of every equation among its outputs."""
    program = forward_program(equations, "train", resets=resets)
    (forward,) = program.blocks
    values = {name: e for e, name in program.names.items()}
    # Of equations that say the same the program names one.
    named = {e: name for name, e in equations.definitions.items()}
    definitions = tuple((name, values[named[e]]) for name, e in equations.definitions.items())
    program = stabilize(replace(program, blocks=(replace(forward, outputs=definitions),)))
    inside = {
        e.args[0]: INSIDE + name
        for e, name in program.names.items()
        if e.op in NON_LINEARITIES and e.args[0].args
    }
    program = differentiate(replace(program, names={**inside, **program.names}))
    return look_up_tokens(simplify(program))


def _forward_parts(block: Block, count: Count) -> tuple[Part, ...]:
    parts = [_part(name, count.new([e]), count) for name, e in block.outputs]
    weighted = dict(block.sums)[OBJECTIVE]
    objective = _part(OBJECTIVE, count.new([weighted]), count)
    objective = replace(objective, work=objective.work + accumulation(weighted, weighted, frozenset()))
    return _merged([*parts, objective])


def _part(name: str, expressions: Iterable[Expr], count: Count) -> Part:
    works: dict[bool, Work] = {True: Work(), False: Work()}
    for e in expressions:
        if e.varies or _has_parameter(e):
            works[e.varies] += count.work(e)
    return Part(name, works[True], works[False])


def _has_parameter(e: Expr) -> bool:
    return any(below.op is Op.PARAM for below in topological([e]))


def _backward_parts(program: Program, equations: Model, count: Count) -> tuple[Part, ...]:
    _, backward, *once = program.blocks
    formed = _formed(backward)
    operands = {name: sum_operands(e, formed) for name, e in backward.sums}
    order = topological([c.update for c in backward.carries] + [e for es in operands.values() for e in es])
    gradients = _gradients_of_sums(program)
    owners = _owners(program.names, backward, order, {gradients[name]: es for name, es in operands.items()})
    # In the order in which they are complete; the gradients of parameters follow.
    complete = dict.fromkeys(owners[e] for e in reversed(order))
    parts = [Part(name, Work()) for name in reversed(complete)]
    parts += [Part(cotangent_name(name), Work()) for name in equations.params]
    parts += [_part(owners[e], [e], count) for e in order]
    parts += [Part(gradients[name], accumulation(e, e, formed)) for name, e in backward.sums]
    for block in once:
        parts += [_part(name, count.new([e]), count) for name, e in block.outputs]
    return tuple(part for part in _merged(parts) if part.work.steps or part.once.steps)


def _gradients_of_sums(program: Program) -> dict[str, str]:
    """Which gradients each sum of the backward pass is for: its own, or, where it is the derivative by a
    value of parameters alone, those of the parameters (`∂h0 ∂Q`).
    """
    _, backward, *once = program.blocks
    served: dict[str, list[str]] = {name: [] for name, _ in backward.sums}
    for block in once:
        for gradient, e in block.outputs:
            for leaf in topological([e]):
                if leaf.op is Op.PARAM and leaf.attr in served:
                    served[leaf.attr].append(gradient)
    return {name: " ".join(gradients) or name for name, gradients in served.items()}


def _formed(block: Block) -> frozenset[Expr]:
    """What is computed whether or not it is a term of a sum."""
    values = [e for _, e in block.outputs] + [c.update for c in block.carries]
    values += [operand for _, e in block.sums for operand in sum_operands(e, frozenset())]
    return frozenset(topological(values))


def _owners(
    names: Mapping[Expr, str], backward: Block, order: list[Expr], operands: Mapping[str, list[Expr]]
) -> dict[Expr, str]:
    """For each expression the derivative that it is computed for: its own name, or that of what needs it."""
    variables = {e: name[1:].removeprefix(INSIDE) for e, name in names.items() if name[0] in "∂δ"}
    whole = {names[e][1:] for e in order if e in variables and names[e][0] == "∂"}
    owners = {
        e: (cotangent_name(name) if name in whole else "δ" + name)
        for e, name in variables.items()
        if e in set(order)
    }
    for c in backward.carries:
        owners.setdefault(c.update, c.name + CARRIED_BACK)
    for e in reversed(order):
        if e in owners:
            for a in e.args:
                owners.setdefault(a, owners[e])
    for name, values in operands.items():
        for e in topological(values):
            owners.setdefault(e, name)
    return owners


def _merged(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Parts of one name as one, where the first of them stands."""
    found: dict[str, Part] = {}
    for part in parts:
        known = found.get(part.name, Part(part.name, Work()))
        found[part.name] = Part(part.name, known.work + part.work, known.once + part.once)
    return tuple(found.values())


def _block_part(block: Block) -> Part:
    count = Count()
    formed = _formed(block)
    roots = [e for _, e in block.outputs] + [c.update for c in block.carries]
    roots += [operand for _, e in block.sums for operand in sum_operands(e, formed)]
    handed = CARRIED_BACK if block.reverse else ""
    title = ", ".join([block.title, *(c.name + handed for c in block.carries)])
    part = _part(title, count.new(roots), count)
    summed = total(accumulation(e, e, formed) for _, e in block.sums)
    return replace(part, work=part.work + summed)
