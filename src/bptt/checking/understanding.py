"""From the equations of a part of a document to a model with numbers, by which its claims are judged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bptt.checking.batches import batch_board
from bptt.checking.examples import Examples, with_capitals
from bptt.checking.judge import Judge
from bptt.checking.meanings import Meanings, Quantity
from bptt.checking.models import OBJECTIVE, READ, TARGET, Stating, Understood, understand
from bptt.checking.names import EQUALS
from bptt.checking.survey import Survey
from bptt.checking.verdicts import Epoch
from bptt.checking.world import LAST, NOW, World, numbers
from bptt.checking.written import Call
from bptt.derivation.board import BATCH, LOSS, Board, put_on_board
from bptt.errors import EquationError
from bptt.ir.dims import Dim
from bptt.ir.model import Model
from bptt.ir.ops import Op
from bptt.syntax.tree import Equation

# The points at which claims are tried, and whether tokens are one-hot there.
MOST_EQUATIONS = 100
MOST_NUMBERS = 20_000_000  # of all values, with each element of each parameter moved
SEEDS = ((1, True), (2, False), (3, False))
# How many examples there are where there are many: no ½ is taken for 1/N.
EXAMPLES = 3


def prepare(epoch: Epoch, survey: Survey, layout: str | None, examples: Examples | None = None) -> None:
    """Gives the epoch its model, its board and its judge, or says in `trouble` what is lacking."""
    if not epoch.equations:
        epoch.trouble = "the equations of the model"
        return
    if len(epoch.equations) > MOST_EQUATIONS:
        epoch.trouble = f"a model of at most {MOST_EQUATIONS} equations"
        return
    try:
        understood = _understood(epoch, survey, examples)
    except EquationError as error:
        epoch.trouble = f"a model that can be understood ({str(error).splitlines()[0]})"
        return
    epoch.model = understood.model
    if layout is not None and not shows_layout(epoch.model):
        epoch.model = replace(epoch.model, layout=layout)
    counts: dict[str, Dim] = {}
    if examples is not None and not epoch.model.states and _is_of_many(understood, examples):
        if str(BATCH) in epoch.model.dims:
            # Where a B has elements, they are as many as it is called.
            epoch.trouble = f"the number of examples, since something else is called {BATCH}"
            return
        counts = {n: BATCH if n in epoch.model.dims else Dim.named(n) for n in sorted(examples.counts)}
        board = batch_board(epoch.model, examples.rows, counts)
    else:
        board = put_on_board(epoch.model, fused=False)
    if numbers(board) > MOST_NUMBERS:
        epoch.trouble = "a model that can be computed: this one has too many sizes"
        return
    epoch.board = board
    quantities = dict(_quantities(board))
    if examples is not None and board.batch and examples.told:
        quantities = with_capitals(quantities, survey.losses)
    carried = frozenset(s.variable for s in epoch.model.states)
    losses = survey.losses if OBJECTIVE in understood.model.equations else frozenset()
    losses -= _other_losses(epoch.equations, survey)
    epoch.meanings = Meanings(
        survey.letters,
        quantities,
        losses,
        epoch.model.layout,
        carried,
        survey.last,
        NOW,
        survey.targets,
        survey.einstein,
        {value.symbol.of: value.symbol for value in board.values.values() if value.symbol.of},
        targets=understood.targets,
        diagonal=survey.diagonal,
        counts=counts,
        finals=survey.finals,
        families=survey.families,
        steps=LAST,
        says_total=survey.says_total,
    )
    targets = understood.targets

    def world(seed: int, plain: bool, certain: bool | None = None) -> World:
        made = World(
            board,
            seed,
            plain,
            targets,
            certain,
            examples=EXAMPLES,
            first=max(1, NOW + 1 - survey.last) if survey.last else 1,
        )
        made.sizes |= {str(dim): made.examples for dim in counts.values()}
        return made

    worlds = [world(seed, plain) for seed, plain in SEEDS]
    certain = [world(seed, plain, True) for seed, plain in SEEDS if survey.labels]
    total = examples.objectives if examples is not None and board.batch else survey.total
    epoch.judge = Judge(epoch.meanings, worlds, total, NOW if survey.last else 0, certain)


def _is_of_many(understood: Understood, examples: Examples) -> bool:
    """Whether something is given to the model for each of many examples."""
    if examples.stacks:
        return "X" in understood.given and "x" not in understood.given
    return not examples.names.isdisjoint(understood.given)


def _understood(epoch: Epoch, survey: Survey, examples: Examples | None) -> Understood:
    """The model of an epoch. What it says anew and what does not go with the rest was right before."""
    understood = understand(_stating(epoch.equations, epoch, survey, examples))
    if understood.left_out and epoch.before:
        earlier = understand(_stating(epoch.equations | epoch.before, epoch, survey, examples))
        if len(earlier.left_out) < len(understood.left_out):
            return earlier
    return understood


def _stating(
    equations: dict[str, Equation], epoch: Epoch, survey: Survey, examples: Examples | None
) -> Stating:
    given = dict.fromkeys(survey.targets.values(), TARGET)
    ranks = survey.ranks
    if examples is not None:
        given |= dict.fromkeys(sorted(examples.names - survey.defined), READ)
        ranks = ranks | examples.ranks
        equations = {name: examples.equation(e) for name, e in equations.items()}
    return Stating(
        equations=_with_loss(equations, survey),
        timed=survey.timed - survey.defined,
        given=given,
        ranks=ranks,
        source=survey.reading.source,
        tables=survey.tables,
        mentioned=epoch.mentioned,
    )


def shows_layout(model: Model) -> bool:
    """Whether a product says how vectors lie."""
    return any(len(shape) == 2 for shape in model.params.values())


def _other_losses(equations: dict[str, Equation], survey: Survey) -> frozenset[str]:
    """Losses that are said to be something which could not be read: they are not the one of the model."""
    loss = _loss(equations, survey)
    lefts = (s.left for s in survey.reading.statements if s.links and s.links[0].sign in EQUALS)
    # J_neg(v, o, U) = … says what J_neg is.
    told = {survey.name(left.function if isinstance(left, Call) else left) for left in lefts}
    told = {name for name in told if name in survey.losses and "_" in name}
    return frozenset(told - {loss} - equations.keys()) if loss else frozenset()


def _loss(equations: dict[str, Equation], survey: Survey) -> str:
    """The loss of which most derivatives are taken; "" where there is none."""
    losses = [name for name in equations if name in survey.losses]
    return OBJECTIVE if OBJECTIVE in equations else max(losses, key=survey.derived.count, default="")


def _with_loss(equations: dict[str, Equation], survey: Survey) -> dict[str, Equation]:
    """The equations with the loss by its name in models."""
    loss = _loss(equations, survey)
    if loss in ("", OBJECTIVE):
        return equations
    target = replace(equations[loss].target, id=OBJECTIVE)
    return {
        (OBJECTIVE if n == loss else n): (replace(e, target=target) if n == loss else e)
        for n, e in equations.items()
    }


def _quantities(board: Board) -> Iterator[tuple[str, Quantity]]:
    for leaf, symbol in board.symbols.items():
        if not leaf.args and leaf.op is not Op.CARRY and not symbol.of and symbol.name != LOSS:
            yield symbol.name, Quantity(symbol)
    for value in board.values.values():
        if value.name != LOSS and "·" not in value.name:
            yield value.name, Quantity(value.symbol)
