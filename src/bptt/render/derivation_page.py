"""The page of a derivation: the model, how to read it, every gradient, and what happens through time."""

from __future__ import annotations

from collections.abc import Iterator

from bptt.derivation.board import BATCH, LOSS
from bptt.derivation.steps import READINGS, Chain, Definition, Derivation
from bptt.derivation.through_time import ALL
from bptt.derivation.whole import Derivations, plain_name, role, targets
from bptt.formula.shapes import oriented
from bptt.formula.tree import (
    NOW,
    CrossEntropy,
    Derivative,
    Formula,
    Index,
    Kronecker,
    Ones,
    Size,
    Sum,
    Symbol,
    Text,
    Time,
    Transpose,
)
from bptt.ir.dims import Shape
from bptt.ir.ops import Op
from bptt.render.dimensions import dimension_check, is_worth_a_check, pair_text
from bptt.render.explanation import explanation
from bptt.render.page import Block, Display, Graph, Meaning, Page, Paragraph, Row, Section, Table

NOTATIONS = ("both", "index", "matrix")
TITLES = {
    "value": "The value",
    "parameter": "The parameter",
    "input": "The input",
    "state": "What was carried in,",
}
LABELS = {"index": "Element by element", "matrix": "As matrices"}


def derivation_page(
    derivations: Derivations,
    *,
    notation: str = "both",
    shapes: bool = False,
    explain: bool = False,
    graph: bool = False,
    times: bool = False,
) -> Page:
    """The page in one notation or both; with `shapes` under the factors, with `explain` the reasons for
    every transpose and order, with `graph` a drawing of the model. `times` tells whether the page will
    show the time t (`h_t`; a terminal shows `h`).
    """
    writer = _Writer(derivations, notation, shapes, explain, times)
    board = derivations.board
    sections = [writer.model(graph), *([] if derivations.of else [writer.results()])]
    sections += [writer.gradient(g) for g in derivations.gradients]
    if derivations.carried and writer.is_carried_of_interest():
        sections.append(writer.carried())
    return Page(writer.title(), tuple(sections), board.layout, board.recurrent, writer.meanings())


class _Writer:
    def __init__(
        self, derivations: Derivations, notation: str, shapes: bool, explain: bool, times: bool
    ) -> None:
        self.times = times
        self.derivations, self.board = derivations, derivations.board
        self.notation, self.shapes, self.explain = notation, shapes, explain
        self.model_name = self.board.model.name

    def title(self) -> str:
        # Equations without a file are called so.
        model = "the model" if self.model_name == "model" else self.model_name
        if self.derivations.of is None:
            return f"The gradients of {model}"
        return f"The gradient of {model} by {plain_name(self.derivations.of, self.board)}"

    # The model and how to read it.

    def model(self, graph: bool) -> Section:
        rows = (*(self._equation(d) for d in self.derivations.definitions), *self._starts())
        blocks: list[Block] = [Display(rows)]
        blocks += [Paragraph(text) for text in self.conventions()]
        parameters = self._parameters()
        if parameters:
            blocks.append(Table((("parameter",), ("shape",)), tuple(parameters)))
        if graph:
            blocks.append(self.graph())
        return Section(("The model",), "model", tuple(blocks))

    def _equation(self, definition: Definition) -> Row:
        note: Text = (definition.meaning,) if definition.meaning else ()
        if definition.matrix is None:
            return Row(definition.element, definition.left_element, note=note)
        shapes = self.shapes and not isinstance(definition.matrix, CrossEntropy)
        return Row(definition.matrix, definition.symbol, note=note, shapes=shapes)

    def _starts(self) -> Iterator[Row]:
        """What the first step starts from, where it is not zero."""
        for state in self.board.model.states:
            if state.initial is not None and not self.board.batch:
                before = Symbol(state.variable, state.shape, Time("", 1 - state.lag))
                yield Row(self.derivations.deriver.matrix(state.initial), before, note=("the first step",))

    def _parameters(self) -> Iterator[tuple[Text, ...]]:
        for name, shape in self.board.model.params.items():
            yield (Symbol(name, shape),), written_shape(shape, self.board.layout)

    def conventions(self) -> Iterator[Text]:
        board = self.board
        lying = "Vectors lie as rows (1×n)" if board.layout == "row" else "Vectors stand as columns (n×1)"
        yield (
            lying + ", and a gradient has the shape of what it is taken by. ",
            "A product side by side is that of matrices; ∘, / and powers go element by element. ",
            Kronecker(Index("i"), Index("j")),
            " is 1 where i = j and 0 elsewhere (Kronecker's delta).",
        )
        goal = "is to be made small" if board.objective == "cross-entropy" else "is to be made large"
        kind = "cross-entropy" if board.objective == "cross-entropy" else "log-likelihood"
        loss: Text = (Symbol("J"), f", the {kind}, {goal}.")
        if board.objective != "cross-entropy":
            loss += (" Every gradient has the opposite sign of that of the cross-entropy.",)
        yield loss
        errors = [v for v in board.values.values() if v.error is not None]
        if errors:
            first = errors[0]
            assert first.error is not None
            likewise: Text = ()
            for number, value in enumerate(errors[1:]):
                assert value.error is not None
                likewise += ("; likewise " if number == 0 else ", ", value.error)
            yield (
                *(first.error, " stands for ", Derivative(board.loss.symbol, first.symbol)),
                *(", the derivative at what the non-linearity is applied to", *likewise, "."),
            )
        if board.batch:
            ones = Ones((BATCH,))
            copied = Transpose(ones)
            yield (
                f"A batch has B examples, one in each {board.layout}; J is the sum over them, so for the "
                "mean all gradients are divided by B. ",
                *(ones, f" is a {board.layout} of B ones: "),
                *(copied, " puts a vector beside every example, ", ones, " adds the examples up."),
            )
        if board.recurrent:
            yield (
                *(() if self.times else ("A quantity without a time is that of step t. ",)),
                *(board.loss.symbol, f" is the {kind} of step t; "),
                *(ALL, " = ", Sum("t", Symbol("J", (), NOW), None, Time("", 1), Time("T", 0))),
                " is that of all steps.",
                *self._bar(),
            )
        yield from ((note,) for note in board.notes)

    def _bar(self) -> Text:
        deriver = self.derivations.deriver
        for leaf in targets(self.board).values():
            if role(leaf) == "parameter" and deriver.is_partial(leaf):
                words = ", takes a parameter, or what was carried in, as it is used at that step alone."
                return " A bar with a time, ", deriver.left(leaf), words
        return ()

    def graph(self) -> Graph:
        nodes: list[tuple[str, Symbol, str]] = []
        edges: list[tuple[str, str, bool]] = []
        seen: set[str] = set()
        states = {s.variable for s in self.board.model.states}
        for name, leaf in targets(self.board).items():
            if role(leaf) in ("parameter", "input"):
                nodes.append((name, self.board.symbols[leaf], role(leaf)))
                seen.add(name)
        for value in self.board.values.values():
            kind = "objective" if value.name == LOSS else "state" if value.name in states else "value"
            nodes.append((value.name, value.symbol, kind))
            for leaf in sorted(self.derivations.deriver.leaves(value), key=lambda e: str(e.attr)):
                if leaf.op is Op.CARRY:
                    edges.append((self.board.state(leaf.attr).variable, value.name, True))
                elif leaf.op is Op.VALUE or str(leaf.attr) in seen:
                    edges.append((str(leaf.attr), value.name, False))
        return Graph(tuple(nodes), tuple(edges))

    def results(self) -> Section:
        """All gradients at a glance."""
        rows = []
        for g in self.derivations.gradients:
            chain = g.matrix or g.index
            rows.append(Row(chain.result, chain.left, note=written_shape(g.symbol.shape, self.board.layout)))
        return Section(("All gradients of one step" if self.board.recurrent else "All gradients",), "results",
                       (Display(tuple(rows)),))  # fmt: skip

    # One gradient.

    def gradient(self, g: Derivation) -> Section:
        blocks: list[Block] = []
        about: Text = (g.symbol, " is ", *written_shape(g.symbol.shape, self.board.layout))
        blocks.append(Paragraph((*about, " and stands in" if g.uses else ".")))
        if g.uses:
            blocks.append(Display(tuple(self._equation(d) for d in g.uses)))
        if self.notation in ("both", "index"):
            blocks += self._index(g)
        if self.notation in ("both", "matrix"):
            blocks += self._matrix(g)
        if self.shapes and g.matrix is not None and is_worth_a_check(g.matrix, self.board.layout):
            blocks.append(Paragraph(("The dimensions: ", *dimension_check(g.matrix, self.board.layout), ".")))
        if self.explain and (self.derivations.of is None or g.name == self.derivations.of):
            blocks += explanation(self.derivations, g)
        if g.through_time and (self.derivations.of is None or g.name == self.derivations.of):
            blocks.append(self._readings(g))
        chain = g.matrix or g.index
        title: Text = (TITLES[g.role], " ", g.symbol, ": ", chain.left)
        return Section(title, key(g.name), tuple(blocks), folded=self.derivations.of is None)

    def _index(self, g: Derivation) -> Iterator[Block]:
        for local in g.local:
            title = "The loss in terms of the logits" if local.left == self.board.loss.symbol else (
                "Of this equation alone"
            )  # fmt: skip
            yield display(local, title)
        yield display(g.index, LABELS["index"])

    def _matrix(self, g: Derivation) -> Iterator[Block]:
        if g.matrix is None:
            yield Paragraph((f"There is no usual matrix notation for {g.obstacle}; see the elements.",))
            return
        yield display(g.matrix, LABELS["matrix"], self.shapes)
        if g.written_out is not None:
            yield display(g.written_out, "Written out", self.shapes)
        for form in g.forms:
            yield display(form, "Another form", self.shapes)

    def _readings(self, g: Derivation) -> Section:
        blocks: list[Block] = []
        for chain in g.through_time:
            blocks += self._reading(chain)
        return Section(
            ("Through time: other readings of this gradient",), key(g.name) + "-time", tuple(blocks)
        )

    def _reading(self, chain: Chain, said: set[str] | None = None) -> Iterator[Block]:
        if chain.title:
            meaning = READINGS[chain.reading]
            if said is None or meaning not in said:
                yield Paragraph((*chain.title, f" ({meaning}):"))
                if said is not None:
                    said.add(meaning)
            else:
                yield Paragraph((*chain.title, ":"))
        yield display(chain, "", self.shapes)

    # Through time.

    def is_carried_of_interest(self) -> bool:
        of = self.derivations.of
        if of is None:
            return True
        leaf = targets(self.board)[of]
        return leaf.op is Op.CARRY or any(
            leaf in self.derivations.deriver.below(s) for s in self.board.model.states
        )

    def carried(self) -> Section:
        said: set[str] = set()
        blocks: list[Block] = [
            Paragraph((
                "What a step carries on is used by all later steps, so their losses come back to it. The "
                "equations of the step are as above, with the derivative of ", ALL,
                " in the place of that of ", self.board.loss.symbol, "; new is what arrives from step t+1.",
            ))
        ]  # fmt: skip
        untitled: list[Row] = []
        for chain in self.derivations.carried:
            if chain.title:
                blocks += self._flush(untitled)
                blocks += self._reading(chain, said)
                blocks += self._remarks(chain)
            else:
                untitled += rows_of(chain, self.shapes)
        blocks += self._flush(untitled)
        if self.derivations.obstacle:
            blocks.append(Paragraph((f"There is no closed form in matrices: {self.derivations.obstacle}.",)))
        return Section(("Through time",), "time", tuple(blocks))

    def _remarks(self, chain: Chain) -> Iterator[Block]:
        """What a reader of other books has to know of a Jacobian, and of a product of many."""
        match chain.left:
            case Derivative(top=Symbol(shape=(_,))):
                row, column = ("new", "old") if self.board.layout == "row" else ("old", "new")
                words = (
                    f"(A row for every element of the {row} vector, a column for every element of the "
                    f"{column} one: so it is multiplied in the order of this layout. Many books write it the "
                    "other way.)"
                )
                yield Paragraph((words,))
        if any(isinstance(step.after, Sum) and chain.notation == "matrix" for step in chain.steps):
            order = "later steps stand first" if self.board.layout == "row" else "later steps stand last"
            words = f"(Matrices do not commute: in the product {order}. Of no steps it is the identity.)"
            yield Paragraph((words,))

    def _flush(self, rows: list[Row]) -> Iterator[Block]:
        if rows:
            yield Display(tuple(rows))
            rows.clear()

    # What hovering shows.

    def meanings(self) -> dict[tuple[str, str], Meaning]:
        found: dict[tuple[str, str], Meaning] = {}
        for leaf, symbol in self.board.symbols.items():
            words = {"parameter": "a parameter", "input": "the token at step t, one-hot"}.get(role(leaf), "")
            if leaf.op is Op.TOKEN and leaf.attr == "y":
                words = "the token that follows, one-hot"
            found.setdefault((symbol.name, symbol.of), Meaning(leaf.shape, (words,)))
        for value, definition in zip(self.board.values.values(), self.derivations.definitions, strict=True):
            right = definition.matrix if definition.matrix is not None else definition.element
            left = definition.symbol if definition.matrix is not None else definition.left_element
            found[value.symbol.name, value.symbol.of] = Meaning(value.leaf.shape, (left, " = ", right))
            if value.error is not None:
                meaning: Text = (Derivative(self.board.loss.symbol, value.symbol),)
                found[value.error.name, value.error.of] = Meaning(value.leaf.shape, meaning)
        found["J", "all"] = Meaning((), ("the loss of all steps",))
        return found


def display(chain: Chain, title: str, shapes: bool = False) -> Display:
    return Display(tuple(rows_of(chain, shapes)), title)


def rows_of(chain: Chain, shapes: bool = False) -> Iterator[Row]:
    left: Formula | None = chain.left
    for step in chain.steps:
        note: Text = (step.rule, *((": ", *step.reason) if step.reason else ()))
        with_shapes = shapes and chain.notation == "matrix"
        yield Row(step.after, left, note=note, shapes=with_shapes)
        left = None


def written_shape(shape: Shape, layout: str) -> Text:
    """Rows × columns of a value, `1×h`; "a number" for a scalar."""
    if len(shape) > 2:
        return tuple(part for size in shape for part in ("×", Size(size)))[1:]
    return pair_text(oriented(shape, layout)) if shape else ("a number",)


def key(name: str) -> str:
    """An anchor: letters, digits and dashes only."""
    return "by-" + "".join(c if c.isalnum() and c.isascii() else "-" for c in name)
