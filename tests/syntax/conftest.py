"""Readers of short texts, and the check of a diagnostic with its place."""

import pytest

from bptt.errors import EquationError
from bptt.source import Source
from bptt.syntax import parse


@pytest.fixture
def check_error():
    """check_error(text, line, column, message, marked): the one diagnostic that reading `text` gives.

    `message` is part of what it says; `marked`, if given, what stands above the carets. Returns the error.
    """

    def check(text, line, column, message, marked=None, reader=parse):
        with pytest.raises(EquationError) as caught:
            reader(Source("<test>", text))
        diagnostic = caught.value.diagnostic
        span = diagnostic.labels[0].span
        assert message in diagnostic.message
        assert (span.line, span.column) == (line, column), str(caught.value)
        assert marked is None or span.text == marked
        assert diagnostic.hint, "every diagnostic says what to do"
        assert str(caught.value).startswith(f"<test>:{line}:{column}: error: ")
        return caught.value

    return check
