"""A cell without the identity path that its state is carried along."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from bptt.ir import build
from bptt.ir.expr import Expr
from bptt.ir.model import Model
from bptt.ir.ops import Op
from bptt.ir.traversal import substitute


def without_identity(model: Model, states: Collection[str]) -> Model | None:
    """The model with the term h[t-1] left out of h = … + h[t-1], for each of the named carries; None where
    none has such a term.
    """
    plain: dict[Expr, Expr] = {}
    for s in model.states:
        carried = build.carry(s.name, s.shape)
        if s.name in states and s.update.op is Op.ADD and carried in s.update.args:
            plain[s.update] = build.add(*(term for term in s.update.args if term is not carried))
    if not plain:
        return None
    return replace(
        model,
        definitions={name: substitute(e, plain) for name, e in model.definitions.items()},
        states=tuple(replace(s, update=substitute(s.update, plain)) for s in model.states),
        objective=substitute(model.objective, plain),
    )
