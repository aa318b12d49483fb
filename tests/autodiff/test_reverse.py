"""The sweep: what adds up, what stops it, and what it tells about itself."""

import numpy as np

from bptt.autodiff.reverse import reverse, unbroadcast
from bptt.ir import build
from bptt.ir.expr import Expr
from bptt.ir.ops import Op
from expressions import H, K, a, b, c, drawn, slopes, value_of

ONE = build.const(1.0)


def test_a_value_used_twice_gets_both_parts() -> None:
    h = build.apply(Op.TANH, a(H))
    objective = build.add(build.total(build.mul(h, b(H))), build.total(build.mul(h, h)))
    leaves = drawn([objective], np.random.default_rng(1))
    got = reverse({objective: [ONE]}, [a(H), b(H)])
    for leaf in (a(H), b(H)):
        # What sixth order with steps of 0.002 leaves is rounding: 1e-16 / 0.002, and a few digits.
        np.testing.assert_allclose(value_of(got[leaf], leaves), slopes(objective, leaf, leaves), atol=1e-11)


def test_what_nothing_depends_on_gets_zeros() -> None:
    got = reverse({build.total(a(H)): [ONE]}, [a(H), b(H, K), c()])
    assert build.is_zero(got[b(H, K)]) and got[b(H, K)].shape == (H, K)
    assert build.is_zero(got[c()]) and got[c()].shape == ()


def test_the_sweep_does_not_go_below_what_is_asked_for() -> None:
    h = build.apply(Op.TANH, a(H))
    objective = build.total(build.apply(Op.EXP, h))
    got = reverse({objective: [ONE]}, [h, a(H)])
    assert got[h] is build.apply(Op.EXP, h)
    assert build.is_zero(got[a(H)])


def test_seeds_of_several_values_add_up() -> None:
    first, second = build.apply(Op.TANH, a(H)), build.apply(Op.EXP, a(H))
    parts = [reverse({e: [g]}, [a(H)])[a(H)] for e, g in ((first, b(H)), (second, c(H)))]
    both = reverse({first: [b(H)], second: [c(H)]}, [a(H)])[a(H)]
    leaves = drawn([*parts, both], np.random.default_rng(2))
    # The same numbers are added, in either order.
    np.testing.assert_allclose(value_of(both, leaves), sum(value_of(p, leaves) for p in parts), rtol=1e-15)


def test_a_seed_on_what_is_asked_for_is_its_cotangent() -> None:
    assert reverse({a(H): [b(H), c(H)]}, [a(H)]) == {a(H): build.add(b(H), c(H))}


def test_the_observer_hears_each_part() -> None:
    heard: list[tuple[Expr, Expr, Expr, Expr]] = []
    z = build.add(a(H), b(H))
    y = build.apply(Op.SIGMOID, z)
    reverse({y: [c(H)]}, [a(H)], lambda *told: heard.append(told))
    # ∂z comes from y by the rule of the sigmoid, ∂a is ∂z; nothing goes to b, which nobody asked for.
    ((e, g, arg, part), (below, _, leaf, last)) = heard
    assert (e, g, arg) == (y, c(H), z)
    assert (below, leaf) == (z, a(H)) and last is part


def test_unbroadcast_sums_where_a_scalar_served_all() -> None:
    assert unbroadcast(a(H, K), c()) is build.total(a(H, K))
    assert unbroadcast(a(H), b(H)) is a(H)
    assert unbroadcast(c(), c()) is c()
