"""From the equations of a part of a document to a model with numbers, by which its claims are judged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bptt.checking.equations import understand
from bptt.checking.judge import Judge
from bptt.checking.meaning import Meanings, Quantity
from bptt.checking.survey import Survey
from bptt.checking.verdicts import Epoch
from bptt.checking.world import NOW, World
from bptt.derivation.board import LOSS, Board, put_on_board
from bptt.errors import EquationError
from bptt.ir.ops import Op
from bptt.syntax import tree
from bptt.syntax.tree import Equation

# The points at which claims are tried, and whether tokens are one-hot there.
SEEDS = ((1, True), (2, False), (3, False))


def prepare(epoch: Epoch, survey: Survey, losses: frozenset[str], layout: str | None) -> None:
    """Gives the epoch its model, its board and its judge, or says in `trouble` what is lacking."""
    if epoch.board is not None or epoch.trouble:
        return
    if not epoch.equations:
        epoch.trouble = "the equations of the model"
        return
    try:
        epoch.model = understand(epoch.equations, survey.reading.source)
    except EquationError as error:
        epoch.trouble = f"a model that can be understood ({str(error).splitlines()[0]})"
        return
    if layout is not None and not any(len(shape) == 2 for shape in epoch.model.params.values()):
        # Where there is a product, it says itself how vectors lie.
        epoch.model = replace(epoch.model, layout=layout)
    looked_up = [n for n in epoch.model.params if n in survey.timed and n not in survey.defined]
    if looked_up:
        _look_up(epoch, looked_up, survey)
    epoch.board = put_on_board(epoch.model, fused=False)
    epoch.missing = next((f"what {name} is" for name in epoch.model.params if name in survey.timed), "")
    quantities = dict(_quantities(epoch.board))
    carried = frozenset(s.variable for s in epoch.model.states)
    epoch.meanings = Meanings(
        survey.letters, quantities, losses, epoch.board.layout, carried, survey.last, NOW
    )
    worlds = [World(epoch.board, seed, plain) for seed, plain in SEEDS]
    epoch.judge = Judge(epoch.meanings, worlds, survey.total, NOW if survey.last else 0)


def _look_up(epoch: Epoch, names: list[str], survey: Survey) -> None:
    """A vector of every step that nothing defines is what the token picks from a table: the one of which
    the document takes such a part, or one without a name.
    """
    assert epoch.model is not None
    tables = [t for t in survey.tables if t not in epoch.model.params]
    equations = dict(epoch.equations)
    for name in names:
        table = tables.pop(0) if tables else f"{name}_table"
        span = survey.reading.source.span(0, 0)
        first, second = tree.Name("x", span=span), tree.Name(table, span=span)
        if epoch.model.layout == "column":
            first, second = second, first
        picked = tree.Binary("@", first, second, span, span)
        equations[name] = Equation(tree.Name(name, span=span), picked, span)
    try:
        epoch.model = understand(equations, survey.reading.source)
    except EquationError:
        return
    epoch.equations = equations


def _quantities(board: Board) -> Iterator[tuple[str, Quantity]]:
    for leaf, symbol in board.symbols.items():
        if not leaf.args and leaf.op is not Op.CARRY and not symbol.of and symbol.name != LOSS:
            yield symbol.name, Quantity(symbol)
    for value in board.values.values():
        if value.name != LOSS and "·" not in value.name:
            yield value.name, Quantity(value.symbol)
