"""A small model of each kind, ready to be scored."""

from collections.abc import Callable

import numpy as np
import pytest

from bptt.lm.checkpoint import SavedModel
from bptt.lm.language_model import LanguageModel
from bptt.lm.model import choose_sizes, understand
from bptt.models import source_of
from bptt.text.tokenizer import build_tokenizer

MakeModel = Callable[..., LanguageModel]


@pytest.fixture
def make_model() -> MakeModel:
    """`make_model("gru", text, kind="char", lines=False)`: random parameters, large enough to matter."""

    def make(spec: str, text: str, kind: str = "char", *, lines: bool = False) -> LanguageModel:
        model = understand(source_of(spec))
        tokenizer = build_tokenizer(kind, [text], lines=lines)
        wanted = {name: 4 + i for i, name in enumerate(name for name in model.dims if name != "V")}
        sizes, _ = choose_sizes(model, wanted, len(tokenizer.vocabulary))
        random = np.random.default_rng(3)
        params = {
            name: random.standard_normal(tuple(d.evaluate(sizes) for d in shape)).astype(np.float32)
            for name, shape in model.params.items()
        }
        return LanguageModel(SavedModel(model, sizes, tokenizer, params), backend="reference")

    return make
