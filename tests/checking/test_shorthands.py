"""Short names of derivatives, where a document has the habit, and only there."""

import pytest

from bptt.checking.statements import read
from bptt.checking.written import Differential, walk
from bptt.source import Source
from checking.compact import compact_statement

MODEL = "$$z = W x + b, \\quad h = \\tanh(z), \\quad s = U h, \\quad p = \\text{softmax}(s)$$\n\n"


def shown(text: str) -> list[str]:
    """What is said behind the four equations of the model."""
    found = read(Source("notes.md", MODEL + text)).statements
    return [compact_statement(one) for one in found][4:]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Two left sides are a habit.
        ("$$ds = p - y$$ $$dh = U^T ds$$", ["D[d/ J; s] = p - y", "D[d/ J; h] = <U^[T] D[d/ J; s]>"]),
        (r"$$\mathrm{d}s = p - y$$ $$dU = ds\, h^T$$",
         ["D[d/ J; s] = p - y", "D[d/ J; U] = <D[d/ J; s] h^[T]>"]),
        (r"$$d_s = p - y$$ $$d_U = d_s h^T$$", ["D[d/ J; s] = p - y", "D[d/ J; U] = <D[d/ J; s] h^[T]>"]),
        (r"$$\text{dU} = \text{ds} \cdot h^T$$ $$\text{db} = \text{dz}$$",
         ["D[d/ J; U] = <D[d/ J; s] · h^[T]>", "D[d/ J; b] = D[d/ J; z]"]),
        ("$$dU = (h\\, ds^T)^T$$ $$dz_i = dh_i$$",
         ["D[d/ J; U] = (<h D[d/ J; s]^[T]>)^[T]", "D[d/ J; z_[i]] = D[d/ J; h_[i]]"]),
        # Once it has been said, one is enough; the objective is the one that was named.
        (r"Write $\delta h := \partial E / \partial h$. $$\delta z = \delta h \circ (1 - h \circ h)$$",
         ["D[E; h]", "D[delta/ E; z] = <D[delta/ E; h] ∘ (1 - <h ∘ h>)>"]),
        (r"`dU` is $\partial E / \partial U$. $$db = dz$$", ["D[E; U]", "D[d/ E; b] = D[d/ E; z]"]),
        (r"Let $\bar h = \frac{\partial E}{\partial h}$. $$\bar z = \bar h \circ (1 - h \circ h)$$",
         ["D[E; h]", "D[bar/ E; z] = <D[bar/ E; h] ∘ (1 - <h ∘ h>)>"]),
        (r"$$\nabla U = (p - y) h^T$$ $$\nabla b = U^T (p - y)$$",
         ["D[∇/ J; U] = <(p - y) h^[T]>", "D[∇/ J; b] = <U^[T] (p - y)>"]),
        (r"$$\text{grad}_U = (p - y) h^T$$ $$\text{grad}_s = p - y$$",
         ["D[grad/ J; U] = <(p - y) h^[T]>", "D[grad/ J; s] = p - y"]),
    ],
)  # fmt: skip
def test_short_names_are_written_out(text: str, expected: list[str]) -> None:
    assert shown(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        # Nobody said so, and once is no habit.
        r"$$\delta h = U^T (p - y)$$",
        # Differential notation.
        r"$$dL = (p - y)^T ds$$ $$ds = U dh + dU h$$",
        "In differentials, $$ds = U dh + dU h$$ $$dz = W dx$$",
        # A d that is a size, and one that is a name.
        r"Let $W \in \mathbb{R}^{d \times n}$, $$a = d h$$ $$c = 2 d h$$",
        # A mean has a bar, too.
        r"$$\bar h = \frac{1}{N} \sum_n h_n$$ $$\bar s = U \bar h$$",
        r"$$\nabla J = p - y$$ $$\nabla L = p - y$$",
    ],
)
def test_what_is_no_habit_stays(text: str) -> None:
    found = read(Source("notes.md", MODEL + text)).statements
    parts = [node for one in found for link in one.links for node in walk(link.right)]
    parts += [one.left for one in found if one.left is not None]
    assert not any(isinstance(part, Differential) for part in parts)


def test_what_a_gates_name_stands_for_is_guessed() -> None:
    text = (
        r"$$f = \sigma(V x)$$ Let $\delta h := \partial E / \partial h$. $$\delta f = \delta z + \delta h$$"
    )
    found = read(Source("notes.md", MODEL + text)).statements[-1]
    assert isinstance(found.left, Differential) and found.left.guessed
    assert [part.guessed for part in walk(found.links[0].right) if isinstance(part, Differential)] == [
        False
    ] * 2
