"""Random recurrent models for property tests: valid, numerically tame, and with all sizes different.

    from hypothesis import given
    from models_strategy import random_models

    @given(random_models())
    def test_something(model):
        ...  # model.row, model.column: the text in either layout; model.sizes: a number for each size, and V

Every model has an embedding, one or two states (plain, residual, gated, decaying, normalised, LSTM, or a
matrix that is written and read by outer products) that may look two steps back and may start from a
parameter, and an output that may be a mixture or tied to the embedding; some have an objective of their
own. Values are bounded: whatever is unbounded (relu, softplus, a product of two vectors) is squashed
before it is used, `log` is taken of probabilities only, and what divides is at least 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from hypothesis import strategies as st


@dataclass(frozen=True)
class RandomModel:
    """`row` and `column` are one model in the two layouts; their matrices are each other's transposes.

    `sizes` gives a different number for every free size and for V; the text has them, too, but for V.
    `features` says what is in the model, for messages.
    """

    row: str
    column: str
    sizes: dict[str, int]
    features: tuple[str, ...]

    def __repr__(self) -> str:
        return f"RandomModel({', '.join(self.features)}; {self.sizes})\n{self.row}"


class Text(NamedTuple):
    """An expression as it is written with rows and with columns."""

    row: str
    column: str


class Vector(NamedTuple):
    """A vector-valued expression, and the name of its size."""

    text: Text
    size: str


def write(pattern: str, *parts: Text | str) -> Text:
    """The pattern filled in, in both layouts."""
    texts = [p if isinstance(p, Text) else Text(p, p) for p in parts]
    return Text(pattern.format(*(t.row for t in texts)), pattern.format(*(t.column for t in texts)))


@dataclass
class Writer:
    """Writes the statements of one model, drawing what they are."""

    draw: Callable[[st.SearchStrategy], object]
    statements: list[Text] = field(default_factory=list)
    starts: list[Text] = field(default_factory=list)
    features: list[str] = field(default_factory=list)
    weights: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    count: int = 0

    def chance(self, one_in: int = 2) -> bool:
        return self.draw(st.integers(1, one_in)) == one_in

    def choose(self, options: list) -> object:
        return self.draw(st.sampled_from(options))

    def name(self, letter: str) -> str:
        self.count += 1
        return f"{letter}{self.count}"

    def define(self, name: str, value: Text) -> None:
        self.statements.append(write(name + " = {}", value))

    # Parts of expressions.

    def weight(self, source: str, target: str) -> str:
        """A matrix from vectors of one size to those of another: a new one, or at times an old one."""
        known = self.weights.setdefault((source, target), [])
        if known and self.chance(4):
            self.features.append("shared weight")
            return self.choose(known)
        known.append(self.name("W"))
        return known[-1]

    def product(self, vector: Vector, target: str) -> Text:
        weight = self.weight(vector.size, target)
        return Text(f"{vector.text.row} @ {weight}", f"{weight} @ {vector.text.column}")

    def affine(self, inputs: list[Vector], target: str, needed: int = 1) -> Text:
        """A sum of products with weights; the first `needed` inputs are always in it."""
        chosen = [v for i, v in enumerate(inputs) if i < needed or self.chance()]
        if len(chosen) > 1 and self.chance(4):
            self.features.append("concatenation")
            both = write("[{}, {}]", chosen[0].text, chosen[1].text)
            chosen[:2] = [Vector(both, f"{chosen[0].size}+{chosen[1].size}")]
        terms = [self.product(v, target) for v in chosen]
        if self.chance():
            terms.append(write(self.name("b")))
        return write(" + ".join(["{}"] * len(terms)), *terms)

    def squashed(self, inputs: list[Vector], target: str) -> Text:
        """An affine map, at least of the first two inputs, and something that bounds it."""
        pattern = self.choose(
            [
                "sigmoid({})",
                "tanh({})",
                "tanh(relu({}))",
                "tanh(0.5 * softplus({}) - 1)",
                "1 / (1 + softplus({}))",
                "-tanh({})",
            ]
        )
        return write(pattern, self.affine(inputs, target, needed=2))

    def scalar_gate(self, vector: Vector) -> Text:
        """A number between 0 and 1 made from a vector."""
        pattern = self.choose(["sigmoid(sum({} * {}) + {})", "sigmoid(mean({} * {}) - {})"])
        self.features.append("scalar gate")
        return write(pattern, vector.text, self.name("w"), self.name("a"))

    def previous(self, name: str) -> Vector:
        """The state one step earlier, or two."""
        if self.chance(4):
            self.features.append("two steps back")
            return Vector(write(f"{name}[t-2]"), name)
        return Vector(write(f"{name}[t-1]"), name)

    # States.

    def state(self, kind: str, inputs: list[Vector]) -> Vector:
        """Equations of one state; returns the vector that it offers to the layers above."""
        if kind == "matrix":
            return self.matrix_state(inputs)
        h = self.name("h")
        self.features.append(kind)
        seen = [self.previous(h), *inputs]
        before = write(f"{h}[t-1]")
        fresh = self.squashed(seen, h)
        match kind:
            case "plain":
                value = fresh
            case "residual":
                value = write("0.5 * {} + {}", before, fresh)
            case "gated":
                z, n = self.name("z"), self.name("n")
                self.define(z, write("sigmoid({})", self.affine(seen, h)))
                self.define(n, write("tanh({})", self.affine(seen, h)))
                value = write("(1 - {0}) * {1} + {0} * {2}", z, before, n)
            case "decaying":
                value = write("sigmoid({}) * {} + {}", self.name("d"), before, fresh)
            case "scalar gated":
                s = self.name("s")
                self.define(s, self.scalar_gate(inputs[0]))
                value = write("{0} * {1} + (1 - {0}) * ({2})", s, before, fresh)
            case "normalised":
                u = self.name("u")
                self.define(u, write("{} + {}", before, fresh))
                value = write("{0} / sqrt(mean({0} ** 2) + 1)", u)
            case "lstm":
                c = self.name("c")
                gates = [write("sigmoid({})", self.affine(seen, h)) for _ in range(3)]
                g = write("tanh({})", self.affine(seen, h))
                self.define(c, write("{} * {} + {} * {}", gates[0], f"{c}[t-1]", gates[1], g))
                value = write("{} * tanh({})", gates[2], c)
        self.define(h, value)
        # The affine maps need not have looked back; a start can be given only if something did.
        if any(f"{h}[t-" in statement.row for statement in self.statements) and self.chance(3):
            self.features.append("start")
            self.starts.append(write(f"{h}[0] = " + self.choose(["tanh({})", "{}", "0.5"]), self.name("i")))
        return Vector(write(h), h)

    def matrix_state(self, inputs: list[Vector]) -> Vector:
        """A memory matrix, written by outer products and read by a query."""
        self.features.append("matrix state")
        key, value, query, memory, read = (self.name(letter) for letter in "kvqSo")
        for name, size in ((key, key), (value, value), (query, key)):
            self.define(name, write("tanh({})", self.affine(inputs, size)))
        keep = self.choose(["0.5", "gate"])
        if keep == "gate":
            keep = self.name("s")
            self.define(keep, self.scalar_gate(inputs[0]))
        written = Text(f"{key}.T @ {value}", f"{key} @ {value}.T")
        self.define(memory, write("{} * {} + {}", keep, f"{memory}[t-1]", written))
        self.define(read, write("tanh({})", Text(f"{query} @ {memory}", f"{memory}.T @ {query}")))
        return Vector(write(read), value)

    # Output.

    def distribution(self, inputs: list[Vector]) -> Text:
        if self.chance(4):
            self.features.append("tied")
            o = self.name("o")
            self.define(o, write("tanh({})", self.affine(inputs, "e")))
            return Text(f"softmax({o} @ L.T)", f"softmax(L.T @ {o})")
        return write(self.choose(["softmax({})", "exp(log_softmax({}))"]), self.affine(inputs, "V"))

    def output(self, inputs: list[Vector]) -> None:
        if self.chance(4):
            self.features.append("mixture")
            a, p, q = (self.name(letter) for letter in "gpq")
            self.define(a, self.scalar_gate(inputs[0]))
            self.define(p, self.distribution(inputs))
            self.define(q, self.distribution(inputs[::-1]))
            self.define("yhat", write("{0} * {1} + (1 - {0}) * {2}", a, p, q))
        else:
            self.define("yhat", self.distribution(inputs))

    def objective(self, states: list[Vector]) -> None:
        choice = self.choose(["", "", "-log(sum(y * yhat))", "-sum(y * log(yhat)) + 0.1 * mean({} ** 2)"])
        if choice:
            self.features.append("objective")
            self.define("J", write(choice, states[-1].text))


KINDS = ["plain", "residual", "gated", "decaying", "scalar gated", "normalised", "lstm", "matrix"]


@st.composite
def random_models(draw: Callable, max_states: int = 2) -> RandomModel:
    """A random model; see the top of this file."""
    writer = Writer(draw)
    writer.define("e", Text("x @ L", "L @ x"))
    below = [Vector(write("e"), "e")]
    states: list[Vector] = []
    for kind in draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=max_states)):
        states.append(writer.state(kind, below))
        below = [states[-1], *below]
    writer.output(states[::-1])
    writer.objective(states)
    used = _sizes(writer)
    numbers = draw(st.permutations(range(2, 2 + len(used) + 1)))
    sizes = dict(zip([*sorted(used), "V"], numbers, strict=True))
    stated = "size " + ", ".join(f"{name} = {n}" for name, n in sizes.items() if name != "V")
    lines = [write(stated), *writer.statements, *writer.starts]
    return RandomModel(
        row="\n".join(line.row for line in lines) + "\n",
        column="\n".join(line.column for line in lines) + "\n",
        sizes=sizes,
        features=tuple(dict.fromkeys(writer.features)),
    )


def _sizes(writer: Writer) -> set[str]:
    return {name for pair in writer.weights for side in pair for name in side.split("+")} - {"V"} | {"e"}
