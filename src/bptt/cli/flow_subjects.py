"""What `bptt flow` measures: models at weights of several kinds and scales, and runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bptt.analysis.identity import without_identity
from bptt.analysis.recurrent import RecurrentMatrix, recurrent_matrices, with_recurrent
from bptt.backends.base import Arrays
from bptt.errors import InputError
from bptt.ir.model import Model
from bptt.lm.checkpoint import MODEL_FILE, SavedModel, load_model
from bptt.lm.initialization import carried_whole, find_parts, initial_parameters
from bptt.lm.model import choose_sizes, free_sizes, understand
from bptt.models import shipped, source_of
from bptt.text.tokenizer import Tokenizer

VOCABULARY = 100  # V where no run says
SCALES = (0.5, 1.0, 1.5, 2.0)
# The weights at which a state that is carried whole is looked at besides: there the identity path helps,
# makes the gradient grow, and makes it vanish.
CHALLENGES = (("random", 0.5), ("random", 1.0), ("-identity", 0.9))


@dataclass(frozen=True)
class Weights:
    """Recurrent weights: "initial" or "trained" ones, or of one of the kinds of `recurrent.KINDS`, times
    `scale`.
    """

    kind: str
    scale: float

    def label(self, name: str = "") -> str:
        """`× 0.5`, `random × 2`, `-0.9 I`; of a matrix with a name `H × 0.5`, `H random × 2`, `H = -0.9 I`.

        Trained ones are `as trained`.
        """
        factor = f"{self.scale:g}"
        if self.kind.endswith("identity"):
            sign = "-" if self.kind.startswith("-") else ""
            return (f"{name} = " if name else "") + sign + ("" if factor == "1" else factor + " ") + "I"
        times = "" if factor == "1" and self.kind != "initial" else f"× {factor}"
        kind = {"initial": "", "trained": "as trained"}.get(self.kind, self.kind)
        return " ".join(part for part in (name, kind, times) if part)


@dataclass(frozen=True)
class Subject:
    """A model with its parameters as they are made or trained, and the weights to measure it at.

    `carried` are the variables that are carried whole, as in h = … + h[t-1]. `tokenizer` is that of a run.
    `variant` is "" for the model itself, else says what was left out of it.
    """

    label: str
    model: Model
    sizes: dict[str, int]
    params: Arrays
    recurrent: tuple[RecurrentMatrix, ...]
    weights: tuple[Weights, ...]
    carried: tuple[str, ...] = ()
    tokenizer: Tokenizer | None = None
    variant: str = ""

    def params_at(self, weights: Weights, seed: int) -> Arrays:
        kind = None if weights.kind in ("initial", "trained") else weights.kind
        return with_recurrent(
            self.recurrent, self.params, self.sizes, kind=kind, scale=weights.scale, seed=seed
        )


@dataclass(frozen=True)
class Wanted:
    """What the options ask for; None where they leave it open."""

    size: Mapping[str, int]
    scales: tuple[float, ...] | None
    kinds: tuple[str, ...] | None
    seed: int


def find_subjects(specs: Sequence[str], wanted: Wanted) -> list[Subject]:
    """The models and runs that are meant; a single model whose state is carried whole also without that.

    InputError for what is not there, and for a model without a state.
    """
    runs = {spec: load_model(Path(spec)) for spec in specs if is_run(spec)}
    models = {spec: understand(source_of(spec)) for spec in specs if spec not in runs}
    for model in (*models.values(), *(saved.model for saved in runs.values())):
        if not model.states:
            raise InputError(
                f"{model.name} carries nothing from step to step, so no gradient goes back in time",
                hint="a state is what a model reads as h[t-1]: tanh, residual, gru and lstm have one",
            )
    _check_sizes(list(models.values()), wanted.size)
    challenged = any(map(_carried, models.values()))
    subjects = [
        _trained(spec, runs[spec], wanted) if spec in runs else _fresh(models[spec], wanted, challenged)
        for spec in specs
    ]
    if len(subjects) == 1 and subjects[0].tokenizer is None:
        subjects += _without_identity(subjects[0])
    return subjects


def _carried(model: Model) -> tuple[str, ...]:
    whole = carried_whole(model, find_parts(model))
    return tuple(s.variable for s in model.states if s.name in whole)


def is_run(spec: str) -> bool:
    """Whether a run folder or a model file is meant, not equations."""
    path = Path(spec)
    if path.suffix == ".safetensors":
        return True
    try:
        # A folder that has the name of a shipped model, and no run in it, does not hide the model.
        return (path / MODEL_FILE).exists() or (path.is_dir() and spec not in shipped())
    except (OSError, ValueError):  # equations are no possible path
        return False


def _check_sizes(models: Sequence[Model], size: Mapping[str, int]) -> None:
    """A size has to be one of some model, not of each."""
    if not models:
        if size:
            raise InputError("a run has its sizes", hint="--size is for models with fresh weights")
        return
    for name, number in size.items():
        if name == "V":
            if number < 2:
                raise InputError(
                    f"the size V={number} is too small", hint="a vocabulary has 2 tokens or more"
                )
        elif not any(name in _names_of_sizes(model) for model in models):
            choose_sizes(models[0], {name: number}, VOCABULARY)


def _names_of_sizes(model: Model) -> set[str]:
    return {alias for name, names in free_sizes(model).items() for alias in (name, *names)}


def _fresh(model: Model, wanted: Wanted, challenged: bool) -> Subject:
    size = {name: n for name, n in wanted.size.items() if name in _names_of_sizes(model)}
    sizes, _ = choose_sizes(model, size, wanted.size.get("V", VOCABULARY))
    params = initial_parameters(model, sizes, wanted.seed)
    recurrent = recurrent_matrices(model)
    if not recurrent:
        weights: tuple[Weights, ...] = (Weights("initial", 1.0),)
        _check_recurrent(model, recurrent, wanted)
    elif wanted.kinds is None:
        weights = tuple(Weights("initial", scale) for scale in wanted.scales or SCALES)
        if challenged and wanted.scales is None:
            weights += tuple(Weights(kind, scale) for kind, scale in CHALLENGES if _possible(kind, recurrent))
    else:
        _check_recurrent(model, recurrent, wanted)
        scales = wanted.scales or SCALES
        weights = tuple(Weights(kind, scale) for kind in wanted.kinds for scale in scales)
    return Subject(model.name, model, sizes, params, recurrent, weights, _carried(model))


def _possible(kind: str, recurrent: Sequence[RecurrentMatrix]) -> bool:
    return "identity" not in kind or any(m.square for m in recurrent)


def _check_recurrent(model: Model, recurrent: Sequence[RecurrentMatrix], wanted: Wanted) -> None:
    if wanted.kinds is None and wanted.scales is None:
        return
    if not recurrent:
        raise InputError(
            f"{model.name} has no matrix that its state goes through on the way back to itself",
            hint="leave out --scales and --recurrent",
        )
    for kind in wanted.kinds or ():
        if not _possible(kind, recurrent):
            names = ", ".join(m.name for m in recurrent)
            raise InputError(
                f"no recurrent matrix of {model.name} is square ({names})",
                hint="--recurrent random and orthogonal take any shape",
            )


def _trained(spec: str, saved: SavedModel, wanted: Wanted) -> Subject:
    recurrent = recurrent_matrices(saved.model)
    _check_recurrent(saved.model, recurrent, wanted)
    scales = wanted.scales or (1.0,)
    if wanted.kinds is not None:
        weights = tuple(Weights(kind, scale) for kind in wanted.kinds for scale in scales)
    else:
        weights = tuple(Weights("trained", scale) for scale in scales)
    path = Path(spec)
    label = path.parent.name if path.name == MODEL_FILE and path.parent.name else path.stem
    carried = _carried(saved.model)
    return Subject(
        label, saved.model, saved.sizes, saved.params, recurrent, weights, carried, saved.tokenizer
    )


def _without_identity(subject: Subject) -> list[Subject]:
    carried = [s.name for s in subject.model.states if s.lag == 1 and s.variable in subject.carried]
    plain = without_identity(subject.model, carried)
    if plain is None:
        return []
    variant = "without " + ", ".join(f"{name}[t-1]" for name in subject.carried)
    return [replace(subject, model=plain, carried=(), variant=variant)]
