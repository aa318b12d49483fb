"""What is counted is what is computed."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings

from bptt.analysis.cost import Cost, cost
from bptt.analysis.operations import TABLE, Work, total
from bptt.backends import available_backends, build_program, load_program
from bptt.backends import reference as interpreter
from bptt.backends.kernels import KERNELS
from bptt.backends.layout import Layout
from bptt.ir.expr import Expr
from bptt.ir.model import Model
from bptt.ir.ops import Op
from cells import MODELS, model_of, point
from models_strategy import RandomModel, random_models

STEPS, EXAMPLES = 3, 2
TOKENS = STEPS * EXAMPLES


def passes(counted: Cost) -> Work:
    return counted.forward_work + counted.backward_work


def restarts(model: Model) -> bool:
    return any(state.initial is not None for state in model.states)


def multiplied(model: Model, sizes: dict[str, int] | None = None) -> tuple[int, int]:
    """The operations in products that the reference interpreter makes in a training step, from the arrays
    that it sees, and those that are counted.
    """
    made = 0

    def contraction(e: Expr, args: list[np.ndarray], numbers: dict[str, int]) -> np.ndarray:
        nonlocal made
        result = right_contraction(e, args, numbers)
        if not any(a.op is Op.TOKEN for a in e.args):  # no product, but a look-up
            made += 2 * result.size * args[0].shape[e.attr[0] - len(e.args[0].shape)]
        return result

    def outer(e: Expr, args: list[np.ndarray], numbers: dict[str, int]) -> np.ndarray:
        nonlocal made
        result = right_outer(e, args, numbers)
        made += result.size
        return result

    def summed(self: object, e: Expr, env: dict[Expr, np.ndarray], lead: tuple[int, ...]) -> np.ndarray:
        nonlocal made
        result = right_sum(self, e, env, lead)
        if e.op is Op.OUTER and e.varies:
            made += 2 * int(np.prod(lead)) * result.size
        return result

    right_contraction, right_outer = KERNELS[Op.CONTRACT], KERNELS[Op.OUTER]
    right_sum = interpreter._Run._summed
    at = point(model, sizes, STEPS, EXAMPLES)
    program = build_program(model, "train", resets=restarts(model))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(KERNELS, Op.CONTRACT, contraction)
        patch.setitem(KERNELS, Op.OUTER, outer)
        patch.setattr(interpreter._Run, "_summed", summed)
        load_program(program, at.sizes, "reference", np.float64).run(at.params, at.inputs, at.states)
    counted = cost(model)
    # What the last block needs of parameters alone it computes again.
    per_token, once = passes(counted).products, total(block.once for block in counted.blocks).products
    return made, TOKENS * per_token.evaluate(at.sizes) + once.evaluate(at.sizes)


@pytest.mark.parametrize("name", MODELS)
def test_products_are_those_that_an_interpreter_makes(name: str) -> None:
    made, counted = multiplied(MODELS[name])
    assert made == counted


@settings(max_examples=25)
@given(random_models())
def test_products_of_random_models(model: RandomModel) -> None:
    for text in (model.row, model.column):
        made, counted = multiplied(model_of(text), model.sizes)
        assert made == counted


@pytest.mark.skipif("native" not in available_backends(), reason="the native executor is not built")
@pytest.mark.parametrize("name", ["elman", "gru2", "lstm", "mingru", "bigram", "residual"])
def test_products_are_those_that_the_executor_makes(name: str) -> None:
    model = MODELS[name]
    at = point(model, None, STEPS, EXAMPLES)
    program = load_program(build_program(model, "train"), at.sizes, "native")
    program.run(at.params, at.inputs, at.states, profile=True)
    made = sum(
        operations
        for block in program.native.report()
        for opcode, _, operations, _ in block[4]
        if opcode in ("GEMM", "OUTER_SUM")
    )
    assert made == TOKENS * passes(cost(model)).products.evaluate(at.sizes)


@pytest.mark.parametrize("name", MODELS)
def test_the_schedule_makes_the_same_products_and_no_less_of_the_rest(name: str) -> None:
    counted = cost(MODELS[name])
    sizes = point(MODELS[name]).sizes
    blocks = total(part.work for part in counted.blocks)
    assert blocks.products == passes(counted).products
    # What is cheap may be computed again; the values of equations that J does not need are not computed.
    softmaxes = 3 * sizes["V"] * 3
    assert blocks.operations.evaluate(sizes) >= passes(counted).operations.evaluate(sizes) - softmaxes


def formulas(parts: tuple) -> dict[str, str]:
    return {part.name: str(part.work.operations) for part in parts}


def orders(parts: tuple) -> dict[str, str]:
    return {part.name: part.work.steps.order() for part in parts}


def test_elman_counted_by_hand() -> None:
    counted = cost(MODELS["elman"])
    # Products and biases; sigmoid 1, softmax 3 (exp, sum, division) an element.
    assert formulas(counted.forward) == {
        "e": "0",
        "h": "2·e·h + 2·h² + 3·h",
        "yhat": "2·V·h + 4·V",
        "J": "4",  # log of the sum, less the logit, times the weight, added up
    }
    assert orders(counted.forward) == {"e": "O(e)", "h": "O(e·h + h²)", "yhat": "O(V·h)", "J": "O(1)"}
    assert counted.forward_work.steps.order() == "O(V·h + e·h + h²)"
    assert counted.backward_work.steps.order() == "O(V·h + e·h + h²)"
    assert formulas(counted.backward) == {
        "δyhat": "V + 1",  # (yhat - y) times the weight
        "∂h": "2·V·h + 4·h",  # δyhat U', plus ∂h⁺; times h (1 - h)
        "∂h⁺": "2·h²",
        "∂e": "2·e·h",
        "∂L": "e",
        "∂H": "2·h²",
        "∂I": "2·e·h",
        "∂b1": "h",
        "∂U": "2·V·h",
        "∂b2": "V",
    }
    # The order in which they are complete, then the parameters as the equations name them.
    names = [part.name for part in counted.backward]
    assert names == ["δyhat", "∂h", "∂h⁺", "∂e", "∂L", "∂H", "∂I", "∂b1", "∂U", "∂b2"]
    assert str(counted.parameters) == "V·e + V·h + e·h + h² + V + h"


def test_gru_counted_by_hand() -> None:
    counted = formulas(cost(MODELS["gru"]).forward)
    assert counted["r"] == counted["z"] == "2·e·h + 2·h² + 3·h"
    assert counted["n"] == "2·e·h + 2·h² + 5·h"
    assert counted["h"] == "4·h"


def test_a_looked_up_gradient_does_not_grow_with_the_vocabulary() -> None:
    (row,) = (part for part in cost(MODELS["lstm"]).backward if part.name == "∂L")
    assert row.work.steps.order() == "O(e)"


def test_what_two_equations_share_is_counted_with_the_first() -> None:
    counted = cost(
        model_of("e = x @ L\na = tanh(e @ A)\nb = tanh(e @ A) + e @ B\nyhat = softmax((a * b) @ U)\n")
    )
    assert formulas(counted.forward)["a"] == "2·a·e + a"
    assert formulas(counted.forward)["b"] == "2·a·e + a"  # its own product, and one sum


def test_equations_with_one_value_keep_their_names() -> None:
    counted = cost(model_of("e = x @ L\na = tanh(e @ A)\nb = tanh(e @ A)\nyhat = softmax((a * b) @ U)\n"))
    assert formulas(counted.forward)["a"] == "2·a·e + a" and formulas(counted.forward)["b"] == "0"


def test_what_is_made_of_parameters_alone_is_counted_once() -> None:
    counted = cost(MODELS["initial state of parameters"])
    (h,) = (part for part in counted.forward if part.name == "h")
    assert str(h.once.operations) == "2·h·h0 + h"
    numbers = counted.evaluate({"V": 7, "h0": 5, "e": 4, "h": 3}, window=2, batch=5)
    assert numbers.once == counted.once.operations.evaluate({"V": 7, "h0": 5, "e": 4, "h": 3}) / 10


@pytest.mark.parametrize("name", MODELS)
def test_every_equation_has_a_part_and_every_parameter_a_gradient(name: str) -> None:
    counted, model = cost(MODELS[name]), MODELS[name]
    names = [part.name for part in counted.forward]
    assert names == list(dict.fromkeys([*model.definitions, "J"]))
    # An initial state gets its gradient through what is made of it.
    assert {"∂" + p for p in model.params} <= {part.name for part in counted.backward}


def test_every_operation_has_a_count() -> None:
    assert set(TABLE) == set(Op)


@pytest.mark.parametrize("name", MODELS)
def test_kept_values_are_the_buffers_of_the_executor(name: str) -> None:
    model = MODELS[name]
    at = point(model)
    layout = Layout(build_program(model, "train", resets=restarts(model)), at.sizes)
    slots: dict[str, Callable[[int], int]] = {
        "sequence": lambda t: t,
        "history": lambda t: t + 1,
        "ring": lambda t: 2,
    }
    held = sum(slots[b.kind](STEPS) * b.cols for b in layout.buffers if b.kind in slots)
    assert cost(model).kept.bytes(at.sizes, STEPS, EXAMPLES) == 4 * EXAMPLES * held


def test_traffic_of_elman_by_hand() -> None:
    traffic = cost(MODELS["elman"]).training_traffic
    # A row of L, e and its product written; h and its parts; the output's gradient; the loop back; e, h, δh.
    assert str(traffic.per_token) == "5·e + 13·h + 4"
    assert str(traffic.per_time_step) == "2·h²"  # H, forward and back
    # I twice and U once read; every gradient written; the biases read.
    assert str(traffic.per_run) == "V·e + 2·V·h + 3·e·h + h² + 2·V + 2·h + 1"
    sizes = {"V": 7, "e": 4, "h": 5}
    token, step, run = 5 * 4 + 13 * 5 + 4, 2 * 25, 28 + 70 + 60 + 25 + 14 + 10 + 1
    assert traffic.bytes(sizes, 3, 2) == 4 * (3 * 2 * token + 3 * step + run)


def test_the_update_is_shared_by_the_tokens_of_a_step() -> None:
    counted, sizes = cost(MODELS["elman"]), {"V": 7, "e": 4, "h": 5}
    parameters = 28 + 35 + 20 + 25 + 7 + 5
    for optimizer, operations, numbers, slots in (
        ("sgd", 4, 4, 0),
        ("momentum", 6, 6, 1),
        ("adam", 15, 8, 2),
    ):
        at = counted.evaluate(sizes, 3, 2, optimizer)
        assert at.parameters == parameters
        assert at.update == operations * parameters / 6
        assert at.update_bytes == 4 * numbers * parameters
        assert at.memory["optimizer"] == 4 * slots * parameters
