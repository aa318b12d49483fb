"""What a name that nothing defines could stand for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bptt.checking.belonging import is_error
from bptt.checking.evidence import Evidence, Use
from bptt.checking.meanings import Quantity
from bptt.checking.names import walk
from bptt.checking.written import Differential, Nabla
from bptt.derivation.board import LOSS, Board
from bptt.formula.tree import NOW, Derivative, Neg, Symbol


def candidates(name: str, evidence: Evidence, board: Board, uses: Sequence[Use]) -> Iterator[Quantity]:
    """Derivatives of J by every value of the model, and their opposites; and every quantity by another name.
    What is differentiated by can be no derivative, but what a function is applied to; what bears a time is
    nothing that is the same at every step.
    """
    inner: list[Symbol] = []
    if any(name in _bottoms(evidence, use) for use in uses):
        inner = [value.symbol for value in board.values.values() if value.symbol.of]
    else:
        yield from derivatives(name, evidence, board)
    known = [q.symbol for q in evidence.meanings.quantities.values() if q.formula is None]
    is_timed = name in evidence.survey.timed
    for symbol in dict.fromkeys([*inner, *_values(evidence, board), *known]):
        if _could_be(name, symbol) and symbol.name.lower() != name and (symbol.time or not is_timed):
            yield Quantity(symbol)


def derivatives(name: str, evidence: Evidence, board: Board) -> Iterator[Quantity]:
    """The derivatives of J, and their opposites; in a model with steps, of J at t or at a fixed step."""
    losses = [Symbol(LOSS), Symbol(LOSS, (), NOW)] if board.recurrent else [Symbol(LOSS)]
    values = [value for value in _values(evidence, board) if _could_be(name, value)]
    found = [Derivative(loss, value) for value in values for loss in losses]
    own = Symbol(name, (), NOW)
    yield from (Quantity(own, derivative) for derivative in found)
    yield from (Quantity(own, Neg(derivative)) for derivative in found)


def _values(evidence: Evidence, board: Board) -> list[Symbol]:
    """What changes from example to example: the values of the model, and what it reads."""
    made = [v.symbol for v in board.values.values() if v.name != LOSS and "·" not in v.name]
    known = [q.symbol for q in evidence.meanings.quantities.values() if q.formula is None]
    return list(dict.fromkeys([*made, *(symbol for symbol in known if symbol.time is not None)]))


def _could_be(name: str, symbol: Symbol) -> bool:
    """A capital is a matrix, unless it is the name of an error."""
    return len(symbol.shape) == 2 or not name[0].isupper() or is_error(name)


def _bottoms(evidence: Evidence, use: Use) -> set[str]:
    """The names by which a claim differentiates."""
    found = (p for p in walk([use.left, use.link.right]) if isinstance(p, Differential | Nabla))
    return {evidence.survey.name(p.bottom if isinstance(p, Differential) else p.by) for p in found}
