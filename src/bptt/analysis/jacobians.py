"""What one step of a recurrence does to the gradients that come back to it.

The state s is everything that the step carries on: h; for an LSTM h and c; where h[t-2] is read, that as
well. Step t makes s_t from s_{t-1}. Its Jacobian ∂s_t/∂s_{t-1} is not differenced out of numbers: a reverse
sweep over the equations of the step, begun with a cotangent g for each new state, gives g ∂s_t/∂s_{t-1},
and with unit vectors for g, as so many examples, the matrix row by row. All of it is in float64.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from bptt.autodiff.reverse import reverse
from bptt.autodiff.through_time import OBJECTIVE, cotangent_name
from bptt.backends.base import Array, Arrays, Executable
from bptt.backends.compile import load_program
from bptt.ir import build
from bptt.ir.dims import Shape
from bptt.ir.expr import Expr, make
from bptt.ir.model import Model
from bptt.ir.ops import Op
from bptt.ir.program import Block, Kind, Program
from bptt.ir.traversal import substitute
from bptt.ir.verify import verify
from bptt.passes.forward import forward_program
from bptt.passes.simplify import look_up_tokens, simplify
from bptt.passes.stabilize import stabilize

Floats = NDArray[np.float64]
Ids = NDArray[np.int32]


class Step:
    """The step of a model for fixed sizes: the states that it makes, and how gradients go back through it.

    The state is one vector of `size` numbers, one carry after the other and matrices row by row; `parts`
    says where each carry is in it. Dropout is off.
    """

    def __init__(self, model: Model, sizes: Mapping[str, int]) -> None:
        self.shapes = {s.name: tuple(d.evaluate(sizes) for d in s.shape) for s in model.states}
        self.parts: dict[str, slice] = {}
        self.size = 0
        for name, shape in self.shapes.items():
            self.parts[name] = slice(self.size, self.size + int(np.prod(shape)))
            self.size = self.parts[name].stop
        forward = stabilize(forward_program(model, "loss"))
        self._initial = _load(_initial_program(model), sizes)
        self._states = _load(_states_program(forward), sizes)
        self._back = _load(_back_program(forward), sizes)
        self._last = _load(_last_program(forward), sizes)

    def states(self, params: Arrays, x: Ids) -> Floats:
        """The state that enters each step of the sequences x (T, B), the initial one first: (T, B, size)."""
        initial = self._initial.run(params, {"x": x[:1]})
        carries = {name: array[0] for name, array in initial.items()}
        return self._flat(self._states.run(params, {"x": x}, carries), _entering)

    def back(self, params: Arrays, x: Ids, states: Floats, cotangents: Floats) -> Floats:
        """g ∂s_t/∂s_{t-1} for tokens x (T, B), states that enter and cotangents g, both (T, B, size)."""
        inputs = {"x": x} | self._named(states, _entering) | self._named(cotangents, cotangent_name)
        return self._flat(self._back.run(params, inputs), cotangent_name)

    def jacobian(self, params: Arrays, x: int, state: Floats) -> Floats:
        """∂s_t/∂s_{t-1} at a token and a state that enters, (size, size).

        Entry [i, j] is the derivative of number i of the new state by number j of the old one.
        """
        tokens = np.full((1, self.size), x, np.int32)
        states = np.broadcast_to(state, (1, self.size, self.size))
        return self.back(params, tokens, states, np.eye(self.size)[None])[0]

    def last(self, params: Arrays, x: Ids, y: Ids, states: Floats) -> tuple[Floats, Floats]:
        """∂J_T/∂s_T and ∂J_T/∂s_{T-1}, each (B, size), for J_T the loss of one step: x, y (B,), states
        (B, size).

        In the first, each part of s_T varies on its own: the c of an LSTM acts on J_T through h alone, so it
        has none of it.
        """
        inputs: dict[str, Array] = {"x": x[None], "y": y[None], "weight": np.ones((1, len(x)))}
        found = self._last.run(params, inputs | self._named(states[None], _entering))
        return self._flat(found, _leaving)[0], self._flat(found, cotangent_name)[0]

    def _named(self, flat: Floats, key: Callable[[str], str]) -> dict[str, Array]:
        """A state in the parts that programs take."""
        return {
            key(name): flat[..., self.parts[name]].reshape(*flat.shape[:-1], *shape)
            for name, shape in self.shapes.items()
        }

    def _flat(self, found: Mapping[str, Array], key: Callable[[str], str]) -> Floats:
        """What programs give, as one vector for each step and example."""
        return np.concatenate([found[key(n)].reshape(*found[key(n)].shape[:2], -1) for n in self.shapes], -1)


def _load(program: Program, sizes: Mapping[str, int]) -> Executable:
    program = look_up_tokens(simplify(program))
    verify(program, "look up tokens")
    return load_program(program, sizes, "reference", np.float64)


def _entering(name: str) -> str:
    return name + "@0"


def _leaving(name: str) -> str:
    return cotangent_name(name) + "@T"


def _program(forward: Program, block: Block) -> Program:
    return Program((block,), forward.params, tuple(name for name, _ in block.outputs))


def _initial_program(model: Model) -> Program:
    """The state before the first step, where the equations give one."""
    outputs = tuple((s.name, s.initial) for s in model.states if s.initial is not None)
    return Program((Block(Kind.MAP, outputs),), dict(model.params), tuple(name for name, _ in outputs))


def _states_program(forward: Program) -> Program:
    """The loop through time, with what enters each step as its outputs."""
    carries = forward.blocks[0].carries
    outputs = tuple((_entering(c.name), build.carry(c.name, c.shape)) for c in carries)
    return _program(forward, Block(Kind.SCAN, outputs, carries=carries))


def _back_program(forward: Program) -> Program:
    """The cotangents of what enters a step, `∂h`, from those of what leaves it, given as inputs of the
    same names.
    """
    carries = forward.blocks[0].carries
    seeds: dict[Expr, list[Expr]] = {}
    for c in carries:
        seeds.setdefault(c.update, []).append(_input(cotangent_name(c.name), c.shape))
    cotangents = reverse(seeds, [build.carry(c.name, c.shape) for c in carries])
    return _program(forward, _of_given_states(forward, cotangents))


def _last_program(forward: Program) -> Program:
    """The derivatives of one step's objective: `∂h@T` by what leaves the step, `∂h` by what enters it."""
    (block,) = forward.blocks
    seeds = {dict(block.sums)[OBJECTIVE]: [build.const(1.0)]}
    entering = reverse(seeds, [build.carry(c.name, c.shape) for c in block.carries])
    # What was the state before (h[t-2] of the next step is h[t-1] of this one) is no number of this step.
    made = {c.update: c for c in reversed(block.carries) if c.update.op is not Op.CARRY}
    leaving = reverse(seeds, list(made))
    outputs = [
        (_leaving(c.name), leaving[c.update] if made.get(c.update) is c else build.zeros(c.shape))
        for c in block.carries
    ]
    given = _of_given_states(forward, entering, outputs)
    return _program(forward, given)


def _of_given_states(
    forward: Program, cotangents: Mapping[Expr, Expr], more: list[tuple[str, Expr]] | None = None
) -> Block:
    """A map that reads the states that enter as inputs, with the cotangents of these states as outputs."""
    carries = forward.blocks[0].carries
    given = {build.carry(c.name, c.shape): _input(_entering(c.name), c.shape) for c in carries}
    outputs = [(cotangent_name(e.attr), g) for e, g in cotangents.items()] + (more or [])
    return Block(Kind.MAP, tuple((name, substitute(e, given)) for name, e in outputs))


def _input(name: str, shape: Shape) -> Expr:
    return make(Op.INPUT, attr=name, shape=shape)
