"""Checking in Python: a document to a report that prints as text, and that notebooks show as a page."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from bptt.checking import report_html, report_json, report_markdown, report_text
from bptt.checking.check import check_document
from bptt.checking.documents import FORMS
from bptt.checking.files import open_document, open_text
from bptt.checking.report import Report
from bptt.errors import InputError
from bptt.formula.shapes import LAYOUTS

WIDTH = 100


class Checked(Report):
    """What `bptt.check` returns: a `Report` with its forms. `print` shows what `bptt check` shows."""

    def text(self, width: int = WIDTH, everything: bool = False) -> str:
        return report_text.render(self, width, everything=everything)

    def markdown(self, everything: bool = False) -> str:
        return report_markdown.render(self, everything)

    def html(self) -> str:
        """A whole page, in one file."""
        return report_html.render([self])

    def data(self) -> dict[str, Any]:
        """The same as `bptt check --to json`."""
        return report_json.report_data(self)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        counts = ", ".join(f"{number} {verdict}" for verdict, number in self.summary.items() if number)
        return f"<report on {self.document.name}: {counts or 'no claims'}>"

    def _repr_html_(self) -> str:
        return report_html.fragment(self)


def check(
    document: str | Path,
    *,
    model: str | Path | None = None,
    layout: str | None = None,
    form: str | None = None,
) -> Checked:
    """Every claim about a derivative in a document, judged.

    `document` is the text itself, or a file: a Path, or a string that names one (a string of several lines,
    or with a `=`, `$` or backslash that no file is called by, is text). `model` has the equations where the
    document states none: a shipped model's name, a file, or equations. `layout` is "row" or "column", `form`
    "markdown", "latex", "notebook" or "text". InputError where the document cannot be read.
    """
    for what, value, known in (("layout", layout, LAYOUTS), ("form", form, FORMS)):
        if value not in (None, *known):
            raise InputError(f"there is no {what} {value!r}", hint="one of " + ", ".join(known))
    if isinstance(document, str) and _is_text(document):
        opened = open_text("<document>", document, form)
    else:
        opened = open_document(str(document), form)
    report = check_document(
        opened.source, model=None if model is None else str(model), layout=layout, form=opened.form
    )
    return Checked(**{f.name: getattr(report, f.name) for f in fields(Report)})


def _is_text(document: str) -> bool:
    if "\n" in document:
        return True
    try:
        is_file = Path(document).is_file()
    except (OSError, ValueError):  # too long for a file name, or with a character that none has
        return True
    return not is_file and any(sign in document for sign in "=$\\")
