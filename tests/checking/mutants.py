"""Single errors put into right claims of a document, as people make them, and what a check says of each.

An error is put into the tree of what was written, and that back into the text. Nothing here knows how errors
are searched for, and whether one is an error at all is decided by numbers of its own.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from functools import cache, cached_property
from itertools import islice
from pathlib import Path

from bptt.checking.check import check_document
from bptt.checking.report import Claim
from bptt.checking.statements import read, read_formula
from bptt.checking.written import (
    Big,
    Bracketed,
    Call,
    Chain,
    Differential,
    Letter,
    Listed,
    Numeral,
    Scripts,
    Terms,
    Written,
)
from bptt.source import Source, Span
from checking.truths import MODELS, Array, Name, Truth, Worthless, flat, is_index, name_of, time_of
from checking.writing import latex

FOLDER = Path(__file__).parent / "derivations"


@dataclass(frozen=True)
class Right:
    """A right side that holds: of which document, which of its claims, with the left side and its letters."""

    document: str
    number: int
    left: Written
    formula: Written
    letters: tuple[str, ...]

    @property
    def span(self) -> Span:
        return self.formula.span


@dataclass
class Derivation:
    """A document in which everything is right."""

    name: str

    def __post_init__(self) -> None:
        self.text = (FOLDER / self.name).read_text(encoding="utf-8")
        self.source = Source(self.name, self.text)
        self.truth = Truth(MODELS[self.name])
        self.labels = self.truth.points[0].labels
        self.claims = check_document(self.source).claims
        self._values: dict[int, list[Array]] = {}
        self._rights = list(self._read())

    def rights(self) -> list[Right]:
        return self._rights

    def _read(self) -> Iterator[Right]:
        for statement in read(self.source).statements:
            for link in statement.links:
                number = next((n for n, c in enumerate(self.claims) if _holds(c, link.right.span)), None)
                if number is not None and statement.left is not None:
                    letters = tuple(sorted(set(_free(statement.left, self.labels))))
                    yield Right(self.name, number, statement.left, link.right, letters)

    def value(self, right: Right) -> list[Array]:
        """What the left side is, at several points."""
        if right.number not in self._values:
            self._values[right.number] = self.truth.value(right.left, right.letters)
        return self._values[right.number]

    def with_formula(self, right: Right, formula: Written) -> str:
        """The text with another right side."""
        return f"{self.text[: right.span.start]}{latex(formula)}{self.text[right.span.end :]}"

    @cached_property
    def prototypes(self) -> dict[str, Letter]:
        """A letter for every name that the document uses."""
        found: dict[str, Letter] = {}
        for right in self.rights():
            for part in _walk(right.formula):
                if isinstance(part, Letter):
                    try:
                        found.setdefault(name_of(part, self.labels).full, part)
                    except Worthless:
                        continue
        return found


@cache
def derivation(name: str) -> Derivation:
    return Derivation(name)


def _holds(claim: Claim, span: Span) -> bool:
    """Whether the claim stands where the span begins."""
    return claim.span.start <= span.start < claim.span.end


def _free(left: Written, labels: frozenset[str]) -> Iterator[str]:
    for part in _walk(left):
        if isinstance(part, Letter):
            yield from name_of(part, labels).indices


def _walk(node: Written) -> Iterator[Written]:
    yield node
    for name, parts in _parts(node):
        if name != "scripts":
            for part in parts:
                yield from _walk(part)


def _parts(node: Written) -> Iterator[tuple[str, tuple[Written, ...]]]:
    for field in fields(node):
        value = getattr(node, field.name)
        if isinstance(value, Written):
            yield field.name, (value,)
        elif isinstance(value, tuple) and value and all(isinstance(part, Written) for part in value):
            yield field.name, value


# Errors.

Planter = Callable[[Written, "Right", "Derivation", random.Random], Iterator[Written]]
Change = Callable[[Written], Iterator[Written]]


def everywhere(node: Written, change: Change, names: bool = False) -> Iterator[Written]:
    """`change` made at each part in turn; within derivatives only where it is one of names."""
    yield from change(node)
    if isinstance(node, Differential) and not names:
        return
    for field, parts in _parts(node):
        if field in ("function", "below", "above", "where"):
            continue
        for k, part in enumerate(parts):
            for changed in everywhere(part, change, names):
                several = isinstance(getattr(node, field), tuple)
                new = (*parts[:k], changed, *parts[k + 1 :]) if several else changed
                yield replace(node, **{field: new})


def _chain(node: Chain, factors: tuple[Written, ...], signs: tuple[str, ...]) -> Written:
    return replace(node, factors=factors, signs=signs) if len(factors) > 1 else factors[0]


def _bracketed(node: Written) -> Written:
    return Bracketed(node, node.span) if isinstance(node, Terms) else node


def plant_sign(formula: Written, right: Right, of: Derivation, rng: random.Random) -> Iterator[Written]:
    def change(part: Written) -> Iterator[Written]:
        if isinstance(part, Terms) and len(part.terms) > 1:
            for k, sign in enumerate(part.signs):
                other = "-" if sign == "+" else "+"
                yield replace(part, signs=(*part.signs[:k], other, *part.signs[k + 1 :]))
            if part.signs == ("+", "-"):
                yield replace(part, terms=part.terms[::-1])

    if isinstance(formula, Terms) and formula.signs == ("-",):
        yield formula.terms[0]
    else:
        yield Terms((_bracketed(formula),), ("-",), formula.span)
    yield from everywhere(formula, change)


def plant_transpose(formula: Written, right: Right, of: Derivation, rng: random.Random) -> Iterator[Written]:
    def change(part: Written) -> Iterator[Written]:
        for k, factor in enumerate(part.factors if isinstance(part, Chain) else ()):
            if isinstance(factor, Letter | Bracketed):
                for turned in _turned(factor):
                    yield replace(part, factors=(*part.factors[:k], turned, *part.factors[k + 1 :]))

    if not right.letters:
        yield from everywhere(formula, change)
        if isinstance(formula, Letter):
            yield from _turned(formula)


def _turned(factor: Letter | Bracketed) -> Iterator[Written]:
    scripts = factor.scripts
    plain = tuple(item for item in flat(scripts.above) if not _is_transpose(item))
    if len(plain) < len(tuple(flat(scripts.above))):
        yield replace(factor, scripts=replace(scripts, above=plain))
    elif isinstance(factor, Letter) and plain and not isinstance(plain[0], Numeral):
        # Behind a time, a transpose stands on brackets.
        yield Bracketed(factor, factor.span, Scripts(above=(Letter("T", factor.span),)))
    elif not plain:
        yield replace(factor, scripts=replace(scripts, above=(Letter("T", factor.span),)))


def _is_transpose(item: Written) -> bool:
    return isinstance(item, Letter) and item.name in ("T", "top")


def plant_order(formula: Written, right: Right, of: Derivation, rng: random.Random) -> Iterator[Written]:
    def change(part: Written) -> Iterator[Written]:
        if isinstance(part, Chain) and len(part.factors) > 1:
            f = part.factors
            for k in range(len(f) - 1):
                yield replace(part, factors=(*f[:k], f[k + 1], f[k], *f[k + 2 :]))
            if len(f) > 2:
                yield replace(part, factors=(f[-1], *f[1:-1], f[0]))

    yield from everywhere(formula, change)


def plant_shape(formula: Written, right: Right, of: Derivation, rng: random.Random) -> Iterator[Written]:
    def change(part: Written) -> Iterator[Written]:
        match part:
            case Chain(signs=signs):
                for k, sign in enumerate(signs):
                    other = "" if sign == "∘" else "∘"
                    yield replace(part, signs=(*signs[:k], other, *signs[k + 1 :]))
            case Call(function=Letter(name="diag"), arguments=(argument,)):
                yield Bracketed(argument, argument.span)

    if not right.letters:
        yield from everywhere(formula, change)


def plant_index(formula: Written, right: Right, of: Derivation, rng: random.Random) -> Iterator[Written]:
    bound = {
        item.name
        for part in _walk(formula)
        if isinstance(part, Big)
        for item in flat(part.below)
        if isinstance(item, Letter)
    }
    letters = sorted({*right.letters, *bound})

    def change(part: Written) -> Iterator[Written]:
        if not isinstance(part, Letter):
            return
        below = tuple(flat(part.scripts.below))
        places = [k for k, item in enumerate(below) if _counts(item, part, of)]
        for k in places:
            for letter in letters:
                item = below[k]
                assert isinstance(item, Letter)
                if item.name != letter:
                    yield _below(part, (*below[:k], replace(item, name=letter), *below[k + 1 :]))
        if len(places) == 2:
            swapped = list(below)
            swapped[places[0]], swapped[places[1]] = below[places[1]], below[places[0]]
            yield _below(part, tuple(swapped))

    yield from everywhere(formula, change, names=True)


def _counts(item: Written, letter: Letter, of: Derivation) -> bool:
    return is_index(item) and isinstance(item, Letter) and f"{letter.name}_{item.name}" not in of.labels


def _below(letter: Letter, items: tuple[Written, ...]) -> Letter:
    return replace(letter, scripts=replace(letter.scripts, below=items))


def plant_time(formula: Written, right: Right, of: Derivation, rng: random.Random) -> Iterator[Written]:
    def change(part: Written) -> Iterator[Written]:
        if isinstance(part, Letter):
            for shift in (-1, 1):
                for name in ("below", "above"):
                    items = getattr(part.scripts, name)
                    moved = tuple(_moved(item, shift) for item in items)
                    if moved != items:
                        yield replace(part, scripts=replace(part.scripts, **{name: moved}))

    yield from everywhere(formula, change, names=True)


def _moved(item: Written, shift: int) -> Written:
    if isinstance(item, Listed):
        return replace(item, items=tuple(_moved(i, shift) for i in item.items))
    if isinstance(item, Bracketed) and time_of(item) is not None:
        return replace(item, inner=_moved(item.inner, shift))
    time = time_of(item)
    if time is None:
        return item
    now = Letter("t", item.span)
    offset = time + shift
    if not offset:
        return now
    return Terms((now, Numeral(abs(offset), item.span)), ("+", "+" if offset > 0 else "-"), item.span)


def plant_missing_factor(
    formula: Written, right: Right, of: Derivation, rng: random.Random
) -> Iterator[Written]:
    def change(part: Written) -> Iterator[Written]:
        if isinstance(part, Chain):
            f, s = part.factors, part.signs
            for k in range(len(f)):
                gone = max(k - 1, 0)
                yield _chain(part, f[:k] + f[k + 1 :], s[:gone] + s[gone + 1 :])
        if isinstance(part, Letter) and any(isinstance(item, Numeral) for item in part.scripts.above):
            yield replace(part, scripts=replace(part.scripts, above=()))

    yield from everywhere(formula, change)


def plant_extra_factor(
    formula: Written, right: Right, of: Derivation, rng: random.Random
) -> Iterator[Written]:
    elsewhere = [
        factor
        for other in of.rights()
        if other.letters == right.letters
        for part in _walk(other.formula)
        if isinstance(part, Chain)
        for factor in part.factors
        if not isinstance(factor, Terms | Chain)
    ]

    def change(part: Written) -> Iterator[Written]:
        if isinstance(part, Chain):
            f, s = part.factors, part.signs
            for k in range(len(f)):
                sign = "∘" if "∘" in s else ""
                yield replace(part, factors=(*f[: k + 1], *f[k:]), signs=(*s[:k], sign, *s[k:]))
            if elsewhere:
                k, factor = rng.randrange(len(f) + 1), rng.choice(elsewhere)
                sign = rng.choice(s)
                yield replace(part, factors=(*f[:k], factor, *f[k:]), signs=(*s[:k], sign, *s[k:]))

    yield from everywhere(formula, change)


def plant_missing_term(
    formula: Written, right: Right, of: Derivation, rng: random.Random
) -> Iterator[Written]:
    def change(part: Written) -> Iterator[Written]:
        if isinstance(part, Terms) and len(part.terms) > 1:
            for k in range(len(part.terms)):
                rest = part.terms[:k] + part.terms[k + 1 :]
                signs = part.signs[:k] + part.signs[k + 1 :]
                # Nobody is left with a bare 1 of 1 − h.
                if not all(isinstance(term, Numeral) for term in rest):
                    yield rest[0] if signs == ("+",) else replace(part, terms=rest, signs=signs)

    yield from everywhere(formula, change)


def plant_missing_sum(
    formula: Written, right: Right, of: Derivation, rng: random.Random
) -> Iterator[Written]:
    def change(part: Written) -> Iterator[Written]:
        if isinstance(part, Big):
            yield part.body

    yield from everywhere(formula, change)


def plant_name(formula: Written, right: Right, of: Derivation, rng: random.Random) -> Iterator[Written]:
    """Another quantity of the same shape."""
    point = of.truth.points[0]
    values = point.values
    shapes = {name: (value.shape, time is None) for (name, time), value in values.items() if value.ndim}

    def change(part: Written) -> Iterator[Written]:
        if isinstance(part, Letter):
            try:
                own = name_of(part, of.labels)
            except Worthless:
                return
            for name, prototype in of.prototypes.items():
                if name != own.full and own.full in shapes and shapes.get(name) == shapes[own.full]:
                    yield _called(part, own, prototype, of)

    yield from everywhere(formula, change, names=True)


def _called(letter: Letter, own: Name, other: Letter, of: Derivation) -> Letter:
    """The letter with the name of another, and its own time, indices and transpose."""
    labels = [item for item in flat(other.scripts.below) if _labels(item, other, of)]
    rest = [item for item in flat(letter.scripts.below) if not _labels(item, letter, of)]
    return replace(letter, name=other.name, scripts=replace(letter.scripts, below=(*labels, *rest)))


def _labels(item: Written, letter: Letter, of: Derivation) -> bool:
    return time_of(item) is None and not _counts(item, letter, of)


def plant_prime(formula: Written, right: Right, of: Derivation, rng: random.Random) -> Iterator[Written]:
    def change(part: Written) -> Iterator[Written]:
        if isinstance(part, Call) and part.function.name in ("sigma", "tanh"):
            primes = 1 - part.function.scripts.primes
            scripts = replace(part.function.scripts, primes=primes)
            yield replace(part, function=replace(part.function, scripts=scripts))

    yield from everywhere(formula, change)


def plant_subscript(formula: Written, right: Right, of: Derivation, rng: random.Random) -> Iterator[Written]:
    """A stray index in matrix notation, or one that is missing among elements."""

    def change(part: Written) -> Iterator[Written]:
        if isinstance(part, Letter):
            below = tuple(flat(part.scripts.below))
            if right.letters:
                plain = tuple(item for item in below if not _counts(item, part, of))
                if plain != below:
                    yield _below(part, plain)
            elif part.name in (*_vectors(of), "yhat"):
                yield _below(part, (*below, Letter("k", part.span)))

    yield from everywhere(formula, change)


def _vectors(of: Derivation) -> set[str]:
    return {
        name for (name, time), value in of.truth.points[0].values.items() if value.ndim and time is not None
    }


PLANTERS: dict[str, Planter] = {
    "sign": plant_sign,
    "transpose": plant_transpose,
    "order": plant_order,
    "shape": plant_shape,
    "index": plant_index,
    "time": plant_time,
    "missing factor": plant_missing_factor,
    "extra factor": plant_extra_factor,
    "missing term": plant_missing_term,
    "missing sum": plant_missing_sum,
    "name": plant_name,
    "prime": plant_prime,
    "subscript": plant_subscript,
}


@dataclass(frozen=True)
class Mutant:
    """A document with one error: the kind, the claim that has it, and what stands there now."""

    right: Right
    kind: str
    formula: Written

    @property
    def latex(self) -> str:
        return latex(self.formula)


@cache
def mutants(kind: str, most: int) -> tuple[Mutant, ...]:
    """Up to so many errors of a kind, each once, from all documents by chance."""
    chosen = list(_candidates(kind))
    random.Random(f"{kind} 2").shuffle(chosen)
    return tuple(islice(filter(_is_error, chosen), most))


@cache
def _candidates(kind: str) -> tuple[Mutant, ...]:
    rng = random.Random(f"{kind} 1")
    found: dict[tuple[str, int, str], Mutant] = {}
    for name in MODELS:
        of = derivation(name)
        for right in of.rights():
            for wrong in PLANTERS[kind](right.formula, right, of, rng):
                found.setdefault((name, right.number, latex(wrong)), Mutant(right, kind, wrong))
    return tuple(found.values())


def _is_error(mutant: Mutant) -> bool:
    """Whether its value is another one; factors that commute make no error."""
    of, right = derivation(mutant.right.document), mutant.right
    return not of.truth.equal(of.value(right), mutant.formula, right.letters)


# What a check says.


@dataclass(frozen=True)
class Verdict:
    """What is said of the claim with the error, and of the others: how many of these are called wrong."""

    mutant: Mutant
    claim: Claim | None
    others_wrong: int
    is_mended: bool

    @property
    def outcome(self) -> str:
        return "lost" if self.claim is None else self.claim.verdict


# A mend of another kind that is as small as the error: one thing is changed in either.
EQUALLY = {
    "sign": {"sign"},
    "transpose": {"transpose", "order", "shape"},
    "order": {"order", "transpose"},
    "shape": {"shape", "order", "transpose"},
    "index": {"index", "typo"},
    "time": {"index"},
    "missing factor": {"missing-factor"},
    "extra factor": {"extra"},
    "missing term": {"missing-term"},
    "missing sum": {"missing-sum"},
    "name": {"typo", "index"},
    "prime": {"typo"},
    "subscript": {"typo", "index"},
}


def judged(mutant: Mutant) -> Verdict:
    of = derivation(mutant.right.document)
    text = of.with_formula(mutant.right, mutant.formula)
    claims = check_document(Source(of.name, text)).claims
    claim = next((c for c in claims if _holds(c, mutant.right.span)), None)
    others = sum(c.verdict == "wrong" for c in claims if c is not claim)
    return Verdict(mutant, claim, others, claim is not None and is_right_mend(mutant, claim))


def is_right_mend(mutant: Mutant, claim: Claim) -> bool:
    """Whether the mend has the value of the right formula, in one change of the error's kind or as small."""
    if claim.verdict != "wrong" or claim.kind not in EQUALLY[mutant.kind] or ", and " in claim.reason:
        return False
    of, right = derivation(mutant.right.document), mutant.right
    try:
        (statement,) = read_formula(f"m = {claim.mend}")
        return of.truth.equal(of.value(right), statement.links[0].right, right.letters)
    except (Worthless, ValueError):
        return False
