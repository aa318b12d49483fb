"""The report in HTML: one file, the document's text unchanged in it, every verdict with a sign."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bptt.checking.findings import SIGNS
from bptt.checking.report import VERDICTS, Claim, Remark, Report
from bptt.checking.report_html import render
from bptt.checking.report_style import REPORT_STYLE
from bptt.source import Source
from checking.reports import NOTES, notes

EMPTY = {"meta", "br", "hr", "img", "link", "input"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    inside: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(part if isinstance(part, str) else part.text for part in self.inside)

    def all(self, tag: str = "", kind: str = "") -> list[Element]:
        own = [part for part in self.inside if isinstance(part, Element)]
        found = [
            e for e in own if tag in ("", e.tag) and kind in ("", *e.attributes.get("class", "").split())
        ]
        return [e for part in own for e in ([part] if part in found else []) + part.all(tag, kind)]


class Tree(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.root = Element("", {})
        self._open = [self.root]
        self.feed(text)
        self.close()
        assert self._open == [self.root], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].inside.append(element)
        if tag not in EMPTY:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        self._open[-1].inside.append(data)


def tree(*reports: Report) -> Element:
    return Tree(render(reports)).root


def lines(page: Element) -> list[str]:
    return [next(e for e in row.all("code")).text for row in page.all("div", "row")]


def test_the_text_is_that_of_the_document() -> None:
    assert lines(tree(notes())) == NOTES.removesuffix("\n").split("\n")


def test_claims_are_marked_and_their_notes_stand_beside_them() -> None:
    page = tree(notes())
    row = page.all("div", "row")[6]
    claim, rest = row.all("a", "claim")
    assert (claim.text, rest.text) == ("U^T", r" (y - \hat{y})")
    assert claim.attributes["class"] == "claim wrong begins" and rest.attributes["class"] == "claim wrong"
    assert [e.text for e in row.all("mark")] == ["U^T"]
    (note,) = row.all("details")
    assert claim.attributes["href"] == rest.attributes["href"] == f"#{note.attributes['id']}"
    assert note.all("summary")[0].text == "✗ wrong (order): ∂J/∂h"
    known = dict(
        zip((e.text for e in note.all("dt")), (e.text for e in note.all("dd")), strict=True)
    )  # fmt: skip
    assert "open" in note.attributes and known["mend"] == r"(y - \hat{y}) U^T"
    # What is wrong is seen at once, what is correct at a click.
    (correct,) = page.all("div", "row")[8].all("details")
    assert "open" not in correct.attributes


def test_what_is_wrong_is_listed_with_what_follows() -> None:
    page = tree(notes())
    (listed,) = page.all("nav")
    assert listed.text == "line 7, column 34 ∂J/∂h: wrong (order); from it followline 8, column 34 ∂J/∂z"
    assert tree(Report(Source("a", "b"), "", "", ())).all("nav") == []


def test_links_lead_somewhere_and_names_are_used_once() -> None:
    page = tree(notes(), notes())
    names = [e.attributes["id"] for e in page.all() if "id" in e.attributes]
    assert len(names) == len(set(names))
    targets = [e.attributes["href"] for e in page.all("a")]
    assert targets and all(target.startswith("#") and target[1:] in names for target in targets)
    first, second = page.all("section")
    own = {e.attributes["id"] for e in second.all() if "id" in e.attributes}
    assert {e.attributes["href"][1:] for e in second.all("a")} <= own
    assert first.all("h1")[0].text == "notes.md"


def test_nothing_is_loaded_from_elsewhere() -> None:
    text = render([notes()])
    assert not re.search(r"https?:|//[a-z]|@import|url\(|<link|<img|<iframe|\bsrc=", text)


@pytest.mark.parametrize("verdict", VERDICTS)
def test_no_verdict_is_told_by_its_colour_alone(verdict: str) -> None:
    page = tree(notes())
    for element in page.all("details", verdict) + page.all("li", verdict):
        assert element.all("span", "sign")[0].text == SIGNS[verdict]
    assert f'content: "{SIGNS[verdict]}"' in REPORT_STYLE
    kinds = re.findall(r"--kind: (\w+)", REPORT_STYLE)
    assert len(kinds) == len(set(kinds)) == len(VERDICTS)


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    channels = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(("place", "text"), [(0, "#1c1e21"), (1, "#e4e6ea")], ids=["light", "dark"])
@pytest.mark.parametrize("verdict", VERDICTS)
def test_text_and_signs_can_be_read_on_their_colours(verdict: str, place: int, text: str) -> None:
    back = re.findall(rf"--{verdict}: (#\w+)", REPORT_STYLE)[place]
    sign = re.findall(rf"--{verdict}-line: (#\w+)", REPORT_STYLE)[place]
    for front, least in ((text, 7), (sign, 4.5)):
        low, high = sorted((_luminance(front), _luminance(back)))
        assert (high + 0.05) / (low + 0.05) >= least


def test_hostile_text_is_text() -> None:
    hostile = "</code></pre><script>alert('x')</script><img src=x onerror=y>\"'&amp;\x00\x1b\u202e"
    source = Source(hostile, f"a {hostile} b\n")
    claim = Claim(
        source.span(2, 2 + len(hostile)), hostile, "wrong", mend=hostile, reason=hostile, reading=hostile,
        convention=hostile, missing=hostile,
    )  # fmt: skip
    found = Report(
        source, hostile, hostile, (claim, replace(claim, verdict="correct")), (Remark(hostile, (1,)),)
    )
    text = render([found])
    page = Tree(text).root
    assert len(page.all("script")) == 1 and not page.all("img")
    assert not any(name.startswith("on") for e in page.all() for name in e.attributes)
    assert not re.search("[\x00\x1b\u202e]", text)
    shown = hostile.translate(dict.fromkeys(map(ord, "\x00\x1b\u202e"), "\ufffd"))
    assert lines(page) == [f"a {shown} b"]
    assert page.all("title")[0].text == shown


def test_line_ends_of_other_systems_are_no_text() -> None:
    source = Source("a", "a\r\nb\r\n")
    assert lines(tree(Report(source, "", "", ()))) == ["a", "b"]


VERDICT = st.sampled_from(VERDICTS)


@given(st.text("ab<&\n\t é", min_size=1, max_size=60), st.data())
def test_claims_anywhere_leave_the_text_as_it_is(text: str, data: st.DataObject) -> None:
    source = Source("a.md", text)
    places = st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).map(sorted)
    claims = tuple(
        Claim(source.span(*place), "q", verdict, fault=source.span(*fault) if fault else None)
        for place, verdict, fault in data.draw(
            st.lists(st.tuples(places, VERDICT, st.none() | places), max_size=4)
        )
    )
    page = tree(Report(source, "", "", claims))
    assert lines(page) == (text.removesuffix("\n") if text != "\n" else "").split("\n")
    assert len(page.all("details")) == len(claims)


@pytest.mark.parametrize(("outer", "inner"), [("correct", "wrong"), ("wrong", "correct")])
def test_within_a_claim_the_gravest_is_shown(outer: str, inner: str) -> None:
    source = Source("a.md", "abcde\n")
    claims = (Claim(source.span(0, 5), "q", outer), Claim(source.span(1, 3), "r", inner))
    pieces = tree(Report(source, "", "", claims)).all("a", "claim")
    shown = [(p.text, p.attributes["class"].removeprefix("claim ")) for p in pieces]
    parts = [("a", "correct begins"), ("bc", "wrong begins"), ("de", "correct")]
    assert shown == (parts if inner == "wrong" else [("a", "wrong begins"), ("bc", "wrong"), ("de", "wrong")])
