"""Where the nodes of a drawing stand and how its edges run: layers from left to right.

An edge that skips layers passes each of them at a place of its own, as a node does; one that leads back runs
below all nodes. Between the layers there is nothing but edges: none runs through a node.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

HEIGHT = 30.0
GAP = 60.0  # between layers
_ROW = 16.0  # between nodes of a layer
_WAY = 18.0  # the height that an edge takes where it passes
_LOOP = 22.0  # above a node that leads to itself
_SWEEPS = 12

Point = tuple[float, float]


@dataclass
class Place:
    """A node, or where an edge passes a layer; `x` and `y` are its middle."""

    width: float
    height: float
    layer: int = 0
    x: float = 0.0
    y: float = 0.0
    before: list[Place] = field(default_factory=list)
    after: list[Place] = field(default_factory=list)


@dataclass(frozen=True)
class Route:
    """An edge: the points of a curve, a first one and three for each piece; `later` leads on in time."""

    source: str
    target: str
    points: tuple[Point, ...]
    later: bool


@dataclass(frozen=True)
class Layout:
    places: Mapping[str, Place]
    routes: Sequence[Route]
    width: float
    height: float


def lay_out(
    widths: Mapping[str, float], edges: Sequence[tuple[str, str, bool]], free: frozenset[str] = frozenset()
) -> Layout:
    """Places for nodes of these widths; those of `free` come just before what they lead to."""
    now = [(source, target) for source, target, later in edges if not later]
    depths = _depths(list(widths), now, free)
    loops = {source for source, target, _ in edges if source == target}
    places = {
        key: Place(width, HEIGHT + (2 * _LOOP if key in loops else 0), depths[key])
        for key, width in widths.items()
    }
    layers: list[list[Place]] = [[] for _ in range(max(depths.values(), default=0) + 1)]
    for place in places.values():
        layers[place.layer].append(place)
    ways = [_way(places[source], places[target], layers) for source, target, _ in edges]
    _order(layers)
    _stack(layers)
    columns = _columns(layers)
    bottom = max((place.y + place.height / 2 for place in places.values()), default=0.0)
    routes = []
    below: dict[str, float] = {}  # what leads back from one node shares its way
    for (source, target, later), way in zip(edges, ways, strict=True):
        if source == target:
            points = _loop(places[source])
        elif way:
            points = _forward(way, columns)
        else:
            if source not in below:
                bottom += _WAY
                below[source] = bottom
            points = _backward(places[source], places[target], below[source], columns)
        routes.append(Route(source, target, tuple(points), later))
    return Layout(places, routes, columns[-1][1] + GAP / 2 if columns else 0.0, bottom + _WAY / 2)


def _depths(nodes: list[str], edges: list[tuple[str, str]], free: frozenset[str]) -> dict[str, int]:
    """The length of the longest way to each node. A graph without circles is done after as many rounds."""
    depths = dict.fromkeys(nodes, 0)
    for _ in nodes:
        for source, target in edges:
            depths[target] = max(depths[target], depths[source] + 1)
        if all(depths[source] < depths[target] for source, target in edges):
            break
    for node in free:
        targets = [depths[target] for source, target in edges if source == node]
        depths[node] = max(min(targets, default=1) - 1, 0)
    return depths


def _way(source: Place, target: Place, layers: list[list[Place]]) -> list[Place]:
    """The places that an edge passes, both ends among them; none where it leads back."""
    if source.layer >= target.layer:
        return []
    way = [source]
    for layer in range(source.layer + 1, target.layer):
        passed = Place(0.0, _WAY, layer)
        layers[layer].append(passed)
        way.append(passed)
    way.append(target)
    for a, b in pairwise(way):
        a.after.append(b)
        b.before.append(a)
    return way


def _order(layers: list[list[Place]]) -> None:
    """Orders each layer by the middle of what it is joined to, forth and back, so that fewer edges cross."""
    for sweep in range(_SWEEPS):
        forth = sweep % 2 == 0
        for layer in layers if forth else reversed(layers):
            ranks = {id(place): rank for other in layers for rank, place in enumerate(other)}
            middle = {
                id(place): _mean([ranks[id(other)] for other in (place.before if forth else place.after)])
                for place in layer
            }
            layer.sort(key=lambda place: middle[id(place)] if middle[id(place)] >= 0 else ranks[id(place)])


def _mean(ranks: list[int]) -> float:
    return sum(ranks) / len(ranks) if ranks else -1.0


def _stack(layers: list[list[Place]]) -> None:
    """Heights: near to what each is joined to, in the order of the layer, without overlaps."""
    for layer in layers:
        _spread(layer, [0.0] * len(layer))
    for sweep in range(_SWEEPS):
        for layer in layers if sweep % 2 else reversed(layers):
            wanted = []
            for place in layer:
                others = place.before + place.after
                wanted.append(sum(other.y for other in others) / len(others) if others else place.y)
            _spread(layer, wanted)
    top = min((place.y - place.height / 2 for layer in layers for place in layer), default=0.0)
    for layer in layers:
        for place in layer:
            place.y -= top - _ROW


def _spread(layer: list[Place], wanted: list[float]) -> None:
    for place, y in zip(layer, wanted, strict=True):
        place.y = y
    for above, place in pairwise(layer):
        place.y = max(place.y, above.y + (above.height + place.height) / 2 + _ROW)
    if layer:
        shift = sum(y - place.y for place, y in zip(layer, wanted, strict=True)) / len(layer)
        for place in layer:
            place.y += shift


def _columns(layers: list[list[Place]]) -> list[tuple[float, float]]:
    """The left and right side of each layer; its places are put in the middle."""
    columns = []
    left = GAP / 2
    for layer in layers:
        right = left + max((place.width for place in layer), default=0.0)
        for place in layer:
            place.x = (left + right) / 2
        columns.append((left, right))
        left = right + GAP
    return columns


def _forward(way: list[Place], columns: list[tuple[float, float]]) -> list[Point]:
    points: list[Point] = [(way[0].x + way[0].width / 2, way[0].y)]
    for a, b in pairwise(way):
        start, end = columns[a.layer][1], columns[b.layer][0]
        points += _line(points[-1], (start, a.y))
        points += [(start + GAP / 2, a.y), (end - GAP / 2, b.y), (end, b.y)]
    points += _line(points[-1], (way[-1].x - way[-1].width / 2, way[-1].y))
    return points


def _backward(source: Place, target: Place, y: float, columns: list[tuple[float, float]]) -> list[Point]:
    right, left = columns[source.layer][1], columns[target.layer][0]
    points: list[Point] = [(source.x + source.width / 2, source.y)]
    points += _line(points[-1], (right, source.y))
    points += [(right + GAP / 2, source.y), (right + GAP / 2, y), (right, y)]
    points += _line(points[-1], (left, y))
    points += [(left - GAP / 2, y), (left - GAP / 2, target.y), (left, target.y)]
    points += _line(points[-1], (target.x - target.width / 2, target.y))
    return points


def _loop(place: Place) -> list[Point]:
    """Out at the right side, over the node and in at its left side."""
    side, top = place.width / 2, place.y - HEIGHT / 2 - _LOOP / 2
    right, left = place.x + side, place.x - side
    return [
        (right, place.y), (right + _LOOP, place.y), (right + _LOOP, top), (right, top),
        *_line((right, top), (left, top)),
        (left - _LOOP, top), (left - _LOOP, place.y), (left, place.y),
    ]  # fmt: skip


def _line(start: Point, end: Point) -> list[Point]:
    """A straight piece, as the three further points of a curve; nothing where it has no length."""
    if start == end:
        return []
    return [start, end, end]
