"""The numbers that formulas of a board stand for: a run of the model, and derivatives of it by complex steps.

Nothing here knows a rule of differentiation. The equations are computed in complex numbers, one of them is
moved by i·10⁻³⁰, and what arrives at the losses is the derivative to machine precision (see
formula/functions.py). Every value at every step, every use of a parameter and every carried value as it
enters a step can be moved alone, so that each reading of a derivative has its own number.

Arrays have two axes in front of the axes of the IR: the moved elements, and the examples.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from functools import cache
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from bptt.derivation.board import Board, Value
from bptt.formula.functions import ELEMENTWISE, TINY
from bptt.ir import build
from bptt.ir.dims import Shape
from bptt.ir.expr import Expr
from bptt.ir.model import Model
from bptt.ir.ops import Op
from bptt.ir.traversal import topological

Array = npt.NDArray[Any]
# t, and the number of steps: two before t, so that a value from two steps before has been computed, and three
# after it, so that a product of Jacobians from t+1 on has an order.
NOW, LAST = 3, 6
EXAMPLES = 2
# What everything is, at every step.
Run = dict[tuple[Expr, int], Array]
FUNCTIONS = {
    Op.TANH: "tanh", Op.SIGMOID: "sigmoid", Op.RELU: "relu", Op.STEP: "step", Op.SOFTPLUS: "softplus",
    Op.EXP: "exp", Op.LOG: "log", Op.SQRT: "sqrt",
}  # fmt: skip


def sizes_of(model: Model, examples: int = EXAMPLES) -> dict[str, int]:
    """Sizes that are all different, from one another and from the number of examples."""
    names = sorted({*model.dims, "V"})
    return {name: examples + 1 + k for k, name in enumerate(names)} | {"B": examples}


def numbers(board: Board) -> int:
    """How many numbers there are to compute where every element of every parameter is moved."""
    sizes = sizes_of(board.model)

    def count(shape: Shape) -> int:
        return prod(dim.evaluate(sizes) for dim in shape)

    moved = sum(map(count, board.model.params.values()))
    return moved * LAST * sum(count(value.symbol.shape) for value in board.values.values())


# Expressions of the IR in numbers.


def compute(e: Expr, leaves: Mapping[Expr, Array], sizes: Mapping[str, int]) -> Array:
    """The value of an expression, given the values of its leaves."""
    known: dict[Expr, Array] = {}
    with np.errstate(all="ignore"):  # what is not finite is no evidence
        for node in ordered(e):
            given = leaves.get(node)
            known[node] = _operation(node, [known[a] for a in node.args], sizes) if given is None else given
    return known[e]


@cache
def ordered(e: Expr) -> tuple[Expr, ...]:
    """An expression's parts in the order of computation."""
    return tuple(topological([e]))


def _operation(e: Expr, args: list[Array], sizes: Mapping[str, int]) -> Array:
    match e.op:
        case Op.CONST:
            return np.full((1, 1), e.attr)
        case Op.SIZE:
            return np.full((1, 1), float(e.attr.evaluate(sizes)))
        case Op.ADD:
            return sum(_filled(a, e.shape) for a in args)  # type: ignore[return-value]
        case Op.MUL:
            return _filled(args[0], e.shape) * _filled(args[1], e.shape)
        case Op.DIV:
            return _filled(args[0], e.shape) / _filled(args[1], e.shape)
        case Op.NEG:
            return -args[0]
        case Op.POW:
            return args[0] ** e.attr
        case Op.CONTRACT:
            return _contraction(args[0], args[1], *e.attr)
        case Op.OUTER:
            return np.einsum("...i,...j->...ij", *args)
        case Op.TRANSPOSE:
            return np.swapaxes(args[0], -1, -2)
        case Op.SUM:
            return args[0].sum(axis=tuple(range(2, args[0].ndim)))
        case Op.BROADCAST:
            shape = tuple(dim.evaluate(sizes) for dim in e.shape)
            return _filled(args[0], e.shape) * np.ones(shape)
        case Op.SOFTMAX:
            return np.exp(_log_softmax(args[0]))
        case Op.LOG_SOFTMAX:
            return _log_softmax(args[0])
        case Op.LOGSUMEXP:
            return np.log(np.exp(args[0]).sum(-1))
        case Op.CROSS_ENTROPY:
            return -(args[1] * _log_softmax(args[0])).sum(-1)
        case Op.CONCAT:
            lead = np.broadcast_shapes(*(a.shape[:2] for a in args))
            return np.concatenate([np.broadcast_to(a, lead + a.shape[2:]) for a in args], axis=2 + e.attr)
        case Op.SLICE:
            axis, start, stop = e.attr
            places = range(start.evaluate(sizes), stop.evaluate(sizes))
            return args[0].take(places, axis=2 + axis)
        case op if op in FUNCTIONS:
            return ELEMENTWISE[FUNCTIONS[op]][0](args[0])
    raise ValueError(f"no value for {e!r}")


def _filled(a: Array, shape: Shape) -> Array:
    """A number beside a vector or a matrix, with as many axes as that."""
    return a.reshape(a.shape + (1,) * len(shape)) if a.ndim == 2 else a


def _contraction(a: Array, b: Array, i: int, j: int) -> Array:
    left, right = "ijkl"[: a.ndim - 2], "mnop"[: b.ndim - 2]
    right = right.replace(right[j], left[i])
    out = (left + right).replace(left[i], "")
    return np.einsum(f"...{left},...{right}->...{out}", a, b)


def _log_softmax(z: Array) -> Array:
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


# What can be moved.


@dataclass(frozen=True, slots=True)
class Node:
    """Something that is moved alone. `kind` is

    "value": a named value, or a token, at `time`, before anything uses it;
    "parameter": a parameter or a constant value, in the equations of step `time` alone (in those of every
    step, and in the start, where `time` is None);
    "use": a carried value in the equations of step `time` alone;
    "entry": a carried value as it enters step `time`, which also hands it on to later steps.
    """

    kind: str
    leaf: Expr
    time: int | None


class World:
    """A run of a board's model over LAST steps at random numbers. `loss_until` ends Jtotal.

    With `plain`, tokens are one-hot vectors, otherwise any vectors. `targets` are distributions, or one-hot
    where they are `certain` (by default in a plain world). With a `size`, all axes have this one. `first` is
    the first step of which the document speaks: before it no parameter moves.
    """

    def __init__(
        self,
        board: Board,
        seed: int,
        plain: bool = False,
        targets: frozenset[str] = frozenset({"y"}),
        certain: bool | None = None,
        steps: int = LAST,
        examples: int = EXAMPLES,
        size: int = 0,
        first: int = 1,
    ) -> None:
        self.board, self.model, self.steps, self.first = board, board.model, steps, first
        self.targets, self.certain = targets, plain if certain is None else certain
        self.sizes = sizes_of(board.model, examples)
        if size:
            self.sizes = dict.fromkeys(self.sizes, size) | {"B": self.sizes["B"]}
        self.examples = examples if board.batch else 1
        self.values = list(board.values.values())
        self.by_leaf = {v.leaf: v for v in self.values}
        self.carries = {s.name: build.carry(s.name, s.shape) for s in self.model.states}
        self.given: Run = {}
        self._draw(np.random.default_rng(seed), plain)
        self.runs: dict[Node | None, Run] = {}
        self.shift: tuple[Node, Array] | None = None

    @property
    def start(self) -> int:
        """The first time at which a carried value may be asked for."""
        return 1 - max((s.lag for s in self.model.states), default=0)

    def shape(self, shape: Shape) -> tuple[int, ...]:
        return tuple(dim.evaluate(self.sizes) for dim in shape)

    def _draw(self, rng: np.random.Generator, plain: bool) -> None:
        leaves = {e for v in self.values for e in topological([v.definition]) if not e.args}
        starts = [s.initial for s in self.model.states if s.initial is not None]
        leaves |= {e for start in starts for e in topological([start]) if not e.args}
        leaves |= {leaf for leaf in self.board.symbols if leaf.op in (Op.TOKEN, Op.INPUT)}
        lead = (1, self.examples)
        for leaf in sorted(leaves, key=lambda e: (e.op.name, str(e.attr))):
            shape = self.shape(leaf.shape)
            for time in range(1, self.steps + 1):
                if leaf.op in (Op.TOKEN, Op.INPUT) and leaf.attr in self.targets:
                    drawn = self._target(rng, lead, shape)
                elif leaf.op is Op.TOKEN and plain:
                    drawn = np.eye(shape[0])[rng.integers(0, shape[0], lead)]
                elif leaf.op in (Op.TOKEN, Op.INPUT):
                    drawn = rng.normal(size=lead + shape)
                elif leaf.op is Op.MASK:
                    rate = leaf.attr[1]
                    drawn = rng.integers(0, 2, lead + shape) / (1 - rate)
                else:
                    continue
                self.given[leaf, time] = drawn
            if leaf.op is Op.PARAM:
                self.given[leaf, 0] = rng.normal(size=(1, 1, *shape)) / np.sqrt(max((2, *shape)) / 2)
        for state in self.model.states:
            leaf = self._variable(state.variable)
            for time in range(self.start, 1):
                self.given[leaf, time] = 0.7 * rng.normal(size=lead + self.shape(state.shape))

    def _target(self, rng: np.random.Generator, lead: tuple[int, int], shape: tuple[int, ...]) -> Array:
        """One of the classes, or a distribution over them; of a number, 0 or 1 or between them."""
        if not shape:
            return rng.integers(0, 2, lead) if self.certain else rng.uniform(0.1, 0.9, lead)
        if len(shape) == 1 and self.certain:
            return np.eye(shape[0])[rng.integers(0, shape[0], lead)]
        return rng.dirichlet(np.ones(shape[-1]), lead + shape[:-1])

    def _variable(self, name: str) -> Expr:
        return self.board.values[name].leaf

    # Runs.

    def run(self, node: Node | None = None) -> Run:
        """Every value at every step, with every element of the node moved in turn (or with nothing moved)."""
        if node not in self.runs:
            self.runs[node] = self._run(node)
        return self.runs[node]

    def shifted(self, node: Node, shift: Array) -> World:
        """The world in which a value or a parameter is by a real number more than it would be."""
        other = copy(self)
        other.shift, other.runs = (node, shift), {}
        return other

    def _with_shift(self, array: Array, *nodes: Node) -> Array:
        return array + self.shift[1] if self.shift is not None and self.shift[0] in nodes else array

    def moved(self, array: Array, leaf: Expr) -> Array:
        """The array once for each of its elements, that element moved (in every example)."""
        shape = self.shape(leaf.shape)
        return array + 1j * TINY * np.eye(prod(shape)).reshape(-1, 1, *shape)

    def _run(self, node: Node | None) -> Run:
        found: Run = {}
        first = 1
        if node is not None:
            base = self.run()
            first = 1 if node.time is None else max(node.time, 1)
            found |= {(leaf, time): array for (leaf, time), array in base.items() if time < first}

        def move(array: Array, *nodes: Node) -> Array:
            return self.moved(array, node.leaf) if node is not None and node in nodes else array

        if node is None or (node.time is not None and node.time < 1) or node.kind == "parameter":
            for state in self.model.states:
                leaf = self._variable(state.variable)
                for time in range(self.start, 1):
                    array = self.given[leaf, time]
                    if state.initial is not None:
                        array = self._initial(state.initial, node)
                    found[leaf, time] = move(array, Node("value", leaf, time))
        for time in range(first, self.steps + 1):
            leaves = {leaf: array for (leaf, at), array in self.given.items() if at == time}
            for leaf, array in leaves.items():
                own = Node("value", leaf, time)
                leaves[leaf] = move(self._with_shift(array, own), own)
            leaves |= self._parameters(time, node)
            for state in self.model.states:
                leaf = self.carries[state.name]
                array = found[self._variable(state.variable), time - state.lag]
                if node is not None and node.kind == "entry":
                    array = move(array, *self._entered(state.variable, state.lag, time))
                leaves[leaf] = move(array, Node("use", leaf, time))
            for value in self.values:
                nodes = [Node("value", value.leaf, time)]
                if value.leaf in self.board.constants:
                    nodes = [Node("parameter", value.leaf, at) for at in (time, None)]
                array = self._value(value, leaves, None if node is None else base, time, nodes)
                leaves[value.leaf] = move(array, *nodes)
            found |= {(leaf, time): array for leaf, array in leaves.items()}
        return found

    def _value(
        self, value: Value, leaves: Mapping[Expr, Array], base: Run | None, time: int, nodes: list[Node]
    ) -> Array:
        """The value of one equation: that of the unmoved run, if nothing in it has moved."""
        if base is not None:
            named = [e for e in ordered(value.definition) if e in leaves]
            if all(leaves[e] is base[e, time] for e in named):
                return base[value.leaf, time]
        return self._with_shift(compute(value.definition, leaves, self.sizes), *nodes)

    def _entered(self, variable: str, lag: int, time: int) -> list[Node]:
        """What has been handed on to become the carry of this lag at this time, as it entered before."""
        return [
            Node("entry", self.carries[s.name], time - lag + s.lag)
            for s in self.model.states
            if s.variable == variable and s.lag <= lag
        ]

    def _parameters(self, time: int, node: Node | None) -> dict[Expr, Array]:
        at = {leaf: array for (leaf, when), array in self.given.items() if when == 0 and leaf.op is Op.PARAM}
        if self.shift is not None:
            for leaf in at:
                own = [Node("parameter", leaf, when) for when in (time, None)]
                at[leaf] = self._with_shift(at[leaf], *own)
        # The start is made at step 0.
        is_within = time >= self.first or self.first == 1
        if node is not None and node.leaf in at and (node.time == time or (node.time is None and is_within)):
            at[node.leaf] = self.moved(at[node.leaf], node.leaf)
        return at

    def _initial(self, start: Expr, node: Node | None) -> Array:
        return compute(start, self._parameters(0, node), self.sizes)

    # Derivatives. Axes: the moved elements, the examples, the axes of what is differentiated.

    def loss(self, node: Node, time: int) -> Array:
        """∂J of a step by the node, for every example."""
        array = self.run(node).get((self.board.loss.leaf, time))
        return np.zeros((1, 1)) if array is None else array.imag / TINY

    def total(self, node: Node) -> Array:
        """∂Jtotal by the node, for every example."""
        return sum(self.loss(node, time) for time in range(1, self.steps + 1))  # type: ignore[return-value]

    def local(self, value: Value, leaf: Expr, time: int) -> Array:
        """The derivative of one equation, everything else that it names held fixed."""
        base = self.run()
        leaves = {e: base[e, time] for e in topological([value.definition]) if (e, time) in base}
        leaves[leaf] = self.moved(base[leaf, time], leaf)
        return compute(value.definition, leaves, self.sizes).imag / TINY
