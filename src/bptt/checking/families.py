"""Vectors that are counted: u_w, r_i, n_k, one for each word, class or sample.

Such a family is a matrix that is not always called one: the letter runs over its rows (or columns), and what
stays is a vector like any other. A letter with one index is a vector, and no element, where it is transposed
somewhere or listed as a row or column of a matrix.

One name may count two things: in a loss with Σ_w exp(u_wᵀ v) and Σ_{k=1}^K log σ(−u_kᵀ v) the second are K
samples, and no part of the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bptt.checking.names import Lettering, Resolved, Unclear, index_name, walk
from bptt.checking.orientation import COLUMNS, ROWS, lies_along
from bptt.checking.written import (
    Big,
    Bracketed,
    Call,
    Chain,
    Differential,
    Letter,
    Listed,
    Nabla,
    Reading,
    Relation,
    Statement,
    Written,
)

__all__ = ["COLUMNS", "NO_FAMILIES", "ROWS", "Families", "Family", "families"]
_SIGMOIDS = frozenset({"sigma", "sigmoid"})
_EXPONENTIALS = frozenset({"exp", "e", "softmax"})


@dataclass(frozen=True)
class Family:
    """The vectors called `name`, which lie along an axis of the matrix `table` (ROWS: they are its rows).

    `letters` are those that run over it alone; without any, it has all letters that run over no other.
    """

    name: str
    table: str
    along: int = ROWS
    letters: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Families:
    """The families of a document by the name of their vectors, which lie as `layout` says. Those in `chosen`
    have one among their vectors that is true, as a softmax runs over them all; `partners` are the names of
    vectors that they are multiplied with.
    """

    known: Mapping[str, tuple[Family, ...]] = field(default_factory=dict)
    layout: str = ""
    chosen: frozenset[str] = frozenset()
    partners: frozenset[str] = frozenset()

    @property
    def ranks(self) -> dict[str, int]:
        """How many axes the matrices have, and the vectors that stand beside the family's in products."""
        tables = {family.table: 2 for some in self.known.values() for family in some}
        return dict.fromkeys(self.partners - tables.keys(), 1) | tables

    def of(self, found: Resolved) -> Family | None:
        """The family that a letter with one index belongs to."""
        if len(found.indices) != 1 or found.token is not None:
            return None
        letter = found.indices[0].letter
        some = self.known.get(found.name, ())
        return next((f for f in some if letter in f.letters), next((f for f in some if not f.letters), None))


NO_FAMILIES = Families()


@dataclass(frozen=True)
class _Range:
    """A sum over vectors: the letter, how far it runs, whether it is of a softmax, or of sigmoids."""

    name: str
    letter: str
    end: str
    exponential: bool
    logistic: bool


def families(reading: Reading, letters: Lettering) -> Families:
    """The families of a document."""
    timed = {n.name for _, part in _parts(reading) if (n := _resolved(part, letters)) is not None and n.time}
    # Of what has a time, s_i^T is an element at the last step.
    names = {name: letter for name, letter in _counted(reading, letters).items() if name not in timed}
    if not names:
        return Families()
    layout, partners = _beside(reading, letters, names)
    known: dict[str, tuple[Family, ...]] = {}
    chosen: set[str] = set()
    ranges = [r for r in _ranges(reading, letters) if r.name in names]
    for name in sorted(names):
        own = [r for r in ranges if r.name == name]
        main, others = _parted(own)
        if main is None:
            continue
        table, along = lies_along(name, names[name], reading, letters, layout)
        apart = (Family(name, f"{name}_{end}", ROWS, run) for end, run in others.items())
        known[name] = (Family(name, table, along), *apart)
        if any(r.exponential for r in own):
            chosen.add(name)
    return Families(known, layout, frozenset(chosen), partners - names.keys())


def _parts(reading: Reading) -> Iterator[tuple[Statement, Written]]:
    for statement in reading.statements:
        sides = [statement.left, *(link.right for link in statement.links)]
        for part in walk([side for side in sides if side is not None]):
            yield statement, part


def _resolved(part: Written, letters: Lettering) -> Resolved | None:
    if not isinstance(part, Letter):
        return None
    try:
        return letters.resolve(part)
    except Unclear:
        return None


def _counted(reading: Reading, letters: Lettering) -> dict[str, str]:
    """The names of vectors with one index, each with the matrix that it is said to make (or "")."""
    found: dict[str, str] = {}
    matrices: set[str] = set()
    for statement, part in _parts(reading):
        name = _resolved(part, letters)
        if name is not None and len(name.indices) == 2:
            matrices.add(name.name)
        # A product of it, or the vector by itself in a sentence: "the r_wᵀ are the rows of R".
        alone = part is statement.left and not statement.links
        for factor in part.factors if isinstance(part, Chain) else (part,) if alone else ():
            vector = _resolved(factor, letters)
            if vector is not None and _is_turned_vector(vector):
                found.setdefault(vector.name, "")
        if isinstance(part, Chain) and not isinstance(statement.left, Differential | Nabla):
            for _, dotted in _dotted(part, letters):
                found.setdefault(dotted, "")
    for statement in reading.statements:
        listed = _listed(statement, letters)
        if listed is not None:
            found[listed[0]] = listed[1]
    return {name: table for name, table in found.items() if name not in matrices}


def _dotted(chain: Chain, letters: Lettering) -> Iterator[tuple[str, str]]:
    """Products such as qᵀ k_i: a turned vector without an index beside a letter with one, which then is a
    vector, too.
    """
    for one, other in zip(chain.factors, chain.factors[1:], strict=False):
        first, second = _resolved(one, letters), _resolved(other, letters)
        if first is None or second is None or second.turned or second.time is not None:
            continue
        is_turned = first.turned and not first.indices and first.name[0].islower()
        if is_turned and len(second.indices) == 1 and second.name[0].islower():
            yield first.name, second.name


def _is_turned_vector(name: Resolved) -> bool:
    """Capitals are matrices, and with an index one of several."""
    return len(name.indices) == 1 and name.turned and name.time is None and name.name[0].islower()


def _listed(statement: Statement, letters: Lettering) -> tuple[str, str] | None:
    """`U = [u_1, …, u_V]`: the vectors, and the matrix."""
    table = _resolved(statement.left, letters) if statement.left is not None else None
    if table is None or not statement.links or table.indices:
        return None
    match statement.links[0].right:
        case Bracketed(inner=Listed(items), kind="[" | "("):
            first, *_, last = items
            dots = any(isinstance(item, Letter) and item.name == "…" for item in items)
            if dots and isinstance(first, Letter) and isinstance(last, Letter) and first.name == last.name:
                return first.name, table.name
    return None


def _ranges(reading: Reading, letters: Lettering) -> Iterator[_Range]:
    for _, part in _parts(reading):
        if not isinstance(part, Big) or part.sign != "Σ":
            continue
        bound, end = _bound(part)
        inside = list(walk([part.body]))
        calls = {p.function.name for p in inside if isinstance(p, Call)}
        powers = {p.name for p in inside if isinstance(p, Letter) and p.name == "e" and p.scripts.above}
        soft, logistic = bool((calls | powers) & _EXPONENTIALS), bool(calls & _SIGMOIDS)
        for one in inside:
            name = _resolved(one, letters)
            if name is not None and len(name.indices) == 1 and name.indices[0].letter in bound:
                yield _Range(name.name, name.indices[0].letter, end, soft, logistic)


def _bound(part: Big) -> tuple[set[str], str]:
    """The letters of a sum, and how far they run; "" where that is not said."""
    bound: set[str] = set()
    end = "".join(item.span.text for item in part.above)
    for item in part.below:
        match item:
            case Letter():
                bound.add(index_name(item))
            case Relation((Letter() as letter, to, *_), (sign, *_)):
                bound.add(index_name(letter))
                end = end or (to.span.text if sign == "∈" else "")
    return bound, end.strip("{}| \\$")


def _parted(ranges: list[_Range]) -> tuple[frozenset[str] | None, dict[str, frozenset[str]]]:
    """The letters that run over the family itself, and those that run over others of the same name, by how
    far they run. None where one letter does both.
    """
    main_ends = {r.end for r in ranges if r.exponential}
    if not main_ends:
        main_ends = {r.end for r in ranges}
    chosen = {r.letter for r in ranges if r.exponential}
    # Where there is a softmax over all, sigmoids are those of samples, wherever their sum ends.
    apart = {r for r in ranges if chosen and r.logistic and r.letter not in chosen}
    main = frozenset(r.letter for r in ranges if r.end in main_ends) - {r.letter for r in apart}
    others: dict[str, frozenset[str]] = {}
    for r in ranges:
        if r in apart or (r.end and r.end not in main_ends):
            end = r.end or r.letter
            others[end] = others.get(end, frozenset()) | {r.letter}
    if any(main & run for run in others.values()):
        return None, {}
    return main, others


def _beside(reading: Reading, letters: Lettering, names: Mapping[str, str]) -> tuple[str, frozenset[str]]:
    """How vectors lie by their products, and the other vectors in these: u_wᵀ v is one of columns, v u_wᵀ one
    of rows.
    """
    rows = columns = 0
    partners: set[str] = set()
    for statement, part in _parts(reading):
        is_claim = isinstance(statement.left, Differential | Nabla)
        if is_claim or not isinstance(part, Chain) or len(part.factors) < 2:
            continue
        for partner, name_of in _dotted(part, letters):
            if name_of in names:
                columns += 1
                partners.add(partner)
        for place, factor in enumerate(part.factors):
            name = _resolved(factor, letters)
            if name is None or name.name not in names or not _is_turned_vector(name):
                continue
            is_left = place + 1 < len(part.factors)
            columns, rows = columns + is_left, rows + (not is_left)
            other = _resolved(part.factors[place + 1 if is_left else place - 1], letters)
            is_last = place + 2 == len(part.factors) if is_left else place == 1
            if is_last and other is not None and not (other.indices or other.turned or other.token):
                partners.add(other.name)
    return "row" if rows > columns else "column", frozenset(partners)
