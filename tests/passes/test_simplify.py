"""Rules that make products cheaper: each on its form, with values kept, and applied until none applies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from bptt.backends import build_program
from bptt.ir import build
from bptt.ir.dims import ZERO
from bptt.ir.expr import Expr, make
from bptt.ir.ops import Op
from bptt.ir.program import Block, Kind, Program
from bptt.ir.traversal import topological
from bptt.passes.rewriting import RewriteRule, map_program, rewrite_program
from bptt.passes.simplify import LOOK_UP, SIMPLIFY, look_up_tokens, simplify
from cells import MODELS, model_of
from expressions import H, K, M, V, a, b, c, drawn, value_of
from models_strategy import RandomModel, random_models

X = build.token("x")
BOTH = build.concat([a(H), b(K)], 0)


def dot(v: Expr, table: Expr, j: int) -> Expr:
    return build.contract(v, table, (0, j))


# What is written, and what becomes of it.
FORMS: dict[str, tuple[Expr, Expr]] = {
    "sum of products": (build.total(build.mul(a(H), b(H))), dot(a(H), b(H), 0)),
    "equal terms": (make(Op.ADD, (a(H), b(H), a(H))), build.add(build.mul(build.const(2.0), a(H)), b(H))),
    "sum of one scalar": (build.total(build.broadcast(a(), (H,))), build.mul(a(), build.size(H))),
    "sum of one scalar in a matrix": (
        build.total(build.broadcast(a(), (H, K))),
        build.mul(build.mul(a(), build.size(H)), build.size(K)),
    ),
    "product with a concatenation": (
        dot(BOTH, c(H + K, M), 0),
        build.add(
            dot(a(H), build.part(c(H + K, M), 0, ZERO, H), 0),
            dot(b(K), build.part(c(H + K, M), 0, H, H + K), 0),
        ),
    ),
    "product with a concatenation, transposed": (
        dot(BOTH, c(M, H + K), 1),
        build.add(
            dot(a(H), build.part(c(M, H + K), 1, ZERO, H), 1),
            dot(b(K), build.part(c(M, H + K), 1, H, H + K), 1),
        ),
    ),
    "part of a product": (
        build.part(dot(a(H), b(H, K + M), 0), 0, K, K + M),
        dot(a(H), build.part(b(H, K + M), 1, K, K + M), 0),
    ),
    "part of a product, transposed": (
        build.part(dot(a(H), b(K + M, H), 1), 0, ZERO, K),
        dot(a(H), build.part(b(K + M, H), 0, ZERO, K), 1),
    ),
    "part of a sum": (
        build.part(build.add(a(H + K), b(H + K), c()), 0, H, H + K),
        build.add(build.part(a(H + K), 0, H, H + K), build.part(b(H + K), 0, H, H + K), c()),
    ),
    "part of a scalar in every place": (
        build.part(build.broadcast(c(), (H + K,)), 0, H, H + K),
        build.broadcast(c(), (K,)),
    ),
    "part of a concatenation": (build.part(build.concat([a(H), b(K), c(M)], 0), 0, H, H + K), b(K)),
    "parts of a concatenation": (
        build.part(build.concat([a(H), b(K), c(M)], 0), 0, H, H + K + M),
        build.concat([b(K), c(M)], 0),
    ),
    "look-up": (dot(X, a(V, H), 0), make(Op.LOOKUP, (a(V, H), X), 0)),
    "look-up of a column": (dot(X, a(H, V), 1), make(Op.LOOKUP, (a(H, V), X), 1)),
    "scatter": (build.outer(X, a(H)), make(Op.SCATTER, (X, a(H)), 0)),
    "scatter in a column": (build.outer(a(H), X), make(Op.SCATTER, (X, a(H)), 1)),
}


def simplified(e: Expr) -> Expr:
    program = look_up_tokens(simplify(Program((Block(Kind.MAP, (("e", e),)),), {}, ("e",))))
    return program.blocks[0].outputs[0][1]


@pytest.mark.parametrize("name", FORMS)
def test_form(name: str) -> None:
    before, after = FORMS[name]
    assert simplified(before) is after
    leaves = drawn([before], np.random.default_rng(0))
    for e in topological([after]):
        if e.op is Op.SIZE:
            leaves[e] = np.asarray(float(e.attr.evaluate({"h": 3, "k": 4})))
    # The same products and sums of order one, in another order.
    np.testing.assert_allclose(value_of(after, leaves), value_of(before, leaves), rtol=1e-13)


def test_every_rule_has_a_form() -> None:
    rules = (*SIMPLIFY, *LOOK_UP)
    met = {
        rule for rule in rules for e, _ in FORMS.values() if e.op is rule.op and rule.rewrite(e) is not None
    }
    assert met == set(rules)


@pytest.mark.parametrize(
    "e",
    [
        build.part(build.concat([a(H), b(K)], 0), 0, ZERO, M),
        build.total(build.mul(a(H), b())),
        build.total(build.mul(a(H, K), b(H, K))),
        build.contract(build.concat([a(H, M), b(K, M)], 0), c(M, K), (1, 0)),
        build.part(build.apply(Op.SOFTMAX, a(H + K)), 0, ZERO, H),
        dot(X, a(V), 0),
    ],
    ids=repr,
)
def test_what_only_looks_like_a_form_stays(e: Expr) -> None:
    assert simplified(e) is e


def test_rules_apply_to_what_rules_have_made() -> None:
    """A concatenation inside a concatenation, seen only once the outer one is taken apart."""
    inner = build.concat([a(H), b(K)], 0)
    product = dot(build.concat([c(M), inner], 0), build.param("W", (M + H + K, V)), 0)
    e = simplified(product)
    assert e.op is Op.ADD and len(e.args) == 3 and Op.CONCAT not in {node.op for node in topological([e])}


def test_a_rule_that_gives_its_argument_back_ends() -> None:
    program = Program((Block(Kind.MAP, (("e", build.apply(Op.TANH, build.given("w"))),)),), {}, ("e",))
    assert rewrite_program(program, [RewriteRule("none", Op.TANH, lambda e: e)]) == program


def test_names_move_along() -> None:
    tanh = build.apply(Op.TANH, build.given("w"))
    e = build.total(build.mul(build.broadcast(tanh, (H,)), build.broadcast(tanh, (H,))))
    program = Program((Block(Kind.MAP, (("e", e),)),), {}, ("e",), {tanh: "h"})
    moved = map_program(program, lambda node: build.given("v") if node is build.given("w") else node)
    assert moved.names == {build.apply(Op.TANH, build.given("v")): "h"}


@settings(max_examples=25)
@given(random_models())
def test_nothing_is_left_to_do(random: RandomModel) -> None:
    stages: dict[str, Program] = {}
    build_program(model_of(random.row), "train", resets=True, observe=stages.__setitem__)
    assert look_up_tokens(simplify(stages["look up tokens"])) == stages["look up tokens"]


@pytest.mark.parametrize("name", MODELS)
def test_no_product_with_a_token_is_left(name: str) -> None:
    for e in topological(
        root for block in build_program(MODELS[name], "train").blocks for root in block.roots()
    ):
        if e.op in (Op.CONTRACT, Op.OUTER):
            assert X not in e.args
