"""Walks over expressions, without recursion: programs unrolled over time are deep."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bptt.ir.build import rebuild
from bptt.ir.expr import Expr


def topological(roots: Iterable[Expr]) -> list[Expr]:
    """Every expression below the roots once, arguments before what uses them; deterministic."""
    order: list[Expr] = []
    seen: set[Expr] = set()
    stack: list[tuple[Expr, bool]] = [(root, False) for root in reversed(list(roots))]
    while stack:
        e, ready = stack.pop()
        if ready:
            order.append(e)
        elif e not in seen:
            seen.add(e)
            stack.append((e, True))
            stack.extend((a, False) for a in reversed(e.args) if a not in seen)
    return order


def transform(roots: Iterable[Expr], change: Callable[[Expr], Expr]) -> dict[Expr, Expr]:
    """`change` applied bottom-up: each expression is rebuilt on its changed arguments and then given to
    `change`.

    Returns where every expression below the roots went.
    """
    became: dict[Expr, Expr] = {}
    for e in topological(roots):
        became[e] = change(rebuild(e, tuple(became[a] for a in e.args)))
    return became


def substitute(e: Expr, replacements: dict[Expr, Expr]) -> Expr:
    """`e` with each of the given expressions replaced, from the bottom up."""
    became: dict[Expr, Expr] = {}
    for node in topological([e]):
        if node in replacements:
            became[node] = replacements[node]
        else:
            became[node] = rebuild(node, tuple(became[a] for a in node.args))
    return became[e]
