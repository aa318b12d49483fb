"""One number for all formulas that say the same in other brackets, in another order, or with another sign."""

from __future__ import annotations

from collections.abc import Hashable

from bptt.formula.tree import (
    Add,
    Apply,
    Blocks,
    Derivative,
    Formula,
    Hadamard,
    Indexed,
    Kronecker,
    Neg,
    Number,
    Part,
    Power,
    Product,
    Sum,
    TimeProduct,
    TokenPart,
    Transpose,
    children,
)

# What a formula is made of besides its parts.
_OWN: dict[type, tuple[str, ...]] = {
    Indexed: ("indices",),
    Power: ("exponent",),
    Apply: ("function", "prime"),
    Sum: ("letter", "size", "lower", "upper"),
    TimeProduct: ("letter", "first", "last", "falling"),
    Part: ("start", "stop"),
}
_NAMES = Derivative | TokenPart | Blocks
# A meaning, and the sign with which a formula has it.
Signed = tuple[int, int]


class Spellings:
    """Numbers meanings as they come. Nothing is computed: 2h and h + h are two."""

    def __init__(self) -> None:
        self.numbers: dict[Hashable, int] = {}
        # Terms, or factors, of what has been numbered.
        self.items: dict[int, tuple[type, tuple[Signed, ...]]] = {}
        # By identity, for most parts of a candidate are those of the formula that it came from.
        self.known: dict[int, tuple[Formula, Signed]] = {}

    def meaning(self, formula: Formula) -> int:
        """The number of what it says, whatever its sign."""
        return self._signed(formula)[0]

    def _signed(self, formula: Formula) -> Signed:
        known = self.known.get(id(formula))
        if known is None:
            known = formula, self._read(formula)
            self.known[id(formula)] = known
        return known[1]

    def _number(self, key: Hashable) -> int:
        return self.numbers.setdefault(key, len(self.numbers))

    def _read(self, formula: Formula) -> Signed:
        match formula:
            case Neg(a):
                number, sign = self._signed(a)
                return number, -sign
            case Transpose(Transpose(a)):
                return self._signed(a)
            case Product(factors):
                return self._product(Product, factors)
            case Hadamard(factors):
                return self._product(Hadamard, factors)
            case Add(terms):
                return self._sum(terms)
        parts = () if isinstance(formula, _NAMES) else children(formula)
        if not parts:
            return self._number(formula), 1
        own = tuple(getattr(formula, name) for name in _OWN.get(type(formula), ()))
        inner = tuple(self._signed(part) for part in parts)
        if isinstance(formula, Sum | Transpose):
            return self._number((type(formula), own, inner[0][0])), inner[0][1]
        return self._number((type(formula), own, inner)), 1

    def _flat(self, kind: type, parts: tuple[Formula, ...]) -> list[Signed]:
        flat: list[Signed] = []
        for part in parts:
            number, sign = self._signed(part)
            found, items = self.items.get(number, (None, ()))
            if found is kind:
                flat += [(item, own * sign) for item, own in items]
            else:
                flat.append((number, sign))
        return flat

    def _product(self, kind: type, parts: tuple[Formula, ...]) -> Signed:
        sign = 1
        for part in parts:
            sign *= self._signed(part)[1]
        flat = [number for number, _ in self._flat(kind, parts)]
        if kind is Hadamard:
            flat.sort()
        else:
            # Elements are numbers, and these commute.
            elements = {
                self._signed(part)[0] for part in parts if isinstance(part, Indexed | Number | Kronecker)
            }
            flat = sorted(n for n in flat if n in elements) + [n for n in flat if n not in elements]
        if len(flat) == 1:
            return flat[0], sign
        number = self._number((kind, tuple(flat)))
        self.items[number] = kind, tuple((item, 1) for item in flat)
        return number, sign

    def _sum(self, terms: tuple[Formula, ...]) -> Signed:
        flat = sorted(self._flat(Add, terms))
        if len(flat) == 1:
            return flat[0]
        sign = flat[0][1] if flat else 1
        items = tuple((number, own * sign) for number, own in flat)
        number = self._number((Add, items))
        self.items[number] = Add, items
        return number, sign
