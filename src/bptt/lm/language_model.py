"""A trained model: scores and draws text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bptt.backends import compile_model
from bptt.backends.base import Executable
from bptt.errors import InputError
from bptt.ir.model import Model
from bptt.lm.checkpoint import MODEL_FILE, SavedModel, load_model, save_model
from bptt.lm.sampling import Generator, Sampling, draw_tokens
from bptt.lm.scoring import Score, score_of, token_nats
from bptt.text.pairs import join_pairs, make_pairs
from bptt.text.tokenizer import Tokenizer

# Read silently before a sample that has no prompt, where the model knows no sentences.
_OPENING = "\n"


@dataclass(frozen=True)
class TokenScore:
    """A token of a text and ln of its probability; `unknown`: it was scored as the unknown token."""

    token: str
    log_probability: float
    unknown: bool


class LanguageModel:
    """Equations with their trained parameters and tokenizer.

    Where the model was trained on lines, each line of a text is a sentence: it is read after `<s>`, and that
    it ends (`</s>`) is predicted too. Otherwise a text is one stream, and its first token, before which there
    is nothing, is not predicted. Log-probabilities are natural logarithms.
    """

    def __init__(self, saved: SavedModel, backend: str = "auto") -> None:
        self._saved, self._backend = saved, backend

    @classmethod
    def load(cls, path: str | Path, backend: str = "auto") -> LanguageModel:
        """The model of a run folder, or of a model file. InputError if there is none, or it is damaged."""
        return cls(load_model(Path(path)), backend)

    def save(self, path: str | Path) -> None:
        """Writes the model file, or `model.safetensors` in a folder. A file of that name is replaced."""
        path = Path(path)
        save_model(path / MODEL_FILE if path.is_dir() else path, self._saved)

    @property
    def model(self) -> Model:
        return self._saved.model

    @property
    def sizes(self) -> dict[str, int]:
        return self._saved.sizes

    @property
    def tokenizer(self) -> Tokenizer:
        return self._saved.tokenizer

    @property
    def params(self) -> dict[str, NDArray[np.float32]]:
        return self._saved.params

    @property
    def parameter_count(self) -> int:
        return sum(p.size for p in self.params.values())

    def __repr__(self) -> str:
        tokens = f"{len(self.tokenizer.vocabulary)} {self.tokenizer.kind} tokens"
        return f"<bptt.LanguageModel {self.model.name}: {self.parameter_count:,} parameters, {tokens}>"

    def score(self, text: str, bos: bool = True, eos: bool = True) -> float:
        """ln p(text), a sum over its tokens.

        For models of sentences: with `bos` the first token is predicted from `<s>`; without, it is read and
        not predicted. With `eos` the end of the sentence counts; without, it does not. Models of streams have
        no such markers: the first token is never predicted, and the arguments make no difference.
        """
        pairs = make_pairs(self.tokenizer, text, start=bos, end=eos)
        return -float(token_nats(self._scorer, self.model, self.params, pairs).sum())

    def evaluate(self, text: str, *, exact: bool = True) -> Score:
        """The score of a text; see `token_nats` for what is faster and not `exact`."""
        pairs = make_pairs(self.tokenizer, text)
        return score_of(pairs, token_nats(self._scorer, self.model, self.params, pairs, exact=exact))

    def perplexity(self, text: str) -> float:
        """exp of the nats per token of a text. InputError if the text has no token to predict."""
        score = self.evaluate(text)
        if not score.tokens:
            raise InputError("there is nothing to predict in this text: its perplexity is not defined")
        return score.perplexity

    def score_lines(self, lines: Sequence[str]) -> list[list[TokenScore]]:
        """The predicted tokens of each line with their log-probabilities; each line is a text of its own."""
        ending = "\n" if self.tokenizer.lines else ""
        parts = [make_pairs(self.tokenizer, line + ending) for line in lines]
        if not parts:
            return []
        joined = join_pairs(parts)
        logs = -token_nats(self._scorer, self.model, self.params, joined)
        tokens = self.tokenizer.vocabulary.tokens
        scored = [
            TokenScore(tokens[y], log, unknown)
            for y, log, unknown in zip(joined.y.tolist(), logs.tolist(), joined.unknown.tolist(), strict=True)
        ]
        ends = np.cumsum([len(part) for part in parts]).tolist()
        return [scored[begin:end] for begin, end in zip([0, *ends[:-1]], ends, strict=True)]

    def sample(
        self,
        prompt: str = "",
        length: int = 200,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        seed: int = 0,
    ) -> str:
        """The prompt and `length` tokens drawn after it, the same for the same seed; see `Sampling`."""
        pieces = self.generate(prompt, length, Sampling(temperature, top_k, top_p), seed)
        joint = self.tokenizer.separator if prompt and not prompt[-1].isspace() else ""
        return prompt + joint + self.tokenizer.decode(pieces)

    def generate(self, prompt: str, length: int, sampling: Sampling, seed: int) -> Iterator[int]:
        """The ids of `length` tokens drawn after the prompt.

        Without a prompt a model of sentences begins one, and a model of streams goes on from a line end, or
        from its commonest token.
        """
        if seed < 0:
            raise InputError(f"a seed of {seed} is not possible", hint="it is 0 or more")
        if length < 0:
            raise InputError(f"a length of {length} is not possible", hint="it is 0 or more")
        tokenizer = self.tokenizer
        forbidden = [tokenizer.start] if tokenizer.lines else []
        if tokenizer.kind == "char":
            forbidden.append(tokenizer.unknown)
        generator = Generator(self._predictor, self.model, self.params, forbidden)
        for position, token in enumerate(self._opening(prompt)):
            generator.feed(token, fresh=position == 0 or (tokenizer.lines and token == tokenizer.start))
        random = np.random.default_rng(seed)
        return draw_tokens(generator, sampling, random, length, start=tokenizer.start, end=tokenizer.end)

    def _opening(self, prompt: str) -> list[int]:
        """The tokens to read before drawing."""
        tokenizer = self.tokenizer
        if tokenizer.lines:
            *whole, last = prompt.split("\n")
            before = make_pairs(tokenizer, "\n".join([*whole, ""])).x.tolist()
            return [*before, tokenizer.start, *self._known(last)]
        if prompt:
            return self._known(prompt)
        opening = [token for token in tokenizer.encode(_OPENING).tolist() if token >= 0]
        return opening or [next(i for i in tokenizer.vocabulary.text_ids.values() if i != tokenizer.unknown)]

    def _known(self, text: str) -> list[int]:
        return [
            self.tokenizer.unknown if token < 0 else token for token in self.tokenizer.encode(text).tolist()
        ]

    @cached_property
    def _scorer(self) -> Executable:
        return compile_model(
            self.model, self.sizes, "score", backend=self._backend, resets=bool(self.model.states)
        )

    @cached_property
    def _predictor(self) -> Executable:
        return compile_model(
            self.model, self.sizes, "predict", backend=self._backend, resets=bool(self.model.states)
        )
