"""Pages in HTML: closed, self-contained, with links that lead somewhere; the drawing and its edges."""

import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bptt.render import graph, html
from bptt.render.layers import HEIGHT, Layout, Place, Point, lay_out
from bptt.render.page import Page, Section
from bptt.render.style import DOCUMENT_STYLE, SCRIPT, STYLE
from written import GRAPH, HOSTILE_PAGE, PAGE, h

PAGES = Path(__file__).parent / "pages"
VOID = {"meta"}
SVG = {"svg", "title", "g", "rect", "text", "tspan", "path"}
MATHML = {
    "math", "mrow", "mi", "mn", "mo", "mspace", "msub", "msup", "msubsup", "munder", "munderover", "mover",
    "mfrac", "msqrt", "mtable", "mtr", "mtd",
}  # fmt: skip
HTML = {
    "html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "h3", "nav", "ol", "li", "a",
    "section", "p", "div", "table", "thead", "tbody", "tr", "th", "td", "pre", "code", "details", "summary",
    "template", "script",
}  # fmt: skip


class Reader(HTMLParser):
    """Elements and their attributes in order; fails where one is not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.words.append(data)


@pytest.mark.parametrize("page", [PAGE, HOSTILE_PAGE], ids=["page", "hostile"])
@pytest.mark.parametrize("show", [html.render, html.fragment], ids=["render", "fragment"])
def test_a_page_is_closed_and_needs_nothing_else(page: Page, show: object) -> None:
    text = show(page)
    reader = Reader(text)
    assert {tag for tag, _ in reader.elements} <= HTML | MATHML | SVG
    for tag, attributes in reader.elements:
        assert not {"src", "srcset", "data", "action", "style"} & set(attributes)
        assert not any(name.startswith("on") for name in attributes)
        assert attributes.get("href", "#").startswith("#"), tag
    code = STYLE + DOCUMENT_STYLE + SCRIPT
    assert not re.search(r"https?:|//|@import|url\(|fetch|XMLHttp|import\(|innerHTML|eval", code)
    assert [tag for tag, _ in reader.elements].count("script") == 1


def test_the_page() -> None:
    """All but its style and its script."""
    page = re.search(r"<main.*</main>\n", html.render(PAGE), flags=re.DOTALL)
    assert page and page.group() == (PAGES / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", [PAGE, HOSTILE_PAGE], ids=["page", "hostile"])
def test_the_contents_lead_to_the_sections(page: Page) -> None:
    reader = Reader(html.render(page))
    places = Counter(attributes["id"] for _, attributes in reader.elements if "id" in attributes)
    assert max(places.values()) == 1
    links = [attributes["href"] for tag, attributes in reader.elements if tag == "a"]
    assert links == [f"#{section.key.replace(' ', '-')}" for section in page.sections]
    assert {link[1:] for link in links} < set(places)
    assert " " not in "".join(links)


def test_folded_sections_open_at_a_click() -> None:
    text = html.render(PAGE)
    assert text.count("<details id=") == 1
    assert '<details id="all-steps"><summary><h3>' in text
    assert '<section id="U"><h2>' in text


def test_words_are_words() -> None:
    words = "".join(Reader(html.render(HOSTILE_PAGE)).words)
    for section in HOSTILE_PAGE.sections:
        assert words.count(section.title[0]) >= 6
    assert "<script>alert" not in html.render(HOSTILE_PAGE)


def test_symbols_can_be_asked_for_what_is_known_of_them() -> None:
    reader = Reader(html.render(PAGE))
    known = {attributes["data-of"] for _, attributes in reader.elements if "data-of" in attributes}
    asked = {attributes["data-symbol"] for _, attributes in reader.elements if "data-symbol" in attributes}
    assert known == {"h", "J"}
    assert known < asked
    assert "delta^yhat" in asked


def test_links_hold_no_symbols_to_ask_for() -> None:
    nav = re.search(r"<nav.*?</nav>", html.render(PAGE), flags=re.DOTALL)
    assert nav and "<math>" in nav.group() and "data-symbol" not in nav.group()


def test_displays_and_tables_are_reached_with_the_keyboard() -> None:
    reader = Reader(html.render(PAGE))
    wide = [attributes for _, attributes in reader.elements if attributes.get("class") == "wide"]
    assert len(wide) == 6
    assert all(attributes["tabindex"] == "0" for attributes in wide)


def test_the_style_touches_nothing_around_the_page() -> None:
    """Every rule of a fragment is about what is within `.bptt`."""
    rules = re.sub(r"@media[^{]*\{", "", re.sub(r"\s+", " ", STYLE))
    selectors = [part.strip(" }") for part in re.findall(r"([^{}]*)\{", rules)]
    assert len(selectors) > 40
    assert all(part.strip().startswith(".bptt") for selector in selectors for part in _parts(selector))


def _parts(selector: str) -> list[str]:
    """The selectors of a list, whose commas within brackets do not count."""
    return re.split(r",(?![^(]*\))", selector)


def test_contrast_is_enough_in_light_and_in_dark() -> None:
    """At least 4.5 to 1 for all text on what is behind it (WCAG 2, level AA)."""
    blocks = re.findall(r"--text: [^}]*", STYLE)[:2]
    assert len(blocks) == 2
    for block in blocks:
        colours = dict(re.findall(r"--([a-z]+): (#[0-9a-f]{3,6})", block))
        for ink in ("text", "quiet", "accent"):
            for paper in ("page", "panel"):
                assert contrast(colours[ink], colours[paper]) >= 4.5, (ink, paper, colours)
        for paper in ("state", "parameter", "objective"):
            assert contrast(colours["text"], colours[paper]) >= 4.5


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_an_empty_page_is_a_page() -> None:
    text = html.render(Page("Nothing", (Section(("Empty",), "empty", ()),), "row", False))
    assert "<h1>Nothing</h1>" in text


def test_the_drawing_shows_every_node_and_edge() -> None:
    drawing = graph.draw(GRAPH)
    reader = Reader(drawing)
    kinds = Counter(attributes["class"] for tag, attributes in reader.elements if tag == "g")
    assert kinds == Counter(kind for _, _, kind in GRAPH.nodes)
    paths = Counter(attributes["class"] for tag, attributes in reader.elements if tag == "path")
    assert paths == {"edge": 8, "edge later": 2, "head": 10}
    assert "ŷ from h, U; J from ŷ, y" in drawing
    assert "h from e, H, h of the step before" in drawing


def test_labels_have_their_signs_below() -> None:
    drawing = graph.draw(GRAPH.__class__((("b", h.__class__("b1"), "parameter"),), ()))
    assert '<tspan class="letter">b</tspan><tspan class="script" dy="5"><tspan>1</tspan></tspan>' in drawing


def curve(points: tuple[Point, ...]) -> list[Point]:
    """Points along an edge, close together."""
    found = [points[0]]
    for place in range(1, len(points), 3):
        a, b, c, d = points[place - 1 : place + 3]
        for step in range(1, 41):
            t = step / 40
            pairs = [((1 - t) ** 3, a), (3 * t * (1 - t) ** 2, b), (3 * t * t * (1 - t), c), (t**3, d)]
            found.append((sum(w * x for w, (x, _) in pairs), sum(w * y for w, (_, y) in pairs)))
    return found


def check_layout(layout: Layout) -> None:
    boxes = {key: box(place) for key, place in layout.places.items()}
    for left, top, right, bottom in boxes.values():
        assert left >= 0 and top >= 0 and right <= layout.width and bottom <= layout.height
    for one, a in boxes.items():
        for other, b in boxes.items():
            apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
            assert one == other or apart, (one, other)
    for route in layout.routes:
        for x, y in curve(route.points):
            assert -1 <= x <= layout.width + 1 and -1 <= y <= layout.height + 1
            for key, (left, top, right, bottom) in boxes.items():
                inside = left + 0.5 < x < right - 0.5 and top + 0.5 < y < bottom - 0.5
                assert not inside, (route.source, route.target, key)


def box(place: Place) -> tuple[float, float, float, float]:
    return (
        place.x - place.width / 2, place.y - HEIGHT / 2, place.x + place.width / 2, place.y + HEIGHT / 2
    )  # fmt: skip


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[str, float], list[tuple[str, str, bool]], frozenset[str]]:
    """Nodes of several widths, edges forth, and edges to the next step between any two."""
    count = draw(st.integers(1, 9))
    widths = {str(n): draw(st.sampled_from([30.0, 44.0, 80.0])) for n in range(count)}
    pairs = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1))
    edges = []
    for a, b in sorted(draw(st.sets(pairs, max_size=14))):
        later = a >= b or draw(st.booleans())
        edges.append((str(a), str(b), later))
    sources = {n for n in widths if all(target != n for _, target, _ in edges)}
    return widths, edges, frozenset(draw(st.sets(st.sampled_from(sorted(sources)))) if sources else ())


@given(graphs())
def test_no_edge_runs_through_a_node(
    case: tuple[dict[str, float], list[tuple[str, str, bool]], frozenset[str]],
) -> None:
    widths, edges, free = case
    layout = lay_out(widths, edges, free)
    check_layout(layout)
    for route, (source, target, later) in zip(layout.routes, edges, strict=True):
        start, end = layout.places[source], layout.places[target]
        assert route.points[0] == (start.x + start.width / 2, start.y)
        assert route.points[-1] == (end.x - end.width / 2, end.y)
        assert later or start.layer < end.layer


def test_edges_that_need_not_cross_do_not() -> None:
    """Two chains that are listed crosswise are laid beside each other."""
    edges = [("a", "d", False), ("b", "c", False), ("c", "f", False), ("d", "e", False)]
    layout = lay_out(dict.fromkeys("abcdef", 30.0), edges)
    heights = {key: place.y for key, place in layout.places.items()}
    assert (heights["a"] < heights["b"]) == (heights["d"] < heights["c"]) == (heights["e"] < heights["f"])
