"""The gradients of a cell of one's own as a short summary: `python examples/derivation.py`.

Of each parameter the gradient of one step; of one of them every step of the derivation, element by element.
"""

import bptt

EQUATIONS = r"""
e = x @ L
z = sigmoid(e @ Wz + h[t-1] @ Uz)
h = (1 - z) * h[t-1] + z * tanh(e @ W)
yhat = softmax(h @ U)
"""

if __name__ == "__main__":
    model = bptt.Model(EQUATIONS)
    for name in model.params:
        print(model.derivation(of=name).result)
    print()
    for step in model.derivation(of="Uz", notation="index").steps:
        print(f"{step.after:45} {step.rule}")
