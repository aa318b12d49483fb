"""Pages as different people write them, in our words: every display is read as it was meant.

Beside each page stand its statements in the notation of `checking.compact`, one a line.
"""

from pathlib import Path

import pytest

from bptt.checking.statements import read
from bptt.source import Source
from checking.compact import compact_statement

PAGES = sorted((Path(__file__).parent / "pages").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_a_page_is_read_as_it_was_meant(page: Path) -> None:
    found = read(Source(page.name, page.read_text(encoding="utf-8"))).statements
    expected = page.with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    assert [compact_statement(one) for one in found] == expected
