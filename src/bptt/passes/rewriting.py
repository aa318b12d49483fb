"""Rewrite rules, and their application to a whole program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bptt.ir.expr import Expr
from bptt.ir.ops import Op
from bptt.ir.program import Program
from bptt.ir.traversal import transform


@dataclass(frozen=True)
class RewriteRule:
    """`rewrite` gives what an expression with operation `op` becomes, or None where the rule does not
    apply.
    """

    name: str
    op: Op
    rewrite: Callable[[Expr], Expr | None]


def rewrite_program(program: Program, rules: Sequence[RewriteRule]) -> Program:
    """The program with the rules applied everywhere, from the bottom up, until none applies."""
    return map_program(program, _application(rules))


def rewrite(e: Expr, rules: Sequence[RewriteRule]) -> Expr:
    """The same for one expression."""
    return transform([e], _application(rules))[e]


def _application(rules: Sequence[RewriteRule]) -> Callable[[Expr], Expr]:
    by_op: dict[Op, list[RewriteRule]] = {}
    for rule in rules:
        by_op.setdefault(rule.op, []).append(rule)

    def change(e: Expr) -> Expr:
        applied = True
        while applied:
            applied = False
            for rule in by_op.get(e.op, ()):
                new = rule.rewrite(e)
                if new is not None and new is not e:
                    # What a rule builds may hold new inner expressions that rules apply to.
                    e = transform([new], change_once)[new]
                    applied = True
                    break
        return e

    def change_once(e: Expr) -> Expr:
        for rule in by_op.get(e.op, ()):
            new = rule.rewrite(e)
            if new is not None:
                return new
        return e

    return change


def map_program(program: Program, change: Callable[[Expr], Expr]) -> Program:
    """The program with `change` applied to every expression from the bottom up; users' names move along."""
    roots = [e for block in program.blocks for e in block.roots()]
    became = transform([*roots, *program.names], change)
    blocks = tuple(
        replace(
            block,
            outputs=tuple((name, became[e]) for name, e in block.outputs),
            sums=tuple((name, became[e]) for name, e in block.sums),
            carries=tuple(replace(c, update=became[c.update]) for c in block.carries),
        )
        for block in program.blocks
    )
    names: dict[Expr, str] = {}
    for e, name in program.names.items():
        names.setdefault(became[e], name)
    return replace(program, blocks=blocks, names=names)
