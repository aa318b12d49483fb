"""The report in Markdown: its blocks, and that nothing in a document is taken for Markdown of ours."""

from __future__ import annotations

import re
from dataclasses import replace

from bptt.checking.report import Claim, Remark, Report
from bptt.checking.report_markdown import escaped, render
from bptt.source import Source
from checking.reports import notes

GOLDEN = """\
# notes.md: 5 claims: 1 correct, 1 under a convention, 2 wrong (1 follows from another), 1 undecided

## The model as read

```text
z = x @ W + b
h = sigmoid(z)
yhat = softmax(h @ U)
```

J is the log-likelihood.

## What runs through the document

- J is taken for the log-likelihood: it is nowhere defined (lines 6-8, 12)

## What is wrong

### ✗ Line 7, column 34, wrong (order): ∂J/∂h

```text
   7 | \\frac{\\partial J}{\\partial h} &= U^T (y - \\hat{y}) \\\\
     |                                  ^^^
```

Mend:

```math
(y - \\hat{y}) U^T
```

- *why*: y - ŷ is a row, and a row stands to the left of the matrix that it is multiplied with.
- *in numbers*: nothing comes out of it (Uᵀ: 7×3, y - ŷ: 1×7); right is \\[0.31 -0.12 0.08\\]

**✗ line 8, column 34**: ∂J/∂z follows from line 7

```math
(y - \\hat{y}) U^T \\circ h \\circ (1 - h)
```

## What is undecided

### ? Line 13, column 39, undecided: ∂J/∂q

```text
  13 | Also $\\frac{\\partial J}{\\partial q} = r$.
     |                                       ^
```

- *missing*: q and r are not defined in the document
"""
CORRECT = """
## What is correct

| line | claim | verdict | read as |
| ---: | --- | --- | --- |
| 6 | ∂J/∂U | ≈ correct under a convention |  |
| 9 | ∂J/∂W | ✓ correct | z before its σ |
"""


def test_what_is_written() -> None:
    assert render(notes()) == GOLDEN


def test_all_claims_if_asked_for() -> None:
    assert render(notes(), everything=True) == GOLDEN + CORRECT


def test_words_mean_nothing_to_markdown() -> None:
    assert escaped("a_b*c*|d|\n# <b>`x`</b> & $y$") == (
        r"a\_b\*c\*\|d\| \# &lt;b&gt;\`x\`&lt;/b&gt; &amp; <span>$</span>y<span>$</span>"
    )


def test_no_text_leaves_its_block() -> None:
    hostile = "````\n# heading <script>alert(1)</script> | $x$ \x1b[2J"
    source = Source("<i>.md", hostile)
    claim = Claim(
        source.span(0, len(hostile)), hostile, "wrong", mend=hostile, reason=hostile, reading=hostile
    )
    found = Report(source, hostile, "", (claim, replace(claim, verdict="correct")), (Remark(hostile),))
    out = render(found, everything=True)
    fence, outside = "", []
    for line in out.splitlines():
        opening = re.match(r"(`{3,})(\w*)", line)
        if fence:
            fence = "" if set(line) == {"`"} and len(line) >= len(fence) else fence
        elif opening:
            fence = opening[1]
            assert opening[2] in ("text", "math")
        else:
            outside.append(line)
    assert not fence
    said = "\n".join(outside)
    assert "<script>" not in said and "<i>" not in said and "\x1b" not in out
    headings = [line for line in outside if line.startswith("#")]
    assert len(headings) == 6
    (row,) = [line for line in outside if line.startswith("| 1 |")]
    assert len(re.findall(r"(?<!\\)\|", row)) == 5
