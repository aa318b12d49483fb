"""Gradients by torch: the forward program written out in torch float64, one example and one step at a time.

Nothing of ours is in it but the equations: no batch axes, no derivative rules, no reverse loop, no
schedule. Torch is no
dependency; tests that use this module skip where it is missing.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from bptt.backends.base import Array
from bptt.ir.expr import Expr
from bptt.ir.ops import Op
from bptt.ir.program import Program
from bptt.ir.traversal import topological

torch = pytest.importorskip("torch", reason="torch is not installed: no gradients to compare with")


def mask(seed: int, key: int, rate: float, index: int) -> float:
    """An element of a dropout mask, in Python's integers."""
    low = 2**32 - 1
    x = (index * 0x9E3779B1 + seed * 0x85EBCA77 + key * 0xC2B2AE3D) & low
    x = ((x ^ x >> 16) * 0x7FEB352D) & low
    x = ((x ^ x >> 15) * 0x846CA68B) & low
    x ^= x >> 16
    return 1.0 / (1.0 - rate) if x >= int(rate * 2**32) else 0.0


def apply(e: Expr, args: list, sizes: Mapping[str, int]):
    """One operation on tensors of the shapes that it has on paper."""
    first = args[0]
    match e.op:
        case Op.ADD:
            return sum(args[1:], first)
        case Op.MUL:
            return first * args[1]
        case Op.DIV:
            return first / args[1]
        case Op.NEG:
            return -first
        case Op.POW:
            return first**e.attr
        case Op.EXP | Op.LOG | Op.SQRT | Op.TANH | Op.SIGMOID | Op.RELU:
            return getattr(torch, e.op.name.lower())(first)
        case Op.SOFTPLUS:
            return torch.logaddexp(first, torch.zeros_like(first))
        case Op.STEP:
            return (first > 0).double()
        case Op.CONTRACT:
            return torch.tensordot(first, args[1], dims=([e.attr[0]], [e.attr[1]]))
        case Op.OUTER:
            return torch.outer(first, args[1])
        case Op.TRANSPOSE:
            return first.T
        case Op.LOOKUP:
            return torch.tensordot(args[1], first, dims=([0], [e.attr]))
        case Op.SUM:
            return first.sum()
        case Op.BROADCAST:
            return first * torch.ones([d.evaluate(sizes) for d in e.shape], dtype=torch.float64)
        case Op.SOFTMAX:
            return torch.softmax(first, 0)
        case Op.LOG_SOFTMAX:
            return torch.log_softmax(first, 0)
        case Op.LOGSUMEXP:
            return torch.logsumexp(first, 0)
        case Op.CROSS_ENTROPY:
            return -(args[1] * torch.log_softmax(first, 0)).sum()
        case Op.CONCAT:
            return torch.cat(args, e.attr)
        case Op.SLICE:
            axis, start, stop = e.attr
            return first.narrow(axis, start.evaluate(sizes), (stop - start).evaluate(sizes))
    raise NotImplementedError(e.op)


def gradients(
    program: Program,
    sizes: Mapping[str, int],
    params: Mapping[str, Array],
    inputs: Mapping[str, Array],
    states: Mapping[str, Array],
    seed: int = 0,
) -> dict[str, Array]:
    """`J`, and by the names `∂…` its gradients for parameters, entering states and x (as real vectors)."""
    (block,) = program.blocks
    given = {
        name: torch.tensor(array, dtype=torch.float64, requires_grad=True) for name, array in params.items()
    }
    enter = {
        name: torch.tensor(array, dtype=torch.float64, requires_grad=True) for name, array in states.items()
    }
    tokens = {}
    for name in ("x", "y"):
        dense = inputs[name] if inputs[name].ndim == 3 else np.eye(sizes["V"])[inputs[name]]
        tokens[name] = torch.tensor(dense, dtype=torch.float64, requires_grad=True)
    steps, examples = inputs["x"].shape[:2]
    order = topological(block.roots())
    total = torch.zeros((), dtype=torch.float64)
    for b in range(examples):
        state = {name: tensor[b] for name, tensor in enter.items()}
        for t in range(steps):
            values: dict[Expr, object] = {}
            for e in order:
                match e.op:
                    case Op.PARAM:
                        values[e] = given[e.attr]
                    case Op.TOKEN:
                        values[e] = tokens[e.attr][t, b]
                    case Op.INPUT:
                        values[e] = torch.tensor(float(inputs[e.attr][t, b]), dtype=torch.float64)
                    case Op.CARRY:
                        values[e] = state[e.attr]
                    case Op.CONST:
                        values[e] = torch.tensor(e.attr, dtype=torch.float64)
                    case Op.SIZE:
                        values[e] = torch.tensor(float(e.attr.evaluate(sizes)), dtype=torch.float64)
                    case Op.MASK:
                        width = e.shape[0].evaluate(sizes)
                        first = (t * examples + b) * width
                        values[e] = torch.tensor(
                            [mask(seed, *e.attr, first + i) for i in range(width)], dtype=torch.float64
                        )
                    case _:
                        values[e] = apply(e, [values[a] for a in e.args], sizes)
            total = total + values[dict(block.sums)["J"]]
            state = {c.name: values[c.update] for c in block.carries}
    leaves = {**given, **enter, "x": tokens["x"]}
    found = torch.autograd.grad(total, list(leaves.values()), allow_unused=True)
    result = {
        "∂" + name: np.zeros(leaf.shape) if g is None else g.numpy()
        for (name, leaf), g in zip(leaves.items(), found, strict=True)
    }
    return {"J": np.asarray(total.detach()), **result}
