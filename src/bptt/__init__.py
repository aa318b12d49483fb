"""Language models from their equations: gradients derived, shown, checked, and trained.

Names are loaded when they are first used, so that `import bptt` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from bptt.errors import BpttError, EquationError, InputError

if TYPE_CHECKING:
    from bptt.checking.checked import check
    from bptt.lm.language_model import LanguageModel
    from bptt.lm.model import Model
    from bptt.lm.run import train

__all__ = ["BpttError", "EquationError", "InputError", "LanguageModel", "Model", "check", "train"]

_HOMES = {
    "LanguageModel": "bptt.lm.language_model",
    "Model": "bptt.lm.model",
    "check": "bptt.checking.checked",
    "train": "bptt.lm.run",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'bptt' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
