"""Every opcode against float64 NumPy, on awkward sizes, in both kinds of blocks, with one thread and two."""

import numpy as np
import pytest

ACCUMULATE, TRANSPOSED, TRANSPOSED_A, TRANSPOSED_B = 1, 2, 4, 8
SIZES = (1, 3, 63, 127, 500)
SHAPES = ((1, 1, 0), (3, 5, 2), (2, 33, 0))  # T, B, columns beside the window


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def logsumexp(x):
    top = x.max(-1, keepdims=True)
    return top + np.log(np.exp(x - top).sum(-1, keepdims=True))


def pick(x, ids):
    return np.take_along_axis(x, ids[..., None].astype(np.int64), -1)


def positive(rng):
    return lambda shape: rng.uniform(0.1, 3, shape)


UNARY = {
    "COPY": lambda a: a,
    "AFFINE": lambda a: 1.5 * a - 0.25,
    "EXP": np.exp,
    "LOG": np.log,
    "SQRT": np.sqrt,
    "TANH": np.tanh,
    "SIGMOID": sigmoid,
    "RELU": lambda a: np.maximum(a, 0),
    "STEP": lambda a: (a > 0).astype(float),
    "SOFTPLUS": lambda a: np.log1p(np.exp(a)),
    "POW": lambda a: a**1.5,
}
BINARY = {
    "ADD": np.add,
    "SUB": np.subtract,
    "MUL": np.multiply,
    "DIV": np.divide,
    "SIGMOID_GRADIENT": lambda a, b: a * b * (1 - b),
    "TANH_GRADIENT": lambda a, b: a * (1 - b * b),
}
TAKES_ACCUMULATE = {"COPY", "AFFINE", "ADD", "SUB", "MUL", "SIGMOID_GRADIENT", "TANH_GRADIENT"}
TOKEN_OPS = {"CROSS_ENTROPY", "SOFTMAX_CROSS_ENTROPY", "ONE_HOT", "PICK"}
TESTED_BELOW = {
    "FILL", "GEMM", "OUTER_SUM", "COLUMN_SUM", "LOOKUP", "SCATTER_SUM", "SOFTMAX", "LOG_SOFTMAX", "LOGSUMEXP",
    "ROW_SUM", "ROW_DOT", "ROWS_MATMUL", "ROWS_TRANSPOSE", "DROPOUT_MASK", *TOKEN_OPS,
}  # fmt: skip
BLOCKS = ("map", "scan_forward", "scan_backward")


def close(got, want, scale=None):
    """Within a few roundings of the largest intermediate value; `scale` is given where sums may cancel."""
    scale = np.abs(want) if scale is None else scale
    np.testing.assert_array_less(np.abs(got - want), np.broadcast_to(3e-6 * scale + 1e-6, np.shape(want)))


def cases(case, sizes=SIZES):
    for n in sizes:
        for T, B, pad in SHAPES:
            for threads in (1, 2):
                yield n, threads, case(T, B, pad, seed=n)


def test_every_opcode_is_tested(native):
    assert set(native.OPCODES) == set(UNARY) | set(BINARY) | TESTED_BELOW


@pytest.mark.parametrize("name", UNARY)
def test_unary(isa, case, name):
    for n, threads, c in cases(case):
        draw = positive(c.rng) if name in ("LOG", "SQRT", "POW") else None
        a, x = c.values(n, draw)
        dst = c.out(n)
        f0 = 1.5
        c.op(name, dst, a, f0=f0, f1=-0.25)
        for block in BLOCKS:
            c.run(block, threads)
            close(c.window(dst), UNARY[name](x))
            assert c.untouched(dst)


@pytest.mark.parametrize("exponent", (2.0, 3.0, -1.0, -2.0, 0.5, -0.5))
def test_powers(isa, case, exponent):
    c = case(3, 5)
    a, x = c.values(63, positive(c.rng))
    dst = c.out(63)
    c.op("POW", dst, a, f0=exponent)
    c.run()
    close(c.window(dst), x**exponent)


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("second", ("rows", "column", "vector", "number"))
def test_binary(isa, case, name, second):
    for n, threads, c in cases(case):
        a, x = c.values(n)
        if second in ("rows", "column"):
            b, y = c.values(n if second == "rows" else 1, positive(c.rng))
        else:
            b, y = c.matrix(1, n if second == "vector" else 1)
            y = y[:1]
        dst = c.out(n)
        c.op(name, dst, a, b)
        for block in BLOCKS:
            c.run(block, threads)
            scale = np.abs(x) + np.abs(y) if name in ("ADD", "SUB") else np.abs(x) * (1 + np.abs(y)) ** 2
            close(c.window(dst), BINARY[name](x, y), np.abs(x / y) if name == "DIV" else scale)
            assert c.untouched(dst)


@pytest.mark.parametrize("name", sorted(TAKES_ACCUMULATE))
def test_accumulate(isa, case, name):
    for n, threads, c in cases(case):
        a, x = c.values(n)
        b, y = c.values(n)
        dst, before = c.values(n)
        binary = name in BINARY
        c.op(name, dst, a, b if binary else None, f0=1.5, f1=-0.25, flags=ACCUMULATE)
        c.run("map", threads)
        f = BINARY[name](x, y) if binary else UNARY[name](x)
        close(c.window(dst), before + f, np.abs(before) + np.abs(x) * (1 + np.abs(y)) ** 2 + np.abs(y))


def test_in_place(isa, case):
    c = case(3, 5, 2)
    a, x = c.values(63)
    c.op("MUL", a, a, a)
    c.op("TANH", a, a)
    c.run("map", 2)
    close(c.window(a), np.tanh(x * x))


def test_fill(isa, case):
    for n, threads, c in cases(case):
        dst = c.out(n)
        c.op("FILL", dst, f0=0.1)
        c.run("scan_forward", threads)
        assert (c.window(dst) == np.float32(0.1)).all() and c.untouched(dst)


@pytest.mark.parametrize("transposed", (0, TRANSPOSED))
@pytest.mark.parametrize("bias", (False, True))
@pytest.mark.parametrize("accumulate", (0, ACCUMULATE))
def test_gemm(isa, case, transposed, bias, accumulate):
    for K, (n, threads, c) in [(k, x) for k in (1, 63, 500) for x in cases(case)]:
        a, x = c.values(K)
        w, W = c.matrix(n, K) if transposed else c.matrix(K, n)
        W = W.T if transposed else W
        v, V = c.matrix(1, n)
        dst, before = c.values(n)
        want, scale = x @ W, np.abs(x) @ np.abs(W)
        if bias:
            want, scale = want + V[0], scale + np.abs(V[0])
        if accumulate:
            want, scale = want + before, scale + np.abs(before)
        else:
            c.arrays[dst[0]][...] = np.nan
        c.op("GEMM", dst, a, w, v if bias else None, flags=transposed | accumulate)
        c.run("map" if n % 2 else "scan_forward", threads)
        close(c.window(dst), want, scale)
        assert c.untouched(dst)


@pytest.mark.parametrize("rows", [*range(1, 30), 57, 500])
def test_gemm_on_any_number_of_rows(isa, case, rows):
    c = case(1, rows)
    a, x = c.values(40)
    w, W = c.matrix(40, 37)
    dst = c.out(37)
    c.op("GEMM", dst, a, w)
    c.run("scan_backward")
    close(c.window(dst), x @ W, np.abs(x) @ np.abs(W))


def test_tall_gemm_with_many_columns(isa, case):
    for threads in (1, 2):
        c = case(20, 30)
        a, x = c.values(300)
        w, W = c.matrix(300, 777)
        h, dst = c.local(777), c.out(777)
        c.op("GEMM", h, a, w)
        c.op("COPY", dst, h)
        c.run("map", threads)
        close(c.window(dst), x @ W, np.abs(x) @ np.abs(W))


def test_outer_sum(isa, case):
    for K, (n, threads, c) in [(k, x) for k in (1, 20, 500) for x in cases(case)]:
        a, x = c.values(K)
        b, y = c.values(n)
        dst, before = c.matrix(K, n, "sum")
        c.op("OUTER_SUM", dst, a, b)
        c.run("map", threads)
        x, y = x.reshape(-1, K), y.reshape(-1, n)
        close(c.window(dst), before + x.T @ y, np.abs(before) + np.abs(x).T @ np.abs(y))


def test_outer_sum_over_many_rows(isa, case):
    for threads in (1, 2):
        c = case(30, 25)
        a, x = c.values(600)
        b, y = c.values(70)
        dst, before = c.matrix(600, 70, "sum")
        c.op("OUTER_SUM", dst, a, b)
        c.run("map", threads)
        x, y = x.reshape(-1, 600), y.reshape(-1, 70)
        close(c.window(dst), before + x.T @ y, np.abs(before) + np.abs(x).T @ np.abs(y))


def test_column_sum(isa, case):
    for n, threads, c in cases(case):
        a, x = c.values(n)
        dst, before = c.matrix(1, n, "sum")
        c.op("COLUMN_SUM", dst, a)
        c.run("map", threads)
        close(c.window(dst), before + x.sum((0, 1)), np.abs(before) + np.abs(x).sum((0, 1)))


@pytest.mark.parametrize("transposed", (0, TRANSPOSED))
@pytest.mark.parametrize("accumulate", (0, ACCUMULATE))
def test_lookup(isa, case, transposed, accumulate):
    for n, threads, c in cases(case):
        ids, chosen = c.tokens(11)
        w, W = c.matrix(n, 11) if transposed else c.matrix(11, n)
        dst, before = c.values(n)
        c.op("LOOKUP", dst, ids, w, flags=transposed | accumulate)
        c.run("scan_forward" if n % 2 else "map", threads)
        close(c.window(dst), (before if accumulate else 0) + (W.T if transposed else W)[chosen])
        assert c.untouched(dst)


@pytest.mark.parametrize("transposed", (0, TRANSPOSED))
def test_scatter_sum(isa, case, transposed):
    for n, threads, c in cases(case):
        ids, chosen = c.tokens(7)
        a, x = c.values(n)
        dst, before = c.matrix(n, 7, "sum") if transposed else c.matrix(7, n, "sum")
        c.op("SCATTER_SUM", dst, a, ids, flags=transposed)
        c.run("map", threads)
        want = before.T.copy() if transposed else before.copy()
        np.add.at(want, chosen.ravel(), x.reshape(-1, n))
        close(c.window(dst), want.T if transposed else want, 10)


@pytest.mark.parametrize("spread", (1.0, 1e4))
@pytest.mark.parametrize("name", ("SOFTMAX", "LOG_SOFTMAX", "LOGSUMEXP"))
def test_softmax_family(isa, case, name, spread):
    for n, threads, c in cases(case):
        a, x = c.values(n, lambda shape, c=c: spread * c.rng.standard_normal(shape))
        dst = c.out(1 if name == "LOGSUMEXP" else n)
        c.op(name, dst, a)
        c.run("map", threads)
        total = logsumexp(x)
        want = {"SOFTMAX": np.exp(x - total), "LOG_SOFTMAX": x - total, "LOGSUMEXP": total}[name]
        close(c.window(dst), want, 1 if name == "SOFTMAX" else np.abs(x).max() + 1)
        assert c.untouched(dst)


def test_softmax_in_place(isa, case):
    c = case(3, 5, 2)
    a, x = c.values(63)
    c.op("SOFTMAX", a, a)
    c.run()
    close(c.window(a), np.exp(x - logsumexp(x)))


@pytest.mark.parametrize("name", sorted(TOKEN_OPS))
def test_tokens(isa, case, name):
    for n, threads, c in cases(case):
        ids, chosen = c.tokens(n)
        a, x = c.values(n)
        weight, w = c.values(1)
        dst = c.out(n if name == "ONE_HOT" else 1)
        hot = np.eye(n)[chosen]
        loss = logsumexp(x) - pick(x, chosen)
        if name == "ONE_HOT":
            c.op(name, dst, ids)
        else:
            c.op(name, dst, a, ids, weight if name == "SOFTMAX_CROSS_ENTROPY" else None)
        c.run("map" if n > 3 else "scan_backward", threads)
        want = {"ONE_HOT": hot, "PICK": pick(x, chosen)}.get(name, loss)
        close(c.window(dst), want, np.abs(x).max() + 1)
        assert c.untouched(dst)
        if name == "SOFTMAX_CROSS_ENTROPY":
            close(c.window(a), w * (np.exp(x - logsumexp(x)) - hot), np.abs(w))
            assert c.untouched(a)


def test_row_sum_and_row_dot(isa, case):
    for n, threads, c in cases(case):
        a, x = c.values(n)
        b, y = c.values(n)
        v, V = c.matrix(1, n)
        total, product, weighted = c.out(1), c.out(1), c.out(1)
        c.op("ROW_SUM", total, a)
        c.op("ROW_DOT", product, a, b)
        c.op("ROW_DOT", weighted, v, b)
        c.run("scan_forward" if n % 2 else "map", threads)
        close(c.window(total), x.sum(-1, keepdims=True), np.abs(x).sum(-1, keepdims=True))
        close(c.window(product), (x * y).sum(-1, keepdims=True), np.abs(x * y).sum(-1, keepdims=True))
        close(c.window(weighted), (V[0] * y).sum(-1, keepdims=True), np.abs(V[0] * y).sum(-1, keepdims=True))


@pytest.mark.parametrize("flags", range(0, 16, 4))
@pytest.mark.parametrize("accumulate", (0, ACCUMULATE))
@pytest.mark.parametrize(
    "m,k,n", ((1, 1, 1), (3, 1, 20), (20, 37, 1), (1, 20, 37), (5, 17, 33), (16, 16, 16))
)
def test_rows_matmul(isa, case, flags, accumulate, m, k, n):
    left = (k, m) if flags & TRANSPOSED_A else (m, k)
    right = (n, k) if flags & TRANSPOSED_B else (k, n)
    for shared in (False, True):
        c = case(3, 5, 0 if shared else 2)
        b, y = c.values(n * k)
        y = y.reshape(3, 5, *right)
        if shared:
            a, x = c.matrix(*left)
        else:
            a, x = c.values(m * k)
            x = x.reshape(3, 5, *left)
        x, y = (
            (x.swapaxes(-1, -2) if flags & TRANSPOSED_A else x),
            (y.swapaxes(-1, -2) if flags & TRANSPOSED_B else y),
        )
        dst, before = c.values(m * n)
        c.op("ROWS_MATMUL", dst, a, b, flags=flags | accumulate, m=m, k=k, n=n)
        c.run("map", 2)
        want = (x @ y).reshape(3, 5, -1) + (before if accumulate else 0)
        close(c.window(dst), want, (np.abs(x) @ np.abs(y)).reshape(3, 5, -1) + np.abs(before))
        assert c.untouched(dst)


def test_rows_transpose(isa, case):
    c = case(3, 5, 2)
    a, x = c.values(7 * 19)
    dst = c.out(7 * 19)
    c.op("ROWS_TRANSPOSE", dst, a, m=7, n=19)
    c.run()
    assert (c.window(dst) == x.reshape(3, 5, 7, 19).swapaxes(-1, -2).reshape(3, 5, -1)).all() and c.untouched(
        dst
    )


@pytest.mark.parametrize("p", (0.0, 0.1, 0.5, 0.999))
@pytest.mark.parametrize("seed,key", ((0, 0), (12345, 7), (2**31 + 5, 2**31 - 1)))
def test_dropout_mask_is_the_formula_bit_for_bit(isa, case, p, seed, key):
    for n, threads, c in cases(case):
        dst = c.out(n)
        c.op("DROPOUT_MASK", dst, f0=p, m=key)
        c.run("scan_backward" if n % 2 else "map", threads, seed=seed)
        index = np.arange(c.T * c.B * n, dtype=np.uint64)
        x = (index * 0x9E3779B1 + seed * 0x85EBCA77 % 2**32 + key * 0xC2B2AE3D % 2**32).astype(np.uint32)
        x ^= x >> 16
        x *= np.uint32(0x7FEB352D)
        x ^= x >> 15
        x *= np.uint32(0x846CA68B)
        x ^= x >> 16
        want = np.where(x >= np.floor(p * 2**32), np.float32(1 / (1 - p)), np.float32(0))
        assert (c.window(dst).ravel() == want).all() and c.untouched(dst)
