"""What is said of shapes that do not fit: the two places, their shapes, and where each size comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from bptt.errors import EquationError, Label
from bptt.ir.dims import VOCABULARY, Dim, show_shape
from bptt.lowering.sizes import ONE, Stated, substitute, unknowns
from bptt.lowering.surface import names
from bptt.source import Span
from bptt.syntax.tree import Binary, Expression, Name

if TYPE_CHECKING:
    from bptt.lowering.inference import Pair, Shapes

Blame = Callable[[Dim, Dim], EquationError]


class Mismatch:
    """Makes the error for each kind of constraint, from what is known of the shapes when it fails."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes

    def product(self, node: Binary) -> Blame:
        def blame(a: Dim, b: Dim) -> EquationError:
            hint = ""
            if ONE in (a, b):
                hint = "`*` multiplies element by element, `a @ b.T` gives the scalar product of two rows"
                if self._shapes.layout == "column":
                    hint = (
                        "`*` multiplies element by element, `a.T @ b` gives the scalar product of two columns"
                    )
            return self._two_places(
                node.left, node.right, f"inner sizes differ: {self.size(a)} and {self.size(b)}", a, b, hint
            )

        return blame

    def elementwise(self, node: Binary) -> Blame:
        def blame(a: Dim, b: Dim) -> EquationError:
            kinds = [self._kind(self._shapes.node(e)) for e in (node.left, node.right)]
            if set(kinds) == {"row", "column"}:
                return self._two_places(
                    node.left,
                    node.right,
                    "a row and a column are mixed",
                    a,
                    b,
                    "transpose one of them with .T",
                    kinds,
                )
            if kinds[0] != kinds[1]:
                words = {"row": "a vector", "column": "a vector", "matrix": "a matrix", "scalar": "a scalar"}
                message = f"shapes differ: {words[kinds[0]]} and {words[kinds[1]]}"
            elif ONE in (a, b):
                message = "shapes differ"
            else:
                message = f"sizes differ: {self.size(a)} and {self.size(b)}"
            return self._two_places(node.left, node.right, message, a, b)

        return blame

    def definition(self, target: Name, value: Expression | None) -> Blame:
        def blame(a: Dim, b: Dim) -> EquationError:
            parts = [target, *names(value)] if value is not None else [target]
            stated = dict.fromkeys(note for name in parts for note in self._stated_shape(name))
            places = [Label(value.span, self.shape(self._shapes.node(value)))] if value is not None else []
            return EquationError.at(
                target.span,
                f"{target.id} and its value have different sizes: {self.size(a)} and {self.size(b)}",
                label=self.shape(self._shapes.of(target.id)),
                more=places,
                notes=self._notes(a, b, *stated),
            )

        return blame

    def initial(self, target: Name, value: Expression) -> Blame:
        def blame(a: Dim, b: Dim) -> EquationError:
            return EquationError.at(
                value.span,
                f"{target.id}[0] has to have the shape of {target.id}",
                label=self.shape(self._shapes.node(value)),
                notes=[f"{target.id} has the shape {self.shape(self._shapes.of(target.id))}"],
            )

        return blame

    def output(self, target: Name) -> Blame:
        def blame(a: Dim, b: Dim) -> EquationError:
            return EquationError.at(
                target.span,
                f"{target.id} is no distribution over the vocabulary",
                label=f"{self.shape(self._shapes.of(target.id))}, not (V)",
                notes=self._notes(a, b),
                hint="an output layer gives it the size V: softmax(h @ U + b)",
            )

        return blame

    def objective(self, target: Name) -> Blame:
        def blame(a: Dim, b: Dim) -> EquationError:
            return EquationError.at(
                target.span,
                f"{target.id} has to be one number for each token",
                label=self.shape(self._shapes.of(target.id)),
                hint="sum(…) adds up a vector, as in J = -sum(y * log(yhat))",
            )

        return blame

    def stated(self, name: str, stated: Stated) -> Blame:
        def blame(a: Dim, b: Dim) -> EquationError:
            return EquationError.at(
                stated.span,
                f"the size of {name} cannot be {stated.number or stated.name}",
                notes=[f"{name} has the shape {self.shape(self._shapes.of(name))}"],
            )

        return blame

    def item(self, item: Expression) -> Blame:
        def blame(a: Dim, b: Dim) -> EquationError:
            return EquationError.at(
                item.span,
                "only vectors of one orientation can be concatenated",
                label=self._kind(self._shapes.node(item)) + " " + self.shape(self._shapes.node(item)),
            )

        return blame

    def whole(self, node: Expression) -> Blame:
        def blame(a: Dim, b: Dim) -> EquationError:
            return EquationError.at(
                node.span,
                f"the size of the concatenation is {self.size(b)}, not {self.size(a)}",
                label=self.shape(self._shapes.node(node)),
                notes=self._notes(a, b),
            )

        return blame

    def side_by_side(self, node: Binary, orientation: str) -> EquationError:
        return self._two_places(
            node.left,
            node.right,
            f"two {orientation} vectors stand side by side",
            ONE,
            ONE,
            r"write \odot between them for the elementwise product, or transpose one of them",
        )

    def against_layout(self, node: Binary) -> EquationError:
        """For a product that reads as one of the file's layout, where its vector has the other."""
        row = self._shapes.layout == "row"
        vector, matrix = (node.left, node.right) if row else (node.right, node.left)
        kind = self._kind(self._shapes.node(vector))
        return EquationError.at(
            vector.span,
            f"a {kind} vector stands {'left' if row else 'right'} of the matrix {matrix.span.text}",
            label=f"{kind} {self.shape(self._shapes.node(vector))}",
            hint=f"the other products of this file have {self._shapes.layout} vectors: is a .T too much?",
        )

    # Words for sizes and shapes.

    def size(self, d: Dim) -> str:
        """A size in the names of the file."""
        d = self._shapes.sizes.resolve(d)
        return str(substitute(d, {u: Dim.named(self._bearer(u) or "?") for u in unknowns(d)}))

    def shape(self, pair: Pair) -> str:
        """A shape as diagnostics show it: `(h, V)`; `(h)` for a vector, whatever its orientation."""
        return show_shape(tuple(Dim.named(self.size(d)) for d in self._shapes.resolve(pair) if d != ONE))

    def _kind(self, pair: Pair) -> str:
        rows, columns = self._shapes.resolve(pair)
        if rows == columns == ONE:
            return "scalar"
        return self._shapes.orientation(pair) or "matrix"

    def _two_places(
        self, left: Expression, right: Expression, message: str, a: Dim, b: Dim, hint: str = "",
        kinds: list[str] | None = None,
    ) -> EquationError:  # fmt: skip
        shapes = [self.shape(self._shapes.node(e)) for e in (left, right)]
        if kinds is not None:
            shapes = [f"{kind} {shape}" for kind, shape in zip(kinds, shapes, strict=True)]
        stated = [note for e in (left, right) if isinstance(e, Name) for note in self._stated_shape(e)]
        return EquationError.at(
            left.span,
            message,
            label=shapes[0],
            more=[Label(right.span, shapes[1])],
            notes=self._notes(a, b, *stated),
            hint=hint,
        )

    def _stated_shape(self, name: Name) -> Iterator[str]:
        statement = self._shapes.scope.shapes.get(name.id)
        if statement is not None:
            dims = ", ".join(d.span.text for d in statement.dimensions)
            yield f"{name.id} is stated as ({dims}) (line {statement.span.line})"

    def _notes(self, a: Dim, b: Dim, *more: str) -> list[str]:
        """Where each of two sizes comes from."""
        notes: list[str] = []
        for d in (a, b):
            for name, _ in self._shapes.sizes.resolve(d).terms:
                note = self._origin(name)
                if note and note not in notes:
                    notes.append(note)
        return notes + list(more)

    def _origin(self, size: str) -> str:
        if size == VOCABULARY.terms[0][0]:
            return "V is the size of the vocabulary"
        shown = self._bearer(size)
        stated = self._shapes.sizes.stated(size)
        if stated is not None and stated.number is not None:
            return f"{shown} is given as {stated.number} (line {stated.span.line})"
        for name, span, pair in self._places():
            if name != shown and self._shapes.orientation(pair) and Dim.named(size) in pair:
                return f"{shown} is the size of {name} (line {span.line})"
        for name, span, pair in self._places():
            if shown not in (None, name) and name in self._shapes.scope.params and Dim.named(size) in pair:
                axis = "rows" if pair[0] == Dim.named(size) else "columns"
                return f"{shown} is the number of {axis} of {name} (line {span.line})"
        return ""

    def _bearer(self, size: str) -> str | None:
        """The name of a size: as it is stated, or of the first vector which has it, a carried one if any."""
        stated = self._shapes.sizes.stated(size)
        if stated is not None and stated.name is not None:
            return stated.name
        scope = self._shapes.scope
        bearers = [
            name
            for name, _, pair in self._places()
            if self._shapes.orientation(pair) and Dim.named(size) in pair
        ]
        return next((n for n in bearers if n in scope.lags), None) or next(iter(bearers), None)

    def _places(self) -> list[tuple[str, Span, Pair]]:
        """Definitions, then parameters, in the order of the file, each with its place and its shape."""
        scope = self._shapes.scope
        places = {name: e.target.span for name, e in scope.definitions.items()} | scope.params
        return [(name, span, self._shapes.of(name)) for name, span in places.items()]
