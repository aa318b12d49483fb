"""Names with primes, the place of the true word, and names given at the end of a line."""

from bptt.checking.check import check_document
from bptt.source import Source

BAG = r"""
With input $x$ the hidden layer is $h_i = \sum_k w_{ki} x_k$, the scores are $u_j = \sum_i w'_{ij} h_i$ and
$$y_j = \frac{\exp(u_j)}{\sum_{j'} \exp(u_{j'})}$$
For the true word $j^*$ the loss is $E = -\log y_{j^*}$, and $t_j = 1$ if $j = j^*$, else $0$.
"""
CLAIMS = (
    r"\frac{\partial E}{\partial u_j} = y_j - t_j := e_j",
    r"\frac{\partial E}{\partial w'_{ij}} = e_j h_i",
    r"\frac{\partial E}{\partial h_i} = \sum_j e_j w'_{ij}",
    r"\frac{\partial E}{\partial h_i} = \sum_j y_j w'_{ij} - w'_{ij^*}",
    r"\frac{\partial E}{\partial w_{ki}} = x_k \sum_j e_j w'_{ij}",
    r"\frac{\partial E}{\partial w'_{ij}} = e_i h_j",
)


def test_the_primes_of_matrices() -> None:
    text = BAG + "".join(f"\n\n$${claim}$$\n" for claim in CLAIMS)
    claims = [c for c in check_document(Source("bag.md", text)).claims if c.line > BAG.count("\n")]
    assert [claim.verdict for claim in claims] == ["correct"] * 6 + ["wrong"]
    assert claims[-1].kind == "index"
    assert claims[1].target == "∂E/∂uⱼ" and claims[2].target == "∂E/∂w′ᵢⱼ"
