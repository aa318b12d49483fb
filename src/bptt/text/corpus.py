"""Text as it comes from files, and its division into a part to learn from and a part to check on."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from bptt.errors import InputError

STANDARD_INPUT = "-"


def read_text(path: str) -> str:
    """The file's text (`-`: standard input), UTF-8, with its line ends as they are.

    Bytes that are no UTF-8 are an error, since characters would be lost; byte tokens take any file, see
    `read_bytes`.
    """
    content = _read(path)
    try:
        return content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not UTF-8: byte {error.start} is 0x{content[error.start]:02x}",
            hint="convert it (iconv -t utf-8), or train on bytes: --tokens byte",
        ) from None


def read_bytes(path: str) -> str:
    """The file's bytes as text in which every byte survives (what is no UTF-8 becomes lone surrogates)."""
    return _read(path).decode("utf-8", "surrogateescape")


def _read(path: str) -> bytes:
    if path == STANDARD_INPUT:
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise InputError(f"there is no file {path}") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder, not a text") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None


def python_documentation() -> str:
    """The texts that every Python carries for its `help()`: half a million characters of English."""
    try:
        from pydoc_data.topics import topics
    except ImportError:
        raise InputError(
            "this Python comes without pydoc_data, the text that is used when none is named",
            hint="name a text: bptt train gru text.txt",
        ) from None
    return "\n".join(topics.values())


def split_off(texts: Sequence[str], fraction: float, boundary: str) -> tuple[list[str], list[str]]:
    """The texts without their last `fraction` of characters, and that part; cut at a `boundary`.

    `boundary` is a regular expression: the cut is after its next match. An empty one cuts anywhere.
    """
    remaining = int(sum(map(len, texts)) * (1 - fraction))
    first: list[str] = []
    second: list[str] = []
    for text in texts:
        if remaining >= len(text):
            first.append(text)
        elif remaining <= 0:
            second.append(text)
        else:
            found = re.compile(boundary).search(text, remaining)
            cut = found.end() if found else len(text)
            first.append(text[:cut])
            second.append(text[cut:])
        remaining -= len(text)
    return first, [text for text in second if text]
