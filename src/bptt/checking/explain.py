"""What a line claims, derived: in the names and the layout of the document, beside the claim."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bptt.checking.check import examine
from bptt.checking.faults import is_element
from bptt.checking.findings import lines_named, verdict
from bptt.checking.paths import Path
from bptt.checking.pool import parts_of
from bptt.checking.report import Claim, Report
from bptt.checking.report_text import claim_text
from bptt.checking.verdicts import LOG_LIKELIHOOD, Found
from bptt.checking.written_out import in_letters_of, written_out
from bptt.derivation.board import LOSS
from bptt.derivation.derive import Deriver
from bptt.derivation.steps import Chain, Derivation
from bptt.derivation.whole import Derivations, derive_model, targets
from bptt.errors import InputError
from bptt.formula.tree import NOW, Derivative, Formula, Indexed, Symbol, TokenPart
from bptt.ir.expr import Expr
from bptt.render import terminal
from bptt.render.derivation_page import derivation_page, display, key
from bptt.render.page import Block, Display, Page, Paragraph, Row, Section
from bptt.source import Source, Span

# Kinds of errors that the reasons for transposes and orders explain.
ORDERLY = frozenset({"transpose", "order", "shape"})
OF_EQUATION = "Of this equation alone"


def explain_line(
    source: Source,
    line: int,
    *,
    model: str | None = None,
    layout: str | None = None,
    form: str | None = None,
    columns: int = 80,
    colour: bool = False,
) -> str:
    """The claims of a line with their verdicts, and under each what is right, derived; for a terminal.

    The options are those of `check_document`. InputError for a line that claims nothing.
    """
    report, found = examine(source, model=model, layout=layout, form=form)
    here = _claims_of(line, report, found)
    if not here:
        lines = lines_named(claim.line for claim in report.claims)
        hint = f"claims are in {lines}" if report.claims else "nothing in it is claimed of a derivative"
        raise InputError(f"{source.name} claims nothing in line {line}", hint=hint)
    parts = []
    for group in _by_target(here):
        parts += [claim_text(report, claim, columns, colour) for _, claim in group]
        parts.append(terminal.render(_Explanation(group, report).page(), columns, colour))
    return "\n".join(parts)


def _claims_of(line: int, report: Report, found: Sequence[Found]) -> list[tuple[Found, Claim]]:
    """The claims that begin in the line, else those that go over it, else those whose left side does."""
    pairs = list(zip(found, report.claims, strict=True))
    begins = [pair for pair in pairs if pair[1].line == line]
    over = [pair for pair in pairs if _touches(pair[1].span, line)]
    within = [pair for pair in pairs if _touches(pair[0].judged.statement.span, line)]
    return begins or over or within


def _touches(span: Span, line: int) -> bool:
    return span.line <= line <= span.line + span.text.count("\n")


def _by_target(pairs: Sequence[tuple[Found, Claim]]) -> list[list[tuple[Found, Claim]]]:
    """The claims about one thing together, in order."""
    groups: list[list[tuple[Found, Claim]]] = []
    for pair in pairs:
        left = pair[0].judged.left
        same = [g for g in groups if left is not None and g[0][0].judged.left == left]
        if same:
            same[0].append(pair)
        else:
            groups.append([pair])
    return groups


class _Explanation:
    """The derivation of what some claims are about."""

    def __init__(self, pairs: Sequence[tuple[Found, Claim]], report: Report) -> None:
        self.pairs, self.report = pairs, report
        found, self.claim = pairs[0]
        self.left, self.epoch = found.judged.left, found.epoch

    def page(self) -> Page:
        board = self.epoch.board
        title = f"What {self.claim.target} is" if self.claim.target else "What is right"
        timed = board is not None and board.recurrent
        return Page(title, tuple(self._sections()), board.layout if board else "row", timed)

    def _sections(self) -> Iterator[Section]:
        board, left = self.epoch.board, self.left
        if board is None or not isinstance(left, Derivative):
            missing = self.claim.missing or "a derivative on the left"
            yield _derivation(Paragraph((f"Nothing can be derived here. Missing: {missing}.",)))
            return
        top, bottom = named(left.top), named(left.bottom)
        name = next((n for n, leaf in targets(board).items() if board.symbols[leaf] == bottom), None)
        if name is None or not isinstance(top, Symbol):
            yield _derivation(Paragraph(("The model has no equation that leads from one to the other.",)))
        elif top.name == LOSS:
            yield from self._gradient(left, name)
        else:
            yield from self._jacobian(left, top, targets(board)[name])

    # The derivative of the objective.

    def _gradient(self, left: Derivative, name: str) -> Iterator[Section]:
        assert self.epoch.model is not None
        turned = any(claim.convention == LOG_LIKELIHOOD for claim in self.report.claims)
        objective = "log-likelihood" if turned else "cross-entropy"
        derivations = derive_model(self.epoch.model, name, objective=objective)
        *before, gradient = derivations.gradients
        if before:
            errors = {v.symbol: v.error for v in derivations.board.values.values()}
            rows = tuple(_short(self._chain(g), errors.get(g.symbol)) for g in before)
            yield Section(("What it builds on",), "before", (Display(rows),))
        in_order = any(claim.kind in ORDERLY for _, claim in self.pairs)
        page = derivation_page(derivations, notation=self._notation, explain=in_order)
        section = next(s for s in page.sections if s.key == key(gradient.name))
        # The readings through time are many; the one that is claimed is enough.
        blocks = [b for b in section.blocks if not (isinstance(b, Section) and b.key.endswith("-time"))]
        blocks += [display(chain, "Through time") for chain in gradient.through_time if chain.left == left]
        derived = self._result(left, derivations)
        if derived is None and not _is_of_now(left):
            blocks.append(Paragraph(("This is for step t; the line is about a step before.",)))
        yield _derivation(*blocks)
        yield self._beside(left, derived)

    @property
    def _notation(self) -> str:
        return "index" if self.left is not None and is_element(self.left) else "matrix"

    def _chain(self, derivation: Derivation) -> Chain:
        chain = derivation.matrix if self._notation == "matrix" else None
        return chain or derivation.index

    def _result(self, left: Derivative, derivations: Derivations) -> Formula | None:
        """What the claim should be, in its own letters, and without derivatives if it has none. None where
        it is about another step than what was derived.
        """
        gradient = derivations.gradients[-1]
        for chain in (*gradient.through_time, *gradient.forms):
            if chain.left == left:
                return chain.result
        if not _is_of_now(left) or isinstance(left.bottom, TokenPart):
            return None
        chain = self._chain(gradient)
        result = chain.result
        rights = [found.judged.right for found, _ in self.pairs]
        if not any(right is not None and _mentions_derivatives(right) for right in rights):
            if chain is gradient.index:
                result = written_out(derivations.board, derivations.gradients) or result
            elif gradient.written_out is not None:
                result = gradient.written_out.result
        return in_letters_of(left, chain.left, result, derivations.board)

    # The derivative of one quantity by another.

    def _jacobian(self, left: Derivative, top: Symbol, leaf: Expr) -> Iterator[Section]:
        board = self.epoch.board
        assert board is not None
        deriver = Deriver(board)
        value = next((v for v in deriver.values if v.symbol == top), None)
        if value is None or leaf not in deriver.below_values([value]):
            yield _derivation(
                Paragraph(("In the equations of one step the one does not depend on the other.",))
            )
            return
        path = Path(deriver, value, leaf)
        chains = list(path.local())
        blocks: list[Block] = [display(chain, OF_EQUATION) for chain in chains]
        if len(chains) > 1:
            blocks.append(Paragraph(("The chain rule multiplies these, and sums over what is in between.",)))
        yield _derivation(*blocks)
        derived = path.matrix() if self._notation == "matrix" else None
        if len(chains) == 1 and self._notation == "index":
            derived = in_letters_of(left, chains[0].left, chains[0].result, board)
        yield self._beside(left, derived)

    # Both.

    def _beside(self, left: Formula, derived: Formula | None) -> Section:
        """What was derived, and below it each claim as it was read, with its verdict."""
        rows = [] if derived is None else [Row(derived, left, note=("derived",))]
        for found, claim in self.pairs:
            right = found.judged.right
            if right is not None:
                sign = "≠" if claim.verdict == "wrong" else "="
                note = f"line {claim.line}: {verdict(claim)}"
                rows.append(Row(right, None if rows else left, sign, (note,)))
        return Section(("Side by side",), "beside", (Display(tuple(rows)),))


def _derivation(*blocks: Block) -> Section:
    return Section(("The derivation",), "derivation", blocks)


def _short(chain: Chain, error: Formula | None) -> Row:
    """The result, and the letter by which it goes from then on."""
    return Row(chain.result, chain.left, note=() if error is None else ("in short ", error))


def _is_of_now(left: Derivative) -> bool:
    """Whether it is about a use in step t, and not about one in a step before."""
    tokens = [part.token.time for part in parts_of(left) if isinstance(part, TokenPart)]
    return all(time is None or time == NOW for time in (*tokens, left.at))


def _mentions_derivatives(formula: Formula) -> bool:
    return any(isinstance(part, Derivative) for part in parts_of(formula))


def named(formula: Formula) -> Formula:
    """What an element is one of, and the table of which a row is one."""
    match formula:
        case Indexed(base=base) | TokenPart(table=base):
            return named(base)
    return formula
