"""Written formulas to formulas with a meaning: every letter is a quantity of the model, an index, or a name
that the document gave to something.

Where a line can be read in more than one way (does `A B ∘ C D` multiply from left to right, is ∂h/∂z laid out
with the outputs along its rows?) there is a Mode for each, and the line is right if it is right in one that a
reader would choose.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bptt.checking.bars import arranged, has_words, with_words
from bptt.checking.meanings import LOSS_OF_EACH, Meanings, Mode
from bptt.checking.names import Resolved, Unclear, index_name, is_exponent
from bptt.checking.products import multiplied
from bptt.checking.steps import step_range
from bptt.checking.vocabulary import DIAGONAL, FUNCTIONS, LOSSES, is_arbitrary
from bptt.checking.written import (
    At,
    Big,
    Braced,
    Bracketed,
    Call,
    Cases,
    Chain,
    Differential,
    Fraction,
    Letter,
    Listed,
    Nabla,
    Numeral,
    Relation,
    Scripts,
    Terms,
    Written,
)
from bptt.formula.shapes import BATCH, ONE
from bptt.formula.tree import (
    BEFORE,
    NOW,
    Add,
    Apply,
    Concatenation,
    CrossEntropy,
    Derivative,
    Diag,
    Formula,
    Hadamard,
    Identity,
    Index,
    Indexed,
    Kronecker,
    Neg,
    Number,
    Ones,
    Power,
    Product,
    Quotient,
    Size,
    Sum,
    Symbol,
    Time,
    TimeProduct,
    TokenPart,
    Transpose,
    at_time,
    children,
    rebuild,
)
from bptt.ir.dims import Dim
from bptt.source import Span


class Reader:
    """Reads written formulas in one mode."""

    def __init__(self, meanings: Meanings, mode: Mode) -> None:
        self.meanings, self.mode = meanings, mode
        self.square: Dim | None = None

    def __call__(self, node: Written) -> Formula:
        """The formula. Unclear says what could not be given a meaning."""
        formula = self._read(node)
        self.meanings.spans[id(formula)] = formula, node.span
        return formula

    def _read(self, node: Written) -> Formula:
        match node:
            case Numeral(value=value, scripts=scripts):
                power = self._power(scripts)
                return Number(value) if power is None else _raised(value, power)
            case Letter():
                return self.letter(node)
            case Bracketed(inner=Listed(items), kind="[", scripts=Scripts((), (), 0)) if len(items) > 1:
                return self._stacked(items)
            case Bracketed(inner=inner, kind=kind) if kind in "([{" and not isinstance(inner, Relation):
                return self._scripted(self(inner), node.scripts)
            case Braced(inner=inner):
                return self(inner)
            case Chain(factors, signs):
                return self.chain(factors, signs)
            case Terms(terms, signs):
                return self._sum(terms, signs)
            case Fraction(top, bottom):
                return self._scripted(Quotient(self(top), self(bottom)), node.scripts)
            case Differential():
                return self._scripted(self.differential(node), node.scripts)
            case Nabla(by, operand) if by is not None and operand is not None:
                return Derivative(self(operand), self(by))
            case At(inner, where):
                return self._at(self(inner), where)
            case Big():
                return self._big(node)
            case Call():
                return self._scripted(self._call(node), node.scripts)
            case Bracketed(inner=Listed((first, second)), kind="⟨", scripts=Scripts((), (), 0)):
                return Apply("sum", Hadamard((self(first), self(second))))
            case Bracketed(inner=inner, kind="‖"):
                return self._norm(self(inner), node.scripts)
            case Bracketed(inner=Relation() as relation, kind="["):
                return self._scripted(self._indicator(relation), node.scripts)
            case Cases(rows=rows):
                return self._scripted(self._cases(rows), node.scripts)
        raise Unclear(_said(node))

    # Names.

    def letter(self, letter: Letter) -> Formula:
        above = letter.scripts.above
        if letter.name == "e" and len(above) == 1 and is_exponent(above[0]):
            return Apply("exp", self(above[0]))
        below = letter.scripts.below
        if letter.name in ("1", "I") and len(below) == 1 and _relates(below[0]):
            return self._indicator(below[0])
        if letter.name == "…":
            raise Unclear("what the dots stand for")
        if letter.name == "1" and self.meanings.counts and letter.face:
            return self._ones(letter)
        if letter.name == "1":
            # Added to a vector, the vector of ones and the number are the same.
            return Number(1.0)
        if letter.name == "T" and letter.scripts == Scripts() and "T" not in self.meanings.quantities:
            return Number(float(self.meanings.steps))
        found = self._resolve(letter)
        special = self._special(letter, found)
        if special is not None:
            return special
        vector = self._counted(found)
        if vector is not None:
            return Transpose(vector) if found.turned else vector
        if found.name in self.meanings.losses and found.name not in self.meanings.quantities:
            if self.meanings.counts and len(found.indices) == 1:
                return Indexed(LOSS_OF_EACH, found.indices)
            return Symbol("J", (), None if found.time is None else self._step(found.time))
        if found.name in self.meanings.counts and letter.scripts == Scripts():
            return Size(self.meanings.counts[found.name])
        quantity = self.meanings.quantities.get(found.name)
        if quantity is None:
            raise Unclear(f"what {found.name} is")
        now = Time("T") if found.name in self.meanings.finals else NOW
        time = None if quantity.symbol.time is None else self._step(found.time or now)
        if quantity.formula is not None:
            value: Formula = at_time(quantity.formula, time or NOW)
        else:
            value = replace(quantity.symbol, time=time)
        if found.token is not None:
            token = self.meanings.quantities.get(found.token.name)
            if token is None:
                raise Unclear(f"what {found.token.name} is")
            value = TokenPart(value, replace(token.symbol, time=found.token.time or NOW))
        if found.indices:
            value = self._element(value, found.indices)
        if found.turned:
            value = Transpose(value)
        return value if found.power is None else Power(value, found.power)

    def _ones(self, letter: Letter) -> Formula:
        """The column of ones, one for each example; a row where that is turned."""
        ones = Ones((BATCH, ONE))
        return Transpose(ones) if self.meanings.lettering.resolve(letter).turned else ones

    def _resolve(self, letter: Letter) -> Resolved:
        found = self.meanings.lettering.resolve(letter)
        base = found.name.rstrip("0123456789")
        digits = found.name[len(base) :]
        is_known = found.name in self.meanings.quantities or found.time is not None
        if digits and not is_known and base in self.meanings.quantities and self._axes(base) == len(digits):
            return replace(found, name=base, indices=tuple(map(Index, digits)))
        return found

    def _counted(self, found: Resolved) -> Formula | None:
        """One of many vectors, if it is one: a row or column of their matrix."""
        family = self.meanings.families.of(found)
        table = self.meanings.quantities.get(family.table) if family is not None else None
        if family is None or table is None or len(table.symbol.shape) != 2 or found.power is not None:
            return None
        return Indexed(table.symbol, found.indices, family.along, found.name)

    def _step(self, time: Time) -> Time:
        """Steps that are told by number are counted back from the last, which is t; where the last is T, they
        are counted from the first.
        """
        if time.letter:
            return time
        if not self.meanings.last:
            return time
        return Time("t", time.offset - self.meanings.last)

    def _axes(self, name: str) -> int:
        return len(self.meanings.quantities[name].symbol.shape)

    def _special(self, letter: Letter, found: Resolved) -> Formula | None:
        """Kronecker's delta, the identity, and the unit vector of the true class."""
        if found.name == "I" and (letter.face == "blackboard" or "I" not in self.meanings.quantities):
            return self._identity()
        if found.name == "delta" and len(found.indices) == 2 and "delta" not in self.meanings.quantities:
            return Kronecker(*found.indices)
        of_class = [self.meanings.labels.get(index.letter, "") for index in found.indices]
        if found.name == "e" and "e" not in self.meanings.quantities and len(of_class) == 1:
            return (
                self.meanings.quantities[of_class[0]].symbol
                if of_class[0] in self.meanings.quantities
                else None
            )
        return None

    def _element(self, value: Formula, indices: tuple[Index, ...]) -> Formula:
        match value:
            case Derivative(top, bottom, at):
                return Derivative(top, self._element(bottom, indices), at)
            case Add(terms):
                return Add(tuple(self._element(term, indices) for term in terms))
            case Neg(a):
                return Neg(self._element(a, indices))
            case _:
                return Indexed(value, indices)

    def _identity(self) -> Formula:
        """As large as what something is derived by; else as what is carried, if only one vector is."""
        if self.square is not None:
            return Identity(self.square)
        sizes = {q.symbol.shape for n, q in self.meanings.quantities.items() if n in self.meanings.carried}
        if len(sizes) != 1 or len(next(iter(sizes))) != 1:
            raise Unclear("how large I is")
        return Identity(next(iter(sizes))[0])

    # Scripts on brackets and fractions.

    def _stacked(self, items: tuple[Written, ...]) -> Formula:
        """Vectors one after the other."""
        parts = tuple(map(self, items))
        if any(isinstance(part, Transpose) for part in parts):
            raise Unclear("how the parts of a vector lie")
        return Concatenation(parts)

    def _power(self, scripts: Scripts) -> float | None:
        for item in scripts.above:
            if isinstance(item, Numeral):
                if item.scripts != Scripts():
                    raise Unclear("a power of a power")
                return item.value
        return None

    def _scripted(self, value: Formula, scripts: Scripts) -> Formula:
        if scripts == Scripts():
            return value
        probe = Letter("bracket", _nowhere(scripts), scripts)
        found = self.meanings.lettering.resolve(probe)
        if found.name != "bracket":
            raise Unclear("what stands at a bracket")
        if found.time is not None:
            value = at_time(value, found.time)
        if found.indices:
            value = self._element(value, found.indices)
        if found.turned:
            value = Transpose(value)
        return value if found.power is None else Power(value, found.power)

    def _norm(self, value: Formula, scripts: Scripts) -> Formula:
        """The Euclidean norm, or a power of it."""
        if scripts.primes or any(
            getattr(item, "value", getattr(item, "name", "")) not in (2, "F") for item in scripts.below
        ):
            raise Unclear("which norm it is")
        square = Apply("sum", Power(value, 2))
        power = self._power(scripts)
        if power == 2:
            return square
        norm = Apply("sqrt", square)
        return norm if power is None else Power(norm, power)

    # Sums and products.

    def _sum(self, terms: tuple[Written, ...], signs: tuple[str, ...]) -> Formula:
        read = []
        for term, sign in zip(terms, signs, strict=True):
            if sign not in ("+", "-"):
                raise Unclear(f"the sign {sign}")
            value = self(term)
            read.append(value if sign == "+" else Neg(value))
        return read[0] if len(read) == 1 else Add(tuple(read))

    def chain(self, factors: tuple[Written, ...], signs: tuple[str, ...]) -> Formula:
        """Factors in a row, in the mode's order of binding."""
        return multiplied([self(factor) for factor in factors], signs, self.mode.products)

    def _big(self, node: Big) -> Formula:
        body = self(node.body)
        steps = step_range(node, self._bound, Time("T"))
        if steps is not None:
            return self._over_steps(node.sign, body, *steps)
        if node.sign != "Σ":
            raise Unclear("a product over an index")
        letters = [letter for item in node.below for letter in _letters(item)]
        if any(len(letter.rstrip("'*")) > 1 and letter != "ell" for letter in letters):
            raise Unclear(f"what the sum over {letters[0]} is: here there is one example")
        if not letters:
            raise Unclear("what the sum runs over")
        for letter in reversed(letters):
            body = Sum(letter, body)
        return body

    def _over_steps(self, sign: str, body: Formula, letter: str, first: Time, last: Time) -> Formula:
        """A sum or a product over steps. Where the order of a product is not seen, the mode says it."""
        turned = (first.letter == last.letter and first.offset > last.offset) or (first.letter in ("t", "T"))
        if sign == "Σ":
            return Sum(letter, body, None, *((last, first) if turned else (first, last)))
        if sign != "Π":
            raise Unclear(f"the sign {sign}")
        if self.mode.falling and not turned:
            first, last = last, first
        return TimeProduct(letter, first, last, body, turned or self.mode.falling)

    def _bound(self, node: Written) -> Time:
        match node:
            case Numeral(value=value):
                last = self.meanings.last
                return Time("", int(value) + (self.meanings.now - last if last else 0))
            case Letter(name="T", scripts=Scripts((), (), 0)):
                return Time("T")
        found = self.meanings.lettering._time(node, below=True)
        if found is None:
            raise Unclear("from where to where the sum runs")
        return found

    # Functions and derivatives.

    def _call(self, node: Call) -> Formula:
        name = node.function.name
        power = self._power(node.function.scripts)
        if node.function.scripts.below or (node.function.scripts.above and power is None):
            raise Unclear(f"what stands at {name}")
        if power is not None:
            plain = replace(node, function=replace(node.function, scripts=Scripts()))
            return Power(self._call(plain), power)
        if name in self.meanings.losses:
            return Symbol("J")
        if name in DIAGONAL and len(node.arguments) == 1:
            value = self(node.arguments[0])
            # Σ(θ) is the diagonal matrix of σ′(θ), in the documents that write so.
            return Diag(Apply("sigmoid", value, prime=True) if name == "Sigma" else value)
        if name in LOSSES and len(node.arguments) == 2:
            target, output = map(self, node.arguments)
            return CrossEntropy(output, target) if self._is_target(output) else CrossEntropy(target, output)
        if name in ("1", "I") and len(node.arguments) == 1 and isinstance(node.arguments[0], Relation):
            return self._indicator(node.arguments[0])
        if name == "delta" and name not in self.meanings.quantities and not node.function.scripts.primes:
            match node.arguments:
                case (Relation() as relation,):
                    return self._indicator(relation)
                case Letter(scripts=Scripts((), (), 0)) as left, Letter(scripts=Scripts((), (), 0)) as right:
                    return Kronecker(Index(left.name), Index(right.name))
        if (name not in FUNCTIONS and not is_arbitrary(name)) or len(node.arguments) != 1:
            raise Unclear(f"the function {name}")
        primes = node.function.scripts.primes
        if primes > 1:
            raise Unclear(f"a higher derivative of {name}")
        value = Apply(FUNCTIONS.get(name, name), self(node.arguments[0]), prime=primes == 1)
        is_matrix = value.prime and self.mode.diagonal and not isinstance(value.argument, Indexed)
        return Diag(value) if is_matrix else value

    def _is_target(self, formula: Formula) -> bool:
        """Whether it is what the model's output is compared with, and not that output."""
        return isinstance(formula, Symbol) and formula.name in self.meanings.targets

    def _cases(self, rows: tuple[tuple[Written, Written | None], ...]) -> Formula:
        """Each value times 1 where its condition holds; "otherwise" is where none of the others does."""
        held = [self._indicator(condition) for _, condition in rows if condition is not None]
        terms: list[Formula] = []
        for (value, _), where in zip(rows, [*held, _not(held)], strict=False):
            factor = self(value)
            if factor == Number(1.0):
                terms.append(where)
            elif factor != Number(0.0):
                kind = Product if isinstance(factor, Number) else Hadamard
                terms.append(kind((factor, where)))
        if not terms:
            return Number(0.0)
        return terms[0] if len(terms) == 1 else Add(tuple(terms))

    def _indicator(self, condition: Written) -> Formula:
        """1 where the condition holds, else 0."""
        match condition:
            case Bracketed(inner=inner, scripts=Scripts((), (), 0)):
                return self._indicator(inner)
            case Listed(items):
                return Hadamard(tuple(map(self._indicator, items)))
            case Relation((Letter() as left, Letter() as right), ("=" | "≠" as sign,)):
                same = Kronecker(Index(left.name), Index(right.name))
                return same if sign == "=" else _not([same])
            case Relation((left, Numeral(value=0)), (">" | "≥",)) | Relation(
                (Numeral(value=0), left), ("<" | "≤",)
            ):
                return Apply("step", self(left))
            case Relation((left, Numeral(value=0)), ("<" | "≤",)) | Relation(
                (Numeral(value=0), left), (">" | "≥",)
            ):
                return Apply("step", Neg(self(left)))
        raise Unclear("a condition")

    def differential(self, node: Differential) -> Formula:
        bottom = self._applied(self(node.bottom)) if node.guessed else self(node.bottom)
        if node.top is not None:
            top = self(node.top)
            return Derivative(top, bottom, self._immediate(node, top, bottom))
        if node.operand is None:
            raise Unclear("what the derivative is taken of")
        return Derivative(self(node.operand), bottom)

    def _immediate(self, node: Differential, top: Formula, bottom: Formula) -> Time | None:
        """The step whose uses alone count: that of the state, in ∂⁺h_k/∂W; step t, of what enters it."""
        state = top.base if isinstance(top, Indexed) else top
        part = bottom.base if isinstance(bottom, Indexed) else bottom
        if self.mode.alone and isinstance(part, Symbol) and part.name in self.meanings.carried:
            return NOW if part.time == BEFORE and mentions_now(state) else None
        if not isinstance(state, Symbol) or state.time is None or state.name == "J":
            return None
        by_parameter = isinstance(part, Symbol) and part.time is None
        is_meant = self.mode.immediate and by_parameter and node.signs[0] != "d"
        return state.time if node.signs[0].endswith("⁺") or is_meant else None

    def _applied(self, bottom: Formula) -> Formula:
        """What a short name is the derivative by: a quantity, or what its function is applied to."""
        match bottom:
            case Indexed(base, indices):
                return Indexed(self._applied(base), indices)
            case Symbol(name=name, time=time) if name in self.meanings.applied:
                if self.meanings.inner.get(name, self.mode.inner):
                    return replace(self.meanings.applied[name], time=time)
        return bottom

    def _at(self, value: Formula, where: tuple[Written, ...]) -> Formula:
        time = self.meanings.lettering._time(where[0], below=True) if len(where) == 1 else None
        found = None if time is None else _with_bar(value, time)
        if time is None and isinstance(value, Derivative) and has_words(where):
            arrange = arranged(self.meanings.layout, self.mode.flipped, self.mode.lying)
            found = with_words(value, where, self, arrange)
        if found is None:
            raise Unclear("what stands at the bar")
        return found


def mentions_now(state: Formula) -> bool:
    """Whether it is J, or something at step t."""
    return isinstance(state, Symbol) and (state.name == "J" or state.time == NOW)


def _with_bar(value: Formula, at: Time) -> Formula | None:
    """The bar at a derivative; behind a product, at the one derivative by a parameter in it."""
    if isinstance(value, Derivative):
        return replace(value, at=at)
    if not isinstance(value, Product | Hadamard | Transpose):
        return None
    parts = children(value)
    barred = [k for k, part in enumerate(parts) if _derives_by_parameter(part)]
    inner = _with_bar(parts[barred[0]], at) if len(barred) == 1 else None
    return None if inner is None else rebuild(value, (*parts[: barred[0]], inner, *parts[barred[0] + 1 :]))


def _derives_by_parameter(formula: Formula) -> bool:
    if isinstance(formula, Derivative):
        bottom = formula.bottom.base if isinstance(formula.bottom, Indexed) else formula.bottom
        return isinstance(bottom, Symbol) and bottom.time is None
    return any(map(_derives_by_parameter, children(formula)))


def _raised(value: float, power: float) -> Number:
    try:
        raised = value**power
    except ArithmeticError:
        raise Unclear("a number within bounds") from None
    if isinstance(raised, complex):
        raise Unclear("a root of a negative number")
    return Number(raised)


def _relates(node: Written) -> bool:
    return isinstance(node.inner if isinstance(node, Bracketed) else node, Relation)


def _not(conditions: list[Formula]) -> Formula:
    """1 where none of them, of which one holds at most, does."""
    return Add((Number(1.0), *map(Neg, conditions)))


def _letters(item: Written) -> Iterator[str]:
    match item:
        case Letter():
            yield index_name(item)
        case Listed(items):
            for one in items:
                yield from _letters(one)
        case Chain(factors, _):
            for one in factors:
                yield from _letters(one)
        case Relation((first, *_), _):
            yield from _letters(first)


def _nowhere(scripts: Scripts) -> Span:
    first = (*scripts.below, *scripts.above)
    return first[0].span if first else Span(0, 0, None)  # type: ignore[arg-type]


def _said(node: Written) -> str:
    return f"{type(node).__name__.lower()}: {node.span.text[:40]}"
