// What a program is: buffers, blocks of instructions, operands. Plain data; verify.cpp says what is legal.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace bptt {

enum class BufferKind : uint8_t { param, sum, sequence, history, ring, local, tokens };
constexpr const char* BUFFER_KIND_NAMES[] = {"param", "sum", "sequence", "history", "ring", "local", "tokens"};

enum class BlockKind : uint8_t { map, scan_forward, scan_backward };
constexpr const char* BLOCK_KIND_NAMES[] = {"map", "scan_forward", "scan_backward"};

enum Flag : uint32_t { ACCUMULATE = 1, TRANSPOSED = 2, TRANSPOSED_A = 4, TRANSPOSED_B = 8 };

// The closed set of operations. Their meaning is in row_kernels.h and product_kernels.h, their rules in the table of verify.cpp.
#define BPTT_OPCODES(X)                                                                                       \
    X(FILL) X(COPY) X(AFFINE) X(EXP) X(LOG) X(SQRT) X(TANH) X(SIGMOID) X(RELU) X(STEP) X(SOFTPLUS) X(POW)      \
    X(ADD) X(SUB) X(MUL) X(DIV) X(SIGMOID_GRADIENT) X(TANH_GRADIENT)                                           \
    X(GEMM) X(OUTER_SUM) X(COLUMN_SUM) X(LOOKUP) X(SCATTER_SUM)                                                \
    X(SOFTMAX) X(LOG_SOFTMAX) X(LOGSUMEXP) X(CROSS_ENTROPY) X(SOFTMAX_CROSS_ENTROPY)                           \
    X(ROW_SUM) X(ROW_DOT) X(ONE_HOT) X(PICK) X(ROWS_MATMUL) X(ROWS_TRANSPOSE) X(DROPOUT_MASK)

enum class Op : uint8_t {
#define X(name) name,
    BPTT_OPCODES(X)
#undef X
};
constexpr const char* OP_NAMES[] = {
#define X(name) #name,
    BPTT_OPCODES(X)
#undef X
};
constexpr int OP_COUNT = sizeof(OP_NAMES) / sizeof(OP_NAMES[0]);

// A window of columns of a buffer; `buffer` < 0 where the instruction has no such operand.
struct Operand {
    int64_t buffer = -1, shift = 0, row = 0, col = 0, width = 0;
    bool present() const { return buffer >= 0; }
};

struct Buffer {
    BufferKind kind;
    int64_t rows, cols;
    std::string name;
    bool written = false;  // set by verify()
};

struct Instruction {
    int64_t opcode;
    Operand dst, a, b, c;
    double f0, f1;
    uint32_t flags;
    int64_t m, k, n;
    int packed = -1;  // GEMM: which of Program::weights it reads; set by the executor
    Op op() const { return static_cast<Op>(opcode); }
    bool has(Flag flag) const { return flags & flag; }
};

struct Block {
    BlockKind kind;
    std::vector<Instruction> instructions;
    bool scan() const { return kind != BlockKind::map; }
};

inline bool row_wise(BufferKind kind) {
    return kind == BufferKind::sequence || kind == BufferKind::history || kind == BufferKind::ring ||
           kind == BufferKind::local;
}

// Checks every instruction against the rules and marks the written buffers. Throws std::invalid_argument with the
// block, the instruction, its name and the reason.
void verify(std::vector<Buffer>& buffers, const std::vector<Block>& blocks);

}  // namespace bptt
