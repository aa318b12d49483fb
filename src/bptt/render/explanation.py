"""Why a factor is transposed, and why it stands where it stands: read off the index form.

There are two reasons, and they have nothing to do with each other. A gradient by a matrix is the table of
all products of two vectors, one of which counts its rows and has to stand up (an outer product). A gradient
passed back through a matrix sums over the index that the forward product left over, which is the same as
multiplying by the matrix turned over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bptt.autodiff.reverse import reverse
from bptt.derivation.board import BATCH, LOSS, Value
from bptt.derivation.derive import Deriver
from bptt.derivation.matrix_form import product, transpose
from bptt.derivation.steps import Derivation
from bptt.derivation.whole import Derivations, targets
from bptt.formula.shapes import NUMBER, ONE, NonConforming, shape_of
from bptt.formula.tree import Add, Formula, Grid, Index, Product, Size, Sum, Symbol, Text
from bptt.ir.dims import Dim
from bptt.ir.expr import Expr
from bptt.ir.ops import Op
from bptt.render.dimensions import pair_text
from bptt.render.page import Block, Display, Paragraph, Row, Section, Table

# The worked instance: two elements that go in, three that come out, and the second word is the true one.
INPUTS = (0.6, 0.2)
PROBABILITIES = (0.5, 0.3, 0.2)
TARGET = (0.0, 1.0, 0.0)
ERRORS = tuple(p - y for p, y in zip(PROBABILITIES, TARGET, strict=True))
WEIGHTS = ((1.0, 0.0, 2.0), (-1.0, 3.0, 1.0))
SQUARE = ((1.0, 2.0), (-1.0, 3.0))


@dataclass(frozen=True)
class _Use:
    """An equation u = … + a M + … of the model: the vector `a`, the matrix `M`, and u, whose derivative is
    known as `error`. `outer` is ∂J/∂M as it is made, `back` ∂J/∂a.
    """

    value: Value
    vector: Expr
    table: Expr
    error: Formula
    scaled: bool
    """Whether something else is multiplied to the product before it gets to u."""


def explanation(derivations: Derivations, g: Derivation) -> list[Block]:
    """The section that answers where each transpose of a gradient comes from; empty where there is none."""
    deriver = derivations.deriver
    leaf = targets(derivations.board)[g.name]
    uses = list(_products(deriver, leaf))
    if not uses:
        return []
    writer = _Explainer(derivations)
    blocks: list[Block] = []
    if derivations.board.batch:
        blocks += writer.over_examples(uses[0], leaf)
    elif len(leaf.shape) == 2:
        blocks += writer.outer(uses[0], leaf)
        blocks += writer.back(uses[0], contrast=True)
    else:
        blocks += writer.back(uses[0], contrast=False)
    key = "why-" + "".join(c if c.isalnum() and c.isascii() else "-" for c in g.name)
    return [Section(("Why this transpose, and why this order",), key, tuple(blocks))]


def _products(deriver: Deriver, leaf: Expr) -> Iterator[_Use]:
    """The products of a vector and a parameter matrix in which a leaf is one of the two."""
    for value in deriver.uses(leaf):
        if value.name == LOSS:
            continue
        found = reverse({value.definition: [value.cotangent]}, [leaf])[leaf]
        stack = [found]
        while stack:
            e = stack.pop()
            if e.op in (Op.ADD, Op.NEG):
                stack += e.args
            elif e.op is Op.OUTER and len(leaf.shape) == 2:
                first, second = e.args
                error, vector = (first, second) if value.cotangent in _leaves(first) else (second, first)
                if not vector.args:
                    scaled = error is not value.cotangent
                    yield _Use(value, vector, leaf, deriver.matrix(error), scaled)
            elif e.op is Op.CONTRACT and len(leaf.shape) == 1:
                error, table = e.args
                if table.op is Op.PARAM and len(table.shape) == 2:
                    scaled = error is not value.cotangent
                    yield _Use(value, leaf, table, deriver.matrix(error), scaled)


def _leaves(e: Expr) -> set[Expr]:
    found: set[Expr] = set()
    stack = [e]
    while stack:
        node = stack.pop()
        found.add(node)
        stack += node.args
    return found


class _Explainer:
    def __init__(self, derivations: Derivations) -> None:
        self.board, self.deriver = derivations.board, derivations.deriver
        self.layout = self.board.layout
        self.row = self.layout == "row"
        self.sign = -1.0 if self.board.objective == "log-likelihood" else 1.0

    # A batch.

    def over_examples(self, use: _Use, leaf: Expr) -> Iterator[Block]:
        """The same reasons, and where the sum over the examples has gone."""
        if len(leaf.shape) != 2:
            yield Paragraph((
                f"Every example is passed back by itself, {self.layout} by {self.layout}, for the same "
                "reason as one alone: leave out the batch to see it.",
            ))  # fmt: skip
            return
        vector, error = self.board.symbols[use.vector], use.error
        i, j = self.deriver.places(leaf)
        first, second = (vector, error) if self.row else (error, vector)
        elements = [
            self.deriver.index.indexed(formula, use.vector, (place,))
            for formula, place in ((first, i), (second, j))
        ]
        gradient = self.deriver.left(leaf)
        element = self.deriver.index.indexed(gradient, leaf, (i, j))
        table = self.board.symbols[leaf]
        yield Paragraph((
            "Every example uses the same ", table, ", so its gradient is a sum of outer products:",

        ))  # fmt: skip
        yield Display((Row(Sum("n", Product(tuple(elements)), BATCH), element),))
        yield Paragraph((
            "A sum over an index that two factors share is a product of matrices, once that index is the "
            f"inner one. Here it counts the {self.layout}s of both, so ", vector, " is turned, and the sum "
            "over the examples is inside the product:",
        ))  # fmt: skip
        yield Display((Row(self._outer_product(first, second), gradient, shapes=True),))

    # An outer product.

    def outer(self, use: _Use, leaf: Expr) -> Iterator[Block]:
        table = self.board.symbols[leaf]
        vector, error = self.board.symbols[use.vector], use.error
        first, second = (vector, error) if self._counts_rows(use) else (error, vector)
        i, j = self.deriver.places(leaf)
        gradient = self.deriver.left(leaf)
        element = self.deriver.index.indexed(gradient, leaf, (i, j))
        at_first = self.deriver.index.indexed(first, use.vector, (i,))
        at_second = self.deriver.index.indexed(second, use.vector, (j,))
        lying = "lies as a row" if self.row else "stands as a column"
        yield Paragraph((
            "Begin with the elements, where nothing can be out of place:",
        ))  # fmt: skip
        yield Display((Row(Product((at_first, at_second)), element),))
        yield Paragraph((
            "No sum is left. Every element of the gradient is one element of ", first,
            " times one element of ", second, ": ", Symbol(i.letter), ", which counts the rows of ", table,
            ", belongs to ", first, ", and ", Symbol(j.letter), ", which counts its columns, to ", second,
            ". A table of all products is an outer product: what counts the rows stands as a column on the "
            "left, what counts the columns lies as a row on the right. Here every vector ", lying,
            ", so ", first if self.row else second, " is the one that has to be turned:",
        ))  # fmt: skip
        yield Display((Row(self._outer_product(first, second), gradient, shapes=True),))
        yield from self._outer_in_numbers(use, leaf, first, second)
        yield from self._outer_alternatives(leaf, first, second)

    def _counts_rows(self, use: _Use) -> bool:
        """Whether the vector that goes into the product counts the rows of the matrix."""
        return self.row

    def _outer_product(self, first: Formula, second: Formula) -> Formula:
        return product([transpose(first), second] if self.row else [first, transpose(second)])

    def _outer_in_numbers(self, use: _Use, leaf: Expr, first: Formula, second: Formula) -> Iterator[Block]:
        errors = self._errors(use)
        inputs = self._inputs(use)
        rows, columns = (inputs, errors) if self.row else (errors, inputs)
        standing = Grid(tuple((value,) for value in rows))
        lying = Grid((tuple(columns),))
        result = Grid(tuple(tuple(a * b for b in columns) for a in rows))
        vector = self.board.symbols[use.vector]
        yield Paragraph(("In numbers, ", *self._instance(use, vector), ":"))
        yield Display((
            Row(Product((standing, lying)), self._outer_product(first, second)), Row(result),
        ))  # fmt: skip
        if use.scaled:
            return
        active = 1 if use.vector.op is Op.TOKEN else 0
        into_place = Index(str(active + 1))
        place = (into_place, Index("2")) if self.row else (Index("2"), into_place)
        element = self.deriver.index.indexed(self.board.symbols[leaf], leaf, place)
        out = self.deriver.index.indexed(use.value.symbol, use.value.leaf, (Index("2"),))
        into = self.deriver.index.indexed(vector, use.vector, (into_place,))
        change = errors[1]
        yield Paragraph((
            "And so it must be. Raise ", element, " by a little, say ", Symbol("epsilon"), ": of ",
            use.value.symbol, " only ", out, " changes, by ", into, " ", Symbol("epsilon"),
            " = ", *(() if inputs[active] == 1.0 else (f"{inputs[active]:g} ",)), Symbol("epsilon"), "; ",
            self.board.loss.symbol, f" changes by {_number(change)} times that, to first order, ",
            f"{_number(change * inputs[active])} ",
            Symbol("epsilon"), f". This is the element in row {place[0].letter}, column {place[1].letter}.",
        ))  # fmt: skip
        if use.vector.op is Op.TOKEN:
            yield Paragraph((
                vector, " is one-hot, so of the gradient of ", self.board.symbols[leaf],
                " only what belongs to its token is not zero, one ", "row" if self.row else "column",
                ". This is the look-up of an embedding, read backwards.",
            ))  # fmt: skip

    def _instance(self, use: _Use, vector: Formula) -> Text:
        """What the numbers are."""
        error_first = isinstance(use.error, Add)
        chosen: Text = (vector, " = ", _vector(self._inputs(use), self.row), " and ")
        if error_first:
            return (
                *chosen,
                "a vocabulary of three words, of which the second follows: ",
                *(Symbol("yhat"), " = ", _vector(PROBABILITIES, self.row), ", "),
                *(Symbol("y"), " = ", _vector(TARGET, self.row)),
            )
        return (*chosen, use.error, " = ", _vector(self._errors(use), self.row))

    def _inputs(self, use: _Use) -> list[float]:
        """A token is one-hot: of its gradient all but one row (or column) is zero."""
        return [0.0, 1.0] if use.vector.op is Op.TOKEN else list(INPUTS)

    def _errors(self, use: _Use) -> list[float]:
        """As many numbers as come out: two where the matrix is square."""
        is_square = use.table.shape[0] == use.table.shape[1]
        return [self.sign * e for e in ERRORS[: len(INPUTS) if is_square else None]]

    def _outer_alternatives(self, leaf: Expr, first: Formula, second: Formula) -> Iterator[Block]:
        table = self.board.symbols[leaf]
        square = leaf.shape[0] == leaf.shape[1]
        m, n = map(Size, leaf.shape)
        turned = self._outer_product(second, first)
        one_number = product([first, transpose(second)] if self.row else [transpose(first), second])
        i, j = (index.letter for index in self.deriver.places(leaf))
        wrong_places: Text = (
            f"the transpose: what belongs to row {i}, column {j} of ", table,
            f" stands in row {j}, column {i}",
        )  # fmt: skip
        if square:
            wrong_places += (". The shape is right, so only the index form tells",)
            inner: Text = ("one number, the sum of the products along the diagonal",)
        else:
            inner = (m, " and ", n, " are different sizes; were they equal, it would be one number")
        rows = [
            (product([first, second]), None),
            (turned, wrong_places),
            (one_number, inner),
        ]
        yield Paragraph(("What goes wrong with the others:",))
        yield Table((("instead",), ("shapes",), ("what it is",)), tuple(self._alternative(*r) for r in rows))

    def _alternative(self, formula: Formula, words: Text | None) -> tuple[Text, ...]:
        shapes = self._factor_shapes(formula)
        try:
            result = shape_of(formula, self.layout)
        except NonConforming as error:
            inner: Text = ("cannot be multiplied: ", *_inner(error))
            return (formula,), shapes, inner if words is None else (*inner, "; ", *words)
        what: Text = ("a number",) if result == NUMBER else pair_text(result)
        return (formula,), (*shapes, " = ", *what), words or what

    def _factor_shapes(self, formula: Formula) -> Text:
        factors = formula.factors if isinstance(formula, Product) else (formula,)
        pairs = (pair_text(shape_of(factor, self.layout)) for factor in factors)
        return tuple(part for pair in pairs for part in ("(", *pair, ")"))

    # Passing back through a matrix.

    def back(self, use: _Use, contrast: bool) -> Iterator[Block]:
        vector, table = self.board.symbols[use.vector], self.board.symbols[use.table]
        assert isinstance(vector, Symbol) and isinstance(table, Symbol)
        i, j = (Index(letter) for letter in self.deriver.board.letters[:2])
        index = self.deriver.index
        at = (i, j) if self.row else (j, i)
        entry = index.indexed(table, use.table, at)
        gradient = self.deriver.left(use.vector) if self._is_known(use) else None
        if gradient is None:
            return
        element = index.indexed(gradient, use.vector, (i,))
        passed = Product((index.indexed(use.error, use.vector, (j,)), entry))
        summed, size = j, use.table.shape[1 if self.row else 0]
        if contrast:
            yield Paragraph((
                "The other transpose in this equation has another reason. ", vector,
                " gets its derivative through the same matrix:",
            ))  # fmt: skip
        else:
            yield Paragraph(("Begin with the elements, where nothing can be out of place:",))
        several = len(self.deriver.uses(use.vector)) > 1
        yield Display((Row(Sum(summed.letter, passed, size), element, sign="= … +" if several else "="),))
        which, other = ("second", "first") if self.row else ("first", "second")
        product_text = "a row times a matrix" if self.row else "a matrix times a column"
        yield Paragraph((
            "Here a sum is left, over ", Symbol(j.letter), f", the {which} index of ", table, ". Forward, ",
            use.value.symbol, f" sums over the {other} one. Back, every way by which one element of ", vector,
            " reaches ", self.board.loss.symbol, " has to be counted, and those are the elements of ",
            use.value.symbol, ". In ",
            product_text, " the sum runs over the ", "first" if self.row else "second",
            " index of the matrix, so the matrix has to be turned over:",
        ))  # fmt: skip
        right = self._back_product(use.error, table)
        yield Display((Row(right, gradient, shapes=True, sign="= … +" if several else "="),))
        yield from self._back_in_numbers(use, table)
        yield from self._back_alternatives(use, table)
        if contrast:
            turned = "rows" if self.row else "columns"
            yield Paragraph((
                "Two transposes, two reasons: ", transpose(vector),
                f" because its elements count the {turned} of a table of products; ", transpose(table),
                " because a sum runs over the other index. Neither follows from the other.",
            ))  # fmt: skip

    def _is_known(self, use: _Use) -> bool:
        return use.vector in self.board.symbols and use.vector.op in (Op.VALUE, Op.CARRY, Op.TOKEN)

    def _back_product(self, error: Formula, table: Formula) -> Formula:
        return product([error, transpose(table)] if self.row else [transpose(table), error])

    def _back_in_numbers(self, use: _Use, table: Formula) -> Iterator[Block]:
        errors = self._errors(use)
        table_of_numbers = WEIGHTS if len(errors) == len(WEIGHTS[0]) else SQUARE
        weights = Grid(table_of_numbers) if self.row else Grid(tuple(zip(*table_of_numbers, strict=True)))
        turned = Grid(tuple(zip(*weights.rows, strict=True)))
        result = [sum(e * w for e, w in zip(errors, row, strict=True)) for row in table_of_numbers]
        error = _vector(errors, self.row)
        factors = (error, turned) if self.row else (turned, error)
        yield Paragraph(("In numbers, with ", table, " = ", weights, ":"))
        yield Display((
            Row(Product(factors), self._back_product(use.error, table)), Row(_vector(result, self.row)),
        ))  # fmt: skip

    def _back_alternatives(self, use: _Use, table: Formula) -> Iterator[Block]:
        error = use.error
        plain = product([error, table] if self.row else [table, error])
        turned = transpose(self._back_product(error, table))
        square = use.table.shape[0] == use.table.shape[1]
        words: Text | None = None
        if square:
            turned_over = zip(*SQUARE, strict=True)
            wrong = [sum(e * w for e, w in zip(self._errors(use), line, strict=True)) for line in turned_over]
            words = ("sums over the wrong index: here it would be ", _vector(wrong, self.row))
        standing = "a column" if self.row else "a row"
        rows = [
            (plain, words),
            (turned, (f"the right numbers, but as {standing}",)),
        ]
        yield Table((("instead",), ("shapes",), ("what it is",)), tuple(self._alternative(*r) for r in rows))


def _vector(values: object, row: bool) -> Grid:
    numbers = tuple(float(v) for v in values)  # type: ignore[attr-defined]
    return Grid((numbers,)) if row else Grid(tuple((v,) for v in numbers))


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")


def _inner(error: NonConforming) -> Text:
    (_, left), (right, _) = error.shapes
    return (*_counted(left, "column"), " meets " if left == ONE else " meet ", *_counted(right, "row"))


def _counted(size: Dim, word: str) -> Text:
    return Size(size), f" {word}" if size == ONE else f" {word}s"
