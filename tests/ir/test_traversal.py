"""Walks over expressions: order, sharing, and depth without recursion."""

import numpy as np
import pytest

from bptt.autodiff.reverse import reverse
from bptt.backends.reference import ReferenceExecutable, evaluate_once
from bptt.ir import build
from bptt.ir.expr import Expr
from bptt.ir.ops import Op
from bptt.ir.program import Block, Kind, Program
from bptt.ir.traversal import substitute, topological, transform
from bptt.passes.schedule import schedule
from bptt.passes.stabilize import stabilize
from expressions import H, a, b

DEPTH = 100_000


def chain(leaf: Expr, depth: int) -> Expr:
    """leaf · 1.00001 + … so deep that any recursion over it fails."""
    e = leaf
    for n in range(depth // 2):
        e = build.apply(Op.TANH, e) if n % 2 else build.mul(e, build.const(1.0 + 1.0 / (n + 2)))
    return e


def test_arguments_come_first_and_each_once() -> None:
    shared = build.apply(Op.TANH, a(H))
    e = build.add(build.mul(shared, b(H)), shared)
    order = topological([e, shared])
    assert len(order) == len(set(order)) == 5
    position = {node: n for n, node in enumerate(order)}
    assert all(position[arg] < position[node] for node in order for arg in node.args)
    assert topological([e, shared]) == order


def test_transform_goes_from_the_bottom_up() -> None:
    e = build.mul(build.apply(Op.TANH, a(H)), a(H))
    became = transform([e], lambda node: b(H) if node is a(H) else node)
    assert became[e] is build.mul(build.apply(Op.TANH, b(H)), b(H))
    assert became[a(H)] is b(H) and set(became) == set(topological([e]))


def test_substitution_does_not_enter_what_it_puts_in() -> None:
    inside = build.apply(Op.TANH, a(H))
    assert substitute(build.add(a(H), b(H)), {a(H): inside}) is build.add(inside, b(H))
    assert substitute(inside, {inside: b(H), a(H): a(H)}) is b(H)


@pytest.fixture(scope="module")
def deep() -> Expr:
    return chain(a(), 2 * DEPTH)


def test_deep_walks(deep: Expr) -> None:
    assert len(topological([deep])) > DEPTH
    moved = transform([deep], lambda node: b() if node is a() else node)[deep]
    below = topological([moved])
    assert b() in below and a() not in below


def test_deep_derivatives_and_values() -> None:
    # Not so deep that the derivative, a product of a factor for each link, is zero in float64.
    leaf = build.param("p", ())
    e = leaf
    for n in range(DEPTH):
        e = build.add(e, build.const(1.0)) if n % 2 else build.mul(e, build.const(1.0 + 1e-5 / (n + 1)))
    slope = reverse({e: [build.const(1.0)]}, [leaf])[leaf]
    block = Block(Kind.ONCE, (("value", e), ("slope", slope)))
    values = evaluate_once(block, {"p": np.asarray(0.5)}, {}, np.dtype(np.float64))
    # Linear: the value is slope · p + the value at 0.
    at_zero = evaluate_once(block, {"p": np.asarray(0.0)}, {}, np.dtype(np.float64))
    # 1e5 roundings of numbers up to 5e4.
    np.testing.assert_allclose(values["value"] - at_zero["value"], 0.5 * values["slope"], rtol=1e-6)


def test_deep_programs_run() -> None:
    """Also through the passes: a cell of ten thousand equations is slow, not an error."""
    e = chain(build.given("weight"), 10_000)
    program = Program((Block(Kind.MAP, (("value", e),), (("J", e),)),), {}, ("value", "J"))
    run = schedule(stabilize(program))
    inputs = {"x": np.zeros((2, 3), np.int32), "weight": np.full((2, 3), 0.3)}
    want = ReferenceExecutable(program, {}, np.dtype(np.float64)).run({}, inputs)
    got = ReferenceExecutable(run, {}, np.dtype(np.float64)).run({}, inputs)
    np.testing.assert_array_equal(got["value"], want["value"])
    np.testing.assert_array_equal(got["J"], want["J"])


def test_much_shared_expressions_are_visited_once() -> None:
    """Every level uses the one below twice: a walk without memory would take 2^60 steps."""
    e = build.given("weight")
    for _ in range(60):
        e = build.mul(e, e)
    program = Program((Block(Kind.MAP, (("value", e),), (("J", e),)),), {}, ("value", "J"))
    run = schedule(stabilize(program))
    assert len(topological(run.blocks[0].roots())) == 61
