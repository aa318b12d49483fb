"""Shapes of all values, by unification.

Every value has two axes here: a row is (1, n), a column (n, 1), a scalar (1, 1). What an equation says
for certain is used at once. What depends on which operand is a scalar waits until that is known; where it
never gets known, the defaults below are applied one at a time, the safest first, in the order of the
file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from bptt.errors import EquationError
from bptt.ir.dims import VOCABULARY, Dim
from bptt.lowering.constraints import Constraints, Default
from bptt.lowering.dependence import TOKENS
from bptt.lowering.layout import ROW, is_value
from bptt.lowering.mismatch import Mismatch
from bptt.lowering.names import OBJECTIVE, Scope
from bptt.lowering.sizes import ONE, Blame, Sizes, Stated, unknown
from bptt.lowering.surface import number, postorder
from bptt.syntax.tree import (
    Binary,
    Call,
    Concatenation,
    Expression,
    Name,
    Negate,
    Number,
    Part,
    Transpose,
)

Pair = tuple[Dim, Dim]
SCALAR: Pair = (ONE, ONE)


class Shapes:
    """The shapes of a scope's expressions (`of`) and names (`named`).

    `output` is the name whose value is a vector over the vocabulary, where that is known already.
    `vectors` are sizes that the file states for vectors, by the vectors' names. Raises EquationError
    where shapes do not fit.
    """

    def __init__(self, scope: Scope, layout: str, output: str | None, vectors: Mapping[str, Stated]) -> None:
        self.scope = scope
        self.layout = layout
        self.sizes = Sizes(self._is_vector_size)
        self.named: dict[str, Pair] = {}
        self.scalings: set[int] = set()  # juxtaposed products in which a factor is a scalar
        self._nodes: dict[int, Pair] = {}
        self._stated: dict[str, Dim] = {}
        self._constraints = Constraints(self.sizes)
        self._borne: tuple[int, set[str]] = (-1, set())  # the unknown sizes of vectors, after so many changes
        self.words = Mismatch(self)  # how shapes are told to the user
        self._declare(vectors)
        for name, equation in scope.definitions.items():
            self._visit(equation.value)
            blame = self.words.definition(equation.target, equation.value)
            self._equate(self.named[name], self.node(equation.value), blame)
        if output is not None:
            target = scope.definitions[output].target
            self._equate(self.named[output], self.named["y"], self.words.output(target))
        if OBJECTIVE in scope.definitions:
            target = scope.definitions[OBJECTIVE].target
            self._equate(self.named[OBJECTIVE], SCALAR, self.words.objective(target))
        self._solve()
        # A start takes the shape that its variable has by the equations.
        for name, initial in scope.initials.items():
            self._visit(initial.value)
            blame = self.words.initial(initial.target, initial.value)
            self._wait_for_initial(self.named[name], self.node(initial.value), blame)
        self._solve()
        self.sizes.finish()

    def node(self, e: Expression) -> Pair:
        """The shape of an expression, as far as it is known."""
        return self.resolve(self._nodes[id(e)])

    def of(self, name: str) -> Pair:
        """The shape of a name, as far as it is known."""
        return self.resolve(self.named[name])

    def resolve(self, pair: Pair) -> Pair:
        return self.sizes.resolve(pair[0]), self.sizes.resolve(pair[1])

    def _vector(self, size: Dim) -> Pair:
        return (ONE, size) if self.layout == ROW else (size, ONE)

    def _declare(self, vectors: Mapping[str, Stated]) -> None:
        """Shapes that are known before any equation is read."""
        scope = self.scope
        for name in scope.tokens:
            self.named[name] = self._vector(VOCABULARY) if scope.tokens is TOKENS else self._fresh(name)
        for name in scope.named_sizes:
            self.named[name] = SCALAR
        for name in (*scope.definitions, *scope.params):
            self.named[name] = self._fresh(name)
        for name, statement in scope.shapes.items():
            dims = [self._stated_dim(d) for d in statement.dimensions]
            pair = SCALAR if not dims else self._vector(dims[0]) if len(dims) == 1 else (dims[0], dims[1])
            if name in scope.tokens and scope.tokens is TOKENS:
                blame = self.words.stated(name, Stated(statement.span, statement.dimensions[0].span.text))
                self._equate(pair, self.named[name], blame)
            else:
                self.named[name] = pair
        for name, stated in vectors.items():
            if stated.name is not None:
                size = self._stated_size(stated.name, stated)
            else:
                size = self.sizes.fresh()
                self.sizes.state(size, stated)
            self._equate(self.named[name], self._vector(size), self.words.stated(name, stated))

    def _fresh(self, name: str) -> Pair:
        """The shape of a name of which no more is known than perhaps its rank."""
        rank = self.scope.ranks.get(name)
        if rank == 0:
            return SCALAR
        pair = self.sizes.fresh(), self.sizes.fresh()
        if rank == 1:
            return self._vector(pair[0])
        if rank == 2:
            for size in pair:
                self.sizes.lengthen(size)
        return pair

    def _stated_dim(self, d: Name | Number) -> Dim:
        if isinstance(d, Number):
            return Dim.number(int(d.value))
        given = self.scope.sizes.get(d.id)
        is_vector = d.id in self.scope.definitions or d.id in self.scope.params
        if given is None:
            return self._stated_size(d.id, Stated(d.span, d.id, None, is_vector))
        return self._stated_size(d.id, Stated(given.span, d.id, given.value, is_vector))

    def _stated_size(self, name: str, stated: Stated) -> Dim:
        """The size that stated shapes call `name`."""
        if name == "V":
            return VOCABULARY
        if name not in self._stated:
            self._stated[name] = self.sizes.fresh()
            self.sizes.state(self._stated[name], stated)
        return self.sizes.resolve(self._stated[name])

    def stated_sizes(self) -> dict[str, Dim]:
        """The sizes that stated shapes name."""
        return {name: self.sizes.resolve(size) for name, size in self._stated.items()}

    # One method for each kind of expression.

    def _visit(self, root: Expression) -> None:
        for node in postorder(root):
            self._nodes[id(node)] = self._shape(node)

    def _shape(self, node: Expression) -> Pair:
        match node:
            case Number():
                return SCALAR
            case Name():
                return self.named[node.id]
            case Transpose():
                rows, columns = self._nodes[id(node.operand)]
                return columns, rows
            case Negate():
                return self._nodes[id(node.operand)]
            case Call():
                return SCALAR if node.function in ("sum", "mean") else self._nodes[id(node.arguments[0])]
            case Concatenation():
                items = [self._nodes[id(item)] for item in node.items]
                blames = [self.words.item(item) for item in node.items]
                return self._concatenation(node, items, blames)
            case Part():
                for name in node.items:
                    if name not in self.named:
                        raise EquationError.at(node.span, f"nothing says what {name} is")
                items = [self.named[name] for name in node.items]
                blames = [self.words.whole(node)] * len(items)
                whole = self._concatenation(node, items, blames)
                self._equate(self._nodes[id(node.operand)], whole, self.words.whole(node))
                return items[node.place]
            case Binary(operator="@"):
                out = (self.sizes.fresh(), self.sizes.fresh())
                self._product(node, out)
                return out
            case Binary(operator="**"):
                return self._nodes[id(node.left)]
            case Binary(operator="juxtaposed"):
                return self._juxtaposition(node)
            case _:
                return self._elementwise(node)

    def _elementwise(self, node: Binary) -> Pair:
        a, b = self._nodes[id(node.left)], self._nodes[id(node.right)]
        out = (self.sizes.fresh(), self.sizes.fresh())
        blame = self.words.elementwise(node)

        def settle(default: Default) -> bool:
            for this, other, e in ((a, b, node.right), (b, a, node.left)):
                if self.is_scalar(this):
                    self._equate(out, other, blame)
                    return self._settle_beside_scalar(node, e, other, default)
            if self.is_scalar(out):
                self._equate(a, SCALAR, blame)
                self._equate(b, SCALAR, blame)
                return True
            sure = [p for p in (a, b) if self._is_long(p)]
            if sure:
                self._equate(out, sure[0], blame)
            if len(sure) == 2 or self._may_agree(node, (a, b, out), default):
                self._equate(a, b, blame)
                self._equate(out, a, blame)
                return True
            return False

        self._constraints.add(settle)
        return out

    def _may_agree(self, node: Binary, pairs: tuple[Pair, ...], default: Default) -> bool:
        """Whether the default allows that operands and result are taken to have one shape."""
        # A factor is a scalar more often than a term is.
        additive = node.operator in ("+", "-")
        if default < (Default.TERMS_HAVE_ONE_SHAPE if additive else Default.FACTORS_HAVE_ONE_SHAPE):
            return False
        return default >= Default.UNKNOWNS_HAVE_ONE_SHAPE or any(map(self._is_shaped, pairs))

    def _settle_beside_scalar(self, node: Binary, e: Expression, shape: Pair, default: Default) -> bool:
        """The operand `e`, beside a scalar, can have any shape; if nothing else tells, it is one, too."""
        scalar = node.right if e is node.left else node.left
        if self._is_long(shape) or self.is_scalar(shape) or number(scalar) is not None:
            return True
        # In `sum(h * w) + b` an unknown b is a scalar; in `s * v`, v is what the rest of the equation says.
        is_bias = node.operator in ("+", "-") and isinstance(e, Name) and not is_value(e, self.scope)
        if default >= (Default.TERMS_HAVE_ONE_SHAPE if is_bias else Default.UNKNOWN_BESIDE_SCALAR_IS_SCALAR):
            if not self._is_shaped(shape):
                self._equate(shape, SCALAR, self.words.elementwise(node))
            return True
        return False

    def _juxtaposition(self, node: Binary) -> Pair:
        a, b = self._nodes[id(node.left)], self._nodes[id(node.right)]
        out = (self.sizes.fresh(), self.sizes.fresh())
        values = is_value(node.left, self.scope) and is_value(node.right, self.scope)
        bold = Default.JUXTAPOSED_IS_MATRIX_PRODUCT if values else Default.PARAMETER_BESIDE_VALUE_IS_MATRIX

        def settle(default: Default) -> bool:
            for this, other in ((a, b), (b, a)):
                if self.is_scalar(this):
                    self.scalings.add(id(node))
                    self._equate(out, other, self.words.elementwise(node))
                    return True
            sure = self._is_long(a) and self._is_long(b)
            if not sure and default < bold:
                return False
            left, right = self.orientation(a), self.orientation(b)
            if left is not None and left == right:
                raise self.words.side_by_side(node, left)
            self._product(node, out)
            return True

        self._constraints.add(settle)
        return out

    def _product(self, node: Binary, out: Pair) -> None:
        a, b = self._nodes[id(node.left)], self._nodes[id(node.right)]
        blame = self.words.product(node)
        self.sizes.equate(out[0], a[0], blame)
        self.sizes.equate(out[1], b[1], blame)
        self._keep_layout(node)

        def settle(default: Default) -> bool:
            left, right = self.resolve(a), self.resolve(b)
            one_sided = (left[1] == ONE) != (right[0] == ONE)
            free = self.sizes.is_free(left[1]) or self.sizes.is_free(right[0])
            if one_sided and free:
                if default < Default.INNER_SIZE_IS_ONE:
                    return False
                # A vector does not shrink to a scalar because it meets another vector of its orientation.
                if (left[0] == ONE and left[1] != ONE) or (right[1] == ONE and right[0] != ONE):
                    raise blame(left[1], right[0])
            self.sizes.equate(a[1], b[0], blame)
            return True

        self._constraints.add(settle)

    def _keep_layout(self, node: Binary) -> None:
        """Refuse a vector of the other orientation where the layout has its vectors, beside parameters."""
        vector, matrix = (node.left, node.right) if self.layout == ROW else (node.right, node.left)
        if isinstance(vector, Transpose) or isinstance(matrix, Transpose):
            return
        if is_value(matrix, self.scope) or not is_value(vector, self.scope):
            return
        pair = self._nodes[id(vector)]

        def settle(default: Default) -> bool:
            if self.orientation(pair) not in (None, self.layout):
                raise self.words.against_layout(node)
            return self.orientation(pair) == self.layout

        self._constraints.add(settle)

    def _concatenation(self, node: Expression, items: Sequence[Pair], blames: Sequence[Blame]) -> Pair:
        out = (self.sizes.fresh(), self.sizes.fresh())

        def settle(default: Default) -> bool:
            known = [self.orientation(item) for item in (*items, out)]
            layout = next((o for o in known if o is not None), None)
            if layout is None:
                if default < Default.TERMS_HAVE_ONE_SHAPE:
                    return False
                layout = self.layout
            long, short = (1, 0) if layout == ROW else (0, 1)
            total = Dim()
            for item, blame, orientation in zip(items, blames, known, strict=False):
                if orientation not in (None, layout):
                    raise blame(item[0], item[1])
                self.sizes.equate(item[short], ONE, blame)
                total = total + item[long]
            blame = self.words.whole(node)
            self.sizes.equate(out[short], ONE, blame)
            self.sizes.equate(out[long], total, blame)
            return True

        self._constraints.add(settle)
        return out

    def _wait_for_initial(self, state: Pair, value: Pair, blame: Callable[[Dim, Dim], Exception]) -> None:
        def settle(default: Default) -> bool:
            if self.is_scalar(value):
                return True
            if self._is_long(value) or default >= Default.TERMS_HAVE_ONE_SHAPE:
                self._equate(state, value, blame)
                return True
            return False

        self._constraints.add(settle)

    # What is known of a shape.

    def is_scalar(self, pair: Pair) -> bool:
        return self.resolve(pair) == SCALAR

    def orientation(self, pair: Pair) -> str | None:
        """The layout of a vector; None for what is a scalar, a matrix or not known."""
        rows, columns = self.resolve(pair)
        if rows == ONE and columns != ONE:
            return "row"
        if columns == ONE and rows != ONE:
            return "column"
        return None

    def _is_long(self, pair: Pair) -> bool:
        """Whether it is certainly no scalar."""
        return any(self.sizes.is_long(d) for d in pair)

    def _is_shaped(self, pair: Pair) -> bool:
        """Whether anything at all is known of it, be it only that it has the size of some vector."""
        return any(not self.sizes.is_free(d) or self._is_borne(d) for d in pair)

    def _is_borne(self, size: Dim) -> bool:
        """Whether a vector in the layout of the file has this size; what lies across may be a scalar."""
        name = unknown(self.sizes.resolve(size))
        return name is not None and self._is_vector_size(name)

    def _is_vector_size(self, name: str) -> bool:
        if self._borne[0] != self.sizes.changes:
            vectors = [
                pair for n in self.scope.definitions if self.orientation(pair := self.of(n)) == self.layout
            ]
            self._borne = self.sizes.changes, {u for pair in vectors for d in pair if (u := unknown(d))}
        return name in self._borne[1]

    # Solving.

    def _equate(self, a: Pair, b: Pair, blame: Callable[[Dim, Dim], Exception]) -> None:
        kinds = {self.orientation(a), self.orientation(b)}
        if kinds == {"row", "column"}:
            # A row and a column would otherwise shrink to two scalars.
            raise blame(*self.resolve(a))
        for this, other in ((a, b), (b, a)):
            if self.is_scalar(this):
                for d in self.resolve(other):
                    if self._is_borne(d):
                        raise blame(d, ONE)
                for d in other:
                    self.sizes.make_one(d, blame)
                return
        self.sizes.equate(a[0], b[0], blame)
        self.sizes.equate(a[1], b[1], blame)

    def _solve(self) -> None:
        while self._constraints.settle() or self._orient():
            pass

    def _orient(self) -> bool:
        """A value of which nothing else is known is a vector in the layout of the file."""
        short = 0 if self.layout == ROW else 1
        for name in (*self.scope.definitions, *self.scope.tokens):
            size = self.named[name][short]
            varies = name in self.scope.varying or name in self.scope.tokens
            if varies and self.sizes.is_free(size) and not self._is_borne(size):
                definition = self.scope.definitions.get(name)
                target = definition.target if definition else Name(name, span=self.scope.source.span(0, 0))
                self.sizes.equate(size, ONE, self.words.definition(target, None))
                return True
        return False
