"""Earlier tokens: `x[t-1] @ W` is `u[t-1]` with `u = x @ W`, so that a small vector is carried, not a token.

Before the first step `u` is zero, as the product with a one-hot vector of nothing but zeros would be.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace

from bptt.errors import EquationError
from bptt.lowering.surface import names, rewrite
from bptt.syntax.tree import JUXTAPOSED, Binary, Equation, Expression, Name


def delay_tokens(
    definitions: dict[str, Equation], constant: Set[str], taken: Set[str]
) -> tuple[dict[str, Equation], list[str]]:
    """The definitions with every product of an earlier token replaced, and a remark for each new name.

    `constant` are the definitions made of parameters alone, `taken` the names that cannot be chosen.
    Raises EquationError for an earlier token that is used in another way.
    """
    if "x" in definitions:
        # It is no token here.
        return definitions, []
    found: dict[Expression, str] = {}
    added: dict[str, Equation] = {}
    remarks: list[str] = []

    def is_constant(e: Expression) -> bool:
        return all(
            n.lag == 0 and n.id != "x" and (n.id not in definitions or n.id in constant) for n in names(e)
        )

    def change(e: Expression) -> Expression:
        if not isinstance(e, Binary) or e.operator not in ("@", JUXTAPOSED):
            return e
        past, matrix = (e.left, e.right) if _is_past_token(e.left) else (e.right, e.left)
        if not _is_past_token(past) or not names(matrix) or not is_constant(matrix):
            return e
        assert isinstance(past, Name)
        present = replace(past, lag=0)
        product = (
            replace(e, left=present, right=matrix)
            if past is e.left
            else replace(e, left=matrix, right=present)
        )
        if product not in found:
            name = _free_name(taken | added.keys())
            found[product] = name
            added[name] = Equation(Name(name, span=e.span), product, e.span)
            remarks.append(f"{e.span.text} is read as {name}[t-{past.lag}] with {name} = {_present(e, past)}")
        return Name(found[product], past.lag, span=e.span)

    changed = {name: replace(q, value=rewrite(q.value, change)) for name, q in definitions.items()}
    for equation in changed.values():
        for name in names(equation.value):
            if _is_past_token(name):
                raise EquationError.at(
                    name.span,
                    f"{name.span.text} can only be multiplied by a matrix",
                    hint=f"name the product, u = x @ W, and use u[t-{name.lag}]",
                )
    return {**changed, **added}, remarks


def _is_past_token(e: Expression) -> bool:
    return isinstance(e, Name) and e.id == "x" and e.lag > 0


def _present(e: Binary, past: Name) -> str:
    """The product as it is written, at time t."""
    start = past.span.start - e.span.start
    text = e.span.text
    return text[:start] + "x" + text[start + len(past.span.text) :]


def _free_name(taken: Set[str]) -> str:
    number = 2
    name = "u"
    while name in taken:
        name = f"u{number}"
        number += 1
    return name
