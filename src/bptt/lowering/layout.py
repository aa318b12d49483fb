"""How a file writes vectors: as rows, `x @ L`, or as columns, `W @ x`."""

from __future__ import annotations

from bptt.errors import EquationError, Label
from bptt.lowering.names import Scope
from bptt.lowering.surface import names, postorder
from bptt.source import Span
from bptt.syntax.tree import JUXTAPOSED, Binary, Call, Expression, Name, Negate, Number, Transpose, children

ROW, COLUMN = "row", "column"


def find_layout(scope: Scope) -> str:
    """The layout that products show: a value times parameters is a row, parameters times a value a column.

    A file that shows neither has rows. Raises EquationError, which points at both places, if it shows both.
    """
    first: dict[str, Span] = {}
    for equation in scope.definitions.values():
        for node in postorder(equation.value):
            if isinstance(node, Binary) and node.operator in ("@", JUXTAPOSED):
                evidence = _evidence(node, scope)
                if evidence is not None:
                    first.setdefault(*evidence)
    if len(first) == 2:
        label = {ROW: "row vector on the left", COLUMN: "column vector on the right"}
        earlier, later = sorted(first, key=lambda layout: first[layout].start)
        raise EquationError.at(
            first[later],
            "row and column vectors are mixed",
            label=label[later],
            more=[Label(first[earlier], label[earlier])],
            hint="write all vectors as rows (h @ W) or all as columns (W @ h); .T turns one into the other",
        )
    return next(iter(first), ROW)


def _evidence(product: Binary, scope: Scope) -> tuple[str, Span] | None:
    """The layout that a product shows, and the place of its vector."""
    left, right = product.left, product.right
    match left, right:
        # The product of two vectors that makes a number.
        case Transpose(Name(id=name)), _ if scope.ranks.get(name) == 1 and is_value(right, scope):
            return COLUMN, right.span
        case _, Transpose(Name(id=name)) if scope.ranks.get(name) == 1 and is_value(left, scope):
            return ROW, left.span
    match _rank(left, scope), _rank(right, scope):
        case 1, 2:
            return ROW, left.span
        case 2, 1:
            return COLUMN, right.span
    if any(isinstance(e, Transpose) or _is_scalar(e, scope) for e in (left, right)):
        return None
    match is_value(left, scope), is_value(right, scope):
        case True, False:
            return ROW, left.span
        case False, True:
            return COLUMN, right.span
        case _:
            return None


def _rank(e: Expression, scope: Scope) -> int | None:
    """The rank of a name, where that is known, and of a matrix also where it is transposed."""
    match e:
        case Name(id=name):
            return scope.ranks.get(name)
        case Transpose(Name(id=name)) if scope.ranks.get(name) == 2:
            return 2
        case _:
            return None


def is_value(e: Expression, scope: Scope) -> bool:
    """Whether an expression depends on tokens or on the past, not on parameters alone."""
    return any(n.lag or n.id in scope.tokens or n.id in scope.varying for n in names(e))


def _is_scalar(e: Expression, scope: Scope) -> bool:
    """Whether an expression is seen to be a scalar without knowing any sizes."""
    known: dict[int, bool] = {}
    for node in postorder(e):
        match node:
            case Number():
                scalar = True
            case Name():
                stated = scope.shapes.get(node.id)
                scalar = (
                    node.id in scope.named_sizes
                    or scope.ranks.get(node.id) == 0
                    or (
                        stated is not None
                        and all(isinstance(d, Number) and d.value == 1 for d in stated.dimensions)
                    )
                )
            case Call(function="sum" | "mean"):
                scalar = True
            case Negate() | Binary() | Call():
                scalar = all(known[id(part)] for part in children(node))
            case _:
                scalar = False
        known[id(node)] = scalar
    return known[id(e)]
