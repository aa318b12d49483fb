"""Of what J is made where a document does not say it: of the sum of the losses, or of their mean."""

from __future__ import annotations

from collections.abc import Sequence

from bptt.checking.judge import Judge
from bptt.checking.names import EQUALS
from bptt.checking.survey import is_claim
from bptt.checking.written import Statement


def settle_objective(judge: Judge, statements: Sequence[tuple[int, Statement]]) -> None:
    """Leaves that J by which most of the claims hold, for it is the same in all of them."""
    possible = judge.losses
    if len(possible) < 2:
        return
    counts = [_holding(Judge(judge.meanings, judge.worlds, (loss,)), statements) for loss in possible]
    pairs = zip(possible, counts, strict=True)
    judge.losses = tuple(loss for loss, count in pairs if count == max(counts))


def _holding(judge: Judge, statements: Sequence[tuple[int, Statement]]) -> int:
    """How many claims hold."""
    count = 0
    for _, statement in statements:
        for link in statement.links if is_claim(statement.left) else ():
            if statement.left is not None and link.sign in EQUALS:
                judged = judge.judge(statement, statement.left, link)
                count += any(not a.turned for a in judged.agreements)
    return count
