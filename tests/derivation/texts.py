"""Derivations as text, which tests compare."""

from __future__ import annotations

from functools import cache

from bptt.derivation.steps import Chain
from bptt.derivation.whole import Derivations, derive_model
from bptt.lm.model import understand
from bptt.models import source_of
from bptt.render.unicode import show


@cache
def derive(model: str, of: str | None = None, **options: object) -> Derivations:
    """The derivation of a shipped model, or of equations."""
    return derive_model(understand(source_of(model)), of, **options)  # type: ignore[arg-type]


def lines(chain: Chain) -> list[str]:
    """What a chain says is equal, from its left side on."""
    return [show(chain.left), *(show(step.after) for step in chain.steps)]


def index(model: str, of: str, **options: object) -> list[str]:
    return lines(derive(model, of, **options).gradients[-1].index)


def local(model: str, of: str, **options: object) -> list[list[str]]:
    """Of every equation that the quantity stands in, its derivative."""
    return [lines(chain) for chain in derive(model, of, **options).gradients[-1].local]


def matrix(model: str, of: str, **options: object) -> str:
    """The result in matrices, or why there is none."""
    gradient = derive(model, of, **options).gradients[-1]
    return gradient.obstacle if gradient.matrix is None else show(gradient.matrix.result)
