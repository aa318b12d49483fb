"""Products and sums of arrays that have a letter for each of their axes, as products of matrices.

Under a sum over a letter the parts that have it meet: vectors in their dot product, a vector and a table in
a product. Of vectors that are counted the one letter is an axis, too, and the vector itself another: what
stands beside one of them multiplies all (u_wᵀ v for every w is U v).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from bptt.checking.names import Unclear
from bptt.source import Span
from bptt.syntax import tree
from bptt.syntax.tree import Expression

# Where a document says nothing else, the first of two indices of a table belongs to its rows.
Axes = tuple[str, ...]


@dataclass(frozen=True)
class Element:
    """An expression, and the letter of each of its axes: none for a number, one for a vector, two (rows,
    columns) for a matrix. `stands` is how a vector stands for each letter ("row" or "column"): the value has
    them as its rows then.
    """

    value: Expression
    axes: Axes = ()
    stands: str = ""


def added(values: list[Expression], signs: tuple[str, ...], span: Span) -> Expression:
    """Terms with their signs."""
    result: Expression | None = None
    for value, sign in zip(values, signs, strict=True):
        if sign not in ("+", "-"):
            raise Unclear(f"the sign {sign}")
        if result is not None:
            result = tree.Binary(sign, result, value, span, value.span)
        else:
            result = value if sign == "+" else tree.Negate(value, value.span)
    assert result is not None
    return result


def summed(parts: list[Element], signs: tuple[str, ...], span: Span) -> Element:
    axes = max((part.axes for part in parts), key=len)
    if any(part.axes not in (axes, ()) for part in parts) or len({part.stands for part in parts}) > 1:
        raise Unclear("terms with different indices")
    return Element(added([part.value for part in parts], signs, span), axes, parts[0].stands)


def multiplied(parts: list[Element], span: Span) -> Element:
    """Element by element; vectors of two letters make a matrix of none here."""
    result = parts[0]
    for part in parts[1:]:
        stands = result.stands or part.stands
        if (result.axes and part.axes and (result.axes != part.axes or stands)) or (
            result.stands and part.stands
        ):
            raise Unclear("a product of elements with different indices")
        value = tree.Binary("*", result.value, part.value, span, span)
        result = Element(value, result.axes or part.axes, stands)
    return result


def over(axis: str, parts: list[Element], layout: str, span: Span) -> Element:
    """The product of the parts, summed over a letter."""
    inside = [part for part in parts if axis in part.axes]
    outside = [part for part in parts if axis not in part.axes]
    counted = [part for part in inside if part.stands]
    if counted:
        return multiplied([*outside, _combined(axis, inside, counted, layout, span)], span)
    vectors = [part for part in inside if part.axes == (axis,)]
    tables = [part for part in inside if len(part.axes) == 2]
    match tables:
        case []:
            product = multiplied(vectors, span)
            value: Expression = tree.Call("sum", (product.value,), span, span)
            summed = Element(value)
        case [table] if vectors:
            summed = _applied(table, multiplied(vectors, span), axis, layout, span)
        case [first, second] if not vectors:
            left = first if first.axes[1] == axis else _turned(first, span)
            right = second if second.axes[0] == axis else _turned(second, span)
            value = tree.Binary("@", left.value, right.value, span, span)
            summed = Element(value, (left.axes[0], right.axes[1]))
        case _:
            raise Unclear("a sum of anything but products of two")
    return multiplied([*outside, summed], span)


def _applied(table: Element, vector: Element, axis: str, layout: str, span: Span) -> Element:
    """Σ_j v_j M_jk is v M, and Σ_j M_kj v_j is M v."""
    rows_meet = table.axes[0] == axis
    other = table.axes[1] if rows_meet else table.axes[0]
    as_row = layout == "row" or (not layout and rows_meet)
    if as_row:
        matrix = table if rows_meet else _turned(table, span)
        return Element(tree.Binary("@", vector.value, matrix.value, span, span), (other,))
    matrix = _turned(table, span) if rows_meet else table
    return Element(tree.Binary("@", matrix.value, vector.value, span, span), (other,))


def _combined(axis: str, inside: list[Element], counted: list[Element], layout: str, span: Span) -> Element:
    """Σ_w p_w u_w is Uᵀ p where vectors are columns, and p U where they are rows."""
    weights = [part for part in inside if not part.stands]
    if any(name[:1].isupper() and name != "P" for part in weights for name in _names(part.value)):
        # Σ_i C_i r_i: one of several matrices for each vector.
        raise Unclear("a sum of products of matrices and vectors")
    if len(counted) != 1 or not weights or any(part.axes != (axis,) for part in weights):
        raise Unclear("a sum of vectors that has no usual form")
    table, weight = counted[0], multiplied(weights, span)
    whole = _applied(Element(table.value, (axis, "")), weight, axis, layout or "column", span)
    value = whole.value if table.stands == (layout or "column") else transposed(whole.value)
    return Element(value)


def _names(e: Expression) -> Iterator[str]:
    if isinstance(e, tree.Name):
        yield e.id
    for part in tree.children(e):
        yield from _names(part)


def dotted(parts: list[Element], signs: tuple[str, ...], layout: str, span: Span) -> list[Element]:
    """The factors with those together that make one number for each vector: u_wᵀ v is U v, with an element
    for each w.
    """
    layout = layout or "column"
    for place, part in enumerate(parts):
        if not part.stands:
            continue
        # Turned it is multiplied with what stands beside it; as it is, with something that is turned.
        turned = part.stands != layout
        after, before = _wholes(parts[place + 1 :]), _wholes(parts[:place][::-1])[::-1]
        if after and ((part.stands == "row" and (turned or _has_turned(after))) or signs[place] == "·"):
            value = tree.Binary(tree.JUXTAPOSED, part.value, product(after, span).value, span, span)
            made = Element(value if layout == "column" else transposed(value), part.axes)
            return [*parts[:place], made, *parts[place + 1 + len(after) :]]
        if before and (
            (part.stands == "column" and (turned or _has_turned(before))) or signs[place - 1] == "·"
        ):
            value = tree.Binary(
                tree.JUXTAPOSED, product(before, span).value, transposed(part.value), span, span
            )
            made = Element(value if layout == "row" else transposed(value), part.axes)
            return [*parts[: place - len(before)], made, *parts[place + 1 :]]
    return parts


def _wholes(parts: list[Element]) -> list[Element]:
    """The parts up to the first that has a letter."""
    found: list[Element] = []
    for part in parts:
        if part.axes:
            break
        found.append(part)
    return found


def product(parts: list[Element], span: Span) -> Element:
    """The product of parts without letters: of matrices, or of numbers."""
    value = parts[0].value
    for part in parts[1:]:
        value = tree.Binary(tree.JUXTAPOSED, value, part.value, span, span)
    return Element(value)


def _has_turned(parts: list[Element]) -> bool:
    return any(isinstance(part.value, tree.Transpose) for part in parts)


def transposed(e: Expression) -> Expression:
    """The transpose, carried to the names in it."""
    match e:
        case tree.Transpose(operand):
            return operand
        case tree.Binary(operator="@" | tree.JUXTAPOSED, left=left, right=right):
            return replace(e, left=transposed(right), right=transposed(left))
        case _:
            return tree.Transpose(e, e.span)


def _turned(table: Element, span: Span) -> Element:
    return Element(transposed(table.value), table.axes[::-1])
