"""The usual ways to write the cross-entropy in LaTeX, as the sum over a vector that they mean."""

from __future__ import annotations

from bptt.errors import EquationError
from bptt.source import Span
from bptt.syntax.tree import JUXTAPOSED, Binary, Call, Expression, Name, Negate

CROSS_ENTROPY = ("CE", "CrossEntropy")


def cross_entropy(call: Call) -> Expression:
    r"""`\text{CE}(y, p)` or `\text{CE}(p, y)` written out: -sum(y * log(p))."""
    names = [argument.id if isinstance(argument, Name) else "" for argument in call.arguments]
    if len(names) != 2 or "y" not in names:
        message = "the cross-entropy is that of `y` and a distribution"
        raise EquationError.at(call.span, message, hint="write `CE(y, p)`")
    label = call.arguments[names.index("y")]
    distribution = call.arguments[1 - names.index("y")]
    log = Call("log", (distribution,), distribution.span, call.function_span)
    product = Binary("*", label, log, call.span, call.function_span)
    return Negate(Call("sum", (product,), call.span, call.function_span), call.span)


def summed_cross_entropy(summand: Expression, sign: Span, indexed: set[str]) -> Expression | None:
    r"""The value of `\sum_i y_i \log p_i`: sum(y * log(p)); None if the summand is anything else.

    `indexed` are the names that bore the index of the sum, which begins at `sign`.
    """
    if not isinstance(summand, Binary) or summand.operator not in ("*", JUXTAPOSED):
        return None
    label, log = summand.left, summand.right
    if isinstance(label, Call):
        label, log = log, label
    if not isinstance(label, Name) or label.id not in indexed or label.lag != 0:
        return None
    if not isinstance(log, Call) or log.function != "log":
        return None
    if any(isinstance(argument, Name) and argument.id not in indexed for argument in log.arguments):
        return None
    product = Binary("*", label, log, summand.span, sign)
    return Call("sum", (product,), sign.to(summand.span), sign)
