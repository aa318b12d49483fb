"""What the scripts of a letter mean: a label that belongs to its name, a time, indices, a transpose, a power.

`θ_{1,k}^{(t)}` is element k of θ1 at time t; `W^{r,T}` is the transpose of W_r; in `h_{t-1,i}` the first is a
time and the second an index. A letter alone does not say which it is, so the whole document is asked first:
what runs under a Σ or stands in a Kronecker delta is an index, what is defined with a time is a quantity.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass, replace

from bptt.checking.steps import STEP, TIMES
from bptt.checking.written import (
    Big,
    Bracketed,
    Call,
    Chain,
    Differential,
    Letter,
    Listed,
    Numeral,
    Reading,
    Scripts,
    Statement,
    Terms,
    Unread,
    Written,
    children,
)
from bptt.formula.tree import Index, Time
from bptt.syntax.spelling import canonical_name

USUAL_INDICES = frozenset({"i", "j", "k", "l", "m", "n", "p", "q", "ell"})
TRANSPOSES = frozenset({"T", "top", "intercal", "transpose"})
GREEK = frozenset({
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu",
    "nu", "xi", "rho", "sigma", "omega", "phi", "chi", "psi",
})  # fmt: skip


EQUALS = frozenset({"=", ":=", "≡", "≜"})


class Unclear(Exception):
    """A formula that cannot be given a meaning here; the message says what is missing."""


@dataclass(frozen=True)
class Resolved:
    """A letter with its scripts understood. `token` is what it is looked up with (`L_{x^{(t)}}`), `power` the
    exponent, if it has one.
    """

    name: str
    time: Time | None = None
    indices: tuple[Index, ...] = ()
    turned: bool = False
    primes: int = 0
    power: float | None = None
    token: Resolved | None = None


@dataclass(frozen=True)
class Lettering:
    """What a document uses letters for. `quantities` are those that it gives a time to, `aliases` other names
    of what has a name already (`let W^u = W_unembed`), `numbered` those whose numerals are times (`h_3`),
    `alone` the letters that stand by themselves somewhere, `labelled` those below which names of quantities
    stand (the `W` of `W_f` and `W_o`, where f and o are gates), `examples` those that count examples in
    brackets above a name (`x^{(i)}`): its first index, or its last where `examples_last`; `ordinary` those
    that are quantities and not what they usually are below a name (T as a gate, and no last step), `raised`
    those that are so above it.
    """

    indices: frozenset[str]
    quantities: frozenset[str]
    aliases: dict[str, str] = field(default_factory=dict)
    numbered: frozenset[str] = frozenset()
    alone: frozenset[str] = frozenset()
    tables: frozenset[str] = frozenset()
    labelled: frozenset[str] = frozenset()
    examples: frozenset[str] = frozenset()
    examples_last: bool = False
    ordinary: frozenset[str] = frozenset()
    raised: frozenset[str] = frozenset()

    def resolve(self, letter: Letter) -> Resolved:
        """The letter's scripts read. Unclear for scripts that have no meaning here."""
        label: list[str] = []
        time: Time | None = None
        indices: list[Index] = []
        turned, power, token = False, None, None
        below = list(flat(letter.scripts.below))
        for place, item in enumerate(below):
            found = self._time(item, below=True)
            if found is not None and token is not None and token.time is None:
                # x(t) below a table: the token of that step.
                token = replace(token, time=found)
            elif found is not None and time is None:
                time = found
            elif isinstance(item, Numeral) and item.value == int(item.value):
                label.append(str(int(item.value)))
            elif isinstance(item, Letter):
                inner = self.resolve(item)
                has_time = place + 1 < len(below) and self._time(below[place + 1], below=True) is not None
                if inner.time is not None or (item.name == "x" and has_time):
                    token = inner
                elif self.is_index(item.name, letter.name) and not item.scripts.below:
                    indices.append(Index(index_name(item)))
                else:
                    label.append(_word(inner.name))
            else:
                raise Unclear(f"what stands below {letter.name}")
        for item in flat(letter.scripts.above):
            found = self._time(item, below=False)
            if (example := counted(item)) in self.examples:
                indices.insert(len(indices) if self.examples_last else 0, Index(example))
            elif found is not None and time is None:
                time = found
            elif isinstance(item, Letter) and item.name in TRANSPOSES - self.raised:
                turned = not turned
            elif isinstance(item, Numeral):
                power = item.value
            elif isinstance(item, Bracketed) and isinstance(item.inner, Numeral):
                label.append(str(int(item.inner.value)))
            elif isinstance(item, Letter):
                label.append(_word(self.resolve(item).name))
            else:
                raise Unclear(f"what stands above {letter.name}")
        if letter.name in self.tables and label == ["x"] and token is None:
            # L_x^(t) for L_{x^(t)}.
            label, token, time = [], Resolved("x", time), None
        name = letter.name
        digits = "".join(part for part in label if part.isdigit())
        words = "_".join(part for part in label if not part.isdigit())
        name = canonical_name(f"{name}_{words}{digits}" if words else f"{name}{digits}")
        name = self.aliases.get(name, name)
        stem = name.rstrip("0123456789")
        if name != stem and stem in self.numbered and time is None:
            # h_3 in a text of three steps.
            name, time = stem, Time("", int(name[len(stem) :]))
        return Resolved(name, time, tuple(indices), turned, letter.scripts.primes, power, token)

    def is_index(self, letter: str, base: str) -> bool:
        """Whether a letter below `base` counts elements. The gate i of an LSTM labels its matrices."""
        if letter in self.quantities:
            # W_i and a_i belong to i, unless there is a W or an a by itself whose element it could be.
            return letter in self.indices and base in self.alone - self.labelled
        return letter in self.indices

    def _time(self, item: Written, below: bool) -> Time | None:
        inner = item.inner if isinstance(item, Bracketed) and item.kind in "(⟨[" else item
        if isinstance(inner, Bracketed):
            inner = inner.inner
        match inner:
            case Letter(name=name, scripts=Scripts((), (), 0), face=face) if name in TIMES or face == STEP:
                return Time(name)
            case Letter(name="T", scripts=Scripts((), (), 0)) if below or inner is not item:
                return None if "T" in self.ordinary else Time("T")
            case Terms((Letter(name=name, face=face), Numeral(value=value)), (_, sign)) if (
                name in TIMES | {"T"} or face == STEP
            ):
                return Time(name, int(value) if sign == "+" else -int(value))
            case _:
                return None


def index_name(letter: Letter) -> str:
    """What an index is called, with the marks that tell it from another: `w'`, `j*`."""
    stars = sum(isinstance(item, Letter) and item.name == "*" for item in letter.scripts.above)
    return letter.name + "'" * letter.scripts.primes + "*" * stars


def flat(items: tuple[Written, ...]) -> Iterator[Written]:
    """The scripts one by one: `kj` are two, `(t)T` are two, `1,k` are two."""
    for item in items:
        match item:
            case Chain(factors, signs) if all(sign in ("", ",") for sign in signs):
                yield from flat(factors)
            case Listed(many):
                yield from flat(many)
            case Bracketed(inner=inner, kind="{"):
                yield from flat((inner,))
            case _:
                yield item


def is_exponent(above: Written) -> bool:
    """Whether e is a number here, and not a vector that is transposed or has a time."""
    match above:
        case Letter(name=name, scripts=Scripts((), (), 0)):
            return name not in TIMES | TRANSPOSES
        case Bracketed(inner=inner):
            return not (isinstance(inner, Letter | Terms) and _is_time(inner))
    return True


def _is_time(node: Letter | Terms) -> bool:
    first = node.terms[0] if isinstance(node, Terms) else node
    return isinstance(first, Letter) and first.name in TIMES


def counted(item: Written) -> str:
    """The letter that stands alone in brackets above a name; "" for anything else."""
    match item:
        case Bracketed(inner=Letter(name=name, scripts=Scripts((), (), 0))) if name not in TIMES | {"T"}:
            return name
    return ""


def _word(name: str) -> str:
    return name.replace("_", "")


def lettering(document: Reading) -> Lettering:
    """What the letters of a document are used for."""
    indices: set[str] = set(USUAL_INDICES)
    quantities: set[str] = set()
    ordinary = frozenset({"T"} & _named(document))
    plain = Lettering(frozenset(), frozenset(), ordinary=ordinary)
    for statement in document.statements:
        parts = [statement.left, *(link.right for link in statement.links)]
        for part in walk([p for p in parts if p is not None]):
            if isinstance(part, Big):
                for below in flat(part.below):
                    indices.update(p.name for p in walk([below]) if isinstance(p, Letter))
        left = statement.left
        if isinstance(left, Letter) and (_bears_time(left, plain) or _is_computed(statement)):
            quantities.add(left.name)
    indices |= _paired(document, indices, _unscripted(document))
    plain = Lettering(
        frozenset(indices - TIMES),
        frozenset(quantities),
        ordinary=ordinary,
        # Who writes ⊤ for a transpose does not write T for it.
        raised=ordinary if _uses(document, "top") else frozenset(),
        alone=_alone(document),
        labelled=_labelled(document, quantities - indices),
    )
    return replace(
        plain,
        aliases=_aliases(document, plain),
        numbered=_numbered(document, plain),
        tables=_tables(document, plain),
    )


def _paired(document: Reading, indices: set[str], alone: frozenset[str]) -> set[str]:
    """The letters that stand beside an index below something and never by themselves: μ in R_{μi}; and those
    of Kronecker's delta.
    """
    pairs: list[set[str]] = []
    for statement in document.statements:
        parts = [statement.left, *(link.right for link in statement.links)]
        for part in walk([p for p in parts if p is not None]):
            if isinstance(part, Letter):
                below = [item for item in flat(part.scripts.below) if isinstance(item, Letter)]
                letters = {item.name for item in below if item.scripts == Scripts()}
                if len(below) == 2 == len(letters):
                    pairs.append(letters)
                    if part.name == "delta":
                        indices = indices | (letters - alone)
    found = set(indices)
    before = -1
    while len(found) > before:
        before = len(found)
        for pair in pairs:
            if pair & found:
                found |= {
                    name for name in pair - alone - TIMES - TRANSPOSES if len(name) == 1 or name in GREEK
                }
    return found


def _unscripted(document: Reading) -> frozenset[str]:
    """The letters that stand somewhere else than in scripts."""
    found: set[str] = set()
    stack: list[object] = [(s.left, tuple(link.right for link in s.links)) for s in document.statements]
    while stack:
        node = stack.pop()
        if isinstance(node, tuple):
            stack += node
        elif isinstance(node, Letter):
            found.add(node.name)
        elif is_dataclass(node) and type(node).__module__.endswith("written"):
            stack += [
                getattr(node, f.name) for f in fields(node) if f.name not in ("span", "scripts", "below")
            ]
    return frozenset(found)


def _is_computed(statement: Statement) -> bool:
    """Whether a letter without scripts is said to be a function of something: the gate i = σ(…)."""
    left, links = statement.left, statement.links
    if not isinstance(left, Letter) or left.scripts != Scripts() or not links or links[0].sign not in EQUALS:
        return False
    right = links[0].right
    return isinstance(right, Call) and not right.function.name.startswith("arg")


def _named(document: Reading) -> set[str]:
    """The letters that are defined or differentiated, or by which something is."""
    found: set[str] = set()
    for statement in document.statements:
        is_said = bool(statement.links) and statement.links[0].sign in EQUALS and not statement.carried
        if is_said and not isinstance(statement.links[0].right, Numeral | Listed):
            found |= {part.name for part in (statement.left,) if isinstance(part, Letter)}
        parts = [statement.left, *(link.right for link in statement.links)]
        for part in walk([p for p in parts if p is not None]):
            if isinstance(part, Differential):
                found |= {side.name for side in (part.top, part.bottom) if isinstance(side, Letter)}
    return found


def _uses(document: Reading, name: str) -> bool:
    """Whether a letter stands anywhere."""
    parts = [side for s in document.statements for side in (s.left, *(link.right for link in s.links))]
    return any(isinstance(p, Letter) and p.name == name for p in walk([p for p in parts if p is not None]))


def _labelled(document: Reading, quantities: set[str]) -> frozenset[str]:
    """The letters below which some of these stand."""
    found: set[str] = set()
    for statement in document.statements:
        parts = [statement.left, *(link.right for link in statement.links)]
        for part in walk([p for p in parts if p is not None]):
            if isinstance(part, Letter):
                below = {item.name for item in flat(part.scripts.below) if isinstance(item, Letter)}
                if below & quantities:
                    found.add(part.name)
    return frozenset(found)


def _alone(document: Reading) -> frozenset[str]:
    """The letters that somewhere have nothing below them but a time."""
    found: set[str] = set()
    plain = Lettering(frozenset(), frozenset())
    for statement in document.statements:
        parts = [statement.left, *(link.right for link in statement.links)]
        for part in walk([p for p in parts if p is not None]):
            if isinstance(part, Letter):
                below = [s for s in flat(part.scripts.below) if plain._time(s, True) is None]
                if not below:
                    found.add(part.name)
    return frozenset(found)


def _tables(document: Reading, plain: Lettering) -> frozenset[str]:
    """The letters with a token below them: L_{x^(t)}."""
    found: set[str] = set()
    for statement in document.statements:
        parts = [statement.left, *(link.right for link in statement.links)]
        for part in walk([p for p in parts if p is not None]):
            if isinstance(part, Letter) and part.scripts.below:
                try:
                    found |= {part.name} if plain.resolve(part).token is not None else set()
                except Unclear:
                    continue
    return frozenset(found)


def _aliases(document: Reading, plain: Lettering) -> dict[str, str]:
    """Capitals that are said to be other capitals: two names of one matrix."""
    found: dict[str, str] = {}
    for name, statement in _named_statements(document, plain):
        right = statement.links[0].right
        if isinstance(right, Letter) and name[:1].isupper() and right.name[:1].isupper():
            try:
                other = plain.resolve(right)
            except Unclear:
                continue
            if other.name != name and not other.turned:
                found.setdefault(name, other.name)
    return found


def _numbered(document: Reading, plain: Lettering) -> frozenset[str]:
    """Quantities with a time of their own whose numerals are not defined as anything else: times, too."""
    said = list(_named_statements(document, plain))
    defined = {name for name, s in said if not isinstance(s.links[0].right, Numeral | Unread)}
    timed = {name for name, s in said if isinstance(s.left, Letter) and _bears_time(s.left, plain)}
    bases = {name.rstrip("0123456789") for name in defined if name[-1:].isdigit()}
    found = {name for name in timed if not name[-1:].isdigit() and name not in bases}
    # What is given goes by the same numbers as what is made of it.
    letters = [part for part in _all_letters(document) if _bears_time(part, plain)]
    labelled = {
        part.name for part in letters if any(isinstance(s, Numeral) for s in flat(part.scripts.below))
    }
    given = {part.name for part in letters if part.name.islower()} - labelled | {"x", "y"}
    return frozenset(found | (given - bases if found else set()))


def _all_letters(document: Reading) -> Iterator[Letter]:
    for statement in document.statements:
        parts = [statement.left, *(link.right for link in statement.links)]
        yield from (p for p in walk([p for p in parts if p is not None]) if isinstance(p, Letter))


def _named_statements(document: Reading, plain: Lettering) -> Iterator[tuple[str, Statement]]:
    """The statements that say what a name is."""
    for statement in document.statements:
        if isinstance(statement.left, Letter) and statement.links and statement.links[0].sign in EQUALS:
            try:
                name = plain.resolve(statement.left)
            except Unclear:
                continue
            if not (name.indices or name.turned or name.primes or name.token):
                yield name.name, statement


def _bears_time(letter: Letter, plain: Lettering) -> bool:
    below, above = flat(letter.scripts.below), flat(letter.scripts.above)
    # A T above is a transpose.
    found = [*(plain._time(s, True) for s in below), *(plain._time(s, False) for s in above)]
    return any(time is not None for time in found)


def walk(parts: list[Written]) -> Iterator[Written]:
    """Every part, and what stands in its scripts, without recursion."""
    stack = list(reversed(parts))
    while stack:
        node = stack.pop()
        yield node
        stack += children(node)
