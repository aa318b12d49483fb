// The static rules: after verify() no instruction can leave its buffers, whatever T and B turn out to be.
#include <stdexcept>

#include "program.h"

namespace bptt {
namespace {

enum Kinds : unsigned { NONE = 0, ROWS = 1, PARAM = 2, SUM = 4, TOKENS = 8, OPTIONAL = 16 };
constexpr unsigned VALUE = ROWS | PARAM;  // operand of an element-wise operation: rows, or one row for all of them

// How the widths of the operands hang together, and how dst may lie over its sources.
enum class Form {
    elementwise, gemm, outer_sum, column_sum, lookup, scatter_sum, row_to_row, row_to_number, cross_entropy,
    softmax_cross_entropy, row_dot, one_hot, pick, rows_matmul, rows_transpose, dropout
};

struct Rule {
    Form form;
    unsigned dst, a, b, c, flags;
};

constexpr Rule UNARY = {Form::elementwise, ROWS, VALUE, NONE, NONE, 0};
constexpr Rule UNARY_SUM = {Form::elementwise, ROWS, VALUE, NONE, NONE, ACCUMULATE};
constexpr Rule BINARY_SUM = {Form::elementwise, ROWS, VALUE, VALUE, NONE, ACCUMULATE};

Rule rule_of(Op op) {
    switch (op) {
        case Op::FILL: return {Form::elementwise, ROWS, NONE, NONE, NONE, 0};
        case Op::COPY: case Op::AFFINE: return UNARY_SUM;
        case Op::EXP: case Op::LOG: case Op::SQRT: case Op::TANH: case Op::SIGMOID: case Op::RELU: case Op::STEP:
        case Op::SOFTPLUS: case Op::POW: return UNARY;
        case Op::ADD: case Op::SUB: case Op::MUL: case Op::SIGMOID_GRADIENT: case Op::TANH_GRADIENT: return BINARY_SUM;
        case Op::DIV: return {Form::elementwise, ROWS, VALUE, VALUE, NONE, 0};
        case Op::GEMM: return {Form::gemm, ROWS, ROWS, PARAM, PARAM | OPTIONAL, ACCUMULATE | TRANSPOSED};
        case Op::OUTER_SUM: return {Form::outer_sum, SUM, ROWS, ROWS, NONE, 0};
        case Op::COLUMN_SUM: return {Form::column_sum, SUM, ROWS, NONE, NONE, 0};
        case Op::LOOKUP: return {Form::lookup, ROWS, TOKENS, PARAM, NONE, ACCUMULATE | TRANSPOSED};
        case Op::SCATTER_SUM: return {Form::scatter_sum, SUM, ROWS, TOKENS, NONE, TRANSPOSED};
        case Op::SOFTMAX: case Op::LOG_SOFTMAX: return {Form::row_to_row, ROWS, ROWS, NONE, NONE, 0};
        case Op::LOGSUMEXP: case Op::ROW_SUM: return {Form::row_to_number, ROWS, ROWS, NONE, NONE, 0};
        case Op::CROSS_ENTROPY: return {Form::cross_entropy, ROWS, ROWS, TOKENS, NONE, 0};
        case Op::SOFTMAX_CROSS_ENTROPY: return {Form::softmax_cross_entropy, ROWS, ROWS, TOKENS, ROWS, 0};
        case Op::ROW_DOT: return {Form::row_dot, ROWS, VALUE, VALUE, NONE, 0};
        case Op::ONE_HOT: return {Form::one_hot, ROWS, TOKENS, NONE, NONE, 0};
        case Op::PICK: return {Form::pick, ROWS, ROWS, TOKENS, NONE, 0};
        case Op::ROWS_MATMUL:
            return {Form::rows_matmul, ROWS, VALUE, VALUE, NONE, ACCUMULATE | TRANSPOSED_A | TRANSPOSED_B};
        case Op::ROWS_TRANSPOSE: return {Form::rows_transpose, ROWS, ROWS, NONE, NONE, 0};
        case Op::DROPOUT_MASK: return {Form::dropout, ROWS, NONE, NONE, NONE, 0};
    }
    throw std::logic_error("an opcode without a rule");
}

constexpr int64_t LIMIT = int64_t{1} << 31;  // of any single extent, so that products of two fit

class Verifier {
  public:
    Verifier(std::vector<Buffer>& buffers, const Block& block, size_t number)
        : buffers_(buffers), block_(block), number_(number), shift_read_(buffers.size(), 0),
          shift_written_(buffers.size(), 0), defined_(buffers.size()) {}

    void run() {
        for (at_ = 0; at_ < block_.instructions.size(); ++at_) check(block_.instructions[at_]);
        if (block_.scan()) return;
        for (size_t i = 0; i < buffers_.size(); ++i) {
            const unsigned all = shift_read_[i] | shift_written_[i];
            if (shift_written_[i] && (all & (all - 1)))
                throw std::invalid_argument(
                    "block " + std::to_string(number_) + " (map): history '" + buffers_[i].name +
                    "' is written here and also used at the other shift; in a map the rows have no order");
        }
    }

  private:
    [[noreturn]] void fail(const std::string& reason) const {
        const int64_t code = block_.instructions[at_].opcode;
        const std::string name = code >= 0 && code < OP_COUNT ? OP_NAMES[code] : "opcode " + std::to_string(code);
        throw std::invalid_argument("block " + std::to_string(number_) + " (" +
                                    BLOCK_KIND_NAMES[static_cast<int>(block_.kind)] + "), instruction " +
                                    std::to_string(at_) + " (" + name + "): " + reason);
    }
    void require(bool holds, const std::string& reason) const {
        if (!holds) fail(reason);
    }
    const Buffer& buffer(const Operand& o) const { return buffers_[o.buffer]; }
    bool is(const Operand& o, BufferKind kind) const { return o.present() && buffer(o).kind == kind; }

    void check(const Instruction& in) {
        require(in.opcode >= 0 && in.opcode < OP_COUNT, "there is no such opcode");
        const Rule rule = rule_of(in.op());
        require((in.flags & ~rule.flags) == 0, "flags " + std::to_string(in.flags & ~rule.flags) + " have no meaning here");
        check_operand(in.dst, rule.dst, "dst");
        check_operand(in.a, rule.a, "a");
        check_operand(in.b, rule.b, "b");
        check_operand(in.c, rule.c, "c");
        if (rule.dst == SUM) require(!block_.scan(), "sums are collected in maps only");
        check_form(in, rule.form);
        for (const Operand* source : {&in.a, &in.b, &in.c}) read(*source);
        if (in.has(ACCUMULATE)) read(in.dst);
        if (rule.form == Form::softmax_cross_entropy) write(in.a);
        write(in.dst);
    }

    void check_operand(const Operand& o, unsigned kinds, const std::string& slot) const {
        if (!o.present()) {
            require(kinds == NONE || (kinds & OPTIONAL), slot + " is missing");
            return;
        }
        require(kinds != NONE, slot + " has no meaning here");
        require(o.buffer < static_cast<int64_t>(buffers_.size()), slot + ": there is no buffer " + std::to_string(o.buffer));
        const Buffer& b = buffer(o);
        const unsigned kind = row_wise(b.kind) ? ROWS
                              : b.kind == BufferKind::param ? PARAM
                              : b.kind == BufferKind::sum ? SUM : TOKENS;
        const std::string who = slot + " ('" + b.name + "', " + BUFFER_KIND_NAMES[static_cast<int>(b.kind)] + ")";
        require(kinds & kind, who + " is not of a kind that can stand here");
        const bool shifts = b.kind == BufferKind::history || b.kind == BufferKind::ring;
        require(o.shift == 0 || (shifts && o.shift == 1), who + ": a shift of " + std::to_string(o.shift) + " is not possible");
        require(b.kind != BufferKind::ring || block_.scan(), who + ": a ring lives in scans only");
        require(o.col >= 0 && o.width >= 1 && o.col < b.cols && o.width <= b.cols - o.col,
                who + ": a window of " + std::to_string(o.width) + " columns from column " + std::to_string(o.col) +
                    " leaves its " + std::to_string(b.cols));
        const bool matrix = kind == PARAM || kind == SUM;
        require(matrix ? o.row >= 0 && o.row < b.rows : o.row == 0, who + ": there is no row " + std::to_string(o.row));
        require(kind != TOKENS || (o.col == 0 && (o.width == 1 || o.width == b.cols)), who + ": tokens have no window");
    }

    void has_rows(const Operand& o, int64_t rows, const std::string& slot) const {
        require(rows <= buffer(o).rows - o.row, slot + " ('" + buffer(o).name + "') has " + std::to_string(buffer(o).rows) +
                                                    " rows, " + std::to_string(rows) + " are needed from row " +
                                                    std::to_string(o.row));
    }
    void has_width(const Operand& o, int64_t width, const std::string& slot) const {
        require(o.width == width, slot + " ('" + buffer(o).name + "') is " + std::to_string(o.width) + " wide, " +
                                      std::to_string(width) + " is needed");
    }
    void may_broadcast(const Operand& o, int64_t width, const std::string& slot) const {
        if (o.present() && o.width != 1) has_width(o, width, slot);
    }

    static bool same_rows(const Operand& x, const Operand& y) { return x.buffer == y.buffer && x.shift == y.shift; }
    static bool overlap(const Operand& x, const Operand& y) {
        return x.present() && y.present() && same_rows(x, y) && x.col < y.col + y.width && y.col < x.col + x.width;
    }
    void apart(const Operand& x, const Operand& y, const std::string& what) const {
        require(!overlap(x, y), what + " must not overlap");
    }
    void apart_or_same(const Operand& x, const Operand& y, const std::string& what) const {
        if (x.col != y.col || x.width != y.width) apart(x, y, what + " (unless they are the same window)");
    }

    // One matrix per row: rows x cols flattened, or the same matrix of a parameter for all rows.
    void check_matrix(const Operand& o, int64_t rows, int64_t cols, const std::string& slot) const {
        if (is(o, BufferKind::param)) {
            has_width(o, cols, slot);
            has_rows(o, rows, slot);
            require(rows == 1 || o.width == buffer(o).cols, slot + ": a matrix of a parameter must have all its columns");
        } else {
            has_width(o, rows * cols, slot);
        }
    }

    void check_form(const Instruction& in, Form form) const {
        const int64_t n = in.dst.width;
        switch (form) {
            case Form::elementwise:
                may_broadcast(in.a, n, "a");
                may_broadcast(in.b, n, "b");
                apart_or_same(in.dst, in.a, "dst and a");
                apart_or_same(in.dst, in.b, "dst and b");
                return;
            case Form::gemm: {
                const int64_t k = in.a.width;
                has_width(in.b, in.has(TRANSPOSED) ? k : n, "b");
                has_rows(in.b, in.has(TRANSPOSED) ? n : k, "b");
                if (in.c.present()) has_width(in.c, n, "c");
                apart(in.dst, in.a, "dst and a");
                return;
            }
            case Form::outer_sum:
                has_width(in.b, n, "b");
                has_rows(in.dst, in.a.width, "dst");
                return;
            case Form::column_sum: has_width(in.a, n, "a"); return;
            case Form::lookup: check_table(in, in.b, in.dst, in.a, "b"); return;
            case Form::scatter_sum: check_table(in, in.dst, in.a, in.b, "dst"); return;
            case Form::row_to_row:
                has_width(in.a, n, "a");
                apart_or_same(in.dst, in.a, "dst and a");
                return;
            case Form::row_to_number:
                has_width(in.dst, 1, "dst");
                apart(in.dst, in.a, "dst and a");
                return;
            case Form::softmax_cross_entropy:
                has_width(in.c, 1, "c");
                apart(in.dst, in.c, "dst and c");
                apart(in.a, in.c, "a and c");
                [[fallthrough]];
            case Form::cross_entropy:
            case Form::pick:
                has_width(in.dst, 1, "dst");
                has_width(in.a, buffer(in.b).cols, "a");
                apart(in.dst, in.a, "dst and a");
                return;
            case Form::row_dot:
                has_width(in.dst, 1, "dst");
                has_width(in.b, in.a.width, "b");
                apart(in.dst, in.a, "dst and a");
                apart(in.dst, in.b, "dst and b");
                return;
            case Form::one_hot: has_width(in.dst, buffer(in.a).cols, "dst"); return;
            case Form::rows_matmul: {
                positive(in.m, "m"), positive(in.k, "k"), positive(in.n, "n");
                has_width(in.dst, in.m * in.n, "dst");
                const bool ta = in.has(TRANSPOSED_A), tb = in.has(TRANSPOSED_B);
                check_matrix(in.a, ta ? in.k : in.m, ta ? in.m : in.k, "a");
                check_matrix(in.b, tb ? in.n : in.k, tb ? in.k : in.n, "b");
                apart(in.dst, in.a, "dst and a");
                apart(in.dst, in.b, "dst and b");
                return;
            }
            case Form::rows_transpose:
                positive(in.m, "m"), positive(in.n, "n");
                has_width(in.dst, in.m * in.n, "dst");
                has_width(in.a, in.m * in.n, "a");
                apart(in.dst, in.a, "dst and a");
                return;
            case Form::dropout: require(in.f0 >= 0 && in.f0 < 1, "the probability must be in [0, 1)"); return;
        }
    }

    void positive(int64_t extent, const std::string& name) const {
        require(extent >= 1 && extent < LIMIT, name + " must be at least 1");
    }

    // A table with one row (transposed: one column) per token, and the row-wise side of a lookup or a scatter.
    void check_table(const Instruction& in, const Operand& table, const Operand& side, const Operand& tokens,
                     const std::string& slot) const {
        const int64_t vocabulary = buffer(tokens).cols;
        has_width(table, in.has(TRANSPOSED) ? vocabulary : side.width, slot);
        has_rows(table, in.has(TRANSPOSED) ? side.width : vocabulary, slot);
    }

    void read(const Operand& o) {
        if (!o.present()) return;
        if (is(o, BufferKind::history)) shift_read_[o.buffer] |= 1u << o.shift;
        if (!is(o, BufferKind::local)) return;
        const std::vector<bool>& defined = defined_[o.buffer];
        for (int64_t j = o.col; j < o.col + o.width; ++j)
            require(!defined.empty() && defined[j], "local '" + buffer(o).name + "' is read before its column " +
                                                        std::to_string(j) + " is written");
    }
    void write(const Operand& o) {
        buffers_[o.buffer].written = true;
        if (is(o, BufferKind::history)) shift_written_[o.buffer] |= 1u << o.shift;
        if (!is(o, BufferKind::local)) return;
        std::vector<bool>& defined = defined_[o.buffer];
        defined.resize(buffer(o).cols, false);
        for (int64_t j = o.col; j < o.col + o.width; ++j) defined[j] = true;
    }

    std::vector<Buffer>& buffers_;
    const Block& block_;
    size_t number_, at_ = 0;
    std::vector<unsigned> shift_read_, shift_written_;  // per buffer, bit s: used at shift s
    std::vector<std::vector<bool>> defined_;            // per local: which columns have been written
};

}  // namespace

void verify(std::vector<Buffer>& buffers, const std::vector<Block>& blocks) {
    for (const Buffer& b : buffers) {
        const bool matrix = b.kind == BufferKind::param || b.kind == BufferKind::sum;
        if (b.cols < 1 || b.cols >= LIMIT || b.rows >= LIMIT || b.rows < (matrix ? 1 : 0))
            throw std::invalid_argument("buffer '" + b.name + "': " + std::to_string(b.rows) + " x " +
                                        std::to_string(b.cols) + " is not a possible size");
    }
    for (size_t i = 0; i < blocks.size(); ++i) Verifier(buffers, blocks[i], i).run();
}

}  // namespace bptt
