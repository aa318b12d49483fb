"""A model of one example put on the board for many, and the numbers of formulas that speak of all of them.

Examples stand in the rows or the columns of a matrix each; of what is a number for each example, the matrix
is a column or a row. J is the sum or the mean of what the examples have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from bptt.checking.slopes import slope
from bptt.checking.values import Values, element_of, holds_derivative
from bptt.checking.world import NOW, Array, Run
from bptt.derivation.board import BATCH, LOSS, Board, put_on_board
from bptt.formula.evaluate import Point, evaluate
from bptt.formula.functions import TINY
from bptt.formula.shapes import ONE, Undefined
from bptt.formula.tensor import Tensor, matrix, merged, named
from bptt.formula.tree import Derivative, Formula, Symbol, transform
from bptt.ir import build
from bptt.ir.dims import Dim, Shape
from bptt.ir.expr import Expr
from bptt.ir.model import Model
from bptt.ir.traversal import substitute


def batch_board(model: Model, rows: bool, counts: Mapping[str, Dim]) -> Board:
    """The board with a matrix for everything that differs from example to example. Matrices of the model stay
    as they are: where its vectors are columns and examples are rows all the same, only the symbols are those
    of rows. `counts` are names of the number of examples, with that.
    """
    model = _with_counts(model, counts)
    layout = "row" if rows else "column"
    has_matrices = any(len(shape) == 2 for shape in model.params.values())
    board = put_on_board(model, model.layout if has_matrices else layout, batch=True, fused=False)

    def whole(symbol: Symbol) -> Symbol:
        inner = tuple(dim for dim in symbol.shape if dim != BATCH)
        return replace(symbol, shape=stacked(inner, rows)) if BATCH in symbol.shape else symbol

    values = {name: replace(value, symbol=whole(value.symbol)) for name, value in board.values.items()}
    symbols = {leaf: whole(symbol) for leaf, symbol in board.symbols.items()}
    return replace(board, values=values, symbols=symbols)


def _with_counts(model: Model, counts: Mapping[str, Dim]) -> Model:
    """The model with a number where it has a parameter of that name."""
    numbers = {build.param(name, ()): build.size(dim) for name, dim in counts.items() if name in model.params}
    if not numbers:
        return model
    return replace(
        model,
        definitions={name: substitute(e, numbers) for name, e in model.definitions.items()},
        equations={name: substitute(e, numbers) for name, e in model.equations.items()},
        params={name: shape for name, shape in model.params.items() if name not in counts},
        objective=substitute(model.objective, numbers),
    )


def stacked(shape: Shape, rows: bool) -> Shape:
    """The shape of all examples of what has this shape in one."""
    vector = shape or (ONE,)
    return (BATCH, *vector) if rows else (*vector, BATCH)


@dataclass
class BatchValues(Values):
    """`loss` says what J is: the "sum" of the losses, or their "mean"; or "own", their mean in derivatives by
    what they share, and each its own in derivatives by what is theirs. `lone` is the layout of vectors that
    all examples share.
    """

    lone: str = "row"
    known: dict[tuple[Formula, Formula], Tensor] = field(default_factory=dict)
    objectives: ClassVar[tuple[str, ...]] = ("sum", "mean", "own")

    def __post_init__(self) -> None:
        super().__post_init__()
        shapes = (symbol.shape for symbol in self.world.board.symbols.values())
        self.rows = any(shape[:1] == (BATCH,) for shape in shapes)
        self.row = self.lone == "row"

    def point(self, letters: Mapping[str, int] | None = None) -> Point:
        return replace(super().point(letters), layout=self.lone)

    def __call__(self, formula: Formula, letters: Mapping[str, int] | None = None) -> Tensor:
        return super().__call__(transform(formula, _marked), letters)

    def symbol(self, name: str, of: str, time: int | None) -> Array:
        return self._array(self.world.run(), name, of, time).real

    def _array(self, run: Run, name: str, of: str, time: int | None, element: int = 0) -> Array:
        """A quantity of all examples, with an `element` of something moved in the run."""
        leaf = self.names[name, "" if name == LOSS else of]
        array = run.get((leaf, NOW if time is None else time))
        if array is None:
            raise Undefined(Symbol(name, of=of))
        array = array[element if len(array) > 1 else 0]
        if name == LOSS:
            losses = np.broadcast_to(array, (self.world.examples,))
            return losses if of else self._objective(losses)
        if leaf in self.world.board.constants or not leaf.varies:
            return array[0]
        array = np.broadcast_to(array, (self.world.examples, *array.shape[1:]))
        if array.ndim == 1:
            array = array[:, None]
        return array if self.rows else np.moveaxis(array, 0, -1)

    def _objective(self, losses: Array) -> Array:
        total = losses.sum() if self.loss == "sum" else losses.mean()
        return np.asarray(self.sign * total)

    def derivative(self, top: Formula, bottom: Formula, at: int | None, times: Mapping[str, int]) -> Tensor:
        """∂top/∂bottom, with every element of the bottom moved in one example, or in all that share it."""
        if at is not None:
            raise Undefined(Derivative(top, bottom))
        if (top, bottom) not in self.known:
            self.known[top, bottom] = self._derivative(top, bottom)
        return self.known[top, bottom]

    def _derivative(self, top: Formula, bottom: Formula) -> Tensor:
        below, letters = element_of(bottom)
        if below is None or below.name == LOSS:
            raise Undefined(Derivative(top, bottom))
        leaf = self.leaf(below)
        node = self._node(leaf, below, None, NOW, {"t": NOW})
        places = self._places(below, leaf)
        if holds_derivative(top):
            shape = (self.world.examples if BATCH in below.shape else 1, *self.world.shape(leaf.shape))
            directions = [_unit(shape, max(example, 0), place) for example, place in places]
            columns = [
                slope(self.world, node, direction, lambda w: replace(self, world=w, known={})(top))
                for direction in directions
            ]
        else:
            run = self.world.run(node)
            moved = [self._with_moved(top, run, example, place) for example, place in places]
            columns = [replace(v, array=np.imag(v.array) / TINY) for v in moved]
        first = columns[0]
        if any(column.axes != first.axes for column in columns):
            raise Undefined(Derivative(top, bottom))
        shape = tuple(dim.evaluate(self.world.sizes) for dim in below.shape)
        array = np.reshape(np.stack([c.array for c in columns], -1), first.array.shape + shape)
        if self.loss == "own" and isinstance(top, Symbol) and top.name == LOSS and BATCH in below.shape:
            array = array * self.world.examples
        return self._laid_out(Derivative(top, bottom), array, first.axes, below.shape, letters)

    def _places(self, below: Symbol, leaf: Expr) -> list[tuple[int, int]]:
        """The elements of the bottom in the order of its axes: the example (-1 for all), and the place."""
        size = int(np.prod(self.world.shape(leaf.shape), dtype=int))
        examples = range(self.world.examples) if BATCH in below.shape else [-1]
        if BATCH in below.shape and not self.rows:
            return [(example, place) for place in range(size) for example in examples]
        return [(example, place) for example in examples for place in range(size)]

    def _with_moved(self, top: Formula, run: Run, example: int, place: int) -> Tensor:
        only = np.arange(self.world.examples) == example if example >= 0 else None
        alone: Run = {}
        if only is not None:
            for key, array in run.items():
                if np.iscomplexobj(array):
                    mask = only.reshape((1, -1) + (1,) * (array.ndim - 2))
                    array = array[place : place + 1] if len(array) > 1 else array
                    alone[key] = np.where(mask, array, array.real)
                else:
                    alone[key] = array

        def symbol(name: str, of: str, time: int | None) -> Array:
            if only is None:
                return self._array(run, name, of, time, place)
            return self._array(alone, name, of, time)

        return evaluate(top, replace(self.point(), symbol=symbol))

    def _laid_out(
        self, whole: Derivative, array: Array, axes: tuple[str, ...], shape: Shape, letters: list[str]
    ) -> Tensor:
        """The derivative with a place on paper for each of its axes."""
        has_matrix = axes[-1:] == ("column",)
        if len(letters) == len(shape):
            return named(*merged(whole, array, [*axes, *letters]))
        if len(letters) > 1 or (letters and BATCH not in shape):
            raise Undefined(whole)
        first = len(axes)
        if letters:
            # What one example has of it.
            array = np.moveaxis(array, first + shape.index(BATCH), first)
            axes = (*axes[:-2], *letters, "row", "column") if has_matrix else (*axes, *letters)
            if has_matrix:
                array = np.moveaxis(array, first, first - 2)
        rest = tuple(dim for dim in shape if not (letters and dim == BATCH))
        if not has_matrix:
            if len(rest) == 1:
                array = array[..., None, :] if self.row or self.lying else array[..., None]
            return named(*merged(whole, array, [*axes, "row", "column"]))
        # A vector by a vector.
        array = np.squeeze(array, tuple(k for k in range(len(axes) - 2, array.ndim) if array.shape[k] == 1))
        axes = axes[:-2]
        if array.ndim != len(axes) + 2:
            raise Undefined(whole)
        if self.row == self.flipped:
            return _lettered_matrix(array, axes, whole)
        return _lettered_matrix(np.swapaxes(array, -1, -2), axes, whole)


def _lettered_matrix(array: Array, letters: tuple[str, ...], whole: Formula) -> Tensor:
    return named(*merged(whole, array, [*letters, "row", "column"])) if letters else matrix(array)


def _unit(shape: tuple[int, ...], example: int, place: int) -> Array:
    """One element of an array moved by one, with the axis of moved elements in front."""
    unit = np.zeros((shape[0], int(np.prod(shape[1:], dtype=int))))
    unit[example, place] = 1.0
    return unit.reshape(1, *shape)


def _marked(formula: Formula) -> Formula:
    """The losses of all examples, which are called like their sum or mean, under a name of their own."""
    is_loss = isinstance(formula, Symbol) and formula.name == LOSS and formula.shape == (BATCH,)
    return replace(formula, of="each") if is_loss and isinstance(formula, Symbol) else formula
