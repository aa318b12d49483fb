"""What a document as a whole says: which steps it tells by number, what its J is, what it looks up.

A line alone does not say whether L is the loss or a table, or whether J is the loss of one step or of all.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

from bptt.checking.families import Families, families
from bptt.checking.names import EQUALS, TIMES, Lettering, Resolved, Unclear, index_name, walk
from bptt.checking.steps import LAST, STEP
from bptt.checking.vocabulary import DIAGONAL, FUNCTIONS, LOSSES
from bptt.checking.written import (
    Big,
    Bracketed,
    Call,
    Cases,
    Chain,
    Differential,
    Letter,
    Nabla,
    Numeral,
    Reading,
    Scripts,
    Statement,
    Terms,
    Written,
)
from bptt.formula.tree import Time

# Names of what is minimised, where the document does not define them as anything else.
USUAL_LOSSES = frozenset({"J", "L", "E", "C", "CE", "SCE", "loss", "Loss", "ell"})
LOGARITHMS = frozenset({"log", "ln", "CE", "CrossEntropy", "H"})
# Names of what an output is compared with, the most usual first.
TARGETS = ("y", "t", "d", "q", "target")
_EINSTEIN = re.compile(r"Einstein|summation convention|repeated ind(?:ex|ices)|爱因斯坦", re.IGNORECASE)
# Words for derivatives through everything.
_TOTAL = re.compile(r"\btotal|\bgesamt|\btotale|全导数|总导数", re.IGNORECASE)
# Words that say that J is the loss of all steps.
_SUMMED = re.compile(r"(?:summed|sum) over (?:all )?(?:the )?(?:time )?steps|total loss", re.IGNORECASE)


class Survey:
    """A document, gone through once for what only the whole of it tells. `totals` are what it sums over all
    examples.
    """

    def __init__(self, reading: Reading, letters: Lettering, totals: frozenset[str] = frozenset()) -> None:
        self.reading, self.letters, self.totals = reading, letters, totals

    def resolved(self, statement: Statement) -> Iterator[Resolved]:
        """Every letter of a statement with its scripts understood."""
        for part in walk(parts_of(statement)):
            if isinstance(part, Letter):
                try:
                    yield self.letters.resolve(part)
                except Unclear:
                    continue

    @cached_property
    def names(self) -> list[Resolved]:
        """Every letter of the document, as often as it stands there."""
        return [name for statement in self.reading.statements for name in self.resolved(statement)]

    @cached_property
    def families(self) -> Families:
        """Vectors that are counted."""
        return families(self.reading, self.letters)

    def name(self, part: Written | None) -> str:
        """What a letter or a function is called; "" for anything else."""
        if isinstance(part, Call) and part.function.name not in FUNCTIONS:
            return part.function.name
        if not isinstance(part, Letter):
            return ""
        try:
            return self.letters.resolve(part).name
        except Unclear:
            return ""

    @cached_property
    def last(self) -> int:
        """The largest number that tells a step; 0 where the last of them has a letter, as in x_1, …, x_T. The
        token x_4 may be what is to come.
        """
        times = [(name.name, name.time) for name in self.names if name.time is not None]
        if any(time.letter == LAST for _, time in times):
            return self._number_of_steps
        numbered = [(name, time.offset) for name, time in times if not time.letter]
        made = [number for name, number in numbered if name not in ("x", "y")]
        return max(made or [number for _, number in numbered], default=0)

    @cached_property
    def _number_of_steps(self) -> int:
        """What T is said to be, or 0."""
        for statement in self.reading.statements:
            match statement:
                case Statement(left=Letter(name="T", scripts=Scripts((), (), 0)), links=(link, *_)):
                    if isinstance(link.right, Numeral):
                        return int(link.right.value)
        return 0

    @cached_property
    def says_total(self) -> bool:
        """Whether some of its derivatives are said to be total."""
        return _TOTAL.search(self.reading.source.text) is not None

    @cached_property
    def total(self) -> tuple[str, ...]:
        """What J without a time may be: that of all steps, where the document says so; that of some later
        step or of all, where something comes from step t+1; otherwise that of step t.
        """
        if self.finals & self.losses:
            return ("last",)
        if any(map(self._sums_over_times, self.reading.statements)) or _SUMMED.search(
            self.reading.source.text
        ):
            return ("all",)
        ahead = any(time.letter == "t" and time.offset > 0 for time in self._times_of_claims())
        return ("all", "later") if ahead else ("now",)

    @cached_property
    def finals(self) -> frozenset[str]:
        """The names without a time that are made of what is there at the last step, T: the loss of a model
        that answers once, at the end.
        """
        made_of: dict[str, set[str]] = {}
        found: set[str] = set()
        for statement in self.reading.statements:
            name = self.name(statement.left)
            if not name or is_claim(statement.left) or name in self.timed:
                continue
            rights = [n for n in self.resolved(replace(statement, left=None)) if n.name != name]
            made_of.setdefault(name, {n.name for n in rights})
            if {n.time.letter for n in rights if n.time is not None} == {"T"}:
                found.add(name)
        while more := {name for name, parts in made_of.items() if parts & found} - found:
            found |= more
        if found & self.losses:
            # What the answer is compared with is there at the end, too.
            found |= {part for name in found & self.losses for part in made_of[name]} - self.timed
        return frozenset(found)

    def _sums_over_times(self, statement: Statement) -> bool:
        if not isinstance(statement.left, Letter | Call) or is_claim(statement.left):
            return False
        if any(self._adds_steps(link.right, self.name(statement.left)) for link in statement.links):
            return True
        sums = [part for part in walk([link.right for link in statement.links]) if isinstance(part, Big)]
        below = [p for part in sums for p in walk(list(part.below))]
        return any(isinstance(p, Letter) and (p.name in TIMES or p.face == STEP) for p in below)

    def _adds_steps(self, right: Written, name: str) -> bool:
        """Whether it is E_1 + E_2 + E_3."""
        if not isinstance(right, Terms) or set(right.signs) != {"+"}:
            return False
        if not name or any(self.name(term) != name for term in right.terms):
            return False
        steps = {self.letters.resolve(t).time for t in right.terms if isinstance(t, Letter)}
        return len(steps - {None}) == len(right.terms)

    def _times_of_claims(self) -> Iterator[Time]:
        for statement in self.reading.statements:
            if is_claim(statement.left):
                yield from (n.time for n in self.resolved(statement) if n.time is not None)

    @cached_property
    def derived(self) -> list[str]:
        """What derivatives are taken of, as often as they are."""
        parts = [part for statement in self.reading.statements for part in walk(parts_of(statement))]
        return [name for part in parts if (name := self.name(_sides(part)[0]))]

    @cached_property
    def differentiated(self) -> frozenset[str]:
        """The names that derivatives are of or by."""
        parts = (part for statement in self.reading.statements for part in walk(parts_of(statement)))
        return frozenset(self.name(side) for part in parts for side in _sides(part)) - {""}

    @cached_property
    def losses(self) -> frozenset[str]:
        """What derivatives are taken of, never by, and that the document defines as no other quantity."""
        above, below, others = set[str](), set[str](), set[str]()
        for statement in self.reading.statements:
            for part in walk(parts_of(statement)):
                top, bottom = _sides(part)
                above.add(self.name(top))
                below.add(self.name(bottom))
        for statement in self.reading.statements:
            rights = [link.right for link in statement.links]
            name = self.name(statement.left)
            is_loss = name in above and name in USUAL_LOSSES | self.totals
            if not is_loss and not any(_is_logarithm(part) for part in walk(rights)):
                others.add(name)
        found = (above | (USUAL_LOSSES & self.defined)) - below - others - {""}
        # A stranger is what is derived where nothing else is.
        strangers = above - USUAL_LOSSES - self.defined
        return frozenset(found - strangers if above & found - strangers else found)

    @cached_property
    def labels(self) -> frozenset[str]:
        """The letters that name the true class: those at which a loss takes an element without summing over
        it (-log p_c); one of many vectors only where a softmax runs over all of them.
        """
        indexed = {name.name for name in self.names if name.indices}
        indexed -= self.families.known.keys() - self.families.chosen
        found: set[str] = set()
        for statement in self.reading.statements:
            if self.name(statement.left) not in self.losses | LOSSES or is_claim(statement.left):
                continue
            if isinstance(statement.left, Letter) and any(self._indices_of(statement.left)):
                # An element of something that is only called like a loss.
                continue
            bound: set[str] = set(TIMES)
            for part in walk([link.right for link in statement.links]):
                if isinstance(part, Big):
                    bound.update(index_name(p) for p in walk(list(part.below)) if isinstance(p, Letter))
            for link in statement.links:
                summed: set[str] = set()
                for part in walk([link.right]):
                    if isinstance(part, Chain):
                        # y_k log p_k is a sum that is not written.
                        labels = Counter(x for factor in part.factors for x in _elements(factor, indexed))
                        summed.update(label for label, count in labels.items() if count > 1)
                found |= set(_elements(link.right, indexed)) - bound - summed
        return frozenset(found)

    @cached_property
    def ranks(self) -> dict[str, int]:
        """How many indices the elements of a name have, where they are always as many; vectors that are
        counted themselves (u_w transposed) have no elements.
        """
        counts: dict[str, set[int]] = {}
        others = self.families.known.keys() | (USUAL_LOSSES & set(self.derived))
        for name in self.names:
            if name.indices and name.name not in others:
                is_vector = name.turned and len(name.indices) == 1
                counts.setdefault(name.name, set()).add(0 if is_vector else len(name.indices))
        told = {name: many.pop() for name, many in counts.items() if len(many) == 1 and many <= {1, 2}}
        return told | self.families.ranks

    @cached_property
    def targets(self) -> dict[str, str]:
        """The name of the one-hot vector that picks the element of each label."""
        used = {name.name for name in self.names}
        # t_j = 1 for j = j* says what t is, and makes it no quantity of the model.
        said = [s for s in self.reading.statements if s.links and s.links[0].sign in EQUALS]
        made = {self.name(s.left) for s in said if not isinstance(s.links[0].right, Numeral | Cases)}
        free = (name for name in TARGETS if name not in made and (name in used or name == "y"))
        return dict.fromkeys(sorted(self.labels), next(free, "target"))

    @cached_property
    def einstein(self) -> str:
        """Whether a letter that stands twice is summed over: "stated" in words; "used" where an equation or
        several claims have such a letter; "" otherwise.
        """
        if _EINSTEIN.search(self.reading.source.text):
            return "stated"
        implied = [is_claim(s.left) for s in self.reading.statements if self._implies_sum(s)]
        return "used" if implied.count(True) > 1 or not all(implied) else ""

    def _implies_sum(self, statement: Statement) -> bool:
        """Whether a product has a letter twice that the left side does not have, and nothing is summed."""
        left = {letter for name in self._indices_of(statement.left) for letter in name}
        rights = [link.right for link in statement.links]
        for part in walk([] if any(isinstance(p, Big) for p in walk(rights)) else rights):
            if isinstance(part, Chain):
                factors = [f for f in part.factors if isinstance(f, Letter | Differential | Bracketed | Call)]
                letters = Counter(
                    letter for f in factors for letter in {c for n in self._indices_of(f) for c in n}
                )
                if any(count > 1 and letter not in left for letter, count in letters.items()):
                    return True
        return False

    def _indices_of(self, part: Written | None) -> Iterator[tuple[str, ...]]:
        """The indices of every letter in a part."""
        for letter in walk([part] if part is not None else []):
            if isinstance(letter, Letter):
                try:
                    yield tuple(index.letter for index in self.letters.resolve(letter).indices)
                except Unclear:
                    continue

    @cached_property
    def diagonal(self) -> bool:
        """Whether σ′(z) is said to be a diagonal matrix: σ′(z) = diag(…)."""
        return any(
            isinstance(s.left, Call)
            and s.left.function.scripts.primes
            and any(isinstance(p.right, Call) and p.right.function.name in DIAGONAL for p in s.links)
            for s in self.reading.statements
        )

    @cached_property
    def defined(self) -> frozenset[str]:
        """The names on left sides."""
        said = [s for s in self.reading.statements if s.links and s.links[0].sign in EQUALS]
        return frozenset({self.name(statement.left) for statement in said} - {""})

    @cached_property
    def derivatives(self) -> frozenset[str]:
        """The names that are said to be derivatives: whatever else is said of them is a claim."""
        said = [s for s in self.reading.statements if s.links and s.links[0].sign in EQUALS]
        return frozenset(map(self.names_derivative, said)) - {""}

    def names_derivative(self, statement: Statement) -> str:
        """The name that a statement gives to a derivative; "" where it gives none."""
        if not any(isinstance(link.right, Differential | Nabla) for link in statement.links):
            return ""
        return self.name(statement.left) if isinstance(statement.left, Letter) else ""

    @cached_property
    def tables(self) -> tuple[str, ...]:
        """Matrices of which a token picks a part somewhere."""
        return tuple(dict.fromkeys(name.name for name in self.names if name.token is not None))

    @cached_property
    def timed(self) -> frozenset[str]:
        """The names that bear a time somewhere."""
        return frozenset(
            n.name for s in self.reading.statements for n in self.resolved(s) if n.time is not None
        )


def parts_of(statement: Statement) -> list[Written]:
    """Both sides of a statement, and what follows in its chain."""
    return list(statement.sides)


def is_claim(left: Written | None) -> bool:
    """Whether what is on the left is a derivative; that of a function is one, too: σ′(z) = …"""
    if isinstance(left, Call) and left.function.scripts.primes:
        return True
    return left is not None and differentiates(left)


def differentiates(formula: Written) -> bool:
    return any(isinstance(part, Differential | Nabla) for part in walk([formula]))


def _elements(part: Written, indexed: set[str]) -> set[str]:
    """The letters at which elements are taken of what has elements."""
    found = set()
    for node in walk([part]):
        match node:
            case Letter(name=name, scripts=Scripts((Letter(scripts=Scripts((), marks, _)) as label,), _, 0)):
                if name in indexed and all(mark.name == "*" for mark in marks if isinstance(mark, Letter)):
                    found.add(index_name(label))
    return found


def _is_logarithm(part: Written) -> bool:
    return isinstance(part, Call) and part.function.name in LOGARITHMS


def _sides(part: Written) -> tuple[Written | None, Written | None]:
    """What a derivative is of, and by."""
    if isinstance(part, Differential):
        return part.top, part.bottom
    return (part.operand, part.by) if isinstance(part, Nabla) else (None, None)
