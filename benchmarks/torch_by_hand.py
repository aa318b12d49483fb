"""Backpropagation through time by hand in PyTorch: what somebody who knows the derivatives writes for speed.

The loop keeps only what needs the carried value; weight gradients are one product each over all steps.
"""

from __future__ import annotations

import torch
from torch import Tensor

from benchmarks.workloads import LEARNING_RATE, Weights, Workload


class ByHand:
    name = "PyTorch by hand"

    def __init__(self, workload: Workload, weights: Weights) -> None:
        self.workload = workload
        self.p = {name: torch.from_numpy(array.copy()) for name, array in weights.items()}
        x, y = workload.ids()
        self.x, self.y = torch.from_numpy(x).long().reshape(-1), torch.from_numpy(y).long().reshape(-1)

    @torch.no_grad()
    def gradients(self) -> tuple[float, Weights]:
        loss, found = self._backward()
        return float(loss), {name: g.numpy().copy() for name, g in found.items()}

    @torch.no_grad()
    def step(self) -> None:
        for name, g in self._backward()[1].items():
            self.p[name].sub_(g, alpha=LEARNING_RATE)

    def _backward(self) -> tuple[Tensor, dict[str, Tensor]]:
        e = self.p["L"][self.x]
        loss, found, de = {"gru": self._gru, "bigram": self._bigram}.get(self.workload.cell, self._elman)(e)
        found["L"] = torch.zeros_like(self.p["L"]).index_add_(0, self.x, de)
        return loss, found

    def _output(self, h: Tensor) -> tuple[Tensor, dict[str, Tensor], Tensor]:
        """The loss, the gradients of the output layer, and that of h, where h is (T·B, h)."""
        p = self.p
        logs = torch.log_softmax(torch.addmm(p["c"], h, p["O"]), 1)
        target = self.y[:, None]
        loss = -logs.gather(1, target).mean()
        error = logs.exp_()
        error.scatter_add_(1, target, torch.full_like(target, -1, dtype=error.dtype)).div_(len(error))
        return loss, {"O": h.T @ error, "c": error.sum(0)}, error @ p["O"].T

    def _bigram(self, e: Tensor) -> tuple[Tensor, dict[str, Tensor], Tensor]:
        p = self.p
        h = torch.sigmoid(torch.addmm(p["b"], e, p["W"]))
        loss, found, dh = self._output(h)
        da = dh * h * (1 - h)
        return loss, found | {"W": e.T @ da, "b": da.sum(0)}, da @ p["W"].T

    def _elman(self, e: Tensor) -> tuple[Tensor, dict[str, Tensor], Tensor]:
        p, w = self.p, self.workload
        tanh = w.cell == "tanh"
        into = torch.addmm(p["b"], e, p["W"]).view(w.steps, w.batch, w.hidden)
        h = torch.zeros(w.steps + 1, w.batch, w.hidden)
        for t in range(w.steps):
            a = torch.addmm(into[t], h[t], p["U"])
            (torch.tanh if tanh else torch.sigmoid)(a, out=h[t + 1])
        loss, found, dh = self._output(h[1:].flatten(0, 1))
        dh = dh.view_as(into)
        slope = 1 - h[1:] * h[1:] if tanh else h[1:] * (1 - h[1:])
        da = torch.empty_like(into)
        transposed = p["U"].T
        carried = torch.zeros(w.batch, w.hidden)
        for t in reversed(range(w.steps)):
            torch.mul(dh[t] + carried, slope[t], out=da[t])
            carried = da[t] @ transposed
        da = da.flatten(0, 1)
        found |= {"W": e.T @ da, "U": h[:-1].flatten(0, 1).T @ da, "b": da.sum(0)}
        return loss, found, da @ p["W"].T

    def _gru(self, e: Tensor) -> tuple[Tensor, dict[str, Tensor], Tensor]:
        p, w = self.p, self.workload
        shape, D = (w.steps, w.batch), w.hidden
        W, U = (torch.cat([p[letter + g] for g in "rzn"], 1) for letter in "WU")
        b = torch.cat([p["br"], p["bz"], p["bn"]])
        into = torch.addmm(b, e, W).view(*shape, 3 * D)
        bias = torch.cat([torch.zeros(2 * D), p["cn"]])
        h = torch.zeros(w.steps + 1, w.batch, D)
        gates, n, un = torch.empty(*shape, 2 * D), torch.empty(*shape, D), torch.empty(*shape, D)
        for t in range(w.steps):
            products = torch.addmm(bias, h[t], U)
            torch.sigmoid(into[t, :, : 2 * D] + products[:, : 2 * D], out=gates[t])
            r, z = gates[t].chunk(2, 1)
            un[t] = products[:, 2 * D :]
            torch.tanh(torch.addcmul(into[t, :, 2 * D :], r, un[t]), out=n[t])
            torch.lerp(n[t], h[t], z, out=h[t + 1])
        loss, found, dh = self._output(h[1:].flatten(0, 1))
        dh = dh.view(*shape, D)
        r, z = gates.chunk(2, 2)
        # The derivatives of the three arguments, but for the factor that is carried back.
        to_n = (1 - z) * (1 - n * n)
        to_r, to_z, keep = un * r * (1 - r), (h[:-1] - n) * z * (1 - z), r
        back = torch.empty(*shape, 3 * D)  # of the products with the state
        da_n = torch.empty(*shape, D)
        transposed = U.T
        carried = torch.zeros(w.batch, D)
        for t in reversed(range(w.steps)):
            g = dh[t] + carried
            torch.mul(g, to_n[t], out=da_n[t])
            back[t, :, :D] = da_n[t] * to_r[t]
            back[t, :, D : 2 * D] = g * to_z[t]
            back[t, :, 2 * D :] = da_n[t] * keep[t]
            carried = torch.addmm(g * z[t], back[t], transposed)
        back, da_n = back.flatten(0, 1), da_n.flatten(0, 1)
        da = torch.cat([back[:, : 2 * D], da_n], 1)
        dU = h[:-1].flatten(0, 1).T @ back
        dW, db = e.T @ da, da.sum(0)
        for i, gate in enumerate("rzn"):
            part = slice(i * D, (i + 1) * D)
            found |= {f"W{gate}": dW[:, part], f"U{gate}": dU[:, part], f"b{gate}": db[part]}
        found["cn"] = back[:, 2 * D :].sum(0)
        return loss, found, da @ W.T
