"""What is known at a place of a document, and the ways to read what is written there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bptt.checking.families import NO_FAMILIES, Families
from bptt.checking.names import Lettering
from bptt.formula.shapes import BATCH
from bptt.formula.tree import Formula, Symbol
from bptt.ir.dims import Dim
from bptt.source import Span

# The losses of all examples, one by one.
LOSS_OF_EACH = Symbol("J", (BATCH,))


@dataclass(frozen=True)
class Mode:
    """`products`: whether ∘ binds like a product ("even", from left to right), less tightly ("loose"), or
    more ("tight"), or every product is one of numbers ("pointwise", in what is said of a function).
    `flipped` turns Jacobians over, which have their outputs along the rows in a layout of rows, and along the
    columns in one of columns; with `lying` the derivative of a number is a row in either. `maps` reads a row
    of derivatives as one linear map after the other, whatever the layout. `implied` sums over every letter
    that stands twice in a term and not on the left. `inner` takes a short name of a derivative that the
    document does not explain, `do` of a gate o = σ(…), for that by what the function is applied to;
    `diagonal` takes σ′(z) for the diagonal matrix that has it. `falling` multiplies over steps from the last
    to the first, `immediate` takes the derivative of a state by a parameter at that state's step alone;
    `alone`, what one of several states makes as it enters step t, the others held.
    """

    products: str = "even"
    flipped: bool = False
    lying: bool = False
    maps: bool = False
    implied: bool = False
    inner: bool = False
    diagonal: bool = False
    falling: bool = False
    immediate: bool = False
    alone: bool = False


@dataclass(frozen=True)
class Quantity:
    """What a name stands for: a symbol, or (`formula`) an abbreviation of the document at time t."""

    symbol: Symbol
    formula: Formula | None = None


@dataclass
class Meanings:
    """What is known at a place of a document. `losses` are the names of the objective, `carried` those
    of what goes from step to step, `last` the last of the steps that are told by their numbers;
    `labels` the letters of the true class, each with the name of its target; `einstein` says whether sums
    are implied (survey.Survey.einstein); `applied` what the function in the equation of a quantity is applied
    to, where it has no name; `inner` says of short names whether they are derivatives by that (see Mode);
    `targets` are the names of what the output is compared with; `diagonal` says that σ′(z) may be a matrix;
    `families` are the vectors that are counted; `counts` the names of the number of examples, where there are
    many, with that; `finals` those of what is there at the last of all `steps`; `says_total` whether the
    document speaks of total derivatives.
    """

    lettering: Lettering
    quantities: dict[str, Quantity]
    losses: frozenset[str]
    layout: str
    carried: frozenset[str] = frozenset()
    last: int = 0
    now: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    einstein: str = "used"
    applied: Mapping[str, Symbol] = field(default_factory=dict)
    inner: dict[str, bool] = field(default_factory=dict)
    targets: frozenset[str] = frozenset({"y"})
    diagonal: bool = False
    counts: Mapping[str, Dim] = field(default_factory=dict)
    finals: frozenset[str] = frozenset()
    families: Families = NO_FAMILIES
    steps: int = 0
    says_total: bool = False
    spans: dict[int, tuple[Formula, Span]] = field(default_factory=dict)

    def span_of(self, formula: Formula) -> Span | None:
        """Where a part of a formula was written."""
        found = self.spans.get(id(formula))
        return found[1] if found is not None and found[0] is formula else None
