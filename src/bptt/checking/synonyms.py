"""What documents write in several ways, in one: max(0, z) is ReLU(z), ‖v‖² the sum of the squares of v.

Only the tree is changed; every part keeps the place at which it was written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bptt.checking.written import (
    Bracketed,
    Call,
    Cases,
    Chain,
    Fraction,
    Letter,
    Listed,
    Numeral,
    Relation,
    Scripts,
    Statement,
    Terms,
    Unread,
    Written,
    mapped,
    walk,
)
from bptt.source import Span

_NONE = Scripts()
# Other names of functions.
NAMES = {
    "logistic": "sigmoid", "expit": "sigmoid", "sigm": "sigmoid", "logsig": "sigmoid", "sig": "sigmoid",
    "th": "tanh", "rect": "relu", "rectifier": "relu", "RELU": "relu", "Relu": "relu",
    "Softplus": "softplus", "heaviside": "step", "Heaviside": "step", "Step": "step", "smax": "softmax",
    "softargmax": "softmax",
}  # fmt: skip
# Words before the sign of a power: `h^{\circ 2}` is h ∘ h.
_ELEMENTWISE = frozenset({r"\circ", r"\odot", "∘", "⊙"})


def uniform(statements: list[Statement]) -> list[Statement]:
    """The statements with one way of writing for everything in the tables of this module."""
    found: dict[int, Written] = {}  # left sides that are carried on stay the same object

    def whole(node: Written) -> Written:
        return found.setdefault(id(node), mapped(node, _same_meaning))

    return [changed(statement, whole) for statement in statements]


def changed(statement: Statement, change: Callable[[Written], Written]) -> Statement:
    """The statement with both sides of every relation changed."""
    left = None if statement.left is None else change(statement.left)
    links = tuple(replace(link, right=change(link.right)) for link in statement.links)
    return replace(statement, left=left, links=links)


def applied(name: str, argument: Written, span: Span, scripts: Scripts = _NONE) -> Call:
    """The function of this name, applied."""
    return Call(Letter(name, span, face="upright"), (argument,), span, scripts)


def _same_meaning(node: Written) -> Written:
    match node:
        case Letter(scripts=Scripts(above=above)) | Bracketed(scripts=Scripts(above=above)) if any(
            isinstance(item, Chain) for item in above
        ):
            return replace(node, scripts=replace(node.scripts, above=tuple(map(_power, above))))
        case Letter(scripts=Scripts(below, above, primes)) if any(map(_primes, above)):
            # The stroke of g^{[1]'} is that of g.
            plain = tuple(
                replace(item, scripts=_NONE) if isinstance(item, Bracketed) and _primes(item) else item
                for item in above
            )
            return replace(node, scripts=Scripts(below, plain, primes + sum(map(_primes, above))))
        case Call(function=Letter(name=name) as function) if name in NAMES:
            return replace(node, function=replace(function, name=NAMES[name]))
        case Call(function=Letter(name="max", scripts=Scripts((), (), 0)), arguments=arguments):
            return _larger(node, arguments)
        case Call(function=Letter(name="sech", scripts=Scripts((), (Numeral(2.0),), 0))):
            return _slope_of_tanh(node)
        case Fraction(
            top, Call(function=Letter(name="cosh", scripts=Scripts((), (Numeral(2.0),), 0))) as call
        ):
            slope = _slope_of_tanh(call)
            one = isinstance(top, Numeral) and top.value == 1
            return slope if one else Chain((top, slope), ("∘",), node.span)
        case Bracketed(inner=Listed((left, right)), kind="⟨", scripts=Scripts((), (), 0)):
            return applied("sum", Chain((left, right), ("∘",), node.span), node.span)
        case Bracketed(kind="‖") | Bracketed(kind="|", scripts=Scripts(_, (Numeral(2.0),), 0)):
            return _norm(node)
        case Bracketed(inner=inner, kind="[" | "(", scripts=Scripts((Letter(name="+"),), (), 0)):
            return applied("relu", inner, node.span)
        case Bracketed(inner=Relation(sides=(left, right), signs=(sign,)), kind="(" | "{") if sign in (
            "<",
            ">",
            "≤",
            "≥",
        ) and Numeral(0.0, node.span) in (left, right):
            # A vector compared with 0, as in code.
            return replace(node, kind="[")
        case Cases():
            return _rectified(node)
    return node


def _primes(item: Written) -> int:
    """The strokes behind a label in brackets."""
    match item:
        case Bracketed(scripts=Scripts((), (), strokes)):
            return strokes
    return 0


def _power(item: Written) -> Written:
    match item:
        case Chain((Unread(text=text), Numeral() as number), _) if text in _ELEMENTWISE:
            return number
    return item


def _larger(node: Call, arguments: tuple[Written, ...]) -> Written:
    """max(0, z); and max(αz, z), which is z less so much of its negative part as α leaves out."""
    zero = Numeral(0.0, node.span)
    match arguments:
        case (one, other) if one == zero:
            return replace(node, function=replace(node.function, name="relu"), arguments=(other,))
        case (one, other) if other == zero:
            return replace(node, function=replace(node.function, name="relu"), arguments=(one,))
        case (Chain(factors=(slope, same)), whole) | (whole, Chain(factors=(slope, same))) if whole == same:
            if isinstance(slope, Letter | Numeral):
                return _leaky(node, slope, whole)
    return node


def _leaky(node: Call, slope: Written, argument: Written) -> Written:
    span = node.span
    opposite = Terms((argument,), ("-",), span)
    below = Chain((slope, applied("relu", opposite, span)), ("",), span)
    return Bracketed(Terms((applied("relu", argument, span), below), ("+", "-"), span), span, node.scripts)


def _slope_of_tanh(node: Call) -> Written:
    """1 - tanh²."""
    span = node.span
    square = replace(node.function, name="tanh")
    inner = Terms((Numeral(1.0, span), replace(node, function=square, scripts=_NONE)), ("+", "-"), span)
    return Bracketed(inner, span, node.scripts)


def _norm(node: Bracketed) -> Written:
    """‖v‖² is the sum of its squares, ‖v‖ the root of that; |o_k - t_k|² the square of a number."""
    below = node.scripts.below
    if below and below[0] not in (Numeral(2.0, node.span), Letter("F", node.span)):
        return node
    two = Numeral(2.0, node.span)
    squares = Bracketed(node.inner, node.span, Scripts(above=(two,)))
    if node.kind == "|" and any(isinstance(part, Letter) and part.scripts.below for part in walk(node.inner)):
        return squares
    total = applied("sum", squares, node.span)
    match node.scripts.above:
        case (Numeral(2.0),):
            return total
        case ():
            return applied("sqrt", total, node.span)
    return node


def _rectified(node: Cases) -> Written:
    """z where z > 0, else 0 (or αz): ReLU."""
    match node.rows:
        case ((kept, condition), (other, _)):
            zero = Numeral(0.0, node.span)
            positive = isinstance(condition, Relation) and (
                (condition.sides == (kept, zero) and condition.signs in ((">",), ("≥",)))
                or (condition.sides == (zero, kept) and condition.signs in (("<",), ("≤",)))
            )
            if positive and other == zero:
                return applied("relu", kept, node.span, node.scripts)
            match other:
                case Chain((Letter() | Numeral() as slope, same), ("" | "·",)) if positive and same == kept:
                    call = applied("relu", kept, node.span, node.scripts)
                    return _leaky(call, slope, kept)
    return node
