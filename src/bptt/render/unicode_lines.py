"""A formula on as many lines as it takes: broken at operators, matrices drawn, shapes below the factors."""

from __future__ import annotations

from collections.abc import Iterator

from bptt.formula.shapes import NonConforming, Undefined, shape_of
from bptt.formula.tree import Formula, Number
from bptt.ir.dims import Dim
from bptt.render import unicode_names as names
from bptt.render.boxes import Box, beside, in_brackets, labelled, matrix, text_box
from bptt.render.unicode import BEFORE_TERM, Break, Factor, Item, Matrix, Run, run

_CLOSING = {"(": ")", "[": "]"}
# A line that begins with + or − has it below the sign of the equation; other lines are indented.
_UNDER_THE_SIGN = -2
_STEP = 2


def lines(formula: Formula, columns: int, layout: str = "") -> list[tuple[int, Box]]:
    """The formula in lines of at most so many columns, where it can be broken, each with its indent.

    The indent is -2 for what stands below the sign. With a `layout` every factor has its shape below it.
    """
    return [(indent, line_box(items, layout)) for indent, items in _broken(run(formula), columns, layout)]


def box(formula: Formula, layout: str = "") -> Box:
    """The formula without a break."""
    return line_box(run(formula), layout)


def line_box(items: Run, layout: str = "") -> Box:
    """The items beside each other; brackets are as high as what is in them."""
    inner: list[Box] = []
    opening: list[tuple[str, list[Box]]] = []
    for item in items:
        if isinstance(item, str) and item in _CLOSING:
            opening.append((item, inner))
            inner = []
        elif opening and item == _CLOSING[opening[-1][0]]:
            sign, outer = opening.pop()
            inner = [*outer, in_brackets(sign, beside(inner), _CLOSING[sign])]
        else:
            inner += [_item_box(item, layout)]
    for sign, outer in reversed(opening):  # closed on a later line
        inner = [*outer, text_box(sign), *inner]
    return beside(inner)


def shape_text(formula: Formula, layout: str) -> str:
    """The shape as (1×h); empty for a plain number and where the parts do not fit together."""
    if isinstance(formula, Number):
        return ""
    try:
        rows, columns = shape_of(formula, layout)
    except (NonConforming, Undefined):
        return ""
    return f"({_dim(rows)}×{_dim(columns)})"


def _dim(dim: Dim) -> str:
    text = names.dim(dim)
    return f"({text})" if "+" in text or "-" in text else text


def _item_box(item: Item, layout: str) -> Box:
    match item:
        case str():
            return text_box(item)
        case Break():
            return text_box("")
        case Factor(formula, inner):
            drawn = line_box(inner)
            return labelled(drawn, shape_text(formula, layout)) if layout else drawn
        case Matrix(rows, numbers):
            return matrix([[line_box(cell) for cell in row] for row in rows], on_the_point=numbers)


def _broken(
    items: Run, columns: int, layout: str, depth: int = 0, start: int = 0
) -> Iterator[tuple[int, Run]]:
    """Lines with their indents, broken at the places of the lowest rank, then at others if need be.

    The first line is indented by `start`; `depth` is how often what this is a part of was broken.
    """

    def fits(line: Run, indent: int) -> bool:
        return line_box(_stripped(line), layout).width <= columns - max(indent, 0)

    ranks = [item.rank for item in items if isinstance(item, Break)]
    if not ranks and any(isinstance(item, Factor) for item in items) and not fits(items, start):
        yield from _broken(_opened(items), columns, layout, depth, start)
        return
    if not ranks or fits(items, start):
        yield start, _stripped(items)
        return
    rank = min(ranks)
    line, *rest = _split(items, rank)
    indent = start
    for part in rest:
        if fits((*line, *part), indent):
            line += part
        else:
            yield from _broken(line, columns, layout, depth + 1, indent)
            is_term = depth == 0 and rank == BEFORE_TERM
            line, indent = part, _UNDER_THE_SIGN if is_term else _STEP * max(depth, 1)
    yield from _broken(line, columns, layout, depth + 1, indent)


def _split(items: Run, rank: int) -> list[Run]:
    parts: list[Run] = [()]
    for item in items:
        if isinstance(item, Break) and item.rank == rank:
            parts.append(())
        else:
            parts[-1] += (item,)
    return parts


def _stripped(items: Run) -> Run:
    return items[:-1] if items[-1] == " " else items


def _opened(items: Run) -> Run:
    """The insides of the factors, for what is too wide for a line even by itself."""
    return tuple(part for item in items for part in (item.run if isinstance(item, Factor) else (item,)))
