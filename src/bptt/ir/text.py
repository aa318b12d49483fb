"""A program as a listing that a person can follow: equations, in blocks, with shapes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from bptt.ir.build import is_const
from bptt.ir.dims import Shape
from bptt.ir.expr import Expr
from bptt.ir.ops import LEAVES, Op
from bptt.ir.program import Block, Kind, Program
from bptt.ir.traversal import topological

# Binding strengths, loosest first: sums, products element by element, signs, products of linear algebra,
# the rest.
SUM, PRODUCT, SIGN, MATMUL, ATOM = range(5)
CARRIED_BACK = "⁺"  # marks the part of a derivative that comes from later steps

Shown = tuple[str, int]
Show = Callable[[Expr, int], str]


def show_program(program: Program) -> str:
    """The blocks of a program, each with its title and its equations in the order of computation."""
    return "\n\n".join("\n".join(_show_block(block, program)) for block in program.blocks)


def show_expr(e: Expr, named: dict[Expr, str] | None = None) -> str:
    """An expression on one line; expressions in `named` are shown by their name."""
    names = named or {}

    def show(e: Expr, outer: int) -> str:
        if e in names:
            return names[e]
        text, strength = NOTATION[e.op](e, show)
        return f"({text})" if strength < outer else text

    return show(e, SUM)


def _show_block(block: Block, program: Program) -> Iterator[str]:
    yield f"{_headline(block)}:"
    lines = [(name, "+=", e) for name, e in block.sums]
    shared = _shared(block, program)
    named = {e: name for name, e in block.outputs}
    for c in block.carries:
        if c.update.op not in LEAVES and not block.reverse:
            named.setdefault(c.update, c.name)
    for e, name in shared.items():
        named.setdefault(e, name)
    body = [(name, "=", e) for e, name in named.items()]
    order = {e: number for number, e in enumerate(topological(block.roots()))}
    body.sort(key=lambda line: order[line[2]])
    # What is handed on to the next step of the loop, where it has no name of its own.
    handed = CARRIED_BACK if block.reverse else ""
    body += [
        (c.name + handed, "←", c.update) for c in block.carries if named.get(c.update) != c.name + handed
    ]
    body += lines
    width = max((len(name) for name, _, _ in body), default=0)
    for name, sign, e in body:
        if sign == "=":
            own = {other: text for other, text in named.items() if other is not e}
        else:
            own = named
        text = f"    {name:<{width}} {sign:<2} {show_expr(e, own)}"
        yield f"{text:<64}  {_shape(e.shape, block, sign)}".rstrip()


def _shape(shape: Shape, block: Block, sign: str) -> str:
    dims = ", ".join(map(str, shape))
    lead = {Kind.ONCE: "", Kind.MAP: "T, B", Kind.SCAN: "B"}[block.kind] if sign != "+=" else ""
    return "(" + ", ".join(part for part in (lead, dims) if part) + ")"


def _headline(block: Block) -> str:
    if block.kind is Kind.ONCE:
        return f"once, {block.title}"
    if block.kind is Kind.MAP:
        return f"for all T·B tokens, {block.title}"
    carried = ", ".join(c.name + (CARRIED_BACK if block.reverse else "") for c in block.carries)
    order = "t = T, …, 1" if block.reverse else "t = 1, …, T"
    return f"{block.title}, {order}, carrying {carried}"


def _shared(block: Block, program: Program) -> dict[Expr, str]:
    """What gets a line of its own: whatever has a user's name, and what is used twice and is not a leaf."""
    order = topological(block.roots())
    uses = Counter(a for e in order for a in dict.fromkeys(e.args))
    uses.update(block.roots())
    outputs = {e for _, e in block.outputs}
    shared: dict[Expr, str] = {}
    number = 0
    for e in order:
        if e.op in LEAVES or e in outputs:
            continue
        if e in program.names:
            shared[e] = program.names[e]
        elif uses[e] > 1:
            number += 1
            shared[e] = f"v{number}"
    return shared


def _leaf(text: Callable[[Expr], str]) -> Callable[[Expr, Show], Shown]:
    return lambda e, show: (text(e), ATOM)


def _add(e: Expr, show: Show) -> Shown:
    text = show(e.args[0], SUM)
    for a in e.args[1:]:
        text += f" - {show(a.args[0], PRODUCT)}" if a.op is Op.NEG else f" + {show(a, PRODUCT)}"
    return text, SUM


def _binary(sign: str, strength: int) -> Callable[[Expr, Show], Shown]:
    def notation(e: Expr, show: Show) -> Shown:
        a, b = e.args
        return f"{show(a, strength)} {sign} {show(b, strength + 1)}", strength

    return notation


def _contract(e: Expr, show: Show) -> Shown:
    a, b = e.args
    i, j = e.attr
    if len(b.shape) == 1:
        return f"{show(a, MATMUL)} @ {show(b, ATOM)}.T", MATMUL
    left = f"{show(a, ATOM)}.T" if len(a.shape) == 2 and i == 0 else show(a, MATMUL)
    right = f"{show(b, ATOM)}.T" if j == 1 else show(b, ATOM)
    return f"{left} @ {right}", MATMUL


def _outer(e: Expr, show: Show) -> Shown:
    a, b = e.args
    return f"{show(a, ATOM)}.T @ {show(b, ATOM)}", MATMUL


def _call(name: str) -> Callable[[Expr, Show], Shown]:
    return lambda e, show: (f"{name}({', '.join(show(a, SUM) for a in e.args)})", ATOM)


def _number(e: Expr) -> str:
    return f"{e.attr:g}"


def _scatter(e: Expr, show: Show) -> Shown:
    token, vector = e.args
    row = "row" if e.attr == 0 else "column"
    return f"{show(vector, PRODUCT)} in {row} {show(token, ATOM)}", SUM


def _broadcast(e: Expr, show: Show) -> Shown:
    if is_const(e.args[0], 0.0):
        return "0", ATOM
    return f"{show(e.args[0], ATOM)}", ATOM


def _slice(e: Expr, show: Show) -> Shown:
    axis, start, stop = e.attr
    before = ":, " * axis
    return f"{show(e.args[0], ATOM)}[{before}{start}:{stop}]", ATOM


NOTATION: dict[Op, Callable[[Expr, Show], Shown]] = {
    Op.PARAM: _leaf(lambda e: str(e.attr)),
    Op.TOKEN: _leaf(lambda e: str(e.attr)),
    Op.INPUT: _leaf(lambda e: str(e.attr)),
    Op.CARRY: _leaf(lambda e: _entering(e.attr)),
    Op.VALUE: _leaf(lambda e: str(e.attr)),
    Op.CONST: _leaf(_number),
    Op.SIZE: _leaf(lambda e: f"size {e.attr}"),
    Op.MASK: _leaf(lambda e: f"mask{e.attr[0]}"),
    Op.ADD: _add,
    Op.MUL: _binary("*", PRODUCT),
    Op.DIV: _binary("/", PRODUCT),
    Op.NEG: lambda e, show: (f"-{show(e.args[0], SIGN)}", SIGN),
    Op.POW: lambda e, show: (f"{show(e.args[0], ATOM)}**{_number(e)}", MATMUL),
    Op.EXP: _call("exp"),
    Op.LOG: _call("log"),
    Op.SQRT: _call("sqrt"),
    Op.TANH: _call("tanh"),
    Op.SIGMOID: _call("sigmoid"),
    Op.RELU: _call("relu"),
    Op.STEP: _call("step"),
    Op.SOFTPLUS: _call("softplus"),
    Op.CONTRACT: _contract,
    Op.OUTER: _outer,
    Op.TRANSPOSE: lambda e, show: (f"{show(e.args[0], ATOM)}.T", ATOM),
    Op.LOOKUP: lambda e, show: (
        f"{show(e.args[0], ATOM)}[{':, ' * e.attr}{show(e.args[1], SUM)}]", ATOM
    ),
    Op.SCATTER: _scatter,
    Op.SUM: _call("sum"),
    Op.BROADCAST: _broadcast,
    Op.SOFTMAX: _call("softmax"),
    Op.LOG_SOFTMAX: _call("log_softmax"),
    Op.LOGSUMEXP: _call("logsumexp"),
    Op.CROSS_ENTROPY: _call("cross_entropy"),
    Op.CONCAT: lambda e, show: (f"[{', '.join(show(a, SUM) for a in e.args)}]", ATOM),
    Op.SLICE: _slice,
}  # fmt: skip


def _entering(name: str) -> str:
    """`h[t-1]` for the carry `h`, `h[t-2]` for `h@2`; `∂h⁺` for what the later steps carry back to h."""
    if name.startswith("∂"):
        return name + CARRIED_BACK
    variable, _, lag = name.partition("@")
    return f"{variable}[t-{lag or 1}]"
