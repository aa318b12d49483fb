"""The functions of the language, what they take, and the operations that they are."""

from __future__ import annotations

from bptt.errors import EquationError
from bptt.ir.ops import Op
from bptt.lowering.names import Scope, nearest
from bptt.lowering.surface import number, postorder
from bptt.syntax.tree import FUNCTIONS, Binary, Call

# Functions that act on each element, and those that need a whole vector.
ELEMENTWISE = {
    "sigmoid": Op.SIGMOID,
    "tanh": Op.TANH,
    "relu": Op.RELU,
    "softplus": Op.SOFTPLUS,
    "exp": Op.EXP,
    "log": Op.LOG,
    "sqrt": Op.SQRT,
}
OF_VECTORS = {"softmax": Op.SOFTMAX, "log_softmax": Op.LOG_SOFTMAX}
ARITY = {name: 2 if name == "dropout" else 1 for name in FUNCTIONS}


def check_calls(scope: Scope) -> None:
    """Raise for an unknown function, for arguments that it cannot take, for an exponent that is no number."""
    for e in scope.expressions():
        for node in postorder(e):
            if isinstance(node, Call):
                _check_call(node, scope)
            elif isinstance(node, Binary) and node.operator == "**" and number(node.right) is None:
                raise EquationError.at(
                    node.right.span,
                    "an exponent has to be a number",
                    hint="exp(b * log(a)) is a to the power of b",
                )


def _check_call(call: Call, scope: Scope) -> None:
    name = call.function
    if name not in ARITY:
        if name in scope.definitions or name in scope.params:
            hint = f"{name} is a value: write {name} * (…) or {name} @ (…) for a product"
        else:
            hint = nearest(name, ARITY) or "there are " + ", ".join(FUNCTIONS)
        raise EquationError.at(call.function_span, f"unknown function {name}", hint=hint)
    if len(call.arguments) != ARITY[name]:
        takes = "dropout takes a value and a rate" if name == "dropout" else f"{name} takes one argument"
        raise EquationError.at(
            call.span,
            f"{takes}, not {len(call.arguments)}",
            hint="write dropout(h, 0.1)" if name == "dropout" else f"write {name}(…) around one expression",
        )
    if name == "dropout":
        rate = number(call.arguments[1])
        if rate is None or not 0 <= rate < 1:
            raise EquationError.at(
                call.arguments[1].span,
                "the rate of dropout has to be a number from 0 to below 1",
                hint="write dropout(h, 0.1)",
            )
