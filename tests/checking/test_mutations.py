"""Single errors in right derivations are found, none passes for right, and nearly all are mended rightly.

An error is found if its claim is called wrong. It is rightly mended if the mend has the value of the right
formula, and is one change of the error's kind, or of a kind that is as small (`mutants.EQUALLY`).
"""

from __future__ import annotations

from collections import Counter

import pytest

from bptt.checking.statements import read
from bptt.source import Source
from checking.mutants import PLANTERS, Right, Verdict, derivation, judged, mutants
from checking.truths import MODELS
from checking.writing import latex

FOUND, MENDED = 0.97, 0.90
documents = pytest.mark.parametrize("name", MODELS)


@documents
def test_everything_is_right(name: str) -> None:
    """By the check, and by numbers that owe nothing to it."""
    of = derivation(name)
    assert all(claim.verdict == "correct" for claim in of.claims)
    assert len(of.rights()) == len(of.claims) >= 8
    for right in of.rights():
        assert of.truth.equal(of.value(right), right.formula, right.letters), latex(right.formula)


@documents
def test_what_is_written_is_read_again(name: str) -> None:
    of = derivation(name)
    for right in of.rights():
        source = Source(name, of.with_formula(right, right.formula))
        links = [link for statement in read(source).statements for link in statement.links]
        assert right.formula in [link.right for link in links], latex(right.formula)


def said_of(kind: str, number: int) -> list[Verdict]:
    return [judged(mutant) for mutant in mutants(kind, number)]


def share_found(verdicts: list[Verdict]) -> float:
    return sum(verdict.outcome == "wrong" for verdict in verdicts) / len(verdicts)


def share_mended(verdicts: list[Verdict]) -> float:
    return sum(verdict.is_mended for verdict in verdicts) / len(verdicts)


def check(verdicts: list[Verdict]) -> None:
    outcomes = Counter(verdict.outcome for verdict in verdicts)
    accepted = [told(v) for v in verdicts if v.outcome in ("correct", "convention")]
    assert not accepted, accepted
    assert share_found(verdicts) >= FOUND, (outcomes, [told(v) for v in verdicts if v.outcome != "wrong"])
    assert share_mended(verdicts) >= MENDED, [told(v) for v in verdicts if not v.is_mended]
    spoilt = [told(v) for v in verdicts if v.others_wrong]
    assert not spoilt, spoilt


def told(verdict: Verdict) -> tuple[str, ...]:
    right: Right = verdict.mutant.right
    claim = verdict.claim
    said = (claim.kind, claim.mend) if claim is not None else ()
    return verdict.mutant.kind, right.document, latex(right.formula), verdict.mutant.latex, *said


def test_errors_of_every_kind() -> None:
    verdicts = {kind: said_of(kind, 8) for kind in PLANTERS}
    assert all(len(found) == 8 for found in verdicts.values())
    check([verdict for found in verdicts.values() for verdict in found])
    poorly = {kind: share_found(found) for kind, found in verdicts.items() if share_found(found) < 0.85}
    assert not poorly, poorly


@pytest.mark.slow
def test_more_errors() -> None:
    check([verdict for kind in PLANTERS for verdict in said_of(kind, 20)])
