"""How a document lays its derivatives out: with the rows of a Jacobian for what is derived (the numerator) or
for what it is derived by, with the derivative of a number lying or standing.

A document may say so; otherwise it is the layout in which most of its lines hold. What holds in another one
alone is right in that one. A row of nothing but derivatives holds in any, read as one map after the other.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

_STATED = {
    "numerator": re.compile(
        r"numerator[- ]layout|(?:a|one) row for (?:each|every) \w+ of (?:the )?(?:numerator|\$)"
        r"|rows? (?:belongs?|corresponds?) to (?:the )?numerator|Zähler-?[Ll]ayout|分子布局"
        r"|disposition (?:du|de) numérateur|disposición (?:del|de) numerador",
        re.IGNORECASE,
    ),
    "denominator": re.compile(
        r"denominator[- ]layout|Nenner-?[Ll]ayout|分母布局|disposition (?:du|de) dénominateur"
        r"|disposición (?:del|de) denominador",
        re.IGNORECASE,
    ),
}


class Layout(NamedTuple):
    """`flipped` and `lying` as in meaning.Mode."""

    flipped: bool = False
    lying: bool = False


USUAL = Layout()
# The usual one first: as the vectors of the model are multiplied.
ALL = (USUAL, Layout(flipped=True), Layout(flipped=True, lying=True))
WORDS = {
    USUAL: "",
    Layout(flipped=True): "Jacobians turned over",
    Layout(flipped=True, lying=True): "Jacobians turned over; the derivative of a number is a row",
}


def stated(text: str, vectors: str) -> tuple[Layout, ...]:
    """The layouts that agree with what a text says; none where it says nothing, or two things. `vectors` says
    whether those of its model are a "row" or a "column" each.
    """
    said = [name for name, words in _STATED.items() if words.search(text)]
    if len(said) != 1:
        return ()
    # Rows are multiplied with Jacobians that have a row for each output, columns with the transposed.
    flipped = (said == ["numerator"]) == (vectors == "column")
    return tuple(layout for layout in ALL if layout.flipped == flipped)


def chosen(claims: Iterable[frozenset[Layout]], among: tuple[Layout, ...] = ()) -> Layout:
    """The layout in which most claims hold that do not hold in all: of those in `among`, if there are any."""
    votes = Counter(layout for holds in claims if len(holds) < len(ALL) for layout in holds)
    return max(among or ALL, key=lambda layout: (votes[layout], -ALL.index(layout)))
