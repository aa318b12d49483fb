"""Listings: notation, brackets by precedence, and names."""

import pytest

from bptt.backends import build_program
from bptt.ir import build
from bptt.ir.expr import make
from bptt.ir.ops import Op
from bptt.ir.program import Program
from bptt.ir.text import show_expr, show_program
from cells import MODELS
from expressions import H, K, M, V, a, b, c

TOKEN = build.token("x")
h = build.carry("h", (H,))
two = build.const(2.0)

NOTATIONS = {
    "a + b - c": build.add(a(H), b(H), build.neg(c(H))),
    "a - (b + c)": build.sub(a(H), build.add(b(H), c(H))),
    "-a + b": build.add(build.neg(a(H)), b(H)),
    "a * (b + c)": build.mul(a(H), build.add(b(H), c(H))),
    "a * b * c": build.mul(build.mul(a(H), b(H)), c(H)),
    "a * (b * c)": build.mul(a(H), build.mul(b(H), c(H))),
    "a / (b / c)": build.div(a(H), build.div(b(H), c(H))),
    "a / b / c": build.div(build.div(a(H), b(H)), c(H)),
    "-(a + b)": build.neg(build.add(a(H), b(H))),
    "-(a * b)": build.neg(build.mul(a(H), b(H))),
    "(a + b)**2": build.power(build.add(a(H), b(H)), 2.0),
    "tanh(a + b)": build.apply(Op.TANH, build.add(a(H), b(H))),
    "h[t-1] @ a": build.contract(h, a(H, K), (0, 0)),
    "h[t-1] @ a.T": build.contract(h, a(K, H), (0, 1)),
    "(h[t-1] + b) @ a": build.contract(build.add(h, b(H)), a(H, K), (0, 0)),
    "a @ b.T": build.contract(a(H), b(H), (0, 0)),
    "a.T @ b": build.contract(a(K, H), b(K, M), (0, 0)),
    "a @ b": build.contract(a(H, K), b(K, M), (1, 0)),
    "(a * b) @ c": build.contract(build.mul(a(H), b(H)), c(H, K), (0, 0)),
    "a.T @ b ": build.outer(a(H), b(K)),
    "a[x]": make(Op.LOOKUP, (a(V, H), TOKEN), 0),
    "a[:, x]": make(Op.LOOKUP, (a(H, V), TOKEN), 1),
    "a in row x": make(Op.SCATTER, (TOKEN, a(H)), 0),
    "a in column x": make(Op.SCATTER, (TOKEN, a(H)), 1),
    "[a, b]": build.concat([a(H), b(K)], 0),
    "a[h:h + k]": build.part(a(H + K), 0, H, H + K),
    "a[:, h:h + k]": build.part(a(M, H + K), 1, H, H + K),
    "h[t-2]": build.carry("h@2", (H,)),
    "∂h⁺": build.carry("∂h", (H,)),
    "sum(a) / size h": build.div(build.total(a(H)), build.size(H)),
    "2 * sum(a * b)": build.mul(two, build.total(build.mul(a(H), b(H)))),
    "cross_entropy(a, x)": build.cross_entropy(a(V), TOKEN),
    "a.T": build.transpose(a(H, K)),
    "1": build.broadcast(build.const(1.0), (H,)),
    "0": build.zeros((H, K)),
    "mask3": build.mask(3, 0.5, (H,)),
}  # fmt: skip


@pytest.mark.parametrize("text", NOTATIONS)
def test_notation(text: str) -> None:
    assert show_expr(NOTATIONS[text]) == text.strip()


def test_named_expressions_are_shown_by_name() -> None:
    e = build.apply(Op.TANH, a(H))
    assert show_expr(build.mul(e, b(H)), {e: "h"}) == "h * b"


@pytest.mark.parametrize("name", MODELS)
def test_listings_name_everything_they_use(name: str) -> None:
    """Each block has a headline; each sum, value and carry a line of its own."""
    program: Program = build_program(MODELS[name], "train", resets=True)
    parts = show_program(program).split("\n\n")
    assert len(parts) == len(program.blocks)
    for block, part in zip(program.blocks, parts, strict=True):
        headline, *lines = part.splitlines()
        assert headline.endswith(":") and block.title in headline
        names = {line.split()[0] for line in lines}
        assert {n for n, _ in block.outputs} | {n for n, _ in block.sums} <= names
        assert {c.name + ("⁺" if block.reverse else "") for c in block.carries} <= names
        assert all(line.endswith(")") for line in lines)
