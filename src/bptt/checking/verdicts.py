"""Judgements to verdicts: what a claim is called in the light of the whole document."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Set
from contextlib import suppress
from dataclasses import dataclass, field, replace

import numpy as np

from bptt.checking import layouts
from bptt.checking.consequences import repeats
from bptt.checking.counterexample import counterexample
from bptt.checking.faults import Faults
from bptt.checking.judge import (
    SIGNS,
    TOLERANCE,
    Agreement,
    Judge,
    Judged,
    derivatives,
    holds_parameter,
    mentions,
    mentions_loss,
    same,
)
from bptt.checking.manner import KRONECKER, label_at, manner_of, name_at, names_time
from bptt.checking.meaning import Reader
from bptt.checking.meanings import Meanings, Mode
from bptt.checking.names import Unclear, walk
from bptt.checking.pool import parts_of
from bptt.checking.report import Claim, Counterexample, Remark, Report
from bptt.checking.settled import Settled
from bptt.checking.standing import Standing, holds_straight, standing
from bptt.checking.values import Values
from bptt.checking.world import NOW
from bptt.checking.written import Call, Differential, Letter, Nabla, Written
from bptt.derivation.board import LOSS, Board
from bptt.derivation.matrix_form import negate
from bptt.formula.evaluate import Unbound
from bptt.formula.shapes import LAYOUTS, NonConforming
from bptt.formula.tree import Derivative, Formula, Symbol, children, rebuild, transform
from bptt.ir.model import Model
from bptt.render import latex
from bptt.render.unicode import show
from bptt.source import Source, Span
from bptt.syntax.tree import Equation
from bptt.syntax.unparse import unparse

# Which J is meant, in words.
LOSSES_SAID = {"all": "J of all steps", "later": "J of a later step", "last": "J of the last step"}
# Conventions under which a claim holds, in words.
LOG_LIKELIHOOD = "J is the log-likelihood"
OTHER_SIGN = "this is the sign of the log-likelihood; elsewhere the cross-entropy is derived"
ONE_EXAMPLE = "for one example; of a batch it is summed over the examples"
IMPLIED = "a sum over letters that stand twice is implied"
STEP_BEFORE = "the share of step t-1 alone, without a bar that says so"
ONE_STEP = "the share of one step; elsewhere the shares of all steps are summed"
STEP_ALONE = "through step t alone: the other states that enter it are held"
TRANSPOSED = "the transpose: the other layout of a derivative"
# Words that say that there are many examples at once.
_BATCH = re.compile(
    r"\\frac\{1\}\{[NmBn]\}\s*\\sum|\bexamples\b[^.]{0,40}\b(?:columns|rows)\b"
    r"|\bsum(?:med)? over the [^.]{0,12}examples"
)
# What a name is more than its letters: \mathcal{L}.
_FACES = re.compile(r"\\(?:[a-z]+\s*\{)?|\}")
# J in a derivative.
_LOSS = re.compile(r"\\partial J(?![A-Za-z])")
# What a link begins with: its sign, and signs of layout around it.
_SIGN = re.compile(
    r"[\s&]*(?::?=|≡|≜|\\(?:equiv|triangleq|coloneqq|doteq)(?![A-Za-z])"
    r"|\\(?:overset|stackrel)\s*\{[^{}]*\}\s*(?:\{=\}|=))(?:[\s&]|\\\\(?!\[)|\\[,;:! ])*"
)


@dataclass
class Epoch:
    """A part of a document through which one model holds, from statement `start` on. `before` is what its
    equations take the place of, `mentioned` are the names that stand in it.
    """

    start: int
    equations: dict[str, Equation]
    before: dict[str, Equation] = field(default_factory=dict)
    mentioned: frozenset[str] = frozenset()
    model: Model | None = None
    board: Board | None = None
    judge: Judge | None = None
    meanings: Meanings | None = None
    faults: Faults | None = None
    trouble: str = ""
    # Something that is defined in a form that cannot be read: of derivatives by what is upstream of it the
    # model tells nothing.
    missing: str = ""
    upstream: frozenset[str] = frozenset()
    # What its names mean that are no quantities of the model; None as long as nobody has asked.
    settled: Settled | None = None

    def name(self, part: Written | None) -> str:
        """What a letter is called; "" for anything else."""
        if self.meanings is None or not isinstance(part, Letter):
            return ""
        try:
            return self.meanings.lettering.resolve(part).name
        except Unclear:
            return ""

    def abbreviation(self, part: Written | None) -> str:
        """The name of something that the document gave one; "" for a quantity of the model, or the loss."""
        known = self.meanings.quantities.get(self.name(part)) if self.meanings is not None else None
        return self.name(part) if known is not None and known.formula is not None else ""


@dataclass
class Found:
    """A claim with its judgement."""

    judged: Judged
    epoch: Epoch
    claim: Claim | None = None
    signs: frozenset[float] = field(default_factory=frozenset)
    # Whether it holds in the layout of the document, and whether another link of its chain does.
    laid_out: bool = True
    is_on_the_way: bool = False
    # Whether other lines sum derivatives by parameters over their uses.
    is_share: bool = False
    # How the document writes J.
    loss: str = ""


def report(source: Source, found: list[Found], objective: str | None = None) -> Report:
    """The claims of a document with their verdicts, in one sign of J, and what is to be said of the whole.

    `objective` says what J is; without it most claims do.
    """
    models = {id(f.epoch): f.epoch for f in found}
    flipped = _flipped(found) if objective is None else objective == SIGNS[-1.0]
    _lay_out(source, found)
    called = Counter(filter(None, map(_name_of_loss, found)))
    for f in found:
        chain = (o.judged for o in found if o.judged.statement is f.judged.statement and o is not f)
        f.is_on_the_way = any(map(holds_straight, chain))
        f.is_share = any(o.epoch is f.epoch and _sums_uses(o.judged) for o in found)
    claims: list[Claim] = []
    known: dict[int, Standing] = {}
    for f in found:
        f.loss = max(called, key=called.__getitem__, default="")
        before = list(zip(found, claims, strict=False))
        if id(f.epoch) not in known:
            known[id(f.epoch)] = standing((o.judged for o in found if o.epoch is f.epoch), flipped)
        claims.append(_as_taken(f, _claim(f, known[id(f.epoch)], before, told=objective is not None)))
    remarks: list[Remark] = []
    lines = [c.line for c in claims if c.convention == LOG_LIKELIHOOD]
    if lines:
        upright = [c.line for c in claims if c.verdict == "correct" and _is_signed(c, found)]
        text = f"{LOG_LIKELIHOOD}: what is derived is minus the cross-entropy"
        if upright:
            text += f"; line {upright[0]} derives the cross-entropy itself: a contradiction"
        remarks.append(Remark(text, tuple(lines)))
    for epoch in models.values():
        remarks += epoch.settled.remarks if epoch.settled is not None else []
    upright = [c.line for c in claims if c.verdict == "correct" and _is_signed(c, found)]
    lines = [c.line for c in claims if c.reason == OTHER_SIGN]
    if lines and upright:
        text = f"a contradiction: line {upright[0]} derives the cross-entropy, and other lines minus that"
        remarks.append(Remark(text, tuple(lines)))
    return Report(source, _models(found), _objective(found, flipped), tuple(claims), tuple(remarks))


def _lay_out(source: Source, found: list[Found]) -> None:
    """Finds out how derivatives are laid out, for models whose vectors lie alike, and tells their judges."""
    for vectors in LAYOUTS:
        alike = [f for f in found if f.epoch.model is not None and f.epoch.model.layout == vectors]
        told = layouts.stated(source.text, vectors)
        layout = layouts.chosen((f.judged.layouts for f in alike if f.judged.layouts), told)
        for f in alike:
            if f.epoch.judge is not None:
                f.epoch.judge.layout = layout
                # What is no more than a row of maps is right in any layout, unless one is stated.
                f.laid_out = layout in f.judged.layouts or (f.judged.as_maps and not told)


def _objective(found: list[Found], flipped: bool) -> str:
    """What J is, if the claims depend on that and it is one of the two; "" for any other J."""
    for f in found:
        if f.judged.agreements and _names_sign(f.judged) and f.epoch.judge is not None:
            values = Values(f.epoch.judge.worlds[0])
            board = values.world.board
            names = "y", board.model.output
            if any((name, "") not in values.names for name in names):
                continue
            target, output = (values.symbol(name, "", NOW) for name in names)
            if np.any(output <= 0):
                continue
            entropy = -float(np.sum(target * np.log(output)))
            own = float(values.symbol(LOSS, "", NOW))
            signs = [s for s in SIGNS if abs(own - s * entropy) <= TOLERANCE * abs(entropy)]
            return SIGNS[-signs[0] if flipped else signs[0]] if signs else ""
    return ""


def _models(found: list[Found]) -> str:
    """The equations that the claims were judged by, and where others take their place, from which line on."""
    parts: dict[int, list[str]] = {}
    for f in found:
        if id(f.epoch) not in parts:
            head = [f"# from line {f.judged.statement.span.line} on"] if parts else []
            parts[id(f.epoch)] = [*head, *map(unparse, f.epoch.equations.values())]
    return "\n\n".join("\n".join(lines) for lines in parts.values() if lines)


def best(judged: list[tuple[Report, list[Found]]]) -> tuple[Report, list[Found]]:
    """Of reports on one document whose vectors are taken to lie one way or the other, that by which more of
    it holds; where that does not tell, nothing is wrong that would not be wrong the other way.
    """
    (first, found), *others = sorted(judged, key=lambda pair: _holding(pair[0]), reverse=True)
    if not others or _holding(others[0][0]) < _holding(first):
        return first, found
    wrong = {claim.span for claim in others[0][0].claims if claim.verdict == "wrong"}
    missing = "how vectors lie, as rows or as columns"
    claims = (
        Claim(c.span, c.target, "undecided", missing=missing)
        if c.verdict == "wrong" and c.span not in wrong
        else c
        for c in first.claims
    )
    return replace(first, claims=tuple(claims)), found


def _holding(report: Report) -> int:
    """How many claims hold, as they are laid out."""
    return sum(c.verdict in ("correct", "convention") and c.convention != TRANSPOSED for c in report.claims)


def _right_side(judged: Judged) -> Span:
    """Where the right side stands, without its sign."""
    span = judged.link.span
    sign = _SIGN.match(span.text)
    return (
        span
        if sign is None or not span.text[sign.end() :].strip()
        else span.source.span(span.start + sign.end(), span.end)
    )


def _flipped(found: list[Found]) -> bool:
    """Whether the document derives the log-likelihood: at least as many claims hold for it as for the
    cross-entropy alone.
    """
    counts = {1.0: 0, -1.0: 0}
    for f in found:
        signs = {a.sign for a in f.judged.agreements if not a.turned}
        for sign in signs if len(signs) == 1 and _names_sign(f.judged) else ():
            counts[sign] += 1
    return counts[-1.0] > 0 and counts[-1.0] >= counts[1.0]


def _names_sign(judged: Judged) -> bool:
    """Whether the claim would be another one for the other sign of J."""
    left, right = judged.left, judged.right
    return left is not None and right is not None and mentions_loss(left) != mentions_loss(right)


def _is_signed(claim: Claim, found: list[Found]) -> bool:
    return any(
        _right_side(f.judged) == claim.span and (_names_sign(f.judged) or _is_of_another_name(f))
        for f in found
    )


def _is_of_another_name(found: Found) -> bool:
    """Whether the claim is about something that is defined as J is, under another name."""
    left, equations = found.judged.left, found.epoch.equations
    if not isinstance(left, Derivative) or not isinstance(left.top, Symbol):
        return False
    ours, other = equations.get(LOSS), equations.get(left.top.name)
    return ours is not None and other is not None and left.top.name != LOSS and ours.value == other.value


def _claim(found: Found, known: Standing, before: list[tuple[Found, Claim]], told: bool = False) -> Claim:
    """The verdict. `told`: the document itself says what J is, so that the other sign is none of it."""
    flipped = known.flipped
    judged = found.judged
    target = _target(found)
    span = _right_side(judged)
    if found.epoch.upstream and _is_behind(judged, found.epoch.upstream):
        return Claim(span, target, "undecided", missing=found.epoch.missing)
    best = _best(judged.agreements)
    if best is None:
        return _without_agreement(found, target, known, before)
    is_odd = judged.left is not None and _is_plain_gradient(judged) and known.is_odd(judged.left, best)
    if is_odd and not found.is_on_the_way:
        claim = _without_agreement(found, target, known, before)
        return claim if claim.verdict == "wrong" else Claim(span, target, "convention", convention=TRANSPOSED)
    if best.mode.implied and found.epoch.meanings is not None and found.epoch.meanings.einstein == "used":
        return Claim(span, target, "convention", convention=IMPLIED)
    if best.turned or (judged.layouts and not found.laid_out):
        return Claim(span, target, "convention", convention=TRANSPOSED)
    if (best.sign != 1.0 and not flipped) or (best.sign == 1.0 and flipped and told and _names_sign(judged)):
        assert judged.right is not None
        mended = _written(negate(judged.right), found)
        objective = SIGNS[-1.0 if flipped else 1.0]
        reason = f"J is said to be the {objective}, and this has the other sign" if told else OTHER_SIGN
        return Claim(
            span, target, "wrong", "sign", mend=mended, reason=reason,
            example=_example(found, best, -1.0 if flipped else 1.0), follows_from=_root(found, before),
        )  # fmt: skip
    if best.sign != 1.0:
        return Claim(span, target, "convention", convention=LOG_LIKELIHOOD, reading=_reading(best))
    board, left = found.epoch.board, judged.left
    is_one = board is not None and not board.batch and _BATCH.search(span.source.text)
    if is_one and left is not None and holds_parameter(left):
        return Claim(span, target, "convention", convention=ONE_EXAMPLE, reading=_reading(best))
    if best.mode.alone:
        return Claim(span, target, "convention", convention=STEP_ALONE, reading=_reading(best))
    if (
        found.is_share
        and not best.every_use
        and best.loss != "now"
        and left is not None
        and holds_parameter(left)
    ):
        return Claim(span, target, "convention", convention=ONE_STEP, reading=_reading(best))
    if best.before:
        return Claim(span, target, "convention", convention=STEP_BEFORE, reading=_reading(best))
    return Claim(span, target, "correct", reading=_reading(best))


def _is_plain_gradient(judged: Judged) -> bool:
    """Whether a derivative of J lies alone: it is by a matrix, or no other derivative lies as it does."""
    left, right = judged.left, judged.right
    if not isinstance(left, Derivative) or not mentions_loss(left.top) or right is None:
        return False
    by_matrix = isinstance(left.bottom, Symbol) and len(left.bottom.shape) == 2
    return by_matrix or not any(True for _ in derivatives(right))


def _sums_uses(judged: Judged) -> bool:
    """Whether a claim holds only of all uses of a parameter together."""
    return bool(judged.agreements) and all(a.every_use for a in judged.agreements)


def _as_taken(found: Found, claim: Claim) -> Claim:
    """The claim with what was supposed of names that nothing defines. If it could hold with another meaning
    of such a name, it is not called wrong.
    """
    settled, link = found.epoch.settled, found.judged.link
    if settled is None or not settled.taken:
        return claim
    if claim.verdict in ("wrong", "undecided") and id(link) in settled.doubtful:
        return Claim(claim.span, claim.target, "undecided", missing=settled.doubtful[id(link)])
    sides = [part for part in (found.judged.statement.left, link.right) if part is not None]
    names = {found.epoch.name(part) for part in walk(sides)}
    words = [words for name, words in settled.taken.items() if name in names]
    return replace(claim, reading="; ".join(filter(None, [claim.reading, *words]))) if words else claim


def _target(found: Found) -> str:
    """What a claim is about: a derivative, or a name that the document gave to something."""
    statement, left = found.judged.statement, found.judged.left
    name = found.epoch.abbreviation(statement.left)
    if name:
        return show(Symbol(name))
    if left is None and statement.left is not None and found.epoch.meanings is not None:
        with suppress(Unclear):
            # Only the right side could not be read.
            left = Reader(found.epoch.meanings, Mode())(statement.left)
    if left is not None and isinstance(statement.left, Call) and found.epoch.settled is not None:
        arguments, names = found.epoch.settled.arguments, map(found.epoch.name, walk([statement.left]))
        left = _with_names(left, {arguments[name]: name for name in names if name in arguments})
    if left is None:
        return ""
    loss = _FACES.sub("", found.loss).replace("ell", "ℓ")
    return show(left).replace(f"∂{LOSS}/", f"∂{loss}/") if loss else show(left)


def _with_names(formula: Formula, names: Mapping[str, str]) -> Formula:
    """The formula with the names that the document has for the arguments of a function."""
    if isinstance(formula, Symbol):
        return Symbol(names[formula.name], formula.shape) if formula.name in names else formula
    parts = children(formula)
    return rebuild(formula, tuple(_with_names(part, names) for part in parts)) if parts else formula


def _example(found: Found, how: Agreement, sign: float) -> Counterexample | None:
    judge, judged = found.epoch.judge, found.judged
    if judge is None or judged.left is None or judged.right is None:
        return None
    points = judge.points(how, judged.where)
    return counterexample(points[0], judged.left, judged.right, sign)


def _is_behind(judged: Judged, names: Set[str]) -> bool:
    """Whether something is derived by one of the names."""
    ahead = [side for side in (judged.left, judged.right) if side is not None]
    while ahead:
        part = ahead.pop()
        if isinstance(part, Derivative) and mentions(part.bottom, names):
            return True
        ahead += children(part)
    return False


def _without_agreement(
    found: Found, target: str, known: Standing, before: list[tuple[Found, Claim]]
) -> Claim:
    judged, epoch = found.judged, found.epoch
    span = _right_side(judged)
    fault = None
    if epoch.judge is not None and not known.is_hopeless:
        if epoch.faults is None:
            epoch.faults = Faults(epoch.judge)
        fault = epoch.faults.find(judged, known)
    shapes = epoch.model.params.values() if epoch.model is not None else ()
    is_batch = epoch.board is not None and epoch.board.batch
    has_layout = is_batch or any(len(shape) == 2 for shape in shapes)
    if fault is not None and not has_layout and fault.mend.kind in ("order", "transpose", "shape"):
        # No product says how vectors lie, so it may be the other way.
        fault = None
    if fault is not None:
        place = _narrowest(fault.mend.place, fault.formula, epoch.meanings) if epoch.meanings else None
        mended = _written(fault.mend.formula, found)
        return Claim(
            span, target, "wrong", fault.mend.kind, mend=mended, reason=fault.mend.words, fault=place,
            example=fault.example, follows_from=_root(found, before, place, fault.mend.kind),
        )  # fmt: skip
    if judged.is_zero:
        missing = "a derivative that is not zero: 0 = 0 shows nothing"
    elif known.is_hopeless and not judged.missing:
        missing = "a model in which more of this document holds"
    else:
        missing = judged.missing or "a reading in which both sides agree"
    return Claim(span, target, "undecided", missing=missing)


def _narrowest(part: Formula, whole: Formula, meanings: Meanings) -> Span | None:
    """Where the part was written, or the least that it is in."""
    span = meanings.span_of(whole)
    inner = next((child for child in children(whole) if any(p is part for p in parts_of(child))), None)
    return span if inner is None or whole is part else _narrowest(part, inner, meanings) or span


def _root(
    found: Found, before: list[tuple[Found, Claim]], place: Span | None = None, kind: str = "sign"
) -> int | None:
    """The line of the wrong claim that this one repeats: the same slip, or the same wrong value."""
    for other, claim in before:
        if claim.verdict == "wrong" and claim.follows_from is None:
            same_value = other.epoch is found.epoch and _is_same_value(other.judged, found)
            if same_value or _is_same_slip(claim, place, kind):
                return claim.line
    judge = found.epoch.judge
    for other, claim in before if judge is not None else ():
        is_near = claim.verdict == "wrong" and other.epoch is found.epoch
        if judge is not None and is_near and repeats(other.judged, found.judged, judge):
            return claim.line if claim.follows_from is None else claim.follows_from
    return None


def _is_same_value(earlier: Judged, found: Found) -> bool:
    """Whether two claims about one thing give it the same value at every point."""
    left, before, now, judge = found.judged.left, earlier.right, found.judged.right, found.epoch.judge
    if judge is None or left is None or before is None or now is None or earlier.left != left:
        return False
    try:
        for values in judge.points(Agreement(loss=judge.losses[0])):
            truth = values(left)
            letters = dict(zip(truth.letters, truth.array.shape, strict=False))
            if not same(values(before, letters), values(now, letters)):
                return False
    except (NonConforming, Unbound, KeyError, IndexError, ValueError):
        return before == now
    return True


def _is_same_slip(earlier: Claim, place: Span | None, kind: str) -> bool:
    """Whether an earlier claim has the same fault at the same words."""
    if earlier.kind != kind or place is None or earlier.fault is None:
        return False
    return "".join(earlier.fault.text.split()) == "".join(place.text.split())


def _written(formula: Formula, found: Found) -> str:
    """The formula in LaTeX as the document would have it, with its own name for J."""
    statement = found.judged.statement
    manner = manner_of(statement.span.source.text)
    text = manner.show(_abbreviated(formula, found), names_time(statement.span.text))
    if r"\delta_" in statement.span.text:
        text = KRONECKER.sub(r"\\delta_{\1\2}", text)
    if found.epoch.meanings is not None:
        spans = list(found.epoch.meanings.spans.values())
        for part in parts_of(formula):
            plain = latex.show(replace(part, time=None), False) if isinstance(part, Symbol) else ""
            if r"\_" in plain and isinstance(part, Symbol):
                text = text.replace(plain, label_at(part.name, spans) or plain)
    name = _name_of_loss(found) or found.loss
    return _LOSS.sub(lambda _: rf"\partial {name}", text) if name else text


def _name_of_loss(found: Found) -> str:
    """What the left side of a claim calls J; "" if it does not say J."""
    left = found.judged.statement.left
    loss = left.top if isinstance(left, Differential) else left.operand if isinstance(left, Nabla) else None
    if not isinstance(loss, Letter) or found.epoch.meanings is None:
        return ""
    # The δ of δh stands for the whole of ∂J/∂h.
    is_short = isinstance(left, Differential) and not left.signs[1]
    is_loss = found.epoch.name(loss) in found.epoch.meanings.losses
    return name_at(loss.span) if is_loss and not is_short else ""


def _abbreviated(formula: Formula, found: Found) -> Formula:
    """The formula with the short names that stand in the claim, in the place of what they stand for."""
    meanings, epoch = found.epoch.meanings, found.epoch
    names = {epoch.abbreviation(part) for part in walk([found.judged.link.right])} - {""}
    if meanings is None or not names:
        return formula
    short = {meanings.quantities[name].formula: meanings.quantities[name].symbol for name in names}
    return transform(formula, lambda part: short.get(part, part))


def _best(agreements: list[Agreement]) -> Agreement | None:
    return min(agreements, key=lambda a: (a.turned, a.sign < 0, a.every_use), default=None)


def _reading(a: Agreement) -> str:
    words = []
    if a.mode.products in ("loose", "tight"):
        words.append(f"∘ binds {'less' if a.mode.products == 'loose' else 'more'} than a product")
    if a.mode.flipped:
        words.append("Jacobians turned over")
    if a.mode.lying:
        words.append("the derivative of a number is a row")
    if a.mode.maps:
        words.append("derivatives as maps, one after the other")
    if a.mode.diagonal:
        words.append("σ′(z) is a diagonal matrix")
    if a.mode.implied:
        words.append(IMPLIED)
    if a.every_use:
        words.append("through every use of the parameter")
    if a.loss in LOSSES_SAID:
        words.append(LOSSES_SAID[a.loss])
    return "; ".join(words)
