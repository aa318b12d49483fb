"""Numbers confirm the expected verdicts beside the documents. `verify.py [NAME ...]` prints what they refuse.

Every NAME.json holds the model of its document as Python statements (`equations`) over random arrays
(`given`), and for each claim its two sides, transcribed by hand (`left`, `right`, and `mended` for the right
side of the mend). Derivatives are taken by complex steps through the statements, so no rule of
differentiation takes part. All sizes differ; targets (`word`) are one-hot vectors at one point and
distributions at the others, labels (`label`) are always one-hot. What a verdict has to show:

correct      the sides are equal, in shape and in value, at every point, and not zero;
convention   they are equal up to what `relation` says: "negative" (the objective is the log-likelihood
             instead of the cross-entropy) or "transposed" (the other layout of a Jacobian);
wrong        they differ, or do not conform, at every point; with the mend they are equal. An error of
             kind "sign" in the whole is the only one that leaves the negative;
undecided    nothing to compute: what the claim is about is not said in the document.

A document that never says what J is means the cross-entropy; a derivative of the other sign is then a
convention. Where J is defined, it is an error.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
HERE = Path(__file__).parent
POINTS = 3
TINY = 1e-30


def softmax(z: Array, axis: int | None = None) -> Array:
    """Over the whole vector, or along an axis."""
    return np.exp(z) / np.exp(z).sum(axis, keepdims=axis is not None)


def hadamard(*factors: Array) -> Array:
    """Elementwise, and nothing is broadcast."""
    if len({factor.shape for factor in factors}) > 1:
        raise ValueError("shapes differ")
    return np.prod(np.array(factors), axis=0)


FUNCTIONS: dict[str, Any] = {
    "exp": np.exp, "log": np.log, "log2": np.log2, "tanh": np.tanh, "sqrt": np.sqrt,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "softmax": softmax,
    "relu": lambda z: z * (np.real(z) > 0),
    "step": lambda z: np.where(np.real(z) > 0, 1.0, 0.0),
    "had": hadamard,
    "E": np.einsum,
    "eye": np.eye, "ones": np.ones, "array": np.array, "stack": np.stack, "kron": np.kron,
    "sum": np.sum, "prod": np.prod, "range": range, "int": int, "len": len, "argmax": np.argmax,
    "v": np.ravel,                          # a row or a column, as the elements of index notation
    "diag": lambda a: np.diag(np.ravel(a)),
    "off": lambda n: 1 - np.eye(n),         # claims that hold for i ≠ k alone
    "vec": lambda a: a.reshape(-1, 1, order="F"),
    "hstack": np.hstack, "vstack": np.vstack,
}  # fmt: skip


class World:
    """The model of a document at one random point."""

    def __init__(self, description: Mapping[str, Any], point: int) -> None:
        self.equations: list[str] = description["equations"]
        rng = np.random.default_rng(point)
        self.given = {name: _drawn(rng, what, point) for name, what in description["given"].items()}

    def run(self, moved: str | None = None, step: Array | None = None) -> dict[str, Any]:
        """All names and their values; `moved` has `step` added where it is assigned."""
        names: dict[str, Any] = dict(FUNCTIONS) | self.given
        if moved is not None and moved in self.given:
            names[moved] = names[moved] + step
        for line in self.equations:
            exec(line, names)  # our own statements, from the files of this directory
            if line.partition(" = ")[0] == moved:
                names[moved] = names[moved] + step
        return names

    @cached_property
    def values(self) -> dict[str, Any]:
        return self.run()

    def derivative(self, what: str, by: str) -> Array:
        """∂what/∂by, of the axes of `what` and then those of `by`; `what` may be any expression."""
        point = np.asarray(self.values[by])
        parts = []
        for place in np.ndindex(point.shape):
            step = np.zeros(point.shape, complex)
            step[place] = 1j * TINY
            parts.append(np.imag(eval(what, self.run(by, step))) / TINY)
        parted = np.array(parts).reshape(point.shape + np.shape(parts[0]))
        return np.moveaxis(parted, range(point.ndim), range(-point.ndim, 0))

    def evaluate(self, expression: str | None) -> Array | None:
        """The value of a side; None where shapes do not conform, or where it has none."""
        if expression is None:
            return None
        jacobian: Callable[[str, str], Array] = lambda what, by: np.squeeze(self.derivative(what, by))  # noqa: E731
        try:
            return np.asarray(eval(expression, self.values | {"D": self.derivative, "jac": jacobian}))
        except (ValueError, IndexError):
            return None


def _drawn(rng: np.random.Generator, what: list[Any], point: int) -> Array:
    """`[3, 4]`, or `["word", 1, 7]`: then the longest axis sums to 1."""
    if what and isinstance(what[0], str):
        kind, *shape = what
        size, axis = max(shape), int(np.argmax(shape))
        count = int(np.prod(shape)) // size
        drawn = rng.dirichlet(np.ones(size), count)
        if kind == "label" or point == 0:
            drawn = np.eye(size)[rng.integers(0, size, count)]
        return np.moveaxis(drawn.reshape(*(n for i, n in enumerate(shape) if i != axis), size), -1, axis)
    return rng.normal(size=what)


def equal(a: Array | None, b: Array | None) -> bool:
    """Nothing is broadcast: another shape is another thing."""
    return a is not None and b is not None and a.shape == b.shape and np.allclose(a, b, rtol=1e-9, atol=1e-11)


def faults(claim: Mapping[str, Any], world: World) -> list[str]:
    """Why the expected verdict is not what the numbers say at this point."""
    if claim["verdict"] == "undecided":
        return []
    left, right = world.evaluate(claim["left"]), world.evaluate(claim["right"])
    if left is None or not np.any(np.abs(left) > 1e-9):
        return ["the left side is zero, or cannot be computed"]
    match claim["verdict"]:
        case "correct":
            return [] if equal(left, right) else ["the sides differ"]
        case "convention":
            other = {"negative": -left, "transposed": left.T}[claim["relation"]]
            return [] if equal(other, right) else ["not even up to the convention"]
        case _:
            found = ["the sides are equal"] if equal(left, right) else []
            if equal(-left, right) and claim["kind"] != "sign":
                found.append("the sign alone is wrong")
            if claim["mend"] is not None and not equal(left, world.evaluate(claim["mended"])):
                found.append("the mend is wrong")
            return found


def check(path: Path) -> list[str]:
    """What the numbers say against the verdicts of one document."""
    description = json.loads(path.read_text(encoding="utf-8"))
    found = []
    for point in range(POINTS):
        world = World(description, point)
        for claim in description["claims"]:
            found += [f"{path.stem}:{claim['line']} {claim['source']}: {f}" for f in faults(claim, world)]
    return found


if __name__ == "__main__":
    chosen = [HERE / f"{name}.json" for name in sys.argv[1:]] or sorted(HERE.glob("*.json"))
    messages = [message for path in chosen for message in check(path)]
    print("\n".join(dict.fromkeys(messages)) or f"{len(chosen)} documents: all verdicts hold")
    sys.exit(bool(messages))
