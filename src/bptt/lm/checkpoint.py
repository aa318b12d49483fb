"""Model files and run folders: safetensors with text in their metadata, each written whole or not at all.

RUN/model.safetensors   the weights, those that did best on the validation text; in the metadata the version
                        of this form, the equations, the sizes and the tokenizer
RUN/state.safetensors   what continuing needs: the present weights, the optimiser's memory, the carried
                        state; in the metadata the options and the counters
RUN/metrics.jsonl       the course of the training, one JSON object a line
"""

from __future__ import annotations

import json
import os
import struct
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from bptt.errors import BpttError, InputError
from bptt.ir.model import Model
from bptt.lm.model import understand
from bptt.source import Source
from bptt.text.tokenizer import Tokenizer, tokenizer_from_json

FORMAT = "bptt model"
STATE_FORMAT = "bptt training state"
VERSION = 1
MODEL_FILE = "model.safetensors"
STATE_FILE = "state.safetensors"
METRICS_FILE = "metrics.jsonl"

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class SavedModel:
    """What a model file holds. `params` are float32; `sizes` include the vocabulary's, `V`."""

    model: Model
    sizes: dict[str, int]
    tokenizer: Tokenizer
    params: dict[str, NDArray[np.float32]]


def save_model(path: Path, saved: SavedModel) -> None:
    metadata = {
        "format": FORMAT,
        "version": str(VERSION),
        "equations": saved.model.source.text,
        "source": saved.model.source.name,
        "sizes": json.dumps(saved.sizes),
        "tokenizer": saved.tokenizer.to_json(),
    }
    write_whole(path, _safetensors(saved.params, metadata))


def load_model(path: Path) -> SavedModel:
    """The model in a file, or in a run folder. InputError says what is wrong with a file that is none."""
    if path.is_dir():
        if not (path / MODEL_FILE).exists():
            raise InputError(
                f"{path} holds no run: there is no {MODEL_FILE} in it",
                hint="a run is made by `bptt train --run`",
            )
        path = path / MODEL_FILE
    metadata, arrays = _read(path, FORMAT)
    try:
        source = Source(metadata["source"], metadata["equations"])
        sizes = {str(name): int(number) for name, number in json.loads(metadata["sizes"]).items()}
        tokenizer = tokenizer_from_json(metadata["tokenizer"])
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is damaged: {_reason(error)}") from None
    try:
        model = understand(source)
    except BpttError as error:
        raise InputError(f"the equations in {path} are not understood\n{error}") from None
    _check_arrays(path, model, sizes, tokenizer, arrays)
    # In the order of the equations, which the file does not keep: a sum over all gradients depends on it.
    return SavedModel(model, sizes, tokenizer, {name: arrays[name] for name in model.params})


def save_state(path: Path, arrays: Arrays, facts: Mapping[str, Any]) -> None:
    """Arrays and facts (of JSON) that `load_state` gives back."""
    metadata = {"format": STATE_FORMAT, "version": str(VERSION), "facts": json.dumps(facts)}
    write_whole(path, _safetensors(arrays, metadata))


def load_state(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    metadata, arrays = _read(path, STATE_FORMAT)
    try:
        return arrays, json.loads(metadata["facts"])
    except (KeyError, ValueError) as error:
        raise InputError(f"{path} is damaged: {_reason(error)}") from None


def write_whole(path: Path, content: bytes) -> None:
    """Writes the file so that it is the old or the new one, whatever happens. InputError if it cannot be."""
    name = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            name = file.name
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # The temporary file is for its owner only; the lasting one is as readable as any new file.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, 0o666 & ~umask)
        os.replace(name, path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from None
    finally:
        if name is not None and os.path.exists(name):
            os.unlink(name)


def _read(path: Path, form: str) -> tuple[dict[str, str], dict[str, NDArray[Any]]]:
    """Metadata and arrays of a file of ours."""
    try:
        with path.open("rb") as file:
            start = file.read(9)
    except FileNotFoundError:
        raise InputError(f"there is no file {path}") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
    if len(start) < 9 or start[8:] != b"{" or struct.unpack("<Q", start[:8])[0] > path.stat().st_size - 8:
        raise InputError(
            f"{path} is not a safetensors file, or its beginning is damaged",
            hint="a model is RUN/model.safetensors",
        )
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            _check_version(path, metadata, form)
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise InputError(
            f"{path} is damaged: {_reason(error)}", hint="it may have been cut short in copying"
        ) from None
    return metadata, arrays


def _check_version(path: Path, metadata: Mapping[str, str], form: str) -> None:
    if metadata.get("format") != form:
        raise InputError(
            f"{path} is a safetensors file, but holds no {form}", hint=f"a model is RUN/{MODEL_FILE}"
        )
    version = metadata.get("version", "")
    if not version.isdecimal():
        raise InputError(f"{path} is damaged: its version is {version!r}")
    if int(version) > VERSION:
        raise InputError(
            f"{path} was written by a newer bptt (format version {version}, this one reads up to {VERSION})",
            hint="upgrade: pip install -U bptt",
        )


def _check_arrays(
    path: Path, model: Model, sizes: Mapping[str, int], tokenizer: Tokenizer, arrays: Arrays
) -> None:
    for name, shape in model.params.items():
        try:
            expected = tuple(dim.evaluate(sizes) for dim in shape)
        except KeyError as error:
            raise InputError(f"{path} is damaged: it does not say the size {error}") from None
        if name not in arrays:
            raise InputError(f"{path} is damaged: it lacks the parameter {name}")
        if arrays[name].shape != expected or arrays[name].dtype != np.float32:
            found = f"{arrays[name].dtype} {arrays[name].shape}"
            raise InputError(
                f"{path} is damaged: the parameter {name} is {found}, and should be float32 {expected}"
            )
    tokens = len(tokenizer.vocabulary)
    if sizes.get("V") != tokens:
        raise InputError(
            f"{path} is damaged: its vocabulary has {tokens} tokens, its weights {sizes.get('V')}"
        )


def _safetensors(arrays: Arrays, metadata: dict[str, str]) -> bytes:
    """The content of a safetensors file, the same for the same arrays and metadata.

    The library orders metadata anew at each call, so that two equal runs would differ.
    """
    content = save({name: np.ascontiguousarray(a) if a.ndim else a for name, a in arrays.items()}, metadata)
    (length,) = struct.unpack_from("<Q", content)
    header = json.loads(content[8 : 8 + length])
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + content[8 + length :]


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
