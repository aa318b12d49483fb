"""A drawing of what is computed from what, in SVG; colours and strokes are the page's (style.py)."""

from __future__ import annotations

from dataclasses import replace
from html import escape

from bptt.formula.tree import Symbol
from bptt.render import unicode
from bptt.render.layers import HEIGHT, Place, Route, lay_out
from bptt.render.marks import Digits, Known, Letter, Line, Mark, Script, Word, width
from bptt.render.mathml import symbol
from bptt.render.page import Graph
from bptt.render.typeset import typeset

_EM = 17.0
_PADDING = 12.0
_HEAD = 7.0
# How round the corners of a node are, by its kind.
_CORNERS = {"input": HEIGHT / 2, "parameter": 0.0, "value": 7.0, "state": 7.0, "objective": HEIGHT / 2}


def draw(graph: Graph) -> str:
    """An `svg` element. What is learnt stands just before what it is used for."""
    marks = {key: typeset(replace(node, time=None), timed=True) for key, node, _ in graph.nodes}
    widths = {key: max(width(mark) * _EM + 2 * _PADDING, HEIGHT) for key, mark in marks.items()}
    free = frozenset(key for key, _, kind in graph.nodes if kind in ("input", "parameter"))
    layout = lay_out(widths, graph.edges, free)
    nodes = [
        _node(layout.places[key], mark, kind)
        for (key, mark), (_, _, kind) in zip(marks.items(), graph.nodes, strict=True)
    ]
    edges = [_edge(route) for route in layout.routes]
    right, bottom = f"{layout.width:.0f}", f"{layout.height:.0f}"
    size = f'viewBox="0 0 {right} {bottom}" width="{right}" height="{bottom}"'
    label = escape(describe(graph))
    return (
        f'<svg class="graph" role="img" {size}><title>{label}</title>{"".join(edges)}{"".join(nodes)}</svg>'
    )


def describe(graph: Graph) -> str:
    """The graph in words, for those who do not see it."""
    names = {key: unicode.show(replace(node, time=None)) for key, node, _ in graph.nodes}
    parts = []
    for key, name in names.items():
        sources = [
            names[source] + (" of the step before" if later else "")
            for source, target, later in graph.edges
            if target == key
        ]
        if sources:
            parts.append(f"{name} from {', '.join(sources)}")
    return "; ".join(parts)


def _node(place: Place, mark: Mark, kind: str) -> str:
    x, y = place.x - place.width / 2, place.y - HEIGHT / 2
    box = f'x="{x:.1f}" y="{y:.1f}" width="{place.width:.1f}" height="{HEIGHT:.0f}" rx="{_CORNERS[kind]:.0f}"'
    label = f'<text x="{place.x:.1f}" y="{place.y + 5:.1f}" text-anchor="middle">{_label(mark)}</text>'
    known = f" {symbol(mark.key)}" if isinstance(mark, Known) else ""
    return f'<g class="{escape(kind)}"{known}><rect {box}/>{label}</g>'


def _label(mark: Mark) -> str:
    match mark:
        case Letter():
            return f'<tspan class="letter">{escape(unicode.show(Symbol(mark.name + mark.accent)))}</tspan>'
        case Word(text) | Digits(text):
            return f"<tspan>{escape(text)}</tspan>"
        case Line(items):
            return "".join(map(_label, items))
        case Known(body=body):
            return _label(body)
        case Script(base, below, above):
            text = _label(base)
            for part, shift in ((above, -6), (below, 5)):
                if part is not None:
                    text += f'<tspan class="script" dy="{shift}">{_label(part)}</tspan>'
                    # A part of no width brings the line back to where it was.
                    text += f'<tspan dy="{-shift}">\u200b</tspan>'
            return text
        case _:
            raise TypeError(f"not the mark of a symbol: {mark!r}")


def _edge(route: Route) -> str:
    (x, y), *rest = route.points
    path = f"M{x:.1f} {y:.1f}" + "".join(
        "C" + " ".join(f"{x:.1f} {y:.1f}" for x, y in rest[place : place + 3])
        for place in range(0, len(rest), 3)
    )
    end_x, end_y = route.points[-1]
    head = f"M{end_x:.1f} {end_y:.1f}l{-_HEAD} {_HEAD / 2}v{-_HEAD}z"
    kind = "edge later" if route.later else "edge"
    return f'<path class="{kind}" d="{path}"/><path class="head" d="{head}"/>'
