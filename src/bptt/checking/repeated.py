"""One verdict for what is said of every layer, of those that were found for each."""

from __future__ import annotations

from collections.abc import Sequence

from bptt.checking.report import Claim

MISSING = "the layers for which it holds"


def joined(claims: Sequence[Claim]) -> list[tuple[int, Claim]]:
    """The claims with one for each place, and the number of the one that it was: it holds if it holds for
    all layers for which that can be told; it is wrong if it is wrong for all of these.
    """
    places: dict[tuple[int, int], list[int]] = {}
    for number, claim in enumerate(claims):
        places.setdefault((claim.span.start, claim.span.end), []).append(number)
    return [_joined(claims, several) for several in places.values()]


def _joined(claims: Sequence[Claim], several: list[int]) -> tuple[int, Claim]:
    told = [n for n in several if claims[n].verdict != "undecided"]
    verdicts = {claims[n].verdict for n in told}
    if not told or len(several) == 1:
        return several[0], claims[several[0]]
    if len(verdicts) > 1 and "wrong" in verdicts:
        first = claims[several[0]]
        return several[0], Claim(first.span, first.target, "undecided", missing=MISSING)
    # A convention for one layer is one for all.
    number = next((n for n in told if claims[n].verdict == "convention"), told[0])
    return number, claims[number]
