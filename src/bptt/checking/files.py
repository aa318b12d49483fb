"""Documents from files: what is read, and what is refused with one message."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from bptt.checking.documents import document_source, form_of
from bptt.errors import InputError
from bptt.source import Source

STANDARD_INPUT = "-"
# Bytes; what is larger is no text that somebody wrote, and is not read to its end.
LARGEST = 25_000_000


@dataclass(frozen=True)
class Opened:
    """A document as it was given: `form` is one of `documents.FORMS`, `original` the text before its line
    ends and a byte order mark are taken care of.
    """

    source: Source
    form: str
    original: str


def open_document(path: str, form: str | None = None) -> Opened:
    """The document in a file, or - for standard input. InputError if it cannot be read or is no text."""
    is_stdin = path == STANDARD_INPUT
    name = "<stdin>" if is_stdin else path
    try:
        if is_stdin:
            content = sys.stdin.buffer.read(LARGEST + 1)
        else:
            with Path(path).open("rb") as file:
                content = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise InputError(f"there is no file {path}") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder", hint="name its files: bptt check FOLDER/*.md") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from None
    except ValueError:  # a name that no file can have
        raise InputError(f"there is no file {path!r}") from None
    if len(content) > LARGEST:
        raise InputError(f"{name} has more than {LARGEST:,} bytes", hint="check a part of it")
    if b"\0" in content:
        raise InputError(f"{name} is no text", hint="documents are Markdown, LaTeX, notebooks or plain text")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name} is not UTF-8: byte {error.start} is 0x{content[error.start]:02x}",
            hint="convert it: iconv -t utf-8",
        ) from None
    return open_text(name, text, form)


def open_text(name: str, text: str, form: str | None = None) -> Opened:
    """A text that has this name."""
    form = form or form_of(name, text)
    return Opened(document_source(name, text, form), form, text)
