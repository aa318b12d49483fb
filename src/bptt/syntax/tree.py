"""The surface tree: equations as they were written, with the place of every part.

It remembers spelling and spans; what the equations mean (shapes, recurrences, parameters) is found out by
`lowering`.
Two trees are equal where their structure is: spans do not take part in comparison.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bptt.source import Source, Span

# Binary operators by how tightly they bind, loosest first; `**` is the only one that associates to the right.
BINARY_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, "@": 3, "**": 5}
NEGATION_PRECEDENCE = 4
# `JUXTAPOSED` is the product that LaTeX writes by setting factors side by side (or with \cdot): the shapes
# decide whether it is `@` or, where a factor is a scalar, `*`. The equation language writes it `×`.
JUXTAPOSED = "juxtaposed"

FUNCTIONS = (
    "sigmoid", "tanh", "relu", "softplus", "exp", "log", "sqrt",
    "softmax", "log_softmax", "sum", "mean", "dropout",
)  # fmt: skip


@dataclass(frozen=True)
class Number:
    value: float
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Name:
    """A name at time t (`lag` 0) or `lag` steps earlier: `h[t-1]` is `Name("h", 1)`.

    A negative lag (`h[t+1]`) parses, so that lowering can say what is wrong with it.
    """

    id: str
    lag: int = 0
    span: Span = field(compare=False, repr=False, kw_only=True)


@dataclass(frozen=True)
class Transpose:
    operand: Expression
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Negate:
    operand: Expression
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Binary:
    """`operator` is a key of BINARY_PRECEDENCE, or JUXTAPOSED; `operator_span` is where it stands."""

    operator: str
    left: Expression
    right: Expression
    span: Span = field(compare=False, repr=False)
    operator_span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Call:
    """`function` as written (accepted spellings already replaced); unknown ones are lowering's to refuse."""

    function: str
    arguments: tuple[Expression, ...]
    span: Span = field(compare=False, repr=False)
    function_span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Concatenation:
    """`[a, b]`: the vectors one after the other."""

    items: tuple[Expression, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Part:
    """What becomes of the vector `items[place]` in `operand`, which is the vectors of these names one after
    the other. No equation of a file is written so; it is how `z = [a, b]` is understood where it says what
    a and b are.
    """

    operand: Expression
    items: tuple[str, ...]
    place: int
    span: Span = field(compare=False, repr=False)


Expression = Number | Name | Transpose | Negate | Binary | Call | Concatenation | Part


def children(expression: Expression) -> tuple[Expression, ...]:
    """The operands of an expression, from left to right."""
    match expression:
        case Number() | Name():
            return ()
        case Transpose(operand) | Negate(operand) | Part(operand):
            return (operand,)
        case Binary(_, left, right):
            return (left, right)
        case Call(_, arguments):
            return arguments
        case Concatenation(items):
            return items


@dataclass(frozen=True)
class Equation:
    """`target = value`, for every time t."""

    target: Name
    value: Expression
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class InitialState:
    """`h[0] = value`: what `h[t-1]` is at the first step."""

    target: Name
    value: Expression
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class SizeStatement:
    """One entry of `size e = 64, h = 128`."""

    name: Name
    value: int
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class ShapeStatement:
    """`H : h, h`. Each dimension is the name of a size or a number."""

    target: Name
    dimensions: tuple[Name | Number, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class OutputStatement:
    """`x[t+1] ~ p`, in LaTeX also `p(x_{t+1} = v_j | …) = p_j`: `output` is that of the next token."""

    output: Name
    span: Span = field(compare=False, repr=False)


Statement = Equation | InitialState | SizeStatement | ShapeStatement | OutputStatement


@dataclass(frozen=True)
class Document:
    """All statements of one source, in order.

    `remarks` are sentences about how something was read where the text left room (shown to the user, once).
    """

    statements: tuple[Statement, ...]
    source: Source = field(compare=False, repr=False)
    remarks: tuple[str, ...] = field(default=(), compare=False)
