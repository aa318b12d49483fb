"""A cell of one's own, from its equations to text: `python examples/from_python.py`."""

from pydoc_data.topics import topics

import bptt

EQUATIONS = r"""
e = x @ L
z = sigmoid(e @ Wz + h[t-1] @ Uz + bz)
h = (1 - z) * h[t-1] + z * tanh(e @ W + b)
yhat = softmax(h @ U + c)
"""

if __name__ == "__main__":
    print(bptt.Model(EQUATIONS).params)
    # The text of Python's own documentation, which every Python carries.
    lm = bptt.train(EQUATIONS, "\n".join(topics.values()), steps=600, size={"e": 32, "h": 96})
    print(f"{lm.perplexity('A list is a mutable sequence.'):.2f} perplexity a character")
    print(lm.sample(prompt="The ", length=200, temperature=0.7))
