"""What formulas are said to hold for: behind them, in cells of cases, in the prose around them."""

import pytest

from bptt.checking.statements import read
from bptt.source import Source
from checking.compact import compact_statement, formula, statements


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"a = b \qquad (i \neq k)", ["a = b if i ≠ k"]),
        (r"a = -p_k p_i \; (i \neq k)", ["a = - <p_[k] p_[i]> if i ≠ k"]),
        (r"a = b I(i \neq k)", ["a = <b I@(i ≠ k)>"]),
        (r"a = b \quad i \neq k", ["a = b if i ≠ k"]),
        (r"a = b \quad \text{for } i \neq k", ["a = b if i ≠ k"]),
        (r"a = b, \text{ if } i = k", ["a = b if i = k"]),
        (
            r"a = b \quad \text{falls } z > 0, \quad c = d \text{ sonst}",
            ["a = b if z > 0", "c = d if otherwise"],
        ),
        (r"a = b & \text{pour } i = k \\ a = c & \text{sinon}", ["a = b if i = k", "a = c if otherwise"]),
        (r"\text{if } i = k: \quad a = b", ["a = b if i = k"]),
        (r"a = b \quad \forall t \in \{1, 2\}", ["a = b", "t ∈ {list[1, 2]}"]),
        # Neither is a condition: they say what something is.
        (r"a = b, \quad c = d", ["a = b", "c = d"]),
        (r"a = b \quad \text{if } c = d e", ["a = b", "c = <d e>"]),
        (r"a = b \quad \text{where } k = 1", ["a = b", "k = 1"]),
        (r"0 < a, \quad a < 1", ["0 < a", "a < 1"]),
    ],
)
def test_conditions_in_a_formula(text: str, expected: list[str]) -> None:
    assert statements(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"1 & \text{si } z_{1,i} > 0 \\ 0 & \text{sinon}", "1 if z_[1, i] > 0 | 0"),
        (r"a, & i = j, \\ b, & i \neq j.", "a if i = j | b if i ≠ j"),
        (r"a \text{ if } i = j \\ b \text{ otherwise}", "a if i = j | b"),
        (r"a \quad i = j \\ b \quad \text{else}", "a if i = j | b"),
        (r"a & \text{if} & i = j \\ b & \text{if} & i \ne j", "a if i = j | b if i ≠ j"),
        (r"a & i = j \text{ and } z > 0 \\ b & \text{otherwise}", "a if list[i = j, z > 0] | b"),
        (r"a & \text{für } i = j \\ b", "a if i = j | b"),
        (r"a & \text{若 } i = j \\ b & \text{否则}", "a if i = j | b"),
    ],
)
def test_cases(text: str, expected: str) -> None:
    assert formula(rf"\begin{{cases}} {text} \end{{cases}}") == f"cases[{expected}]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("For $i \\neq k$ we get $$a = b$$", ["i ≠ k", "a = b if i ≠ k"]),
        ("If $i = k$, then\n\n$$a = b$$\n\n$$= c$$", ["i = k", "a = b if i = k", "… a = c if i = k"]),
        ("Case 1: $i = k$.\n\n$$a = b$$", ["i = k", "a = b"]),
        ("Case 1: $i = k$\n\n$$a = b.$$\n\nNow $$c = d$$", ["i = k", "a = b if i = k", "c = d"]),
        ("$$a = b$$ if $i = k$, and $$c = d$$ otherwise.", ["a = b if i = k", "i = k", "c = d"]),
        ("We have $a = b$ for $i = k$ and $a = c$ for $i \\ne k$.",
         ["a = b if i = k", "i = k", "a = c if i ≠ k", "i ≠ k"]),
        ("$$a = b.$$ For $i = k$ it is $$c = d$$", ["a = b", "i = k", "c = d if i = k"]),
        ("当 $i = k$ 时，$$a = b$$", ["i = k", "a = b if i = k"]),
        ("$i = k$ のとき $$a = b$$", ["i = k", "a = b if i = k"]),
        ("Let $k = 1$. $$a = b$$", ["k = 1", "a = b"]),
        ("If $z = x W$ then $$a = b$$", ["z = <x W>", "a = b"]),
    ],
)  # fmt: skip
def test_conditions_in_prose(text: str, expected: list[str]) -> None:
    found = read(Source("notes.md", text)).statements
    assert [compact_statement(one) for one in found] == expected
