"""Every class of invalid program or array is refused with a telling message; nothing random crashes."""

import re

import numpy as np
import pytest

ACCUMULATE, TRANSPOSED, TRANSPOSED_A = 1, 2, 4

BUFFERS = [
    ("param", 4, 6, "W"), ("param", 1, 6, "b"), ("sum", 4, 6, "dW"), ("sequence", 0, 4, "x"),
    ("sequence", 0, 6, "y"), ("history", 0, 6, "h"), ("ring", 0, 6, "r"), ("local", 0, 6, "z"),
    ("tokens", 0, 5, "ids"), ("sequence", 0, 1, "one"), ("param", 5, 6, "E"), ("sum", 5, 6, "dE"),
    ("sequence", 0, 5, "p"),
]  # fmt: skip
NAMES = [b[3] for b in BUFFERS]


def o(name, shift=0, row=0, col=0, width=None):
    i = NAMES.index(name)
    return (i, shift, row, col, BUFFERS[i][2] if width is None else width)


def ins(native, op, dst, a=None, b=None, c=None, f0=0.0, flags=0, m=0, k=0, n=0):
    return (native.OPCODES.get(op, op), dst, a, b, c, f0, 0.0, flags, m, k, n)


# message, kind of block, then opcode, dst, a, b, c and what else the instruction has
INVALID = [
    ("there is no such opcode", "map", 99, o("y"), o("y"), None, None, {}),
    ("there is no such opcode", "map", -1, o("y"), o("y"), None, None, {}),
    ("flags 2 have no meaning here", "map", "ADD", o("y"), o("y"), o("y"), None, {"flags": TRANSPOSED}),
    ("flags 1 have no meaning here", "map", "EXP", o("y"), o("y"), None, None, {"flags": ACCUMULATE}),
    ("flags 64 have no meaning", "map", "GEMM", o("y"), o("x"), o("W"), None, {"flags": 64}),
    ("dst is missing", "map", "EXP", None, o("y"), None, None, {}),
    ("a is missing", "map", "EXP", o("y"), None, None, None, {}),
    ("b is missing", "map", "ADD", o("y"), o("y"), None, None, {}),
    ("c is missing", "map", "SOFTMAX_CROSS_ENTROPY", o("one"), o("p"), o("ids"), None, {}),
    ("b has no meaning here", "map", "EXP", o("y"), o("y"), o("y"), None, {}),
    ("there is no buffer 77", "map", "EXP", o("y"), (77, 0, 0, 0, 6), None, None, {}),
    ("there is no buffer -3", "map", "EXP", o("y"), (-3, 0, 0, 0, 6), None, None, {}),
    ("'W', param) is not of a kind", "map", "EXP", o("W"), o("y"), None, None, {}),
    ("'b', param) is not of a kind", "map", "GEMM", o("y"), o("b"), o("W"), None, {}),
    ("'y', sequence) is not of a kind", "map", "GEMM", o("y"), o("x"), o("y"), None, {}),
    ("'dW', sum) is not of a kind", "map", "EXP", o("y"), o("dW"), None, None, {}),
    ("'ids', tokens) is not of a kind", "map", "EXP", o("y"), o("ids"), None, None, {}),
    ("'y', sequence) is not of a kind", "map", "LOOKUP", o("y"), o("y"), o("E"), None, {}),
    ("shift of 1 is not possible", "map", "EXP", o("y", shift=1), o("y"), None, None, {}),
    ("shift of 2 is not possible", "map", "EXP", o("y"), o("h", shift=2), None, None, {}),
    ("shift of -1 is not possible", "map", "EXP", o("y"), o("h", shift=-1), None, None, {}),
    ("a ring lives in scans only", "map", "EXP", o("y"), o("r"), None, None, {}),
    ("6 columns from column 3 leaves its 6", "map", "EXP", o("y"), o("h", col=3, width=6), None, None, {}),
    ("6 columns from column -1 leaves", "map", "EXP", o("y"), o("h", col=-1), None, None, {}),
    ("a window of 0 columns from", "map", "EXP", o("y"), o("h", width=0), None, None, {}),
    ("leaves its 6", "map", "EXP", o("y"), o("h", col=2**62, width=2**62), None, None, {}),
    ("there is no row 4", "map", "GEMM", o("y"), o("x"), o("W", row=4), None, {}),
    ("there is no row -1", "map", "GEMM", o("y"), o("x"), o("W", row=-1), None, {}),
    ("there is no row 1", "map", "EXP", o("y"), o("h", row=1), None, None, {}),
    ("tokens have no window", "map", "LOOKUP", o("y"), o("ids", width=3), o("E"), None, {}),
    ("sums are collected in maps only", "scan_forward", "OUTER_SUM", o("dW"), o("x"), o("y"), None, {}),
    ("sums are collected in maps only", "scan_backward", "COLUMN_SUM", o("dW"), o("y"), None, None, {}),
    ("a ('x') is 4 wide, 6 is needed", "map", "EXP", o("y"), o("x"), None, None, {}),
    ("b ('x') is 4 wide, 6 is needed", "map", "ADD", o("y"), o("y"), o("x"), None, {}),
    ("b ('W') is 6 wide, 4 is needed", "map", "GEMM", o("y"), o("x"), o("W"), None, {"flags": TRANSPOSED}),
    ("b ('W') has 4 rows, 6 are needed from row 0", "map", "GEMM", o("y"), o("h"), o("W"), None, {}),
    ("4 are needed from row 1", "map", "GEMM", o("y"), o("x"), o("W", row=1), None, {}),
    ("c ('b') is 4 wide, 6 is", "map", "GEMM", o("y"), o("x"), o("W"), o("b", width=4), {}),
    ("dst and a must not overlap", "map", "GEMM", o("y", width=3), o("y", col=2, width=4), o("W", width=3),
     None, {}),
    ("dst and a (unless", "map", "EXP", o("y", width=3), o("y", col=1, width=3), None, None, {}),
    ("dst and b (unless", "map", "ADD", o("y"), o("h"), o("y", col=2, width=1), None, {}),
    ("dst and a (unless", "map", "SOFTMAX", o("y", width=3), o("y", col=2, width=3), None, None, {}),
    ("dst and a must not overlap", "map", "ROW_SUM", o("y", width=1), o("y"), None, None, {}),
    ("b ('x') is 4 wide, 6", "map", "OUTER_SUM", o("dW"), o("x"), o("x"), None, {}),
    ("dst ('dW') has 4 rows, 6 are", "map", "OUTER_SUM", o("dW"), o("y"), o("y"), None, {}),
    ("a ('x') is 4 wide, 6", "map", "COLUMN_SUM", o("dW"), o("x"), None, None, {}),
    ("b ('W') has 4 rows, 5 are", "map", "LOOKUP", o("y"), o("ids"), o("W"), None, {}),
    ("b ('E') is 6 wide, 4 is", "map", "LOOKUP", o("x"), o("ids"), o("E"), None, {}),
    ("b ('E') is 6 wide, 5 is", "map", "LOOKUP", o("y"), o("ids"), o("E"), None, {"flags": TRANSPOSED}),
    ("dst ('dW') has 4 rows, 5 are", "map", "SCATTER_SUM", o("dW"), o("y"), o("ids"), None, {}),
    ("dst ('dE') is 6 wide, 4 is", "map", "SCATTER_SUM", o("dE"), o("x"), o("ids"), None, {}),
    ("dst ('y') is 6 wide, 1 is", "map", "LOGSUMEXP", o("y"), o("y"), None, None, {}),
    ("a ('y') is 6 wide, 5 is", "map", "CROSS_ENTROPY", o("one"), o("y"), o("ids"), None, {}),
    ("a ('y') is 6 wide, 5 is", "map", "PICK", o("one"), o("y"), o("ids"), None, {}),
    ("dst ('y') is 6 wide, 5 is", "map", "ONE_HOT", o("y"), o("ids"), None, None, {}),
    ("dst and c must not", "map", "SOFTMAX_CROSS_ENTROPY", o("one"), o("p"), o("ids"), o("one"), {}),
    ("a and c must not", "map", "SOFTMAX_CROSS_ENTROPY", o("one"), o("p"), o("ids"), o("p", width=1), {}),
    ("b ('x') is 4 wide, 6", "map", "ROW_DOT", o("one"), o("y"), o("x"), None, {}),
    ("m must be at least 1", "map", "ROWS_MATMUL", o("y"), o("x"), o("h"), None, {"m": 0, "k": 2, "n": 3}),
    ("m must be at least 1", "map", "ROWS_MATMUL", o("y"), o("x"), o("h"), None,
     {"m": 2**40, "k": 2, "n": 3}),
    ("a ('x') is 4 wide, 6", "map", "ROWS_MATMUL", o("y"), o("x"), o("h"), None, {"m": 2, "k": 3, "n": 3}),
    ("dst ('y') is 6 wide, 9", "map", "ROWS_MATMUL", o("y"), o("x"), o("h"), None, {"m": 3, "k": 2, "n": 3}),
    ("b ('W') has 4 rows, 6", "map", "ROWS_MATMUL", o("y"), o("h"), o("W"), None, {"m": 1, "k": 6, "n": 6}),
    ("must have all its columns", "map", "ROWS_MATMUL", o("y", width=3), o("x"), o("W", width=3), None,
     {"m": 1, "k": 4, "n": 3}),
    ("dst ('y') is 6 wide, 8", "map", "ROWS_TRANSPOSE", o("y"), o("h"), None, None, {"m": 2, "n": 4}),
    ("probability must be in [0, 1)", "map", "DROPOUT_MASK", o("y"), None, None, None, {"f0": 1.0}),
    ("probability must be in [0, 1)", "map", "DROPOUT_MASK", o("y"), None, None, None, {"f0": float("nan")}),
    ("local 'z' is read before its column 0", "map", "EXP", o("y"), o("z"), None, None, {}),
    ("local 'z' is read before", "map", "COPY", o("z"), o("y"), None, None, {"flags": ACCUMULATE}),
    ("history 'h' is written here and also used", "map", "EXP", o("h", shift=1), o("h"), None, None, {}),
]  # fmt: skip


@pytest.mark.parametrize("message,kind,op,dst,a,b,c,more", INVALID)
def test_invalid_instruction(native, message, kind, op, dst, a, b, c, more):
    good = ins(native, "FILL", o("y"))
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        native.Program(BUFFERS, [("map", []), (kind, [good, ins(native, op, dst, a, b, c, **more)])])
    if "history" not in message:
        name = op if isinstance(op, str) else f"opcode {op}"
        where = (
            "block 1, instruction 1"
            if "buffer -3" in message
            else f"block 1 ({kind}), instruction 1 ({name})"
        )
        assert str(caught.value).startswith(where)


def test_local_is_tracked_by_columns(native):
    half = ins(native, "FILL", o("z", width=3))
    with pytest.raises(ValueError, match="read before its column 3 is written"):
        native.Program(BUFFERS, [("map", [half, ins(native, "EXP", o("y"), o("z"))])])
    rest = ins(native, "FILL", o("z", col=3, width=3))
    native.Program(BUFFERS, [("map", [half, rest, ins(native, "EXP", o("y"), o("z"))])])


def test_local_does_not_survive_its_block(native):
    blocks = [("map", [ins(native, "FILL", o("z"))]), ("map", [ins(native, "EXP", o("y"), o("z"))])]
    with pytest.raises(ValueError, match=r"block 1 .* local 'z' is read before"):
        native.Program(BUFFERS, blocks)


@pytest.mark.parametrize(
    "buffers,blocks,message",
    [
        ([("matrix", 1, 1, "a")], [], "buffer 'a': there is no kind 'matrix'"),
        ([("param", 0, 1, "a")], [], "buffer 'a': 0 x 1 is not a possible size"),
        ([("sequence", 0, 0, "a")], [], "buffer 'a': 0 x 0 is not"),
        ([("param", -1, 5, "a")], [], "not a possible size"),
        ([("param", 2**31, 2**31, "a")], [], "not a possible size"),
        (BUFFERS, [("loop", [])], "block 0: there is no kind 'loop'"),
    ],
)
def test_invalid_structure(native, buffers, blocks, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        native.Program(buffers, blocks)


@pytest.mark.parametrize("bad", ([(0,)], [("map", [(1, 2)])], [("map", 5)], 7, [("map", [("x",) * 11])]))
def test_wrong_types(native, bad):
    with pytest.raises(TypeError):
        native.Program(BUFFERS, bad)


T, B = 3, 4


def arrays():
    shapes = {"sequence": (T, B), "history": (T + 1, B), "ring": (2, B)}
    made = []
    for kind, rows, cols, _ in BUFFERS:
        if kind == "tokens":
            made.append(np.zeros((T, B), np.int32))
        elif kind == "local":
            made.append(None)
        else:
            made.append(np.zeros((*shapes.get(kind, (rows,)), cols), np.float32))
    return made


@pytest.fixture
def program(native):
    outside = [
        ins(native, "GEMM", o("y"), o("x"), o("W"), o("b")),
        ins(native, "OUTER_SUM", o("dW"), o("x"), o("y")),
        ins(native, "LOOKUP", o("h", shift=1), o("ids"), o("E")),
    ]
    blocks = [("map", outside), ("scan_forward", [ins(native, "COPY", o("r", shift=1), o("r"))])]
    return native.Program(BUFFERS, blocks)


def test_valid_arrays_are_taken(program):
    program.run(T, B, arrays(), 0, 1)


def test_shapes_with_fewer_axes(program):
    made = arrays()
    made[NAMES.index("b")] = np.zeros(6, np.float32)
    made[NAMES.index("one")] = np.zeros((T, B), np.float32)
    program.run(T, B, made, 0, 1)


def spoil(name, value):
    def change(made):
        made[NAMES.index(name)] = value(made[NAMES.index(name)]) if callable(value) else value

    return change


def unaligned(a):
    raw = np.zeros(a.nbytes + 1, np.uint8)
    return raw[1:].view(np.float32).reshape(a.shape)


def frozen(a):
    a = a.copy()
    a.flags.writeable = False
    return a


def share(first, second):
    def change(made):
        size = made[NAMES.index(second)].size
        flat = made[NAMES.index(first)].reshape(-1)
        made[NAMES.index(second)] = np.resize(flat, size).reshape(made[NAMES.index(second)].shape)
        whole = np.zeros(1000, np.float32)
        for name, start in ((first, 0), (second, 1)):
            a = made[NAMES.index(name)]
            made[NAMES.index(name)] = whole[start : start + a.size].reshape(a.shape)

    return change


@pytest.mark.parametrize(
    "change,message",
    [
        (spoil("x", None), "array 3 ('x'): is missing"),
        (spoil("z", lambda _: np.zeros(3, np.float32)), "array 7 ('z'): a local has no array"),
        (spoil("x", lambda _: [1.0]), "array 3 ('x'): not an array"),
        (spoil("x", lambda a: a.astype(np.float64)), "('x'): must be of type float32"),
        (spoil("x", lambda a: a.astype(np.int32)), "('x'): must be of type float32"),
        (spoil("x", lambda a: a.astype(">f4")), "('x'): must be of type float32"),
        (spoil("ids", lambda a: a.astype(np.int64)), "('ids'): must be of type int32"),
        (spoil("ids", lambda a: a.astype(np.uint32)), "('ids'): must be of type int32"),
        (spoil("x", lambda a: a[:2]), "('x'): has shape (2, 4, 4), must have (3, 4, 4)"),
        (spoil("x", lambda a: a.reshape(-1)), "('x'): has shape (48,), must have (3, 4, 4)"),
        (spoil("h", lambda a: a[:3]), "('h'): has shape (3, 4, 6), must have (4, 4, 6)"),
        (spoil("r", lambda a: a[:1]), "('r'): has shape (1, 4, 6), must have (2, 4, 6)"),
        (spoil("W", lambda a: a.T.copy()), "('W'): has shape (6, 4), must have (4, 6)"),
        (spoil("W", lambda a: np.asfortranarray(a)), "('W'): must be C-contiguous"),
        (spoil("x", lambda a: np.zeros((T, B, 8), np.float32)[..., ::2]), "('x'): must be C-contiguous"),
        (spoil("x", unaligned), "('x'): must be aligned"),
        (spoil("y", frozen), "('y'): is written but not writable"),
        (spoil("ids", lambda a: a + 5), "('ids'): token 5 is not in [0, 5)"),
        (spoil("ids", lambda a: a - 1), "('ids'): token -1 is not in [0, 5)"),
        (share("x", "y"), "share memory"),
        (share("dW", "W"), "share memory"),
        (share("h", "r"), "share memory"),
        (lambda made: made.pop(), "12 arrays for 13 buffers"),
    ],
)
def test_invalid_arrays(program, change, message):
    made = arrays()
    change(made)
    before = [a.copy() if isinstance(a, np.ndarray) else a for a in made]
    with pytest.raises(ValueError, match=re.escape(message)):
        program.run(T, B, made, 0, 1)
    assert all(np.array_equal(a, b) for a, b in zip(made, before, strict=True) if isinstance(a, np.ndarray))


def test_read_only_parameters_and_shared_parameters_are_fine(program):
    made = arrays()
    spoil("W", frozen)(made)
    spoil("b", lambda _: made[NAMES.index("W")][:1])(made)
    program.run(T, B, made, 0, 1)


@pytest.mark.parametrize(
    "t,b,threads", ((0, 4, 1), (3, 0, 1), (-1, 4, 1), (3, 4, 0), (2**20, 2**20, 1), (2**31, 1, 1))
)
def test_invalid_extents(program, t, b, threads):
    with pytest.raises(ValueError, match="must be at least 1"):
        program.run(t, b, arrays(), 0, threads)


@pytest.mark.parametrize("B", (2**20, 2**31 - 1))
def test_locals_too_large_for_any_memory(native, B):
    buffers = [("local", 0, 2**31 - 1, "z")]
    program = native.Program(buffers, [("scan_forward", [ins(native, "FILL", (0, 0, 0, 0, 1))])])
    with pytest.raises(MemoryError):
        program.run(1, B, [None])


def test_unknown_instruction_set(native, monkeypatch):
    monkeypatch.setenv("BPTT_ISA", "mmx")
    with pytest.raises(ValueError, match="BPTT_ISA=mmx: unknown; the names are avx512, avx2, neon and plain"):
        native.isa()
    with pytest.raises(ValueError, match="BPTT_ISA=mmx"):
        native.Program([], [])


def test_unsupported_instruction_set(native, monkeypatch):
    monkeypatch.setenv("BPTT_ISA", "neon" if native.isa() != "neon" else "avx2")
    with pytest.raises(ValueError, match="this processor does not support it"):
        native.isa()


@pytest.mark.parametrize(
    "call,message",
    [
        (lambda n, a, b: n.sgd_step([a], [], None, 0.1, 0.0, 0.0), "grads: 0 arrays, there are 1 parameters"),
        (lambda n, a, b: n.sgd_step([a], [b[:3]], None, 0.1, 0.0, 0.0), "grads[0]: its shape is not that"),
        (lambda n, a, b: n.sgd_step([a], [a], None, 0.1, 0.0, 0.0), "share memory"),
        (
            lambda n, a, b: n.sgd_step([frozen(a)], [b], None, 0.1, 0.0, 0.0),
            "params[0]: is written but not writable",
        ),
        (
            lambda n, a, b: n.sgd_step([a], [b.astype(float)], None, 0.1, 0.0, 0.0),
            "grads[0]: must be of type float32",
        ),
        (
            lambda n, a, b: n.adam_step([a], [b], [b.copy()], [b.copy()], 1, 0, 0, 1, 0, 0),
            "step: must be at least 1",
        ),
        (lambda n, a, b: n.scale([a, a[:2]], 1.0), "share memory"),
        (lambda n, a, b: n.squared_norm([a[::2]]), "must be C-contiguous"),
        (lambda n, a, b: n.all_finite([3]), "not an array"),
    ],
)
def test_invalid_updates(native, call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call(native, np.zeros(4, np.float32), np.zeros(4, np.float32))


# opcode, dst, a, b, c and more: all valid; mutations of these are more telling than noise
VALID = [
    *((op, o("y"), o("h"), None, None, {}) for op in
      ("COPY", "AFFINE", "EXP", "LOG", "SQRT", "TANH", "SIGMOID", "RELU", "STEP", "SOFTPLUS", "POW",
       "SOFTMAX", "LOG_SOFTMAX")),
    *((op, o("y"), o("h"), o("b"), None, {}) for op in
      ("ADD", "SUB", "MUL", "DIV", "SIGMOID_GRADIENT", "TANH_GRADIENT")),
    ("FILL", o("y"), None, None, None, {"f0": 2.0}),
    ("DROPOUT_MASK", o("z"), None, None, None, {"f0": 0.5, "m": 3}),
    ("GEMM", o("y"), o("x"), o("W"), o("b"), {}),
    ("GEMM", o("x"), o("y"), o("W"), None, {"flags": TRANSPOSED}),
    ("OUTER_SUM", o("dW"), o("x"), o("y"), None, {}),
    ("COLUMN_SUM", o("dW", row=1), o("y"), None, None, {}),
    ("LOOKUP", o("h", shift=1), o("ids"), o("E"), None, {}),
    ("SCATTER_SUM", o("dE"), o("y"), o("ids"), None, {}),
    ("LOGSUMEXP", o("one"), o("p"), None, None, {}),
    ("CROSS_ENTROPY", o("one"), o("p"), o("ids"), None, {}),
    ("SOFTMAX_CROSS_ENTROPY", o("y", width=1), o("p"), o("ids"), o("one"), {}),
    ("ROW_SUM", o("one"), o("y"), None, None, {}),
    ("ROW_DOT", o("one"), o("y"), o("h"), None, {}),
    ("ONE_HOT", o("p"), o("ids"), None, None, {}),
    ("PICK", o("one"), o("p"), o("ids"), None, {}),
    ("ROWS_MATMUL", o("y"), o("x"), o("h"), None, {"m": 2, "k": 2, "n": 3, "flags": TRANSPOSED_A}),
    ("ROWS_TRANSPOSE", o("y"), o("h"), None, None, {"m": 2, "n": 3}),
]  # fmt: skip
ODD = [0, 0, 1, 1, 2, 3, 5, 6, 7, -1, 2**31, 2**62, -(2**62)]


def mutated(rng, instruction):
    """The instruction with one operand, one number of an operand, or one of its own numbers changed."""
    fields = list(instruction)
    at = int(rng.integers(0, len(fields)))
    if at == 0:
        fields[0] = int(rng.integers(-1, 36))
    elif at < 5:
        name = str(rng.choice(NAMES))
        other = o(name, shift=int(rng.integers(0, 2)) if name in "hr" else 0)
        if fields[at] is None or rng.random() < 0.6:
            fields[at] = None if rng.random() < 0.1 else other
        else:
            operand = list(fields[at])
            operand[int(rng.integers(0, 5))] = int(rng.choice(ODD))
            fields[at] = tuple(operand)
    elif at < 7:
        fields[at] = float(rng.choice([0.5, -1, 1e30, np.nan]))
    else:
        fields[at] = int(rng.choice([0, 1, 2, 3, 4, 8, 16] if at == 7 else ODD))
    return tuple(fields)


def test_the_unmutated_ones_are_valid(native):
    assert {op for op, *_ in VALID} == set(native.OPCODES)
    for op, dst, a, b, c, more in VALID:
        native.Program(BUFFERS, [("map", [ins(native, op, dst, a, b, c, **more)])])


@pytest.mark.parametrize("seed", range(8))
def test_random_programs_never_crash(native, seed):
    """Thousands of mutated programs: each is refused with a ValueError, or runs within its arrays.

    Run under the address sanitizer this shows that verification is sufficient; the counts show that neither
    outcome is vacuous.
    """
    rng = np.random.default_rng(seed)
    accepted = refused = 0
    for _ in range(1500):
        instructions = [ins(native, "FILL", o("z"))]
        for _ in range(int(rng.integers(1, 4))):
            op, dst, a, b, c, more = VALID[int(rng.integers(0, len(VALID)))]
            instruction = ins(native, op, dst, a, b, c, **more)
            for _ in range(int(rng.integers(0, 3))):
                instruction = mutated(rng, instruction)
            instructions.append(instruction)
        kind = str(rng.choice(["map", "map", "scan_forward", "scan_backward"]))
        try:
            program = native.Program(BUFFERS, [(kind, instructions)])
        except ValueError:
            refused += 1
            continue
        made = arrays()
        made[NAMES.index("ids")][...] = rng.integers(0, 5, (T, B))
        program.run(T, B, made, int(rng.integers(0, 2**31)), int(rng.integers(1, 3)))
        accepted += 1
    assert accepted > 300 and refused > 300
