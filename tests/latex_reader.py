"""Reads formulas of numbers in LaTeX as a person would, and says what they come to."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

_TOKENS = re.compile(r"\\[A-Za-z]+|\\.|[0-9.]+|[A-Za-z]|\S")


def value(text: str, point: Mapping[str, float], functions: Mapping[str, Callable[[float], float]]) -> float:
    """The number; `point` has the values of symbols, by their LaTeX."""
    for place, name in enumerate(point):
        text = text.replace(name, f"@{place} ") if len(name) > 1 else text
    values = dict(enumerate(point.values()))
    names = {name: place for place, name in enumerate(point)}
    text = re.sub(r"\\mathrm\{e\}\^", r"\\powerofe", text.replace(r"\!", "").replace(r"\,", ""))
    text = re.sub(r"(?<![A-Za-z\\])u", f"@{names['u']} ", text)
    reader = _Reader(
        re.findall(r"@\d+|" + _TOKENS.pattern, text.replace(r"\left", "").replace(r"\right", ""))
    )
    reader.values, reader.functions = values, functions
    result = reader.sum()
    assert not reader.tokens, (text, reader.tokens)
    return result


class _Reader:
    values: Mapping[int, float]
    functions: Mapping[str, Callable[[float], float]]

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens

    def next(self) -> str:
        return self.tokens[0] if self.tokens else ""

    def take(self, *expected: str) -> str:
        token = self.tokens.pop(0)
        assert not expected or token in expected, (token, expected)
        return token

    def sum(self) -> float:
        """Terms, each of them ∘-products of products; a minus may stand at the beginning only."""
        total, sign = 0.0, -1.0 if self.next() == "-" and self.take() else 1.0
        while True:
            total += sign * self.term()
            if self.next() not in ("+", "-"):
                return total
            sign = 1.0 if self.take() == "+" else -1.0

    def term(self) -> float:
        result = self.product()
        while self.next() == r"\circ":
            self.take()
            result *= self.product()
        return result

    def product(self) -> float:
        result = self.scripted()
        while self.next() and self.next() not in ("+", "-", ")", "}", r"\circ"):
            if self.next() == r"\cdot":
                self.take()
            else:
                assert not self.next()[0].isdigit(), "two numbers run together"
            result *= self.scripted()
        return result

    def scripted(self) -> float:
        base = self.atom()
        if self.next() != "^":
            return base
        self.take()
        exponent = self.braces()
        return math.nan if base == 0 and exponent < 0 else base**exponent

    def braces(self) -> float:
        self.take("{")
        result = self.sum()
        self.take("}")
        return result

    def brackets(self) -> float:
        self.take("(")
        result = self.sum()
        self.take(")")
        return result

    def atom(self) -> float:
        token = self.next()
        if token == "(":
            return self.brackets()
        self.take()
        if token[0] == "@":
            return self.values[int(token[1:])]
        if token[0].isdigit():
            return float(token)
        match token:
            case r"\frac":
                top = self.braces()
                return top / self.braces()
            case r"\sqrt":
                return math.sqrt(self.braces())
            case r"\powerofe":
                return math.exp(self.braces())
            case r"\exp":
                return math.exp(self.brackets())
            case r"\sigma":
                return self.functions["sigmoid"](self.brackets())
            case r"\log":
                # Without brackets it is the logarithm of the one name behind it.
                return math.log(self.brackets() if self.next() == "(" else self.atom())
            case r"\sum":
                while self.take() != "^":
                    pass
                assert [self.take() for _ in range(3)] == ["{", "3", "}"]
                # It reaches as far as a product does.
                return 3 * self.term()
        raise AssertionError(f"what is {token}?")
