"""The equations of a model as Python and the command line hold them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from bptt.errors import InputError
from bptt.ir.dims import VOCABULARY
from bptt.ir.model import Model as Equations
from bptt.lowering import lower
from bptt.models import source_of
from bptt.source import Source
from bptt.syntax import parse

if TYPE_CHECKING:
    from bptt.analysis.cost import Cost
    from bptt.render.shown import ShownDerivation

# The size of a vector that neither the equations nor the user give.
DEFAULT_SIZE = 128


def understand(source: Source) -> Equations:
    """The model that a text describes. EquationError points at what is wrong with it."""
    return lower(parse(source))


class Model:
    """A model given by the name of a shipped one, a file, or the equations themselves.

    `params` are the shapes of the parameters, as the names of sizes; `sizes` the sizes that the equations
    give (None where they leave one open); `remarks` how they were read where they left room.
    """

    def __init__(self, spec: str | Path) -> None:
        self.equations = understand(source_of(str(spec)))

    @property
    def name(self) -> str:
        return self.equations.name

    @property
    def params(self) -> dict[str, tuple[str, ...]]:
        return {name: tuple(map(str, shape)) for name, shape in self.equations.params.items()}

    @property
    def sizes(self) -> dict[str, int | None]:
        return {name: self.equations.sizes.get(name) for name in free_sizes(self.equations)}

    @property
    def remarks(self) -> tuple[str, ...]:
        return self.equations.remarks

    def derivation(
        self,
        of: str | None = None,
        *,
        layout: str | None = None,
        objective: str = "cross-entropy",
        batch: bool = False,
        unroll: int = 0,
        notation: str = "both",
        shapes: bool = False,
        explain: bool = False,
    ) -> ShownDerivation:
        """The gradients derived step by step; with `of`, that by one quantity (`H`, `h`, `x`, `h[t-1]`).

        Its `steps` are data (rule, before, after, reason); it prints as text, and notebooks show it as
        mathematics. `layout` is "row" or "column", `objective` "cross-entropy" or "log-likelihood", `batch`
        has B examples in place of one, `unroll` writes that many steps out. InputError for what there is not.
        """
        from bptt.derivation.whole import derive_model
        from bptt.render.shown import ShownDerivation

        derivations = derive_model(
            self.equations, of, layout=layout, objective=objective, batch=batch, unroll=unroll
        )
        return ShownDerivation(derivations, notation=notation, shapes=shapes, explain=explain)

    def cost(self) -> Cost:
        """Operations, bytes and memory as formulas in the sizes; `evaluate(sizes)` for numbers."""
        from bptt.analysis.cost import cost

        return cost(self.equations)

    def __repr__(self) -> str:
        return f"<bptt.Model {self.name}>\n{self.equations.source.text.strip()}"


def free_sizes(equations: Equations) -> dict[str, tuple[str, ...]]:
    """The sizes that can be chosen, each with all the names it goes by."""
    vocabulary = str(VOCABULARY)
    return {name: names for name, names in equations.dims.items() if name != vocabulary}


def choose_sizes(
    equations: Equations, wanted: Mapping[str, int], vocabulary: int
) -> tuple[dict[str, int], list[str]]:
    """A number for every size: the wanted one, else that of the equations, else DEFAULT_SIZE.

    Also returns the names of those that nobody gave. InputError for a size that the equations do not have.
    """
    free = free_sizes(equations)
    own = {alias: name for name, names in free.items() for alias in (name, *names)}
    sizes = {own.get(name, name): number for name, number in equations.sizes.items()}
    for name, number in wanted.items():
        if name not in own:
            near = difflib.get_close_matches(name, own, 1)
            hint = f"did you mean {near[0]}?" if near else "its sizes are " + (", ".join(free) or "none")
            raise InputError(f"{equations.name} has no size {name}", hint=hint)
        if number < 1:
            raise InputError(f"the size {name}={number} is too small", hint="a size is 1 or more")
        sizes[own[name]] = number
    assumed = [name for name in free if name not in sizes]
    sizes.update(dict.fromkeys(assumed, DEFAULT_SIZE))
    sizes[str(VOCABULARY)] = vocabulary
    return sizes, assumed
