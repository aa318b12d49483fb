"""Cells in which a derivation goes wrong easily: what each of them has is said beside it."""

from __future__ import annotations

from cells import model_of

TEXTS = {
    # The loss takes the carried value by a way that does not lead through the new one.
    "a way around the state": """
        e = x @ L
        h = tanh(e @ A + h[t-1] @ R)
        yhat = softmax(h @ U + h[t-1] @ W)
        """,
    "a loss of two steps": """
        e = x @ L
        h = tanh(e @ A + h[t-1] @ R)
        yhat = softmax(h @ U)
        J = -sum(y * log(yhat)) + 0.5 * sum((h - h[t-1]) ** 2)
        """,
    # One parameter in the equations and in the start.
    "a start that shares a parameter": """
        e = x @ L
        h = tanh(e @ A + h[t-1] @ R)
        h[0] = tanh(h0 @ R)
        yhat = softmax(h @ U)
        """,
    # A value that is the same at all steps and in all examples.
    "a constant": """
        Z = A @ A
        e = x @ L
        h = tanh(e + h[t-1] @ Z)
        yhat = softmax(h @ U)
        """,
    "one step back and two": """
        e = x @ L
        h = tanh(e @ A + h[t-2] @ R + h[t-1] @ Q)
        yhat = softmax(h @ U + h[t-1] @ W)
        """,
    # Nothing passes through the step before.
    "two steps back alone": """
        e = x @ L
        h = tanh(e @ A + h[t-2] @ R)
        yhat = softmax(h @ U)
        """,
    # One thing that two functions are applied to, without a name and with one.
    "two functions of the same": """
        e = x @ L
        q = sigmoid(e @ A)
        h = tanh(e @ A + h[t-1] @ R) * sigmoid(e @ A + h[t-1] @ R) * q
        yhat = softmax(h @ U)
        """,
    "two functions of one value": """
        e = x @ L
        u = e @ A + h[t-1] @ R
        g = sigmoid(u)
        h = g * tanh(u)
        yhat = softmax(h @ U)
        """,
    # A softmax inside, whose Jacobian has a number spread over a vector.
    "a softmax within": """
        e = x @ L
        k = softmax(e @ A)
        h = softmax(k * (e @ B) + k * h[t-1])
        yhat = softmax(h @ U)
        """,
    # Each state takes the other's value of the step before.
    "states that read each other": """
        e = x @ L
        h = tanh(e @ A + k[t-1] @ R)
        k = tanh(h @ B + h[t-1] @ C + k[t-1])
        yhat = softmax(k @ U)
        """,
    # Names that the text would like to use itself.
    "names that are taken": """
        e = x @ L
        m = tanh(e @ A + m[t-1] @ B)
        a = tanh(m @ C + a[t-1])
        theta = tanh(a @ D + delta)
        i = tanh(theta @ E)
        yhat = softmax(i @ U)
        """,
    "a mask beside a value of its name": """
        e = dropout(x @ L, 0.3)
        m1 = tanh(e @ A + m1[t-1] @ B)
        yhat = softmax(m1 @ U)
        """,
    # A logarithm of a sum: two sums, one within what the other's index is put into.
    "a logarithm of a sum": """
        e = x @ L
        u = h[t-1] + tanh(e @ A + h[t-1] @ R)
        h = u / sqrt(mean(u ** 2) + 1)
        p = log_softmax(h @ U)
        yhat = exp(p)
        J = -log(sum(y * yhat))
        """,
}
HARD = {name: model_of(text, name) for name, text in TEXTS.items()}
