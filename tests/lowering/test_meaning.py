"""The IR computes what the equations say: both are evaluated, the equations with two-dimensional arrays."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import given

from bptt.ir.expr import Expr
from bptt.ir.model import Model
from bptt.ir.ops import Op
from bptt.ir.traversal import topological
from bptt.lowering import lower
from bptt.source import Source
from bptt.syntax import parse
from bptt.syntax.tree import (
    Binary,
    Call,
    Concatenation,
    Document,
    Equation,
    Expression,
    InitialState,
    Name,
    Negate,
    Number,
    Transpose,
)
from models_strategy import RandomModel, random_models

Array = np.ndarray
STEPS = 3


def softmax(a: Array) -> Array:
    return np.exp(a) / np.exp(a).sum()


FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "tanh": np.tanh,
    "relu": lambda a: np.maximum(a, 0),
    "softplus": lambda a: np.log1p(np.exp(a)),
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "softmax": softmax,
    "log_softmax": lambda a: np.log(softmax(a)),
}

OPERATIONS: dict[Op, Callable[..., Any]] = {
    **{Op[name.upper()]: f for name, f in FUNCTIONS.items()},
    Op.ADD: lambda *args: sum(args[1:], args[0]),
    Op.MUL: np.multiply,
    Op.DIV: np.divide,
    Op.NEG: np.negative,
    Op.OUTER: np.outer,
    Op.TRANSPOSE: np.transpose,
    Op.SUM: np.sum,
}


def written(e: Expression, now: dict[str, Array], past: dict[tuple[str, int], Array], layout: str) -> Array:
    """The value of an expression as it is written: rows are (1, n), columns (n, 1), scalars (1, 1)."""
    match e:
        case Number():
            return np.full((1, 1), e.value)
        case Name():
            return past[e.id, e.lag] if e.lag else now[e.id]
        case Transpose():
            return written(e.operand, now, past, layout).T
        case Negate():
            return -written(e.operand, now, past, layout)
        case Concatenation():
            items = [written(item, now, past, layout) for item in e.items]
            return np.concatenate(items, axis=1 if layout == "row" else 0)
        case Call():
            inner = written(e.arguments[0], now, past, layout)
            if e.function in ("sum", "mean"):
                return np.full((1, 1), inner.sum() if e.function == "sum" else inner.mean())
            return FUNCTIONS[e.function](inner)
        case Binary():
            a, b = (written(side, now, past, layout) for side in (e.left, e.right))
            match e.operator:
                case "+":
                    return a + b
                case "-":
                    return a - b
                case "*":
                    return a * b
                case "/":
                    return a / b
                case "**":
                    return a**b
                case "@":
                    return a @ b
    raise AssertionError(e)


def computed(
    roots: list[Expr], leaves: dict[tuple[Op, str], Array], sizes: dict[str, int]
) -> dict[Expr, Array]:
    """The values of IR expressions for one example."""
    value: dict[Expr, Array] = {}
    for e in topological(roots):
        args = [value[a] for a in e.args]
        match e.op:
            case Op.PARAM | Op.CARRY | Op.TOKEN:
                value[e] = leaves[e.op, e.attr]
            case Op.CONST:
                value[e] = np.array(e.attr)
            case Op.SIZE:
                value[e] = np.array(float(e.attr.evaluate(sizes)))
            case Op.POW:
                value[e] = args[0] ** e.attr
            case Op.CONTRACT:
                value[e] = np.tensordot(args[0], args[1], axes=([e.attr[0]], [e.attr[1]]))
            case Op.BROADCAST:
                value[e] = np.full([d.evaluate(sizes) for d in e.shape], args[0])
            case Op.CONCAT:
                value[e] = np.concatenate(args, axis=e.attr)
            case _:
                value[e] = OPERATIONS[e.op](*args)
    return value


def run_written(
    document: Document, model: Model, params: dict[str, Array], tokens: list[int], V: int
) -> list[Array]:
    """The output at each step, and the objective, from the equations."""
    across = (lambda a: a.reshape(1, -1)) if model.layout == "row" else (lambda a: a.reshape(-1, 1))
    flat = {name: a if a.ndim == 2 else across(a) for name, a in params.items()}
    equations = {s.target.id: s.value for s in document.statements if isinstance(s, Equation)}
    starts = {s.target.id: s.value for s in document.statements if isinstance(s, InitialState)}
    history: dict[str, list[Array]] = {}
    for state in model.states:
        shape = [d.evaluate({**model.sizes, "V": V}) for d in state.shape]
        zero = np.zeros(shape) if len(shape) == 2 else across(np.zeros(shape))
        start = starts.get(state.variable)
        first = zero if start is None else zero + written(start, flat, {}, model.layout)
        history[state.variable] = [first, first]
    results = []
    for x, y in pairwise(tokens):
        now = {**flat, "x": across(np.eye(V)[x]), "y": across(np.eye(V)[y])}
        past = {(name, lag): values[-lag] for name, values in history.items() for lag in (1, 2)}
        for name in model.definitions:
            now[name] = written(equations[name], now, past, model.layout)
        for name, values in history.items():
            values.append(now[name])
        results += [now[model.output].ravel(), now.get("J", -np.log(now[model.output].ravel()[y])).ravel()]
    return results


def run_computed(model: Model, params: dict[str, Array], tokens: list[int], V: int) -> list[Array]:
    """The same from the IR."""
    sizes = {**model.sizes, "V": V}
    leaves = {(Op.PARAM, name): a for name, a in params.items()}
    for state in model.states:
        shape = [d.evaluate(sizes) for d in state.shape]
        start = state.initial
        value = np.zeros(shape) if start is None else computed([start], leaves, sizes)[start]
        leaves[Op.CARRY, state.name] = value
    results = []
    output, objective = model.definitions[model.output], model.objective
    for x, y in pairwise(tokens):
        leaves |= {(Op.TOKEN, "x"): np.eye(V)[x], (Op.TOKEN, "y"): np.eye(V)[y]}
        values = computed([output, objective, *(s.update for s in model.states)], leaves, sizes)
        leaves |= {(Op.CARRY, s.name): values[s.update] for s in model.states}
        results += [values[output], values[objective].reshape(1)]
    return results


def check(text: str, V: int) -> None:
    document = parse(Source("random.eq", text))
    model = lower(document)
    rng = np.random.default_rng(7)
    sizes = {**model.sizes, "V": V}
    params = {n: rng.normal(size=[d.evaluate(sizes) for d in s]) * 0.7 for n, s in model.params.items()}
    tokens = [int(i) for i in rng.integers(0, V, STEPS + 1)]
    results = run_written(document, model, params, tokens, V)
    assert len(results) == 2 * STEPS
    for a, b in zip(results, run_computed(model, params, tokens, V), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
    for distribution in results[::2]:
        np.testing.assert_allclose(distribution.sum(), 1)
        assert (distribution >= 0).all()


@given(random_models())
def test_rows(model: RandomModel) -> None:
    check(model.row, model.sizes["V"])


@given(random_models())
def test_columns(model: RandomModel) -> None:
    check(model.column, model.sizes["V"])
