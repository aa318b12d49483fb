"""The product of the steps' Jacobians in symbols, for the head of a report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bptt.derivation.board import put_on_board
from bptt.derivation.derive import Deriver
from bptt.derivation.matrix_form import Unwritable
from bptt.derivation.through_time import ThroughTime
from bptt.ir.model import Model
from bptt.render.page import Display, Row
from bptt.render.terminal_display import display_lines


def symbolic_flow(models: Iterable[Model], width: int) -> Iterator[str]:
    """For each model ∂J_T/∂h_(T-k) as a product, and the Jacobian of a step, in lines of a terminal."""
    for model in models:
        board = put_on_board(model)
        try:
            chains = ThroughTime(Deriver(board)).back()
        except Unwritable as reason:
            yield f"{model.name}: its Jacobian is not written as a matrix ({reason})"
            continue
        yield f"{model.name}, in symbols:"
        rows = tuple(Row(chain.result, chain.left) for chain in chains)
        yield from display_lines(Display(rows), width, board.layout, lambda text, style: text)
