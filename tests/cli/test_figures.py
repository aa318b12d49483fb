"""Numbers fit their column and never fail, whatever a run comes to."""

import pytest

from bptt.cli.figures import show_nats, show_perplexity


@pytest.mark.parametrize(
    ("nats", "loss", "perplexity"),
    [
        (None, "", ""),
        (0.0, "0.0000", "1.00"),
        (1.4852, "1.4852", "4.42"),
        (7.5, "7.5000", "1,808.04"),
        (1013.2, "1013.2000", "e^1013"),
        (3.1e30, "3.1e+30", "e^3.1e+30"),
    ],
)
def test_losses_and_perplexities(nats: float | None, loss: str, perplexity: str) -> None:
    assert show_nats(nats) == loss
    assert show_perplexity(nats) == perplexity
