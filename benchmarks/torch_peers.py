"""PyTorch beside us: its own modules, the cell as a loop in Python, and that loop compiled.

`pip install torch==2.13.0` for these benchmarks; the package itself does not need it.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.workloads import GATES, LEARNING_RATE, Weights, Workload


class Modules(nn.Module):
    """nn.Embedding, nn.RNN or nn.GRU (nn.Linear where nothing is carried), nn.Linear."""

    def __init__(self, workload: Workload, weights: Weights) -> None:
        super().__init__()
        self.cell, self.gates = workload.cell, GATES[workload.cell]
        sizes = workload.embedding, workload.hidden
        kinds = {"tanh": nn.RNN, "gru": nn.GRU, "bigram": nn.Linear}
        self.embed = nn.Embedding(workload.vocabulary, workload.embedding)
        self.hidden = kinds[self.cell](*sizes)
        self.out = nn.Linear(workload.hidden, workload.vocabulary)
        self.load(weights)

    @torch.no_grad()
    def load(self, weights: Weights) -> None:
        """Our weights in the modules, which hold matrices transposed, those of the gates in one."""
        given = {name: torch.from_numpy(array) for name, array in weights.items()}
        self.embed.weight.copy_(given["L"])
        self.out.weight.copy_(given["O"].T)
        self.out.bias.copy_(given["c"])
        into = torch.cat([given["W" + g].T for g in self.gates])
        bias = torch.cat([given["b" + g] for g in self.gates])
        if self.cell == "bigram":
            self.hidden.weight.copy_(into)
            self.hidden.bias.copy_(bias)
            return
        self.hidden.weight_ih_l0.copy_(into)
        self.hidden.bias_ih_l0.copy_(bias)
        self.hidden.weight_hh_l0.copy_(torch.cat([given["U" + g].T for g in self.gates]))
        # Every gate has a second bias here. Only that of n says something of its own; the others are zero.
        self.hidden.bias_hh_l0.zero_()
        if "cn" in given:
            self.hidden.bias_hh_l0[-len(given["cn"]) :] = given["cn"]

    def gradients(self) -> Weights:
        found = {"L": _grad(self.embed.weight), "O": _grad(self.out.weight).T, "c": _grad(self.out.bias)}
        own = self.hidden
        if self.cell == "bigram":
            return _arrays(found | {"W": _grad(own.weight).T, "b": _grad(own.bias)})
        parts = {"W": own.weight_ih_l0, "U": own.weight_hh_l0, "b": own.bias_ih_l0, "c": own.bias_hh_l0}
        for letter, p in parts.items():
            for gate, grad in zip(self.gates, _grad(p).chunk(len(self.gates)), strict=True):
                if letter != "c" or gate == "n":
                    found[letter + gate] = grad.T if grad.dim() == 2 else grad
        return _arrays(found)

    def forward(self, x: Tensor) -> Tensor:
        e = self.embed(x)
        h = torch.sigmoid(self.hidden(e)) if self.cell == "bigram" else self.hidden(e)[0]
        return self.out(h)


class Loop(nn.Module):
    """The equations written down in PyTorch: all inputs projected, then a loop over the steps."""

    def __init__(self, workload: Workload, weights: Weights) -> None:
        super().__init__()
        self.cell = workload.cell
        copies = {name: torch.from_numpy(array.copy()) for name, array in weights.items()}
        self.p = nn.ParameterDict({name: nn.Parameter(copy) for name, copy in copies.items()})

    def gradients(self) -> Weights:
        return _arrays({name: _grad(p) for name, p in self.p.items()})

    def forward(self, x: Tensor) -> Tensor:
        p = self.p
        e = F.embedding(x, p["L"])
        h = e.new_zeros(x.shape[1], p["O"].shape[0])
        states = []
        if self.cell == "gru":
            into = [e @ p["W" + g] + p["b" + g] for g in "rzn"]
            for to_r, to_z, to_n in zip(*(i.unbind() for i in into), strict=True):
                r = torch.sigmoid(torch.addmm(to_r, h, p["Ur"]))
                z = torch.sigmoid(torch.addmm(to_z, h, p["Uz"]))
                n = torch.tanh(to_n + r * torch.addmm(p["cn"], h, p["Un"]))
                h = (1 - z) * n + z * h
                states.append(h)
        else:
            activation = torch.tanh if self.cell == "tanh" else torch.sigmoid
            for to_h in (e @ p["W"] + p["b"]).unbind():
                h = activation(torch.addmm(to_h, h, p["U"]))
                states.append(h)
        return torch.stack(states) @ p["O"] + p["c"]


class Autograd:
    """A module trained by autograd, F.cross_entropy and torch.optim.SGD."""

    def __init__(self, name: str, workload: Workload, model: Modules | Loop, compiled: bool = False) -> None:
        self.name, self.model = name, model
        self.call: Callable[[Tensor], Tensor] = torch.compile(model) if compiled else model
        self.optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE)
        x, y = workload.ids()
        self.x, self.y = torch.from_numpy(x).long(), torch.from_numpy(y).long().reshape(-1)

    def _backward(self) -> Tensor:
        self.optimizer.zero_grad()
        loss = F.cross_entropy(self.call(self.x).flatten(0, 1), self.y)
        loss.backward()
        return loss

    def gradients(self) -> tuple[float, Weights]:
        loss = self._backward()
        return loss.item(), self.model.gradients()

    def step(self) -> None:
        self._backward()
        self.optimizer.step()


def _grad(p: Tensor) -> Tensor:
    assert p.grad is not None
    return p.grad


def _arrays(gradients: dict[str, Tensor]) -> Weights:
    return {name: g.detach().numpy().copy() for name, g in gradients.items()}
