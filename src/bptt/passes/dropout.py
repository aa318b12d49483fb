"""Dropout added to a model's equations from outside, where a text would put it.

Every vector that an equation defines is dropped out where it is multiplied by parameters at the same time
step: on its way up to the next layer or to the output. What a state says to the next step is left whole.
(Zaremba, Sutskever and Vinyals 2014, Recurrent neural network regularization.)
"""

from __future__ import annotations

from dataclasses import replace

from bptt.ir import build
from bptt.ir.expr import Expr
from bptt.ir.model import Model
from bptt.ir.ops import Op
from bptt.ir.traversal import topological


def add_dropout(model: Model, rate: float) -> Model:
    """The model with a mask of this rate on each such vector: one mask a vector, however often it is used."""
    roots = [*model.definitions.values(), *(s.update for s in model.states), model.objective]
    order = topological(roots)
    key = 1 + max((e.attr[0] for e in order if e.op is Op.MASK), default=-1)
    defined = {e for e in model.definitions.values() if e.varies and e.args}
    masks: dict[Expr, Expr] = {}
    became: dict[Expr, Expr] = {}
    for e in order:
        args = [became[a] for a in e.args]
        for number, a in enumerate(e.args):
            others = [b for b in e.args if b is not a]
            if e.op is Op.CONTRACT and a in defined and others and not others[0].varies:
                if a not in masks:
                    masks[a] = build.mask(key + len(masks), rate, a.shape)
                args[number] = build.mul(args[number], masks[a])
        became[e] = build.rebuild(e, tuple(args))
    return replace(
        model,
        definitions={name: became[e] for name, e in model.definitions.items()},
        states=tuple(replace(s, update=became[s.update]) for s in model.states),
        objective=became[model.objective],
    )
