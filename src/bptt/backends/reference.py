"""The slow exact backend: a program interpreted in NumPy, block after block, step after step.

It is what every other backend is compared with, and what runs where no compiler was found at install.
float64 for proof, float32 for training.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from bptt.backends.base import Array, Arrays, given_array, steps_and_examples
from bptt.backends.kernels import READS_IDS, dropout_mask, evaluate, one_hot
from bptt.ir.dims import Shape
from bptt.ir.expr import Expr
from bptt.ir.ops import Op
from bptt.ir.program import Block, Kind, Program
from bptt.ir.traversal import topological


class ReferenceExecutable:
    def __init__(self, program: Program, sizes: Mapping[str, int], dtype: np.dtype[Any]) -> None:
        self.program = program
        self.sizes = dict(sizes)
        self.dtype = np.dtype(dtype)
        roots = [e for block in program.blocks for e in block.roots()]
        self.inputs = [e for e in topological(roots) if e.op in (Op.TOKEN, Op.INPUT)]

    def run(
        self, params: Arrays, inputs: Arrays, carries: Arrays | None = None, seed: int = 0
    ) -> dict[str, Array]:
        # What overflows is infinite in the results, as on every backend; it is the caller who reports it.
        with np.errstate(all="ignore"):
            return _Run(self, params, inputs, carries or {}, seed).results()


class _Run:
    """One run of a program: everything that is known so far, by name."""

    def __init__(
        self, executable: ReferenceExecutable, params: Arrays, inputs: Arrays, carries: Arrays, seed: int
    ) -> None:
        self.program, self.sizes, self.dtype = executable.program, executable.sizes, executable.dtype
        self.steps, self.examples = steps_and_examples(inputs)
        self.seed = seed
        self.inputs = {e.attr: self._input(e, inputs) for e in executable.inputs}
        # What does not vary: parameters, sums, and outputs of once blocks.
        self.fixed = {
            name: given_array("parameter", name, params, self._numbers(shape), self.dtype)
            for name, shape in self.program.params.items()
        }
        self.values: dict[str, Array] = {}  # (T, B, …)
        self.history: dict[str, Array] = {}  # (T, B, …): what entered each step
        self.final: dict[str, Array] = {}
        for block in self.program.blocks:
            {Kind.ONCE: self._once, Kind.MAP: self._map, Kind.SCAN: self._scan}[block.kind](block, carries)

    def results(self) -> dict[str, Array]:
        found = dict(self.final)
        for name in self.program.results:
            found[name] = self.values[name] if name in self.values else self.fixed[name]
        return found

    def _input(self, e: Expr, inputs: Arrays) -> Array:
        """Token ids, or the numbers of an input (for a token: real vectors) in the precision of the run."""
        lead = (self.steps, self.examples)
        if e.op is Op.INPUT or (e.attr in inputs and not np.issubdtype(inputs[e.attr].dtype, np.integer)):
            return given_array("input", e.attr, inputs, lead + self._numbers(e.shape), self.dtype)
        ids = given_array("input", e.attr, inputs, lead, np.int64)
        if ids.size and not 0 <= ids.min() <= ids.max() < self.sizes["V"]:
            raise ValueError(f"input {e.attr} has token ids that are not in 0 … {self.sizes['V'] - 1}")
        return ids

    def _numbers(self, shape: Shape) -> tuple[int, ...]:
        return tuple(dim.evaluate(self.sizes) for dim in shape)

    def _once(self, block: Block, carries: Arrays) -> None:
        self.fixed |= evaluate_once(block, self.fixed, self.sizes, self.dtype)

    def _map(self, block: Block, carries: Arrays) -> None:
        leaves = self._leaves(block, slice(None), {})
        env = self._evaluate(block, leaves)
        lead = (self.steps, self.examples)
        for name, e in block.outputs:
            self.values[name] = np.broadcast_to(env[e], lead + self._numbers(e.shape))
        for name, e in block.sums:
            self._add(name, self._summed(e, env, lead))

    def _scan(self, block: Block, carries: Arrays) -> None:
        state: dict[str, Array] = {}
        for c in block.carries:
            shape = (self.examples, *self._numbers(c.shape))
            if c.given and c.name in carries:
                state[c.name] = given_array("state", c.name, carries, shape, self.dtype)
            else:
                state[c.name] = np.zeros(shape, self.dtype)
        lead = (self.examples,)
        entered = {name: np.empty((self.steps, *array.shape), self.dtype) for name, array in state.items()}
        values = {
            name: np.empty((self.steps, *lead, *self._numbers(e.shape)), self.dtype)
            for name, e in block.outputs
        }
        sums = {name: np.zeros(self._numbers(e.shape), self.dtype) for name, e in block.sums}
        for t in reversed(range(self.steps)) if block.reverse else range(self.steps):
            env = self._evaluate(block, self._leaves(block, t, state))
            for name, array in state.items():
                entered[name][t] = array
            for name, e in block.outputs:
                values[name][t] = env[e]
            for name, e in block.sums:
                sums[name] += self._summed(e, env, lead)
            state = {c.name: np.broadcast_to(env[c.update], state[c.name].shape) for c in block.carries}
        self.history |= entered
        self.values |= values
        for name, total in sums.items():
            self._add(name, total)
        self.final |= state

    def _add(self, name: str, total: Array) -> None:
        """Sums of one name in several blocks are one sum."""
        self.fixed[name] = self.fixed[name] + total if name in self.fixed else total

    def _leaves(self, block: Block, at: int | slice, state: Mapping[str, Array]) -> dict[Expr, Array]:
        """The varying leaves of a block, at one step or at all."""
        leaves: dict[Expr, Array] = {}
        for e in topological(block.roots()):
            if e.op is Op.TOKEN or e.op is Op.INPUT:
                leaves[e] = self.inputs[e.attr][at]
            elif e.op is Op.VALUE:
                leaves[e] = self.values[e.attr][at]
            elif e.op is Op.CARRY:
                leaves[e] = state[e.attr] if e.attr in state else self.history[e.attr][at]
            elif e.op is Op.MASK:
                leaves[e] = self._mask(e)[at]
        return leaves

    def _mask(self, e: Expr) -> Array:
        key, rate = e.attr
        shape = (self.steps, self.examples, *self._numbers(e.shape))
        indices = np.arange(int(np.prod(shape)), dtype=np.uint32).reshape(shape)
        return dropout_mask(self.seed, key, rate, indices).astype(self.dtype)

    def _evaluate(self, block: Block, leaves: Mapping[Expr, Array]) -> dict[Expr, Array]:
        roots = [e for _, e in block.outputs] + [c.update for c in block.carries]
        for _, e in block.sums:
            roots += _needed_for_sum(e)
        env = dict(leaves)
        for e in topological(roots):
            if e in env:
                continue
            if not e.args:
                env[e] = _fixed_leaf(e, self.fixed, self.sizes, self.dtype)
            else:
                env[e] = evaluate(e, [self._argument(e, a, env) for a in e.args], self.sizes)
        return env

    def _argument(self, e: Expr, a: Expr, env: Mapping[Expr, Array]) -> Array:
        if a.op is Op.TOKEN and e.op not in READS_IDS:
            return one_hot(env[a], self.sizes["V"], self.dtype)
        return env[a]

    def _summed(self, e: Expr, env: Mapping[Expr, Array], lead: tuple[int, ...]) -> Array:
        """The sum of `e` over the leading axes. An outer product is summed as one product of matrices."""
        if e.op is Op.ADD:
            terms = [self._summed(a, env, lead) for a in e.args]
            return np.sum(np.broadcast_arrays(*terms), axis=0)
        if e.op is Op.NEG:
            return -self._summed(e.args[0], env, lead)
        if e.op is Op.OUTER and e.varies:
            left, right = (self._rows(a, env, lead) for a in e.args)
            return left.T @ right
        if e.op is Op.SCATTER:
            if not np.issubdtype(env[e.args[0]].dtype, np.integer):
                left, right = (self._rows(a, env, lead) for a in e.args)
                return left.T @ right if e.attr == 0 else right.T @ left
            table = np.zeros((self.sizes["V"], *self._numbers(e.args[1].shape)), self.dtype)
            np.add.at(table, env[e.args[0]].reshape(-1), self._rows(e.args[1], env, lead))
            return table if e.attr == 0 else table.T
        return np.broadcast_to(env[e], lead + self._numbers(e.shape)).sum(axis=tuple(range(len(lead))))

    def _rows(self, a: Expr, env: Mapping[Expr, Array], lead: tuple[int, ...]) -> Array:
        shape = self._numbers(a.shape)
        array = one_hot(env[a], self.sizes["V"], self.dtype) if a.op is Op.TOKEN else env[a]
        return np.broadcast_to(array, lead + shape).reshape(-1, *shape)


def evaluate_once(
    block: Block, fixed: Mapping[str, Array], sizes: Mapping[str, int], dtype: np.dtype[Any]
) -> dict[str, Array]:
    """The outputs of a block on parameters alone."""
    env: dict[Expr, Array] = {}
    for e in topological(block.roots()):
        if not e.args:
            env[e] = _fixed_leaf(e, fixed, sizes, dtype)
        else:
            env[e] = evaluate(e, [env[a] for a in e.args], sizes)
    return {name: env[e] for name, e in block.outputs}


def _fixed_leaf(e: Expr, fixed: Mapping[str, Array], sizes: Mapping[str, int], dtype: np.dtype[Any]) -> Array:
    if e.op is Op.PARAM:
        return fixed[e.attr]
    return np.asarray(e.attr if e.op is Op.CONST else e.attr.evaluate(sizes), dtype)


def _needed_for_sum(e: Expr) -> Iterable[Expr]:
    """What has to be evaluated for `_summed`: sums and outer products themselves are never formed."""
    if e.op in (Op.ADD, Op.NEG):
        for a in e.args:
            yield from _needed_for_sum(a)
    elif e.op in (Op.OUTER, Op.SCATTER):
        yield from e.args
        if not e.varies:
            yield e
    else:
        yield e
