"""The models that come with bptt, as equation files, and finding the equations that a user means."""

from __future__ import annotations

from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path

from bptt.errors import InputError
from bptt.source import Source

SUFFIXES = (".eq", ".tex", ".md")


def shipped() -> dict[str, str]:
    """The shipped models by name, each with one line that says what it is (the first comment of its file)."""
    found = {}
    for entry in files(__name__).iterdir():
        if entry.name.endswith(".eq"):
            first = entry.read_text(encoding="utf-8").splitlines()[0]
            found[entry.name.removesuffix(".eq")] = first.removeprefix("#").strip()
    return dict(sorted(found.items()))


def source_of(spec: str) -> Source:
    """The equations that `spec` means: a shipped model's name, a file, or the equations themselves.

    Text with a newline or a `=` is equations. Raises InputError for a name that is not known and a file
    that cannot be read.
    """
    if "\n" in spec or ("=" in spec and not _is_file(spec)):
        return Source("<equations>", spec)
    models = shipped()
    if spec in models and not _is_file(spec):
        return Source(f"{spec}.eq", files(__name__).joinpath(f"{spec}.eq").read_text(encoding="utf-8"))
    path = Path(spec)
    if path.suffix not in SUFFIXES and not _is_file(spec):
        raise _unknown(spec, models)
    try:
        return Source(spec, path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        near = get_close_matches(path.name, _neighbours(path), n=1)
        hint = (
            f"did you mean {path.with_name(near[0])}?"
            if near
            else "the shipped models are listed by `bptt models`"
        )
        raise InputError(f"there is no file {spec}", hint) from None
    except UnicodeDecodeError:
        raise InputError(f"{spec} is no text in UTF-8", "equations are plain text") from None
    except OSError as err:
        raise InputError(f"cannot read {spec}: {err.strerror}") from None


def _unknown(spec: str, models: dict[str, str]) -> InputError:
    near = get_close_matches(spec.lower(), models, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "shipped are " + ", ".join(models)
    return InputError(f"there is no model {spec!r}, neither shipped nor as a file", hint)


def _is_file(spec: str) -> bool:
    try:
        return Path(spec).is_file()
    except (OSError, ValueError):  # too long for a file name, or with a character that none has
        return False


def _neighbours(path: Path) -> list[str]:
    try:
        return [entry.name for entry in path.parent.iterdir() if entry.suffix in SUFFIXES]
    except OSError:
        return []
