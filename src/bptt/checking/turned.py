"""Equations of matrices with an example in each row, as those of one example that stands as a column.

Z = X W + 1 bᵀ is z = Wᵀ x + b for every row; yᵀ log p is the sum of what each example has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bptt.syntax import tree
from bptt.syntax.tree import Binary, Call, Expression, Name, Negate, Transpose

PRODUCTS = frozenset({tree.JUXTAPOSED, "@"})


class Turned:
    """`stacks` are the matrices (and columns of numbers) that hold all examples. Unless vectors are `upright`
    a row stays a row, and only what is summed over the examples is written anew.
    """

    def __init__(self, stacks: frozenset[str], upright: bool) -> None:
        self.stacks, self.upright = stacks, upright

    def __call__(self, e: Expression) -> Expression:
        match e:
            case Transpose(operand=operand):
                if self._holds(operand):
                    return self(operand)
                return operand if self.upright and isinstance(operand, Name) and _is_small(operand) else e
            case Binary(operator=operator, left=left, right=right) if operator in PRODUCTS:
                return self._product(e, left, right)
            case Binary(left=left, right=right):
                return replace(e, left=self(left), right=self(right))
            case Negate(operand=operand):
                return replace(e, operand=self(operand))
            case Call(arguments=arguments):
                return replace(e, arguments=tuple(map(self, arguments)))
        return e

    def _product(self, e: Binary, left: Expression, right: Expression) -> Expression:
        ours, theirs = self._holds(left), self._holds(right)
        if ours and theirs:
            # What is multiplied and summed over the examples: one of them has its own part.
            product = replace(e, operator="*", left=self(left), right=self(right))
            numbers = all(_is_small(name) for name in _names(e) if name.id in self.stacks)
            return product if numbers else Call("sum", (product,), e.span, e.span)
        if ours and self.upright:
            turned = right.operand if isinstance(right, Transpose) else Transpose(right, right.span)
            return replace(e, left=turned, right=self(left))
        if theirs and not ours and not self.upright:
            return replace(e, right=self(right))
        if not ours and not theirs and not _is_one(left):
            return e
        return replace(e, left=self(left), right=self(right))

    def _holds(self, e: Expression) -> bool:
        return any(name.id in self.stacks for name in _names(e))


def _is_one(e: Expression) -> bool:
    return isinstance(e, tree.Number) and e.value == 1.0


def _is_small(name: Name) -> bool:
    return name.id[:1].islower()


def _names(e: Expression) -> Iterator[Name]:
    if isinstance(e, Name):
        yield e
    for part in tree.children(e):
        yield from _names(part)
