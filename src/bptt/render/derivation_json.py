"""A derivation as plain data: every formula as LaTeX and as text."""

from __future__ import annotations

from typing import Any

from bptt.derivation.board import Board
from bptt.derivation.steps import Chain, Definition, Derivation
from bptt.derivation.whole import Derivations, plain_name
from bptt.formula.tree import Formula, Text
from bptt.render import latex, unicode


def derivation_data(derivations: Derivations) -> dict[str, Any]:
    """What `bptt derive --to json` prints; docs/derive.md describes it."""
    board = derivations.board
    writer = _Writer(board)
    return {
        "model": board.model.name,
        "layout": board.layout,
        "objective": board.objective,
        "batch": board.batch,
        "notes": list(board.notes),
        "equations": [writer.definition(d) for d in derivations.definitions],
        "gradients": [writer.gradient(g) for g in derivations.gradients],
        "through_time": [writer.chain(c) for c in derivations.carried],
        "obstacle": derivations.obstacle,
    }


class _Writer:
    def __init__(self, board: Board) -> None:
        self.board, self.timed = board, board.recurrent

    def formula(self, formula: Formula) -> dict[str, str]:
        return {"text": unicode.show(formula), "latex": latex.show(formula, self.timed)}

    def words(self, text: Text) -> str:
        return "".join(part if isinstance(part, str) else unicode.show(part) for part in text)

    def definition(self, definition: Definition) -> dict[str, Any]:
        return {
            "symbol": self.formula(definition.symbol),
            "matrix": None if definition.matrix is None else self.formula(definition.matrix),
            "element": self.formula(definition.left_element),
            "index": self.formula(definition.element),
            "meaning": definition.meaning,
        }

    def gradient(self, g: Derivation) -> dict[str, Any]:
        return {
            "name": plain_name(g.name, self.board),
            "role": g.role,
            "shape": [str(d) for d in g.shape],
            "uses": [self.definition(d) for d in g.uses],
            "local": [self.chain(c) for c in g.local],
            "index": self.chain(g.index),
            "matrix": None if g.matrix is None else self.chain(g.matrix),
            "written_out": None if g.written_out is None else self.formula(g.written_out.result),
            "obstacle": g.obstacle,
            "forms": [self.chain(c) for c in g.forms],
            "through_time": [self.chain(c) for c in g.through_time],
        }

    def chain(self, chain: Chain) -> dict[str, Any]:
        return {
            "title": self.words(chain.title),
            "notation": chain.notation,
            "reading": chain.reading,
            "left": self.formula(chain.left),
            "steps": [
                {
                    "rule": step.rule,
                    "before": self.formula(step.before),
                    "after": self.formula(step.after),
                    "reason": self.words(step.reason),
                }
                for step in chain.steps
            ],
        }
