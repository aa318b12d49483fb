"""Reverse mode over expressions: from the cotangents of some values to those of what they were made from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from bptt.autodiff.rules import RULES
from bptt.ir import build
from bptt.ir.expr import Expr
from bptt.ir.traversal import topological

Observer = Callable[[Expr, Expr, Expr, Expr], None]


def reverse(
    seeds: Mapping[Expr, Sequence[Expr]], wrt: Collection[Expr], observe: Observer | None = None
) -> dict[Expr, Expr]:
    """The cotangent of each expression in `wrt` (zeros where nothing depends on it).

    `seeds` holds what is known from outside of ∂J/∂e: the parts that add up to it. The sweep visits every
    value once, after everything that uses it, adds up the parts that came in, and passes them on by the
    value's rule. It does not go below the expressions in `wrt`. `observe` is told each part as it is passed
    on: (value, its cotangent, argument, part).
    """
    wanted = set(wrt)
    order = topological(seeds)
    active: set[Expr] = set()
    for e in order:
        if e in wanted or any(a in active for a in e.args):
            active.add(e)
    parts: dict[Expr, list[Expr]] = {e: list(given) for e, given in seeds.items()}
    result: dict[Expr, Expr] = {}
    for e in reversed(order):
        if e not in active or e not in parts:
            continue
        g = build.add(*parts[e])
        if e in wanted:
            result[e] = g
            continue
        for a, part in zip(e.args, RULES[e.op].apply(g, e), strict=True):
            if part is None or a not in active or build.is_zero(part):
                continue
            part = unbroadcast(part, a)
            parts.setdefault(a, []).append(part)
            if observe is not None:
                observe(e, g, a, part)
    return {e: result.get(e, build.zeros(e.shape)) for e in wrt}


def unbroadcast(cotangent: Expr, argument: Expr) -> Expr:
    """The cotangent in the shape of the argument: summed where a scalar served every element."""
    return build.total(cotangent) if cotangent.shape and not argument.shape else cotangent
