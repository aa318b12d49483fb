"""What the symbols and derivatives of formulas mean, as numbers of a World: the other half of the proof.

    ∂J/∂v           the loss of that step by v at its own time, everything that follows from v followed
    ∂J/∂v |ₜ        the same through the use of v in step t alone
    ∂J/∂W           by a parameter: through its uses in all steps
    ∂v_k/∂w_i       elements of two names: one equation, everything else that it names held fixed
    ∂/∂w_i (…)      the formula in brackets, every other symbol held fixed
    ∂J/∂L_x         what the token picks of ∂J/∂L; all of it that is not zero, where the token is one-hot
    ∂h/∂k[t-1]      one step, from what entered it to what it carries on, as the matrix it is used as

J of a batch is the sum over its examples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from bptt.checking.world import NOW, Array, Node, World
from bptt.derivation.board import LOSS
from bptt.derivation.through_time import ALL
from bptt.formula.evaluate import Point, evaluate
from bptt.formula.functions import TINY
from bptt.formula.matrices import token_part
from bptt.formula.tensor import Tensor, matrix, merged, named
from bptt.formula.tree import Derivative, Formula, Indexed, Symbol, Time, TokenPart
from bptt.ir.expr import Expr
from bptt.ir.ops import Op

Times = Mapping[str, int]


class NoMeaning(Exception):
    """A derivative that says too little: the reason."""


class Reading:
    """The values of formulas in one world; `value` gives them."""

    def __init__(self, world: World) -> None:
        self.world, self.board = world, world.board
        self.row = self.board.layout == "row"
        self.point = Point(
            world.sizes, self.board.layout, self.symbol, self.derivative, {"t": NOW, "T": world.steps}
        )
        self.names: dict[tuple[str, str], Expr] = {}
        self.errors: dict[tuple[str, str], Expr] = {}
        for leaf, symbol in self.board.symbols.items():
            if leaf.op is not Op.CARRY and not leaf.args:
                self._name(self.names, symbol, leaf)
        for state in self.board.model.states:
            self._name(self.names, Symbol(state.variable), self.board.values[state.variable].leaf)
        for value in world.values:
            if value.error is not None:
                self._name(self.errors, value.error, value.leaf)
        assert not set(self.names) & set(self.errors), "one symbol for two things"
        taken = {name for name, _ in self.names}
        self.bundle = "carried" if "m" in taken else "m"
        self._known: dict[Formula, Tensor] = {}

    @staticmethod
    def _name(names: dict[tuple[str, str], Expr], symbol: Symbol, leaf: Expr) -> None:
        key = symbol.name, symbol.of
        assert names.setdefault(key, leaf) is leaf, f"{key} is the symbol of two things"

    def value(self, formula: Formula, letters: Mapping[str, int] | None = None) -> Tensor:
        """The value; `letters` gives the number of places of indices that the formula leaves open."""
        known = self._known.get(formula)
        if known is None:
            known = evaluate(formula, replace(self.point, letters=letters or {}))
            if not letters:
                self._known[formula] = known
        return known

    def vanishes(self, formula: Derivative) -> bool:
        """Whether the derivative of a loss is zero, also where a batch leaves it no shape as a matrix."""
        bottom = formula.bottom.base if isinstance(formula.bottom, Indexed) else formula.bottom
        assert isinstance(formula.top, Symbol) and isinstance(bottom, Symbol)
        times = self.point.times
        return not self._of_loss(formula.top, bottom, self.time(formula.at, times), times).any()

    # Symbols.

    def symbol(self, name: str, of: str, time: int | None) -> Array:
        key = name, of
        if key in self.errors:
            assert time is not None
            leaf = self.errors[key]
            return self._gradient(leaf, self.world.loss(Node("value", leaf, time), time))
        if name == self.bundle and not of:
            assert time is not None
            items = [self._at(self._variable(s), time + 1 - s.lag) for s in self.board.model.states]
            return np.concatenate(items)
        if key == (LOSS, ""):
            # Of a batch: the sum over its examples.
            return self._at(self.names[key], time).sum()
        return self._at(self.names[key], time)

    def _variable(self, state: object) -> Expr:
        return self.board.values[state.variable].leaf  # type: ignore[attr-defined]

    def _at(self, leaf: Expr, time: int | None) -> Array:
        if leaf.op is Op.PARAM or leaf in self.board.constants:
            return self.world.run()[leaf, 1][0, 0].real
        assert time is not None, f"{leaf.attr} needs a time"
        return self._of_examples(self.world.run()[leaf, time][0])

    def _of_examples(self, array: Array) -> Array:
        """An array with examples in front, as its symbol has it."""
        if not self.board.batch:
            return array[0]
        array = np.broadcast_to(array, (self.world.examples, *array.shape[1:]))
        return array if self.row else np.moveaxis(array, 0, -1)

    def _is_shared(self, leaf: Expr) -> bool:
        """Whether all examples have the same."""
        return self.board.is_constant(leaf)

    def _gradient(self, leaf: Expr, by_elements: Array) -> Array:
        """A gradient in the shape of the symbol of a leaf, from its elements by examples."""
        examples = self.world.examples
        whole = np.broadcast_to(by_elements, (len(by_elements), examples))
        if len(by_elements) == 1 and not whole.any():
            whole = np.zeros((int(np.prod(self.world.shape(leaf.shape))), examples))
        shape = self.world.shape(leaf.shape)
        if self._is_shared(leaf):
            return whole.sum(1).reshape(shape)
        return self._of_examples(np.moveaxis(whole.reshape(*shape, examples), -1, 0))

    # Derivatives.

    def derivative(self, top: Formula, bottom: Formula, at: int | None, times: Times) -> Tensor:
        match top, bottom:
            case Symbol(), Symbol() if self._is_loss(top):
                return self._oriented(self._of_loss(top, bottom, at, times))
            case Symbol(), Indexed(Symbol() as symbol, _) if self._is_loss(top):
                array = self._of_loss(top, symbol, at, times)
                return self._lettered(bottom, array, [], [i.letter for i in bottom.indices])
            case Symbol(), TokenPart(Symbol() as table, token) if self._is_loss(top):
                whole = self._oriented(self._of_loss(top, table, at, times))
                return token_part(bottom, whole, self.value(token), self.board.layout)
            case Symbol(), Symbol() if top.shape:
                return matrix(self._jacobian(top, bottom, times))
            case ((Indexed(Symbol()) | Symbol()), (Indexed(Symbol()) | Symbol())):
                return self._local(top, bottom, times)
            case _, (Indexed(Symbol()) | Symbol()):
                return self._of_formula(top, bottom, times)
        raise NoMeaning(f"the derivative of {type(top).__name__} by {type(bottom).__name__}")

    def _is_loss(self, top: Symbol) -> bool:
        return top == ALL or (top.name == LOSS and not top.of)

    def time(self, time: Time | None, times: Times) -> int | None:
        if time is None:
            return None
        return times[time.letter] + time.offset if time.letter else time.offset

    def _of_loss(self, top: Symbol, bottom: Symbol, at: int | None, times: Times) -> Array:
        step = None if top == ALL else self.time(top.time, times)
        when = self.time(bottom.time, times)

        def gradient(node: Node) -> Array:
            array = self.world.total(node) if step is None else self.world.loss(node, step)
            return self._gradient(node.leaf, array)

        if bottom.name == self.bundle and not bottom.of:
            assert when is not None and at in (None, when + 1)
            return np.concatenate([gradient(node) for node in self._entries(when + 1)])
        leaf = self.names[bottom.name, bottom.of]
        if when is None:
            return gradient(Node("parameter", leaf, at))
        if at is None:
            return gradient(Node("value", leaf, when))
        return gradient(Node("use", self._carry(bottom.name, at - when), at))

    def _entries(self, time: int) -> list[Node]:
        return [Node("entry", self.world.carries[s.name], time) for s in self.board.model.states]

    def _carry(self, variable: str, lag: int) -> Expr:
        for state in self.board.model.states:
            if (state.variable, state.lag) == (variable, lag):
                return self.world.carries[state.name]
        raise NoMeaning(f"nothing takes {variable} from {lag} steps before")

    def _jacobian(self, top: Symbol, bottom: Symbol, times: Times) -> Array:
        """Outputs by inputs in rows, inputs by outputs in columns."""
        new, old = self.time(top.time, times), self.time(bottom.time, times)
        if new is None or old is None or old >= new or self.board.batch:
            raise NoMeaning("the derivative of a vector by a vector that is not one step")
        states = self.board.model.states
        if self.bundle in (top.name, bottom.name):
            if top.name != bottom.name or old != new - 1:
                raise NoMeaning("all that is carried by a part of it")
            blocks = []
            for node, old_state in zip(self._entries(new), states, strict=True):
                run, row = self.world.run(node), []
                for state in states:
                    if state.lag == 1:
                        row.append(self._moved_by(run, self._variable(state), new, node))
                    else:
                        n = self.world.shape(state.shape)[0]
                        handed = (old_state.variable, old_state.lag + 1) == (state.variable, state.lag)
                        elements = self.world.shape(old_state.shape)[0]
                        row.append(np.eye(n) if handed else np.zeros((elements, n)))
                blocks.append(row)
            by_inputs = np.block(blocks)
        else:
            node = Node("entry", self._carry(bottom.name, new - old), new)
            by_inputs = self._moved_by(self.world.run(node), self.names[top.name, top.of], new, node)
        return by_inputs.T if self.row else by_inputs

    def _moved_by(self, run: Mapping[tuple[Expr, int], Array], leaf: Expr, time: int, node: Node) -> Array:
        array = run[leaf, time][:, 0].imag / TINY
        elements = self.world.shape(node.leaf.shape)[0]
        return np.broadcast_to(array, (elements, *array.shape[1:]))

    def _leaf(self, symbol: Symbol, step: int, times: Times) -> Expr:
        """What a symbol is in the equations of a step."""
        time = self.time(symbol.time, times)
        if time is not None and time != step:
            return self._carry(symbol.name, step - time)
        return self.names[symbol.name, symbol.of]

    def _local(self, top: Indexed | Symbol, bottom: Indexed | Symbol, times: Times) -> Tensor:
        """∂v_k/∂w_i: axes for the letters of both; in a batch both are of the same example."""
        above, below = (f.base if isinstance(f, Indexed) else f for f in (top, bottom))
        assert isinstance(above, Symbol) and isinstance(below, Symbol)
        value = self.world.by_leaf[self.names[above.name, above.of]]
        step = self.time(above.time, times) or self.time(below.time, times) or NOW
        leaf = self._leaf(below, step, times)
        array = self.world.local(value, leaf, step)
        inner, outer = self.world.shape(leaf.shape), self.world.shape(value.leaf.shape)
        examples = self.world.examples
        array = np.broadcast_to(array, (int(np.prod(inner)), examples, *outer))
        array = array.reshape(*inner, examples, *outer)
        letters = [self._letters(f, e) for f, e in ((top, value.leaf), (bottom, leaf))]
        (of_top, above_letters), (of_bottom, below_letters) = letters
        if self.board.batch and of_top is None:
            array = array.take(0, axis=len(inner))
            return named(*merged(top, array, [*below_letters, *above_letters]))
        if not self.board.batch:
            array = array.take(0, axis=len(inner))
            return named(*merged(top, array, [*below_letters, *above_letters]))
        if of_bottom not in (None, of_top):
            raise NoMeaning("the derivative of one example by another")
        return named(*merged(top, array, [*below_letters, str(of_top), *above_letters]))

    def _letters(self, formula: Formula, leaf: Expr) -> tuple[str | None, list[str]]:
        """The letter of the example, and those of the axes."""
        letters = [i.letter for i in formula.indices] if isinstance(formula, Indexed) else []
        if not self.board.batch or self._is_shared(leaf):
            return None, letters
        return (letters[0], letters[1:]) if self.row else (letters[-1], letters[:-1])

    def _of_formula(self, top: Formula, bottom: Formula, times: Times) -> Tensor:
        """∂/∂w_i (…): the formula with every element of w moved, and nothing else."""
        below = bottom.base if isinstance(bottom, Indexed) else bottom
        assert isinstance(below, Symbol)
        time = self.time(below.time, times)
        base = self.symbol(below.name, below.of, time)
        columns = []
        for place in np.ndindex(base.shape):
            array = np.array(base, dtype=complex)
            array[place] += 1j * TINY

            def symbol(name: str, of: str, when: int | None, moved: Array = array) -> Array:
                is_below = (name, of, when) == (below.name, below.of, time)
                return moved if is_below else self.symbol(name, of, when)

            value = evaluate(top, replace(self.point, symbol=symbol, times=times))
            columns.append(replace(value, array=value.array.imag / TINY))
        axes = columns[0].axes
        array = np.stack([c.array for c in columns], -1).reshape(columns[0].array.shape + base.shape)
        letters = [i.letter for i in bottom.indices] if isinstance(bottom, Indexed) else []
        return self._lettered(top, array, list(axes), letters)

    def _lettered(self, formula: Formula, array: Array, axes: list[str], letters: list[str]) -> Tensor:
        return named(*merged(formula, array, [*axes, *letters]))

    def _oriented(self, array: Array) -> Tensor:
        if array.ndim == 0:
            return Tensor(array)
        if array.ndim == 1:
            array = array[None, :] if self.row else array[:, None]
        return matrix(array)
