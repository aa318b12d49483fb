"""What written formulas are in numbers, found without anything that checks them.

Models are small functions in NumPy; derivatives are complex steps through them; formulas are evaluated as
they stand, with the letters of their indices counted through one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any
from zlib import crc32

import numpy as np

from bptt.checking.written import (
    At,
    Big,
    Bracketed,
    Call,
    Chain,
    Differential,
    Fraction,
    Letter,
    Listed,
    Numeral,
    Scripts,
    Terms,
    Written,
)

Array = Any
NOW, TINY = 3, 1e-30
INDICES = frozenset("ijklmn")


class Worthless(Exception):
    """A formula without a value: its factors do not fit, or a letter runs over two sizes."""


# Models.


@dataclass
class Run:
    """One run of a model. `moved` is what is moved by a tiny imaginary number: name, time, step at which a
    parameter is used (None: all), and the place of the element.
    """

    seed: int
    moved: tuple[str, int | None, int | None, int] | None = None
    values: dict[tuple[str, int | None], Array] = field(default_factory=dict)

    def given(self, name: str, *shape: int, time: int | None = None) -> Array:
        rng = np.random.default_rng([self.seed, crc32(repr((name, time)).encode())])
        return self.put(name, time, rng.uniform(0.2, 1.3, shape) * rng.choice([-1, 1], shape))

    def used(self, name: str, at: int) -> Array:
        """A parameter in the equations of one step."""
        value = self.values[name, None]
        if self.moved is not None and self.moved[0] == name and self.moved[2] in (None, at):
            return self._nudged(value)
        return value

    def put(self, name: str, time: int | None, value: Array) -> Array:
        self.values[name, time] = value
        if self.moved is not None and self.moved[:2] == (name, time) and time is not None:
            self.values[name, time] = self._nudged(value)
        return self.values[name, time]

    def _nudged(self, value: Array) -> Array:
        assert self.moved is not None
        flat = np.array(value, dtype=complex).ravel()
        flat[self.moved[3]] += 1j * TINY
        return flat.reshape(np.shape(value))

    def word(self, name: str, time: int, *shape: int) -> Array:
        """A target or an input: probabilities, so that no formula is right for one word alone."""
        rng = np.random.default_rng([self.seed, crc32(repr((name, time)).encode())])
        value = rng.uniform(0.2, 1.0, shape)
        return self.put(name, time, value / value.sum())

    def loss(self, name: str, time: int, y: Array, p: Array) -> None:
        self.put(name, time, -(y * np.log(p)).sum())


def sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def softmax(z: Array) -> Array:
    return np.exp(z) / np.exp(z).sum()


# One more than t, for what an error may name.
STEPS = range(1, NOW + 2)


def elman_rows(r: Run) -> None:
    for name, shape in {
        "L": (7, 4),
        "H": (5, 5),
        "I": (4, 5),
        "b_1": (1, 5),
        "U": (5, 7),
        "b_2": (1, 7),
    }.items():
        r.given(name, *shape)
    h = r.given("h", 1, 5, time=0)
    for t in STEPS:
        e = r.put("e", t, r.word("x", t, 1, 7) @ r.used("L", t))
        z = r.put("z", t, h @ r.used("H", t) + e @ r.used("I", t) + r.used("b_1", t))
        h = r.put("h", t, sigmoid(z))
        theta = r.put("theta", t, h @ r.used("U", t) + r.used("b_2", t))
        p = r.put("yhat", t, softmax(theta))
        r.loss("J", t, r.word("y", t, 1, 7), p)


def elman_columns(r: Run) -> None:
    shapes = {"W_hh": (5, 5), "W_xh": (5, 4), "b_h": (5, 1), "W_hy": (7, 5), "b_y": (7, 1)}
    for name, shape in shapes.items():
        r.given(name, *shape)
    h = r.given("h", 5, 1, time=0)
    for t in STEPS:
        x = r.given("x", 4, 1, time=t)
        z = r.put("z", t, r.used("W_hh", t) @ h + r.used("W_xh", t) @ x + r.used("b_h", t))
        h = r.put("h", t, np.tanh(z))
        o = r.put("o", t, r.used("W_hy", t) @ h + r.used("b_y", t))
        p = r.put("yhat", t, softmax(o))
        r.loss("L", t, r.word("y", t, 7, 1), p)


def two_layer_rows(r: Run) -> None:
    for name, shape in {"W_1": (4, 5), "b_1": (1, 5), "W_2": (5, 7), "b_2": (1, 7)}.items():
        r.given(name, *shape)
    x = r.given("x", 1, 4, time=NOW)
    z = r.put("z_1", NOW, x @ r.used("W_1", NOW) + r.used("b_1", NOW))
    h = r.put("h", NOW, np.tanh(z))
    z = r.put("z_2", NOW, h @ r.used("W_2", NOW) + r.used("b_2", NOW))
    r.loss("J", NOW, r.word("y", NOW, 1, 7), r.put("yhat", NOW, softmax(z)))


def two_layer_columns(r: Run) -> None:
    for name, shape in {"W": (5, 4), "b": (5, 1), "U": (7, 5), "c": (7, 1)}.items():
        r.given(name, *shape)
    x = r.given("x", 4, 1, time=NOW)
    z = r.put("z", NOW, r.used("W", NOW) @ x + r.used("b", NOW))
    h = r.put("h", NOW, sigmoid(z))
    theta = r.put("theta", NOW, r.used("U", NOW) @ h + r.used("c", NOW))
    r.loss("J", NOW, r.word("y", NOW, 7, 1), r.put("p", NOW, softmax(theta)))


def gru_columns(r: Run) -> None:
    for gate in ("_z", "_r", ""):
        for name, shape in {"W": (5, 4), "U": (5, 5), "b": (5, 1)}.items():
            r.given(name + gate, *shape)
    r.given("V", 7, 5)
    r.given("c", 7, 1)
    h = r.given("h", 5, 1, time=0)
    for t in STEPS:
        x = r.given("x", 4, 1, time=t)
        a = r.put("a", t, r.used("W_z", t) @ x + r.used("U_z", t) @ h + r.used("b_z", t))
        z = r.put("z", t, sigmoid(a))
        q = r.put("q", t, r.used("W_r", t) @ x + r.used("U_r", t) @ h + r.used("b_r", t))
        s = r.used("W", t) @ x + r.used("U", t) @ (r.put("r", t, sigmoid(q)) * h) + r.used("b", t)
        g = r.put("g", t, np.tanh(r.put("s", t, s)))
        h = r.put("h", t, (1 - z) * h + z * g)
        o = r.put("o", t, r.used("V", t) @ h + r.used("c", t))
        r.loss("J", t, r.word("y", t, 7, 1), r.put("p", t, softmax(o)))


def lstm_rows(r: Run) -> None:
    for gate in "ifog":
        for name, shape in {"W": (4, 5), "U": (5, 5), "b": (1, 5)}.items():
            r.given(f"{name}_{gate}", *shape)
    r.given("V", 5, 7)
    r.given("d", 1, 7)
    h, c = r.given("h", 1, 5, time=0), r.given("c", 1, 5, time=0)
    for t in STEPS:
        x = r.given("x", 1, 4, time=t)
        pre = {k: x @ r.used(f"W_{k}", t) + h @ r.used(f"U_{k}", t) + r.used(f"b_{k}", t) for k in "ifog"}
        i, f, o = (r.put(k, t, sigmoid(pre[k])) for k in "ifo")
        c = r.put("c", t, f * c + i * r.put("g", t, np.tanh(pre["g"])))
        h = r.put("h", t, o * np.tanh(c))
        s = r.put("s", t, h @ r.used("V", t) + r.used("d", t))
        r.loss("J", t, r.word("y", t, 1, 7), r.put("p", t, softmax(s)))


def bigram(r: Run) -> None:
    for name, shape in {"L": (7, 4), "U": (4, 7), "b": (1, 7)}.items():
        r.given(name, *shape)
    e = r.put("e", NOW, r.word("x", NOW, 1, 7) @ r.used("L", NOW))
    theta = r.put("theta", NOW, e @ r.used("U", NOW) + r.used("b", NOW))
    r.loss("J", NOW, r.word("y", NOW, 1, 7), r.put("yhat", NOW, softmax(theta)))


def residual(r: Run) -> None:
    for name, shape in {"W": (5, 5), "b": (1, 5), "U": (5, 7), "c": (1, 7)}.items():
        r.given(name, *shape)
    x = r.given("x", 1, 5, time=NOW)
    a = r.put("a", NOW, x @ r.used("W", NOW) + r.used("b", NOW))
    u = r.put("u", NOW, r.put("r", NOW, x + sigmoid(a)) @ r.used("U", NOW) + r.used("c", NOW))
    r.loss("J", NOW, r.word("y", NOW, 1, 7), r.put("p", NOW, softmax(u)))


def back_in_time(r: Run) -> None:
    for name, shape in {"W": (5, 5), "V": (5, 4), "U": (7, 5)}.items():
        r.given(name, *shape)
    h = r.given("h", 5, 1, time=0)
    for t in STEPS:
        a = r.put("a", t, r.used("W", t) @ h + r.used("V", t) @ r.given("x", 4, 1, time=t))
        h = r.put("h", t, np.tanh(a))
        o = r.put("o", t, r.used("U", t) @ h)
        r.loss("J", t, r.word("y", t, 7, 1), r.put("p", t, softmax(o)))


@dataclass(frozen=True)
class Model:
    """`known` are the names that a document gives to derivatives of the loss: by what each is."""

    run: Callable[[Run], None]
    row: bool
    loss: str = "J"
    known: Mapping[str, str] = field(default_factory=dict)


MODELS = {
    "elman-rows.md": Model(elman_rows, True),
    "elman-columns.md": Model(elman_columns, False, "L", {"delta": "z"}),
    "two-layer-rows.tex": Model(two_layer_rows, True),
    "two-layer-columns.md": Model(two_layer_columns, False),
    "gru-columns.md": Model(gru_columns, False),
    "lstm-rows.md": Model(lstm_rows, True),
    "bigram.md": Model(bigram, True),
    "residual.tex": Model(residual, True),
    "back-in-time.md": Model(back_in_time, False),
}


# Letters.


@dataclass(frozen=True)
class Name:
    """A letter with its scripts told apart: `label` below it is part of its name."""

    letter: str
    label: tuple[str, ...] = ()
    time: int | None = None
    indices: tuple[str, ...] = ()
    turned: bool = False
    power: int = 1

    @property
    def full(self) -> str:
        return self.letter + ("_" + "".join(self.label) if self.label else "")


def time_of(node: Written) -> int | None:
    """Steps from t, for a script that is a time."""
    match node:
        case Bracketed(inner=inner):
            return time_of(inner)
        case Letter(name="t", scripts=Scripts((), (), 0)):
            return 0
        case Terms((Letter(name="t"), Numeral(value=value)), ("+", sign)):
            return int(value) if sign == "+" else -int(value)
    return None


def is_index(node: Written) -> bool:
    return isinstance(node, Letter) and node.name in INDICES and node.scripts == Scripts()


def flat(items: tuple[Written, ...]) -> Iterator[Written]:
    for item in items:
        match item:
            case Chain(parts, _) | Listed(parts):
                yield from flat(parts)
            case _:
                yield item


def name_of(letter: Letter, labels: frozenset[str] = frozenset()) -> Name:
    """`labels` are the names that have labels which could be indices, as W_i of a gate."""
    time, label, indices, turned, power = None, [], [], False, 1
    for item in flat(letter.scripts.below):
        if time_of(item) is not None:
            time = time_of(item)
        elif isinstance(item, Letter) and is_index(item) and f"{letter.name}_{item.name}" not in labels:
            indices.append(item.name)
        elif isinstance(item, Letter):
            label.append(item.name)
        elif isinstance(item, Numeral):
            label.append(f"{item.value:g}")
        else:
            raise Worthless(letter)
    for item in flat(letter.scripts.above):
        if time_of(item) is not None:
            time = time_of(item)
        elif isinstance(item, Letter) and item.name in ("T", "top"):
            turned = not turned
        elif isinstance(item, Numeral):
            power = int(item.value)
        else:
            raise Worthless(letter)
    return Name(letter.name, tuple(label), time, tuple(indices), turned, power)


# Values.


@dataclass
class Numbers:
    """What formulas are at one random point of a model. `binding` says how ∘ binds: "even", from left to
    right, "loose", less than a product, or "tight", more.
    """

    model: Model
    seed: int
    binding: str = "even"
    flipped: bool = False

    def __post_init__(self) -> None:
        run = Run(self.seed)
        self.model.run(run)
        self.values = run.values
        self.labels = frozenset(name for name, _ in run.values)
        self.moved: dict[Any, Array] = {}

    def value(self, formula: Written, letters: tuple[str, ...]) -> Array:
        """A matrix, or an array with an axis for each of the letters. Worthless where it has none."""
        sizes: dict[str, int] = {}
        self._sizes(formula, sizes)
        free = self._free(formula)
        if not free <= set(letters) or not set(letters) <= set(sizes):
            raise Worthless("a letter that stands free")
        if not letters:
            return self._of(formula, sizes, {})
        result = np.zeros([sizes[letter] for letter in letters])
        for place in product(*(range(sizes[letter]) for letter in letters)):
            value = self._of(formula, sizes, dict(zip(letters, place, strict=True)))
            if np.ndim(value):
                raise Worthless("a matrix where an element should be")
            result[place] = value
        return result

    # Letters.

    def _names(self, node: Written) -> Iterator[Name]:
        for part in _parts(node):
            if isinstance(part, Letter):
                yield name_of(part, self.labels)

    def _sizes(self, formula: Written, sizes: dict[str, int]) -> None:
        for name in self._names(formula):
            if name.indices:
                shape = [n for n in np.shape(self._looked_up(name)) if n != 1]
                if len(shape) != len(name.indices):
                    raise Worthless(name)
                for letter, size in zip(name.indices, shape, strict=True):
                    if sizes.setdefault(letter, size) != size:
                        raise Worthless(letter)
        for left, right in _kroneckers(formula):
            if left in sizes or right in sizes:
                size = sizes.get(left) or sizes[right]
                if {sizes.setdefault(left, size), sizes.setdefault(right, size)} != {size}:
                    raise Worthless(left)

    def _free(self, formula: Written) -> set[str]:
        match formula:
            case Big(below=below, body=body):
                return self._free(body) - {item.name for item in flat(below) if isinstance(item, Letter)}
            case Letter() if formula.name == "delta" and "delta" not in self.model.known:
                return set(name_of(formula).indices)
            case Letter():
                return set(name_of(formula, self.labels).indices)
        return set().union(*map(self._free, _children(formula)))

    # Formulas.

    def _of(self, node: Written, sizes: dict[str, int], at: dict[str, int]) -> Array:
        match node:
            case Numeral(value=value):
                return value
            case Letter():
                return self._letter(node, at)
            case Bracketed(inner=inner, scripts=scripts):
                value = self._of(inner, sizes, at)
                for item in scripts.above:
                    if isinstance(item, Letter) and item.name in ("T", "top"):
                        value = np.transpose(value)
                    elif isinstance(item, Numeral):
                        value = value**item.value
                    else:
                        raise Worthless(node)
                if scripts.below:
                    raise Worthless(node)
                return value
            case Chain(factors, signs):
                return self._chain([self._of(factor, sizes, at) for factor in factors], list(signs))
            case Terms(terms, signs):
                total: Array = None
                for term, sign in zip(terms, signs, strict=True):
                    value = self._of(term, sizes, at)
                    value = value if sign == "+" else -value
                    total = value if total is None else _added(total, value)
                return total
            case Fraction(top, bottom):
                values = self._of(top, sizes, at), self._of(bottom, sizes, at)
                if any(map(np.ndim, values)):
                    raise Worthless(node)
                return values[0] / values[1]
            case Differential(top=Letter() as top, bottom=Letter() as bottom):
                return self._derivative(top, bottom, None, at)
            case At(inner=Differential(top=Letter() as top, bottom=Letter() as bottom), where=(where,)):
                return self._derivative(top, bottom, time_of(where), at)
            case Big(below=below, body=body):
                names = [item.name for item in flat(below) if isinstance(item, Letter)]
                if not all(name in sizes for name in names):
                    raise Worthless(names)
                places = product(*(range(sizes[name]) for name in names))
                parts = [self._of(body, sizes, at | dict(zip(names, p, strict=True))) for p in places]
                if any(map(np.ndim, parts)):
                    raise Worthless(node)
                return sum(parts)
            case Call(function=function, arguments=(argument,), scripts=Scripts((), above)):
                value = self._function(function, self._of(argument, sizes, at))
                return value ** above[0].value if above and isinstance(above[0], Numeral) else value
        raise Worthless(node)

    def _function(self, function: Letter, value: Array) -> Array:
        if function.name == "diag":
            if 1 not in np.shape(value):
                raise Worthless("no vector")
            return np.diag(np.ravel(value))
        if function.name == "sigma":
            s = sigmoid(value)
            return s * (1 - s) if function.scripts.primes else s
        if function.name == "tanh":
            return 1 - np.tanh(value) ** 2 if function.scripts.primes else np.tanh(value)
        raise Worthless(function)

    def _chain(self, values: list[Array], signs: list[str]) -> Array:
        if self.binding == "tight":
            values, signs = _grouped(values, signs, "∘", _elementwise)
        if self.binding == "loose":
            values, signs = _grouped(values, signs, "", _product)
        result = values[0]
        for value, sign in zip(values[1:], signs, strict=True):
            result = _elementwise(result, value) if sign == "∘" else _product(result, value)
        return result

    # Names.

    def _looked_up(self, name: Name) -> Array:
        if name.full in self.model.known:
            when = NOW + (name.time or 0)
            return self._moved(self.model.loss, when, self.model.known[name.full], when, None)[..., 0]
        if (name.full, None) in self.values:
            if name.time is not None:
                raise Worthless(name)
            return self.values[name.full, None]
        value = self.values.get((name.full, NOW + (name.time or 0)))
        if value is None:
            raise Worthless(name)
        return value

    def _letter(self, letter: Letter, at: dict[str, int]) -> Array:
        name = name_of(letter, self.labels)
        if letter.scripts.primes:
            raise Worthless(name)
        if name.letter == "delta" and "delta" not in self.model.known:
            if len(name.indices) != 2:
                raise Worthless(name)
            return float(at[name.indices[0]] == at[name.indices[1]])
        return self._placed(self._looked_up(name), name, at)

    def _placed(self, value: Array, name: Name, at: dict[str, int]) -> Array:
        if name.indices:
            if name.turned:
                raise Worthless(name)
            value = np.squeeze(value)[tuple(at[letter] for letter in name.indices)]
        elif name.turned:
            value = np.transpose(value)
        return value**name.power

    # Derivatives.

    def _moved(self, top: str, when: int, bottom: str, time: int | None, use: int | None) -> Array:
        """∂top/∂bottom: the axes of the bottom, then the elements of the top."""
        key = top, when, bottom, time, use
        if not {(top, when), (bottom, time)} <= self.values.keys():
            raise Worthless(key)
        if key not in self.moved:
            shape = np.shape(self.values[bottom, time])
            columns = []
            for place in range(int(np.prod(shape))):
                run = Run(self.seed, (bottom, time, use, place))
                self.model.run(run)
                columns.append(np.imag(run.values[top, when]).ravel() / TINY)
            self.moved[key] = np.reshape(columns, (*shape, -1))
        return self.moved[key]

    def _derivative(self, top: Letter, bottom: Letter, use: int | None, at: dict[str, int]) -> Array:
        above, below = name_of(top, self.labels), name_of(bottom, self.labels)
        when = NOW + (above.time or 0)
        is_parameter = (below.full, None) in self.values
        time = None if is_parameter else NOW + (below.time or 0)
        if is_parameter and below.time is not None:
            raise Worthless(bottom)
        moved = self._moved(above.full, when, below.full, time, when if use is None else NOW + use)
        outer = [n for n in np.shape(self.values[above.full, when]) if n != 1]
        inner = [n for n in moved.shape[:-1] if n != 1]
        if above.indices or below.indices:
            if len(above.indices) != len(outer) or len(below.indices) != len(inner):
                raise Worthless(top)
            places = [at[letter] for letter in (*below.indices, *above.indices)]
            return moved.reshape(*inner, *outer)[tuple(places)]
        if not outer:
            return moved[..., 0]
        if len(outer) == len(inner) == 1:
            # As it is multiplied: a row by what follows it, a column by what stands before it.
            jacobian = moved.reshape(*inner, *outer)
            return jacobian.T if self.model.row != self.flipped else jacobian
        raise Worthless(top)


def _added(a: Array, b: Array) -> Array:
    if isinstance(a, float) or isinstance(b, float) or np.shape(a) == np.shape(b):
        return a + b
    raise Worthless("a sum of two shapes")


def _product(a: Array, b: Array) -> Array:
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return a * b
    if a.shape == b.shape and 1 in a.shape:
        # Vectors side by side, as in h (1 − h): there is no other product of them.
        return a * b
    if a.shape[1] != b.shape[0]:
        raise Worthless("inner sizes differ")
    return a @ b


def _elementwise(a: Array, b: Array) -> Array:
    if np.shape(a) != np.shape(b):
        raise Worthless("sizes differ")
    return a * b


def _grouped(
    values: list[Array], signs: list[str], joining: str, operation: Callable[[Array, Array], Array]
) -> tuple[list[Array], list[str]]:
    """With the factors together between which the joining sign stands."""
    grouped, between = [values[0]], []
    for value, sign in zip(values[1:], signs, strict=True):
        if (sign == "∘") == (joining == "∘"):
            grouped[-1] = operation(grouped[-1], value)
        else:
            grouped.append(value)
            between.append(sign)
    return grouped, between


def _children(node: Written) -> list[Written]:
    """The parts that have a value, and names in derivatives; no scripts."""
    match node:
        case Bracketed(inner=inner):
            return [inner]
        case Chain(factors=parts) | Terms(terms=parts) | Call(arguments=parts):
            return list(parts)
        case Fraction(top, bottom):
            return [top, bottom]
        case Differential(top=top, bottom=bottom) if top is not None:
            return [top, bottom]
        case At(inner=inner):
            return [inner]
        case Big(body=body):
            return [body]
    return []


def _parts(node: Written) -> Iterator[Written]:
    if not (isinstance(node, Letter) and node.name == "delta" and len(name_of(node).indices) == 2):
        yield node
    for part in _children(node):
        yield from _parts(part)


def _kroneckers(node: Written) -> Iterator[tuple[str, str]]:
    if isinstance(node, Letter) and node.name == "delta":
        indices = name_of(node).indices
        if len(indices) == 2:
            yield indices[0], indices[1]
    for part in _children(node):
        yield from _kroneckers(part)


POINTS = (11, 12)


@dataclass
class Truth:
    """Whether formulas say the same, by their numbers at several points and in every order of binding."""

    model: Model

    def __post_init__(self) -> None:
        self.points = [Numbers(self.model, seed) for seed in POINTS]

    def value(
        self, formula: Written, letters: tuple[str, ...], binding: str = "even", flipped: bool = False
    ) -> list[Array]:
        found = []
        for point in self.points:
            point.binding, point.flipped = binding, flipped
            found.append(point.value(formula, letters))
        return found

    def equal(self, truth: list[Array], formula: Written, letters: tuple[str, ...]) -> bool:
        """Whether it has these values in one order of binding and one layout of Jacobians."""
        for binding, flipped in product(("even", "loose", "tight"), (False, True)):
            try:
                values = self.value(formula, letters, binding, flipped)
            except Worthless:
                continue
            if all(_same(a, b) for a, b in zip(truth, values, strict=True)):
                return True
        return False


def _same(a: Array, b: Array) -> bool:
    return np.shape(a) == np.shape(b) and bool(np.all(np.abs(a - b) <= 1e-9 * max(1e-12, np.abs(a).max())))
