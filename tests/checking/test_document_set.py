"""The set of test documents is well-formed and varied, and numbers confirm every verdict in it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from checking.documents.verify import POINTS, World, faults

DOCUMENTS = Path(__file__).parent / "documents"
PATHS = sorted(DOCUMENTS.glob("*.json"))
KINDS = {
    "sign", "transpose", "order", "shape", "index", "missing-factor", "missing-term", "missing-sum", "extra",
    "typo",
}  # fmt: skip
SET = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in PATHS}
CLAIMS = [(name, claim) for name, description in SET.items() for claim in description["claims"]]
each_document = pytest.mark.parametrize("name", SET)


def lines_of(name: str) -> list[str]:
    text = (DOCUMENTS / SET[name]["document"]).read_text(encoding="utf-8")
    return text.splitlines()


def test_every_document_has_its_verdicts() -> None:
    documents = sorted(p.name for p in DOCUMENTS.iterdir() if p.suffix in {".md", ".tex"})
    assert documents == sorted(description["document"] for description in SET.values())
    assert all(Path(description["document"]).stem == name for name, description in SET.items())


@each_document
def test_claims_stand_where_they_are_said_to(name: str) -> None:
    lines = lines_of(name)
    assert 25 <= len(lines) <= 90
    places = [(claim["line"], claim["source"]) for claim in SET[name]["claims"]]
    for (line, claimed), many in Counter(places).items():
        # As often as it is claimed: `= y - p` may stand behind two left sides of a line.
        assert lines[line - 1].count(claimed) >= many, claimed
    assert [line for line, _ in places] == sorted(line for line, _ in places)


@each_document
def test_verdicts_are_complete(name: str) -> None:
    description = SET[name]
    assert description["model"] and description["objective"] and description["verified"]
    wrong = {claim["line"]: claim["kind"] for claim in description["claims"] if claim["verdict"] == "wrong"}
    for claim in description["claims"]:
        verdict = claim["verdict"]
        assert verdict in {"correct", "convention", "wrong", "undecided"}
        assert claim["target"] and claim["why"].endswith(".")
        assert (claim["kind"] in KINDS) if verdict == "wrong" else (claim["kind"] is None)
        assert (claim["mend"] is not None) == (verdict == "wrong")
        assert (claim["convention"] is not None) == (verdict == "convention")
        assert (claim["left"] is None) == (verdict == "undecided")
        if (origin := claim["follows_from"]) is not None:
            assert origin < claim["line"] and wrong[origin] == claim["kind"]


def test_the_set_is_varied() -> None:
    verdicts = Counter(claim["verdict"] for _, claim in CLAIMS)
    assert min(verdicts[v] for v in ("convention", "wrong", "undecided")) >= 5
    kinds = Counter(c["kind"] for _, c in CLAIMS if c["verdict"] == "wrong" and c["follows_from"] is None)
    assert set(kinds) == KINDS
    assert min(kinds.values()) >= 4, kinds
    right = sum(all(c["verdict"] != "wrong" for c in d["claims"]) for d in SET.values())
    assert 0.4 <= right / len(SET) <= 0.6


def found_in(description: dict[str, Any], claims: list[dict[str, Any]]) -> list[list[list[str]]]:
    """What speaks against each verdict, point by point."""
    worlds = [World(description, point) for point in range(POINTS)]
    return [[faults(claim, world) for world in worlds] for claim in claims]


@each_document
def test_numbers_confirm_the_verdicts(name: str) -> None:
    claims = SET[name]["claims"]
    for claim, found in zip(claims, found_in(SET[name], claims), strict=True):
        assert not any(found), (claim["line"], claim["source"], found)


@each_document
def test_numbers_refuse_the_opposite(name: str) -> None:
    """Each verdict turned round is refused, so the confirmation above says something."""
    opposite = {"correct": "wrong", "convention": "correct", "wrong": "correct"}
    claims = [
        claim | {"verdict": opposite[claim["verdict"]], "mend": None}
        for claim in SET[name]["claims"]
        if claim["verdict"] in opposite
    ]
    for claim, found in zip(claims, found_in(SET[name], claims), strict=True):
        assert any(found), (claim["line"], claim["source"])
