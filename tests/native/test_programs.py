"""Blocks as a whole: recurrences, carried values, tiles, threads, profiles, the optimisers' functions."""

import threading

import numpy as np
import pytest

ACCUMULATE, TRANSPOSED = 1, 2


def elman(native, T, B, V, D, threads, seed=0, profile=False):
    """Loss and gradients of a tanh network as a program; all arrays by name, and the program itself."""
    rng = np.random.default_rng(seed)
    op = native.OPCODES
    names = [
        "x",
        "y",
        "L",
        "H",
        "U",
        "b",
        "dL",
        "dH",
        "dU",
        "db",
        "h",
        "pre",
        "loss",
        "dh",
        "g",
        "carry",
        "z",
        "w",
    ]
    shapes = [
        ("tokens", 0, V), ("tokens", 0, V),
        ("param", V, D), ("param", D, D), ("param", D, V), ("param", 1, V),
        ("sum", V, D), ("sum", D, D), ("sum", D, V), ("sum", 1, V), ("history", 0, D),
        ("sequence", 0, D), ("sequence", 0, 1), ("sequence", 0, D), ("sequence", 0, D), ("ring", 0, D),
        ("local", 0, V), ("local", 0, 1),
    ]  # fmt: skip
    buffers = [(kind, rows, cols, name) for name, (kind, rows, cols) in zip(names, shapes, strict=True)]

    def o(name, shift=0):
        i = names.index(name)
        return (i, shift, 0, 0, shapes[i][2])

    def ins(name, dst, a=None, b=None, c=None, f0=0.0, flags=0):
        return (op[name], dst, a, b, c, f0, 0.0, flags, 0, 0, 0)

    blocks = [
        ("map", [ins("LOOKUP", o("pre"), o("x"), o("L"))]),
        ("scan_forward", [
            ins("GEMM", o("pre"), o("h"), o("H"), flags=ACCUMULATE),
            ins("TANH", o("h", 1), o("pre")),
        ]),
        ("map", [
            ins("GEMM", o("z"), o("h", 1), o("U"), o("b")),
            ins("FILL", o("w"), f0=1 / (T * B)),
            ins("SOFTMAX_CROSS_ENTROPY", o("loss"), o("z"), o("y"), o("w")),
            ins("OUTER_SUM", o("dU"), o("h", 1), o("z")),
            ins("COLUMN_SUM", o("db"), o("z")),
            ins("GEMM", o("dh"), o("z"), o("U"), flags=TRANSPOSED),
        ]),
        ("scan_backward", [
            ins("ADD", o("dh"), o("dh"), o("carry", 1)),
            ins("TANH_GRADIENT", o("g"), o("dh"), o("h", 1)),
            ins("GEMM", o("carry"), o("g"), o("H"), flags=TRANSPOSED),
        ]),
        ("map", [
            ins("OUTER_SUM", o("dH"), o("h"), o("g")),
            ins("SCATTER_SUM", o("dL"), o("g"), o("x")),
        ]),
    ]  # fmt: skip
    values = {}
    for name, (kind, rows, cols) in zip(names, shapes, strict=True):
        if kind == "tokens":
            values[name] = rng.integers(0, V, (T, B)).astype(np.int32)
        elif kind == "param":
            values[name] = (rng.standard_normal((rows, cols)) / np.sqrt(D)).astype(np.float32)
        elif kind == "sum":
            values[name] = np.zeros((rows, cols), np.float32)
        elif kind == "local":
            values[name] = None
        else:
            lead = {"sequence": T, "history": T + 1, "ring": 2}[kind]
            values[name] = np.full((lead, B, cols), np.nan, np.float32)
    values["h"][0] = rng.standard_normal((B, D))
    values["carry"][T % 2] = 0
    program = native.Program(buffers, blocks)
    program.run(T, B, list(values.values()), 0, threads, profile)
    return values, program


def elman_reference(v, T, B, V):
    f = {k: v[k].astype(np.float64) for k in ("L", "H", "U", "b")}
    h = [v["h"][0].astype(np.float64)]
    for t in range(T):
        h.append(np.tanh(f["L"][v["x"][t]] + h[-1] @ f["H"]))
    grads = {k: np.zeros_like(a) for k, a in f.items()}
    loss, carry = np.zeros((T, B)), 0.0
    for t in reversed(range(T)):
        z = h[t + 1] @ f["U"] + f["b"]
        z -= z.max(-1, keepdims=True)
        p = np.exp(z) / np.exp(z).sum(-1, keepdims=True)
        loss[t] = -np.log(np.take_along_axis(p, v["y"][t][:, None].astype(int), 1)[:, 0])
        dz = (p - np.eye(V)[v["y"][t]]) / (T * B)
        grads["U"] += h[t + 1].T @ dz
        grads["b"] += dz.sum(0)
        g = (dz @ f["U"].T + carry) * (1 - h[t + 1] ** 2)
        grads["H"] += h[t].T @ g
        np.add.at(grads["L"], v["x"][t], g)
        carry = g @ f["H"].T
    return loss, grads


@pytest.mark.parametrize("threads", (1, 2))
@pytest.mark.parametrize("T,B,V,D", ((1, 1, 5, 3), (7, 3, 11, 20), (12, 9, 63, 130), (13, 11, 3000, 33)))
def test_a_network_and_its_gradients(isa, native, T, B, V, D, threads):
    v, _ = elman(native, T, B, V, D, threads)
    loss, grads = elman_reference(v, T, B, V)
    np.testing.assert_allclose(v["loss"][..., 0], loss, rtol=2e-5)
    for name, want in (("dL", grads["L"]), ("dH", grads["H"]), ("dU", grads["U"]), ("db", grads["b"])):
        np.testing.assert_allclose(v[name], want, rtol=2e-4, atol=1e-6 * np.abs(want).max(), err_msg=name)


@pytest.mark.parametrize("threads", (2, 3, 64))
def test_result_does_not_depend_on_threads(isa, native, threads):
    one, _ = elman(native, 21, 15, 2000, 70, 1)
    more, _ = elman(native, 21, 15, 2000, 70, threads)
    for name in one:
        if one[name] is not None:
            assert np.array_equal(one[name], more[name]), name


def test_result_is_reproducible(native):
    one, _ = elman(native, 9, 5, 100, 64, 2)
    again, _ = elman(native, 9, 5, 100, 64, 2)
    assert all(one[k] is None or np.array_equal(one[k], again[k], equal_nan=True) for k in one)


def test_report(native):
    _, program = elman(native, 4, 6, 30, 16, 2, profile=True)
    report = program.report()
    assert [block[0] for block in report] == ["map", "scan_forward", "map", "scan_backward", "map"]
    scan = report[1]
    assert [instruction[0] for instruction in scan[4]] == ["GEMM", "TANH"]
    assert scan[4][0][2] == 2 * 4 * 6 * 16 * 16
    assert scan[1] == sum(i[1] for i in scan[4]) and scan[1] > 0 and scan[3] > 0
    assert report[2][4][0][2] == 2 * 4 * 6 * 16 * 30


def test_programs_in_several_python_threads(native):
    want, _ = elman(native, 9, 5, 100, 64, 2)
    results = []
    workers = [
        threading.Thread(
            target=lambda: results.extend(elman(native, 9, 5, 100, 64, 2)[:1] for _ in range(10))
        )
        for _ in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(results) == 30
    assert all(np.array_equal(r[0]["dH"], want["dH"]) for r in results)


def test_a_forked_child_can_run(native, python):
    script = """
import os, sys, numpy as np
from bptt import _native
a = [np.ones(300_000, np.float32)]
_native.scale(a, 2.0)
child = os.fork()
if child == 0:
    _native.scale(a, 2.0)
    os._exit(0 if (a[0] == 4).all() else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert python(script).returncode == 0


def arrays_for(rng, shapes=((3,), (70, 1000), (1, 1), (127, 63))):
    return [rng.standard_normal(s).astype(np.float32) for s in shapes]


@pytest.mark.parametrize("momentum", (False, True))
def test_sgd(isa, native, momentum):
    rng = np.random.default_rng(0)
    p, g, v = arrays_for(rng), arrays_for(rng), arrays_for(rng)
    p0, v0 = [a.astype(np.float64) for a in p], [a.astype(np.float64) for a in v]
    native.sgd_step(p, g, v if momentum else None, 0.1, 0.9, 0.01)
    for a, b, c, old, old_v in zip(p, g, v, p0, v0, strict=True):
        step = b + 0.01 * old + (0.9 * old_v if momentum else 0)
        np.testing.assert_allclose(a, old - 0.1 * step, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(c, step if momentum else old_v, rtol=1e-5, atol=1e-6)


def test_adam(isa, native):
    rng = np.random.default_rng(0)
    p, g, m = arrays_for(rng), arrays_for(rng), arrays_for(rng)
    v = [np.abs(a) for a in arrays_for(rng)]
    old = [[a.astype(np.float64) for a in x] for x in (p, m, v)]
    native.adam_step(p, g, m, v, 0.01, 0.9, 0.999, 1e-8, 0.1, 7)
    for i, b in enumerate(g):
        p0, m0, v0 = (x[i] for x in old)
        m1, v1 = 0.9 * m0 + 0.1 * b, 0.999 * v0 + 0.001 * b.astype(np.float64) ** 2
        step = (m1 / (1 - 0.9**7)) / (np.sqrt(v1 / (1 - 0.999**7)) + 1e-8)
        np.testing.assert_allclose(m[i], m1, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(v[i], v1, rtol=1e-5)
        np.testing.assert_allclose(p[i], p0 - 0.01 * (step + 0.1 * p0), rtol=1e-5, atol=1e-6)


def test_norm_and_scale(isa, native):
    arrays = arrays_for(np.random.default_rng(0))
    want = sum(float((a.astype(np.float64) ** 2).sum()) for a in arrays)
    assert native.squared_norm(arrays) == pytest.approx(want, rel=1e-12)
    native.scale(arrays, 0.5)
    assert native.squared_norm(arrays) == pytest.approx(want / 4, rel=1e-6)


@pytest.mark.parametrize("bad", (np.inf, -np.inf, np.nan))
def test_all_finite(isa, native, bad):
    arrays = arrays_for(np.random.default_rng(0))
    arrays[1][3, 5] = np.finfo(np.float32).max
    assert native.all_finite(arrays)
    for a, at in ((arrays[0], 2), (arrays[1], (69, 999)), (arrays[3], (126, 61))):
        kept, a[at] = a[at], bad
        assert not native.all_finite(arrays)
        a[at] = kept
    assert native.all_finite(arrays)
