"""A formula on as many lines as it takes: broken at operators, matrices drawn, shapes below the factors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bptt.formula.shapes import NonConforming, Undefined, shape_of
from bptt.formula.tree import Formula, Number
from bptt.ir.dims import Dim
from bptt.render import unicode_names as names
from bptt.render.boxes import (
    COLUMN_GAP,
    Box,
    beside,
    in_brackets,
    labelled,
    matrix,
    narrowed,
    stacked,
    text_box,
    width,
)
from bptt.render.unicode import BEFORE_TERM, PRODUCT, RANKS, Break, Factor, Item, Matrix, Run, row_by_row, run

_CLOSING = {"(": ")", "[": "]"}
# A line that begins with + or − has it below the sign of the equation; other lines are indented.
_SIGNS = ("+ ", "− ")
_STEP = 2
# In narrower columns than this a formula is read no more.
_LEAST_CELL = 24
_UNDER_THE_SIGN = -_STEP


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
        case Matrix(rows, numbers, widths):
            if not widths:
                return matrix([[line_box(cell) for cell in row] for row in rows], on_the_point=numbers)
            cells = [list(map(_cell, row, widths)) for row in rows]
            return matrix(cells, row_gap=any(cell.height > 1 for row in cells for cell in row))


def _cell(cell: Run, columns: int) -> Box:
    """The cell on as many lines as it takes, terms with their signs below each other."""
    whole = line_box(cell)
    if whole.width <= columns:
        return whole
    lines = _broken(cell, columns - _STEP, "")
    return stacked([beside([text_box(" " * (_STEP + indent)), line_box(line)]) for indent, line in lines])


def _broken(
    items: Run, columns: int, layout: str, depth: int = 0, start: int = 0
) -> Iterator[tuple[int, Run]]:
    """Lines with their indents, broken at the places of the lowest rank, then at others if need be.

    The first line is indented by `start`; `depth` is how often what this is a part of was broken.
    """

    def fits(line: Run, indent: int) -> bool:
        return line_box(_stripped(line), layout).width <= columns - max(indent, 0)

    if fits(items, start):
        yield start, _stripped(items)
        return
    ranks = [item.rank for item in items if isinstance(item, Break)]
    if not ranks:
        opened = _opened(items, columns - max(start, 0))
        yield from [(start, items)] if opened == items else _broken(opened, columns, layout, depth, start)
        return
    rank = min(ranks)
    is_sum, is_product = rank == BEFORE_TERM and depth == 0, rank % RANKS == PRODUCT
    line, *rest = _split(items, rank)
    indent, inner = start, start + (_STEP if items[0] in _SIGNS else 0)
    for part in rest:
        joined = (*line, *part)
        if fits(joined, indent) and not is_sum:
            line = joined
            continue
        if is_product and not fits(part, inner + _STEP):
            # Rather broken in its brackets than put on a line by itself, where it does not fit either.
            within = list(_broken(joined, columns, layout, depth + 1, indent))
            if all(fits(one, place) for place, one in within):
                yield from within[:-1]
                indent, line = within[-1]
                line = (*line, " ")
                continue
        *before, (last_indent, last) = _broken(line, columns, layout, depth + 1, indent)
        yield from before
        if is_product and fits((*last, " ", *part), last_indent):
            # Rather behind the bracket that was broken than alone.
            line, indent = (*last, " ", *part), last_indent
        else:
            yield last_indent, last
            line, indent = part, _UNDER_THE_SIGN if is_sum else inner + _STEP
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


def _opened(items: Run, space: int) -> Run:
    """What is too wide for a line by itself with the insides of its factors, else with narrower matrices."""
    if any(isinstance(item, Factor) for item in items):
        return tuple(part for item in items for part in (item.run if isinstance(item, Factor) else (item,)))
    space -= sum(width(item) for item in items if isinstance(item, str))
    return tuple(
        part for item in items for part in (_narrow(item, space) if isinstance(item, Matrix) else (item,))
    )


def _narrow(drawn: Matrix, space: int) -> Run:
    """The matrix with its widest columns narrower, or where they would be too narrow, row by row."""
    if drawn.numbers:
        return (drawn,)
    natural = [max(line_box(cell).width for cell in column) for column in zip(*drawn.rows, strict=True)]
    widths = narrowed(natural, space - 2 - COLUMN_GAP * (len(natural) - 1))
    if drawn.widths or any(one < min(whole, _LEAST_CELL) for one, whole in zip(widths, natural, strict=True)):
        return row_by_row(drawn)
    return (replace(drawn, widths=tuple(widths)),)
