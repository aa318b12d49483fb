"""A derivation in Python: steps as data, and mathematics in a notebook."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bptt.derivation.whole import Derivations
from bptt.formula.tree import Text
from bptt.render import html, latex, markdown, terminal, unicode
from bptt.render.derivation_json import derivation_data
from bptt.render.derivation_page import derivation_page
from bptt.render.page import Page

WIDTH = 100


@dataclass(frozen=True)
class ShownStep:
    """`before` equals `after`, by `rule`; `reason` says why. Formulas are text; `latex` is `after` as LaTeX.
    `notation` is "index" or "matrix".
    """

    rule: str
    before: str
    after: str
    reason: str
    latex: str
    notation: str


class ShownDerivation:
    """What `bptt.Model.derivation` returns. It prints as text, and notebooks show it as mathematics.

    `derivations` is the derivation as formulas (bptt.derivation), `options` what the page shows: `notation`,
    `shapes`, `explain`.
    """

    def __init__(self, derivations: Derivations, **options: Any) -> None:
        self.derivations, self._options = derivations, options

    @property
    def steps(self) -> list[ShownStep]:
        """Every step of the gradient that was asked for (of all, if none was), elements before matrices, in
        the notation that was asked for.
        """
        notation = self._options.get("notation", "both")
        gradients = self.derivations.gradients
        wanted = gradients if self.derivations.of is None else gradients[-1:]
        timed = self.derivations.board.recurrent
        return [
            ShownStep(
                step.rule, unicode.show(step.before), unicode.show(step.after), words(step.reason),
                latex.show(step.after, timed), chain.notation,
            )
            for g in wanted
            for chain in (*g.local, g.index, *([g.matrix] if g.matrix else []))
            if notation in ("both", chain.notation)
            for step in chain.steps
        ]  # fmt: skip

    @property
    def result(self) -> str:
        """The gradient that was asked for, as `left = right`; of all gradients, one a line."""
        gradients = self.derivations.gradients
        wanted = gradients if self.derivations.of is None else gradients[-1:]
        chains = [g.matrix or g.index for g in wanted]
        return "\n".join(f"{unicode.show(c.left)} = {unicode.show(c.result)}" for c in chains)

    def data(self) -> dict[str, object]:
        """The same as `bptt derive --to json`."""
        return derivation_data(self.derivations)

    def text(self, width: int = WIDTH) -> str:
        return terminal.render(self._page(times=False), width)

    def markdown(self) -> str:
        return markdown.render(self._page(graph=True))

    def latex(self) -> str:
        """A whole document."""
        return latex.render(self._page())

    def html(self) -> str:
        """A whole page, in one file."""
        return html.render(self._page(graph=True))

    def _page(self, graph: bool = False, times: bool = True) -> Page:
        options: dict[str, Any] = self._options
        return derivation_page(self.derivations, graph=graph, times=times, **options)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        of = self.derivations.of
        return f"<derivation of {self.derivations.board.model.name}{'' if of is None else f' by {of}'}>"

    def _repr_html_(self) -> str:
        return html.fragment(self._page(graph=self.derivations.of is None))

    def _repr_latex_(self) -> str:
        return latex.fragment(self._page())


def words(text: Text) -> str:
    """Words and formulas on one line."""
    return "".join(part if isinstance(part, str) else unicode.show(part) for part in text)
