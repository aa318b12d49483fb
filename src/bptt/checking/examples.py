"""What a document says of many examples at once, said of one of them.

A letter counts examples (x_n, x^{(i)}, X_{ni}), or a matrix has one in each row or column (Z = XW + b). Both
say the same of a model for one example, which is what the equations make once the examples are left out of
them; the objective is then the sum or the mean of what each of them has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bptt.checking.meanings import Quantity
from bptt.checking.names import counted, flat, walk
from bptt.checking.survey import USUAL_LOSSES, parts_of
from bptt.checking.turned import Turned
from bptt.checking.written import (
    Big,
    Bracketed,
    Call,
    Chain,
    Fraction,
    Letter,
    Listed,
    Numeral,
    Relation,
    Scripts,
    Statement,
    Terms,
    Written,
    mapped,
)
from bptt.formula.shapes import BATCH
from bptt.syntax.tree import Equation


@dataclass(frozen=True)
class Examples:
    """`slots` says at which place below a name its example stands, and `above` which letters in brackets
    above one count examples (`letters` are both). `names` are all that differ from one to another, and
    `vectors` what is one for certain. `stacks` are the matrices that hold all examples, in their `rows` or
    columns, if that is `told`, and `bases` the letters of those; `upright` says that vectors of a single
    thing stand nevertheless as columns. `counts` are the names of the number of examples, and `objectives`
    how J may be made of the losses of all: "sum", "mean", "own" (see batches.BatchValues). `totals` are what
    is summed over all examples.
    """

    slots: Mapping[str, int] = field(default_factory=dict)
    above: frozenset[str] = frozenset()
    stacks: frozenset[str] = frozenset()
    bases: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    vectors: frozenset[str] = frozenset()
    letters: frozenset[str] = frozenset()
    counts: frozenset[str] = frozenset()
    rows: bool = True
    told: bool = True
    upright: bool = False
    objectives: tuple[str, ...] = ("sum",)
    totals: frozenset[str] = frozenset()

    def one(self, statement: Statement) -> Statement:
        """What a statement says of one example."""
        said = self._loss if is_loss(statement, self.letters) else self._plain
        left = None if statement.left is None else self._plain(statement.left)
        links = tuple(replace(link, right=said(link.right)) for link in statement.links)
        return replace(statement, left=left, links=links)

    def _plain(self, node: Written) -> Written:
        return mapped(node, self._without)

    def _without(self, node: Written) -> Written:
        match node:
            case Letter():
                return self._letter(node)
            case Big(sign="Σ", below=below, body=body) if below:
                kept = tuple(item for item in below if not self.letters.intersection(bound([item])))
                return node if kept == below else replace(node, below=kept) if kept else body
        return node

    def _loss(self, node: Written) -> Written:
        """What one example has of a loss: of a sum its own term, and its part of what all of them share."""
        match node:
            case Terms(terms=terms):
                own = [term for term in terms if self._holds(term)]
                if len(own) == len(terms) or not any(map(self._is_sum, own)):
                    return replace(node, terms=tuple(map(self._loss, terms)))
                divided = all(map(self._is_divided, own))
                found = [self._loss(t) if t in own else t if divided else self._part(t) for t in terms]
                return replace(node, terms=tuple(found))
            case Bracketed(inner=inner, kind="(" | "[" | "{", scripts=Scripts((), (), 0)):
                return replace(node, inner=self._loss(inner))
            case Chain(factors=factors, signs=signs) if all(sign in ("", "·") for sign in signs):
                alone = sum(map(self._holds, factors)) == 1
                parts = [self._loss(f) if alone or not self._holds(f) else self._term(f) for f in factors]
                kept = [part for part in parts if not (isinstance(part, Numeral) and part.value == 1.0)]
                return _chain(kept or parts[:1], node)
            case Fraction(top=top, bottom=bottom):
                return self._undivided(replace(node, top=self._loss(top), bottom=bottom))
        return self._term(node)

    def _term(self, node: Written) -> Written:
        """What stands under the sum over the examples."""
        return mapped(node, lambda part: self._undivided(self._without(part)))

    def _undivided(self, node: Written) -> Written:
        """A formula that is not divided by the number of examples."""
        if not isinstance(node, Fraction):
            return node
        rest = [factor for factor in factors_of(node.bottom) if not self._is_count(factor)]
        return replace(node, bottom=_chain(rest, node.bottom)) if rest else node.top

    def _is_sum(self, node: Written) -> bool:
        """Whether a term is a sum over the examples, as products of whole matrices are."""
        sums = (part for part in walk([node]) if isinstance(part, Big))
        return bool(self.stacks) or any(self.letters.intersection(bound(list(p.below))) for p in sums)

    def _holds(self, node: Written) -> bool:
        """Whether it differs from example to example."""
        letters = (part for part in walk([node]) if isinstance(part, Letter))
        return any(
            part.name in self.slots.keys() | self.bases
            or self.above.intersection(map(counted, flat(part.scripts.above)))
            for part in letters
        )

    def _is_divided(self, node: Written) -> bool:
        """Whether a term is divided by the number of examples."""
        return any(
            isinstance(part, Fraction) and any(map(self._is_count, factors_of(part.bottom)))
            for part in walk([node])
        )

    def _is_count(self, node: Written) -> bool:
        return isinstance(node, Letter) and node.name in self.counts and node.scripts == Scripts()

    def _part(self, node: Written) -> Written:
        """One of as many equal parts as there are examples."""
        number = Letter(min(self.counts), node.span)
        return Chain((Fraction(Numeral(1.0, node.span), number, node.span), node), ("",), node.span)

    @property
    def ranks(self) -> dict[str, int]:
        """How many axes the names have for one example: a row of a matrix is a vector."""
        small = {name for name in self.stacks if self.upright and name[:1].islower()}
        found = dict.fromkeys(self.counts, 0) | dict.fromkeys(self.vectors, 1)
        return found | {name: 0 if name in small else 1 for name in self.stacks}

    def equation(self, equation: Equation) -> Equation:
        """The equation of one example as it is written for vectors: z = Wᵀx + b for Z = XW + 1bᵀ."""
        if not self.stacks:
            return equation
        return replace(equation, value=Turned(self.stacks, self.upright)(equation.value))

    def _letter(self, letter: Letter) -> Letter | Numeral:
        if letter.name == "1" and letter.face and letter.scripts == Scripts():
            return Numeral(1.0, letter.span)
        scripts = letter.scripts
        below, above = list(flat(scripts.below)), tuple(flat(scripts.above))
        place = self.slots.get(letter.name)
        if place is not None and place < len(below) and isinstance(below[place], Letter):
            del below[place]
            scripts = replace(scripts, below=tuple(below))
        kept = tuple(item for item in above if counted(item) not in self.above)
        if kept != above:
            scripts = replace(scripts, above=kept)
        return letter if scripts is letter.scripts else replace(letter, scripts=scripts)


def bound(below: list[Written]) -> list[str]:
    """The letters that a sum runs over, as they stand below it."""
    found: list[str] = []
    for item in below:
        match item:
            case Letter(name=name):
                found.append(name)
            case Listed(parts) | Chain(parts, _):
                found += bound(list(parts))
            case Relation((first, *_), _):
                found += bound([first])
    return found


def subject(statement: Statement) -> Letter | None:
    """What a statement is about: a letter, also with what it depends on: J(θ) = …"""
    match statement.left:
        case Letter() as letter:
            return letter
        case Call(function=function):
            return function
        case Chain((Letter() as letter, Bracketed()), ("",)):
            return letter
    return None


def is_loss(statement: Statement, letters: frozenset[str]) -> bool:
    """Whether a statement says what a loss is."""
    left = subject(statement)
    if left is None or any(below(left)):
        return False
    if left.name in USUAL_LOSSES or left.name.rstrip("0123456789") in USUAL_LOSSES:
        return True
    sums = [p for p in walk(parts_of(statement)) if isinstance(p, Big)]
    return bool(left.face == "calligraphic" and sums) or any(
        letters.intersection(bound(list(p.below))) for p in sums
    )


def below(letter: Letter) -> list[str]:
    return [item.name if isinstance(item, Letter) else "" for item in flat(letter.scripts.below)]


def factors_of(node: Written) -> list[Written]:
    return list(node.factors) if isinstance(node, Chain) else [node]


def _chain(factors: list[Written], old: Written) -> Written:
    return factors[0] if len(factors) == 1 else Chain(tuple(factors), ("",) * (len(factors) - 1), old.span)


def with_capitals(quantities: dict[str, Quantity], losses: frozenset[str]) -> dict[str, Quantity]:
    """X for the matrix of all x, where nothing else is called so."""
    found = {
        capital: quantity
        for name, quantity in quantities.items()
        if len(quantity.symbol.shape) == 2 and BATCH in quantity.symbol.shape
        if (capital := name[:1].upper() + name[1:]) not in quantities.keys() | losses
    }
    return quantities | found
