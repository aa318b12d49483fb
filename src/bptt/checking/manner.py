"""How a document writes what can be written in several ways: times, transposes, elementwise products."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from bptt.formula.tree import Formula, Symbol, Transpose
from bptt.render import latex
from bptt.source import Span

# A time at the head, in round or angle brackets, and at the foot.
_ROUND = re.compile(r"\^\s*\{?\s*\(\s*(?:t|T)\b")
_ANGLE = re.compile(r"\^\s*\{?\s*(?:\\langle|⟨|<)\s*(?:t|T)\b")
_FOOT = re.compile(r"_\s*\{?\s*(?:[a-zA-Z]+\s*,\s*)?t\b")
_TRANSPOSES = {
    r"\top": re.compile(r"\\top\b"),
    "T": re.compile(r"\^\s*(?:\{\s*(?:\([^()]*\)\s*)?T\s*\}|T)(?![a-zA-Z(])"),
    r"\intercal": re.compile(r"\\intercal\b"),
}
_ELEMENTWISE = {r"\circ": re.compile(r"\\circ\b|∘"), r"\odot": re.compile(r"\\odot\b|⊙")}
_RAISED_TIME = re.compile(r"\^\{\(((?:t|T)(?:[+-]\d+)?)\)\}")


# A name with letters as labels, W_h_y: W_{hy}.
_LABELS = re.compile(r"\\mathrm\{([A-Za-z])((?:\\_[A-Za-z0-9])+)\}")
# What a letter is set in, and a letter that nothing is said of.
_FACE = re.compile(r"\\(?:mathcal|mathbf|mathrm|mathit|mathsf|boldsymbol|text)\s*\{\s*$")
_NAME = re.compile(r"\\?[A-Za-z]+")
_LABELLED = re.compile(r"\\?[A-Za-z]+\s*_\s*(?:\{[^{}]*\}|\w)")
KRONECKER = re.compile(r"\\mathbf\{1\}\[(\w) = (\w)\]")


@dataclass(frozen=True)
class Manner:
    """`raised`: times stand at the head, in `brackets`; the rest are the commands of the signs."""

    raised: bool = False
    brackets: tuple[str, str] = ("(", ")")
    transpose: str = r"\top"
    elementwise: str = r"\circ"

    def show(self, formula: Formula, timed: bool) -> str:
        """The formula in LaTeX as the document would have it."""
        text = latex.show(formula, timed, self.raised)
        if self.brackets != ("(", ")"):
            left, right = self.brackets
            text = _RAISED_TIME.sub(lambda time: f"^{{{left} {time[1]} {right}}}", text)
        if self.transpose != r"\top":
            text = text.replace(
                r"^{\top}", f"^{self.transpose}" if self.transpose == "T" else f"^{{{self.transpose}}}"
            )
        text = _LABELS.sub(lambda name: f"{name[1]}_{{{name[2]}}}".replace(r"\_", ""), text)
        return text.replace(r"\circ", self.elementwise)


@lru_cache(maxsize=4)
def manner_of(text: str) -> Manner:
    """What a document does more often than anything else."""
    counts = {"round": len(_ROUND.findall(text)), "angle": len(_ANGLE.findall(text))}
    foot = len(_FOOT.findall(text))
    raised = max(counts.values()) > foot
    brackets = (r"\langle", r"\rangle") if counts["angle"] > counts["round"] else ("(", ")")
    return Manner(raised, brackets, _most(_TRANSPOSES, text), _most(_ELEMENTWISE, text))


def names_time(text: str) -> bool:
    """Whether a formula says of which step something is."""
    return any(pattern.search(text) for pattern in (_ROUND, _ANGLE, _FOOT))


def name_at(span: Span) -> str:
    """The name that stands there without its scripts, in the face that it is set in; "" for anything else."""
    name = _NAME.match(span.text)
    if name is None:
        return ""
    face = _FACE.search(span.source.text[max(0, span.start - 20) : span.start])
    return name[0] if face is None else f"{face[0]}{name[0]}}}"


def label_at(name: str, spans: Iterable[tuple[Formula, Span]]) -> str:
    """A name with what stands below it, as the document writes that; "" where it does not."""
    for formula, span in spans:
        symbol = formula.operand if isinstance(formula, Transpose) else formula
        if isinstance(symbol, Symbol) and symbol.name == name and symbol.time is None:
            found = _LABELLED.match(span.text)
            if found is not None:
                return found[0]
    return ""


def _most(signs: dict[str, re.Pattern[str]], text: str) -> str:
    return max(signs, key=lambda sign: len(signs[sign].findall(text)))
