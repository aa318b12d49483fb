"""What the symbols and derivatives of a written formula are, as numbers of a run of the model.

A derivative is taken as the document writes it: of the loss or of any quantity, by any quantity at any step,
everything in between followed; with a bar, by what is used at that step alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from string import ascii_lowercase

import numpy as np

from bptt.checking.restrictions import EVERYWHERE, Restriction
from bptt.checking.slopes import slope
from bptt.checking.world import NOW, Array, Node, World
from bptt.derivation.board import LOSS
from bptt.formula.evaluate import Point, evaluate
from bptt.formula.functions import TINY
from bptt.formula.shapes import Undefined
from bptt.formula.tensor import Tensor, matrix, merged, named
from bptt.formula.tree import Derivative, Formula, Indexed, Symbol, Time, TokenPart, Transpose, children
from bptt.ir.expr import Expr

Times = Mapping[str, int]
# The steps that letters stand for which no sum binds: t and i are late, all others early.
STEPS = dict.fromkeys([*ascii_lowercase, "tau"], NOW - 2) | {"t": NOW, "i": NOW, "s": NOW - 1, "r": NOW - 1}


@dataclass
class Values:
    """The numbers of one world. `flipped` and `lying` lay derivatives out (see meaning.Mode); `sign` is that
    of the document's J relative to the cross-entropy. `every_use` takes the derivative by a parameter through
    its uses at all steps, otherwise through that of its own step. `loss` says what a J without a time is:
    that of step t ("now"), of a later step, of the last, or of all steps, up to `until`. `places` says where
    letters stand that name the true class, `where` at which places a formula is looked at.
    """

    world: World
    flipped: bool = False
    lying: bool = False
    sign: float = 1.0
    every_use: bool = False
    loss: str = "now"
    until: int = 0
    places: Mapping[str, int] = field(default_factory=dict)
    where: Restriction = EVERYWHERE
    names: dict[tuple[str, str], Expr] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for leaf, symbol in self.world.board.symbols.items():
            if not leaf.args and symbol.name:
                self.names.setdefault((symbol.name, symbol.of), leaf)
        for value in self.world.values:
            self.names[value.symbol.name, value.symbol.of] = value.leaf
        self.row = self.world.board.layout == "row"

    def point(self, letters: Mapping[str, int] | None = None) -> Point:
        return Point(
            self.world.sizes, self.world.board.layout, self.symbol, self.derivative, self.times, letters or {}
        )

    @property
    def times(self) -> dict[str, int]:
        """Which step each letter is."""
        return STEPS | {"T": self.until or self.world.steps}

    def __call__(self, formula: Formula, letters: Mapping[str, int] | None = None) -> Tensor:
        """The value of a formula."""
        return self.where.held(evaluate(formula, self.point(letters), self.places), self.places)

    # Symbols.

    def leaf(self, symbol: Symbol) -> Expr:
        return self.names[symbol.name, symbol.of]

    def symbol(self, name: str, of: str, time: int | None) -> Array:
        leaf = self.names[name, of]
        run = self.world.run()
        if name == LOSS and time is None:
            array = self._loss(run, leaf, Symbol(LOSS), NOW)
        elif (leaf, 1) in run and time is None:
            return run[leaf, 1][0, 0].real
        else:
            array = run.get((leaf, NOW if time is None else time))
        if array is None:
            raise Undefined(Symbol(name, of=of))
        value = array[0, 0].real
        return self.sign * value if name == LOSS else value

    # Derivatives.

    def derivative(self, top: Formula, bottom: Formula, at: int | None, times: Times) -> Tensor:
        """∂top/∂bottom with an axis for each letter, or as a matrix."""
        above, above_letters = element_of(top)
        below, below_letters = element_of(bottom)
        if below is None:
            raise Undefined(Derivative(top, bottom))
        if above is None:
            return self._of_formula(top, bottom, below, below_letters, at, times)
        token = _token(bottom)
        if token is not None and at is None:
            # The row of a token is used at that token's step alone.
            at = self._time(token.time, times)
        moved = self._moved(above, below, at, times)
        outer = moved.shape[1:]
        inner = self.world.shape(self.leaf(below).shape)
        array = np.reshape(moved, (*inner, *outer))
        if token is not None:
            array = self._row_of(token, array, times)
            inner = array.shape[: array.ndim - len(outer)]
        if above.name == LOSS:
            array = self.sign * array
        along = _along(bottom)
        if along is not None and len(above_letters) == len(outer):
            return self._of_vectors(bottom, array, along, [*below_letters, *above_letters])
        lettered = len(below_letters) == len(inner) and len(above_letters) == len(outer)
        if lettered and (below_letters or above_letters):
            return named(*merged(top, array, [*below_letters, *above_letters]))
        if below_letters or above_letters:
            raise Undefined(Derivative(top, bottom))
        if not outer:
            return self._oriented(array)
        if len(outer) == 1 and len(inner) == 1:
            # As it is multiplied in this layout, or the other way round.
            return matrix(array.T if self.row != self.flipped else array)
        raise Undefined(Derivative(top, bottom))

    def _of_formula(
        self, top: Formula, bottom: Formula, below: Symbol, letters: list[str], at: int | None, times: Times
    ) -> Tensor:
        """∂/∂w (…): every element of w moved, and what becomes of the formula. Derivatives in it have been
        taken by complex steps, and move by real numbers only.
        """
        target = self.leaf(below)
        node = self._node(target, below, at, NOW, times)
        shape = self.world.shape(target.shape)
        columns = []
        if holds_derivative(top):
            if node.kind not in ("value", "parameter"):
                raise Undefined(Derivative(top, bottom))

            def moved(world: World) -> Tensor:
                point = replace(self, world=world).point()
                return evaluate(top, replace(point, times=times), self.places)

            for unit in np.eye(int(np.prod(shape, dtype=int))):
                columns.append(slope(self.world, node, unit.reshape(1, 1, *shape), moved))
            return self._of_columns(columns, top, bottom, shape, letters)
        run = self.world.run(node)
        for place in range(int(np.prod(shape, dtype=int))):

            def symbol(name: str, of: str, time: int | None, place: int = place) -> Array:
                array = run.get((self.names[name, of], NOW if time is None else time))
                if array is None:
                    return self.symbol(name, of, time)
                value: Array = array[place if len(array) > 1 else 0, 0]
                return self.sign * value if name == LOSS else value

            value = evaluate(top, replace(self.point(), symbol=symbol, times=times))
            columns.append(replace(value, array=np.imag(value.array) / TINY))
        return self._of_columns(columns, top, bottom, shape, letters)

    def _of_columns(
        self, columns: list[Tensor], top: Formula, bottom: Formula, shape: tuple[int, ...], letters: list[str]
    ) -> Tensor:
        """The derivative of a formula by each element of something, as it is written down."""
        first = columns[0]
        array = np.reshape(np.stack([c.array for c in columns], -1), first.array.shape + shape)
        along = _along(bottom)
        if along is not None and "row" not in first.axes:
            array = np.moveaxis(array, range(first.array.ndim), range(-first.array.ndim, 0))
            return self._of_vectors(bottom, array, along, [*letters, *first.axes])
        if len(letters) == len(shape):
            return named(*merged(top, array, [*first.axes, *letters]))
        if letters or (len(shape) > 1 and first.axes):
            raise Undefined(Derivative(top, bottom))
        if first.axes == ("row", "column") and 1 in first.pair:
            by_elements = np.reshape(np.stack([c.array.reshape(-1) for c in columns]), (*shape, -1))
            return matrix(by_elements.T if self.row != self.flipped else by_elements)
        if first.axes:
            raise Undefined(Derivative(top, bottom))
        return self._oriented(array)

    def _moved(self, above: Symbol, below: Symbol, at: int | None, times: Times) -> Array:
        """The derivative with the elements of `below` along its first axis."""
        when = self._time(above.time, times)
        if when is None:
            when = self.world.steps if above.name == LOSS and self.loss == "last" else NOW
        leaf, target = self.leaf(above), self.leaf(below)
        run = self.world.run(self._node(target, below, at, when, times))
        array = self._loss(run, leaf, above, when) if above.name == LOSS else run.get((leaf, when))
        size = int(np.prod(self.world.shape(target.shape), dtype=int))
        shape = self.world.shape(leaf.shape)
        if array is None:
            return np.zeros((size, *shape))
        return np.array(np.broadcast_to(array[:, 0].imag / TINY, (size, *shape)))

    def _loss(
        self, run: Mapping[tuple[Expr, int], Array], leaf: Expr, above: Symbol, when: int
    ) -> Array | None:
        if above.time is not None or self.loss == "now":
            return run.get((leaf, when))
        if self.loss == "last":
            return run.get((leaf, self.world.steps))
        if self.loss == "later":
            return run.get((leaf, NOW + 2))
        until = self.until or self.world.steps
        return sum(array for (e, time), array in run.items() if e is leaf and time <= until)  # type: ignore[return-value]

    def _node(self, target: Expr, below: Symbol, at: int | None, when: int, times: Times) -> Node:
        if below.time is None:
            step = None if self.every_use and at is None else (at if at is not None else when)
            return Node("parameter", target, step)
        time = self._time(below.time, times)
        assert time is not None
        if at is not None and at != time:
            for state in self.world.model.states:
                if state.variable == below.name and state.lag == at - time:
                    return Node("use", self.world.carries[state.name], at)
        return Node("value", target, time)

    def _time(self, time: Time | None, times: Times) -> int | None:
        if time is None:
            return None
        return times[time.letter] + time.offset if time.letter else time.offset

    def _row_of(self, token: Symbol, array: Array, times: Times) -> Array:
        """What belongs to the token, of the derivative by a whole table: one row (or column), all others
        being zero. For a token that is no one-hot vector here, the same multiple of that row.
        """
        time = self._time(token.time, times)
        picked = self.symbol(token.name, token.of, time)
        axis = 0 if array.shape[0] == len(picked) else 1
        return np.tensordot(picked, array, (0, axis)) / (picked @ picked)

    def _of_vectors(self, bottom: Formula, array: Array, along: int, letters: list[str]) -> Tensor:
        """The derivative by a row or column of a matrix: a vector for each letter. The array has the axes of
        the matrix in front.
        """
        vector = np.moveaxis(array, along, -1)
        vector, axes = merged(bottom, vector, [*letters, "vector"])
        vector = np.moveaxis(vector, axes.index("vector"), -1)
        axes.remove("vector")
        lies = self.row or self.lying
        return named(vector[..., None, :] if lies else vector[..., :, None], [*axes, "row", "column"])

    def _oriented(self, array: Array) -> Tensor:
        match array.ndim:
            case 0:
                return named(array, ())
            case 1:
                return matrix(array[None, :] if self.row or self.lying else array[:, None])
            case 2:
                return matrix(array)
        raise Undefined(Symbol("J"))


def holds_derivative(formula: Formula) -> bool:
    return isinstance(formula, Derivative) or any(map(holds_derivative, children(formula)))


def _along(formula: Formula) -> int | None:
    """The axis of a matrix along which one of its vectors lies."""
    match formula:
        case Indexed(along=along):
            return along
        case Transpose(inner):
            return _along(inner)
        case _:
            return None


def _token(formula: Formula) -> Symbol | None:
    """The token of a table's row, or of an element of it."""
    match formula:
        case TokenPart(token=token) | Indexed(base=TokenPart(token=token)):
            return token
        case _:
            return None


def element_of(formula: Formula) -> tuple[Symbol | None, list[str]]:
    """The symbol of an element, and the letters of its indices."""
    match formula:
        case Symbol():
            return formula, []
        case Indexed(Symbol() as symbol, indices) | Indexed(TokenPart(table=Symbol() as symbol), indices):
            return symbol, [index.letter for index in indices]
        case TokenPart(table=Symbol() as symbol):
            return symbol, []
        case Transpose(inner):
            return element_of(inner)
        case _:
            return None, []
