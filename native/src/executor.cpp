#include "executor.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <new>

namespace bptt {
namespace {

constexpr int64_t LOCAL_FLOATS = 1 << 19;  // locals of a tile: 2 MB, so that a core finds its share in the L2 cache
constexpr int64_t MIN_TILE_ROWS = 256;     // fewer would make the products read their weights too often
constexpr int64_t MOST_FLOATS = int64_t{1} << 40;
constexpr double TEAM_WORK = 3e6;          // operations below which waking the team costs more than it gives

int64_t part(int64_t total, int index, int count) { return total * index / count; }

}  // namespace

void Scratch::Free::operator()(float* p) const { std::free(p); }

float* Scratch::reserve(int64_t count) {
    if (count > size_) {
        memory_.reset();
        size_ = 0;
        const size_t bytes = (static_cast<size_t>(count) * sizeof(float) + 127) / 64 * 64;
        memory_.reset(static_cast<float*>(std::aligned_alloc(64, bytes)));
        if (!memory_) throw std::bad_alloc();
        size_ = count;
    }
    return memory_.get();
}

Executor::Executor(std::vector<Buffer> buffers, std::vector<Block> blocks)
    : buffers_(std::move(buffers)), blocks_(std::move(blocks)), kernels_(kernels()) {
    verify(buffers_, blocks_);
    for (Block& block : blocks_) {
        costs_.emplace_back(block.instructions.size());
        for (Instruction& in : block.instructions) {
            if (in.op() != Op::GEMM) continue;
            const bool transposed = in.has(TRANSPOSED);
            const auto same = [&](const Packed& p) {
                return p.source.buffer == in.b.buffer && p.source.row == in.b.row && p.source.col == in.b.col &&
                       p.K == in.a.width && p.N == in.dst.width && p.transposed == transposed;
            };
            auto found = std::find_if(packed_.begin(), packed_.end(), same);
            if (found == packed_.end()) {
                Packed fresh;
                fresh.source = in.b, fresh.K = in.a.width, fresh.N = in.dst.width, fresh.transposed = transposed;
                packed_.push_back(std::move(fresh));
                found = packed_.end() - 1;
            }
            in.packed = static_cast<int>(found - packed_.begin());
        }
    }
}

void Executor::run(int64_t T, int64_t B, const std::vector<float*>& arrays, const std::vector<const int32_t*>& tokens,
                   uint32_t seed, int threads, bool profile) {
    std::lock_guard<std::mutex> lock(running_);
    T_ = T, B_ = B, arrays_ = arrays, tokens_ = tokens, seed_ = seed, profile_ = profile;
    if (profile)
        for (auto& block : costs_) std::fill(block.begin(), block.end(), Cost{});
    threads = std::max(1, std::min(threads, hardware_threads()));
    if (static_cast<int>(scratch_.size()) < threads) scratch_.resize(threads);
    for (Scratch& s : scratch_) s.reserve(kernels_.scratch);
    const int64_t lanes = kernels_.lanes;
    for (Packed& p : packed_) p.memory.reserve(p.K * ((p.N + lanes - 1) / lanes * lanes));
    place_locals();
    double work = 0;
    for (const Block& block : blocks_)
        for (const Instruction& in : block.instructions) {
            const Cost cost = cost_of(in, buffers_, T * B);
            work += cost.operations + cost.bytes / 4;
        }
    // One team for the whole run: its members meet at barriers, which costs far less than waking them.
    const int members = work < TEAM_WORK ? 1 : threads;
    Barrier team(members);
    run_team(members, [&](int member) {
        pack_weights(member, members);
        for (size_t i = 0; i < blocks_.size(); ++i) {
            team.wait();
            blocks_[i].scan() ? run_scan(i, member, members) : run_map(i, member, team);
        }
    });
}

void Executor::pack_weights(int member, int members) {
    for (Packed& p : packed_) {
        const View w = matrix(p.source);
        const int64_t panels = (p.N + kernels_.panel - 1) / kernels_.panel;
        kernels_.pack(p.memory.data(), w.p, w.ld, p.K, p.N, p.transposed, part(panels, member, members),
                      part(panels, member + 1, members));
    }
}

// ---- where things are ------------------------------------------------------------------------------------------

float* Executor::address(const Operand& o, const Place& at) const {
    const Buffer& b = buffers_[o.buffer];
    int64_t row = o.row;
    switch (b.kind) {
        case BufferKind::sequence: row = at.row; break;
        case BufferKind::history: row = at.row + o.shift * B_; break;
        case BufferKind::ring: row = (at.t + o.shift) % 2 * B_ + at.local; break;
        case BufferKind::local: row = at.local; break;
        default: break;
    }
    return at.arrays[o.buffer] + row * b.cols + o.col;
}

View Executor::view(const Operand& o, const Place& at) const {
    if (!o.present()) return {};
    const Buffer& b = buffers_[o.buffer];
    return {address(o, at), b.kind == BufferKind::param ? 0 : b.cols, false};
}

View Executor::matrix(const Operand& o) const {
    return {arrays_[o.buffer] + o.row * buffers_[o.buffer].cols + o.col, buffers_[o.buffer].cols, false};
}

const int32_t* Executor::ids(const Operand& o, const Place& at) const {
    return o.present() && buffers_[o.buffer].kind == BufferKind::tokens ? tokens_[o.buffer] + at.row : nullptr;
}

// f(buffer) once for each local of a block
template <class F>
void each_local(const Block& block, const std::vector<Buffer>& buffers, F f) {
    std::vector<bool> seen(buffers.size(), false);
    for (const Instruction& in : block.instructions)
        for (const Operand* o : {&in.dst, &in.a, &in.b, &in.c}) {
            if (!o->present() || buffers[o->buffer].kind != BufferKind::local || seen[o->buffer]) continue;
            seen[o->buffer] = true;
            f(static_cast<size_t>(o->buffer));
        }
}

int64_t Executor::locals_width(const Block& block) const {
    int64_t width = 0;
    each_local(block, buffers_, [&](size_t buffer) { width += buffers_[buffer].cols; });
    return width;
}

// Blocks run one after the other and share the memory.
void Executor::place_locals() {
    const auto rows_of = [this](const Block& block) { return block.scan() ? B_ : tile_rows(block); };
    const auto size = [](int64_t rows, int64_t cols) {
        if (cols > MOST_FLOATS / rows) throw std::bad_alloc();  // before the product or its bytes overflow
        return (rows * cols + 15) / 16 * 16;
    };
    int64_t most = 0;
    for (const Block& block : blocks_) {
        int64_t total = 0;
        each_local(block, buffers_, [&](size_t i) { total += size(rows_of(block), buffers_[i].cols); });
        most = std::max(most, total);
    }
    float* memory = locals_.reserve(most);
    block_arrays_.assign(blocks_.size(), arrays_);
    for (size_t i = 0; i < blocks_.size(); ++i) {
        float* next = memory;
        each_local(blocks_[i], buffers_, [&](size_t buffer) {
            block_arrays_[i][buffer] = next;
            next += size(rows_of(blocks_[i]), buffers_[buffer].cols);
        });
    }
}

// ---- the two kinds of blocks -----------------------------------------------------------------------------------

int64_t Executor::tile_rows(const Block& block) const {
    const int64_t all = T_ * B_, width = locals_width(block);
    if (width == 0) return all;
    const int64_t most = std::max(MIN_TILE_ROWS, LOCAL_FLOATS / width);
    const int64_t tiles = (all + most - 1) / most;
    return (all + tiles - 1) / tiles;
}

void Executor::run_map(size_t index, int member, Barrier& team) {
    const Block& block = blocks_[index];
    const int members = team.members();
    const int64_t all = T_ * B_, tile = tile_rows(block);
    for (int64_t row = 0; row < all; row += tile) {
        const Place place{block_arrays_[index].data(), 0, row, 0, std::min(tile, all - row)};
        Split before = Split::rows;
        const Instruction* last = nullptr;
        for (size_t i = 0; i < block.instructions.size(); ++i) {
            const Instruction& in = block.instructions[i];
            const Split split = split_of(in, place.rows, members);
            // Two instructions that give each member the same rows, or that only read rows and add to different
            // sums, may run into each other; otherwise the team meets between them.
            const bool independent =
                last && split == before &&
                (split == Split::rows || (split == Split::output && last->dst.buffer != in.dst.buffer));
            timed(index, i, member, place.rows, [&] {
                if (!independent) team.wait();
                share(in, split, place, member, members);
            });
            before = split, last = &in;
        }
    }
}

void Executor::run_scan(size_t index, int member, int members) {
    const Block& block = blocks_[index];
    const int64_t first = part(B_, member, members), rows = part(B_, member + 1, members) - first;
    if (rows == 0) return;
    for (int64_t step = 0; step < T_; ++step) {
        const int64_t t = block.kind == BlockKind::scan_forward ? step : T_ - 1 - step;
        const Place place{block_arrays_[index].data(), t, t * B_ + first, first, rows};
        for (size_t i = 0; i < block.instructions.size(); ++i)
            timed(index, i, member, B_, [&] { perform(block.instructions[i], place, member); });
    }
}

// ---- one instruction -------------------------------------------------------------------------------------------

Executor::Split Executor::split_of(const Instruction& in, int64_t rows, int members) const {
    if (buffers_[in.dst.buffer].kind == BufferKind::sum) return Split::output;
    if (in.op() != Op::GEMM) return Split::rows;
    // By columns each member reads only its share of the weights, but the shares are whole panels.
    const int64_t panels = (in.dst.width + kernels_.panel - 1) / kernels_.panel;
    return panels >= 8 * members || rows < 16 * members ? Split::columns : Split::rows;
}

void Executor::share(const Instruction& in, Split split, const Place& place, int member, int members) {
    if (split == Split::rows) {
        const int64_t first = part(place.rows, member, members), last = part(place.rows, member + 1, members);
        if (first < last)
            perform(in, Place{place.arrays, place.t, place.row + first, place.local + first, last - first}, member);
        return;
    }
    if (split == Split::columns) {
        const int64_t N = in.dst.width, panel = kernels_.panel, panels = (N + panel - 1) / panel;
        const int64_t first = part(panels, member, members) * panel;
        const int64_t last = std::min(N, part(panels, member + 1, members) * panel);
        if (first < last) multiply(in, place, first, last, member);
        return;
    }
    // Sums: each member has a part of the output, whole vectors of columns where there are enough, else rows.
    const int64_t lanes = kernels_.lanes;
    View d = matrix(in.dst), a = view(in.a, place), b = view(in.b, place);
    if (in.op() == Op::OUTER_SUM) {
        int64_t K = in.a.width, N = in.dst.width;
        if (N >= 2 * lanes * members) {
            const int64_t vectors = (N + lanes - 1) / lanes;
            const int64_t first = part(vectors, member, members) * lanes;
            N = std::min(N, part(vectors, member + 1, members) * lanes) - first;
            d.p += first, b.p += first;
        } else {
            const int64_t first = part(K, member, members);
            K = part(K, member + 1, members) - first;
            d.p += first * d.ld, a.p += first;
        }
        if (K > 0 && N > 0) kernels_.outer_sum(d, a, b, place.rows, K, N, scratch_[member].data());
        return;
    }
    Call call = call_for(in, place);
    const int64_t N = in.a.width, vectors = (N + lanes - 1) / lanes;
    const int64_t first = part(vectors, member, members) * lanes;
    call.n = std::min(N, part(vectors, member + 1, members) * lanes) - first;
    if (call.n <= 0) return;
    call.a.p += first;
    call.d.p += in.has(TRANSPOSED) ? first * call.d.ld : first;
    kernels_.rows(call);
}

void Executor::perform(const Instruction& in, const Place& place, int member) {
    if (in.op() == Op::GEMM) return multiply(in, place, 0, in.dst.width, member);
    kernels_.rows(call_for(in, place));
}

Call Executor::call_for(const Instruction& in, const Place& place) const {
    Call call{};
    call.op = in.op(), call.flags = in.flags, call.rows = place.rows;
    call.n = in.dst.width;
    call.f0 = in.f0, call.f1 = in.f1, call.m = in.m, call.k = in.k;
    call.seed = seed_, call.key = static_cast<uint32_t>(in.m), call.first_row = static_cast<uint32_t>(place.row);
    for (const Operand* o : {&in.a, &in.b})
        if (const int32_t* found = ids(*o, place)) call.tokens = found;
    const bool on_sum = buffers_[in.dst.buffer].kind == BufferKind::sum;
    call.d = on_sum ? matrix(in.dst) : view(in.dst, place);
    const auto operand = [&](const Operand& o) { return ids(o, place) ? View{} : view(o, place); };
    call.a = operand(in.a), call.b = operand(in.b), call.c = operand(in.c);
    switch (in.op()) {
        case Op::LOOKUP: call.b = matrix(in.b); break;
        case Op::LOGSUMEXP: case Op::CROSS_ENTROPY: case Op::SOFTMAX_CROSS_ENTROPY: case Op::ROW_SUM:
        case Op::ROW_DOT: case Op::PICK: call.n = in.a.width; break;
        case Op::ROWS_MATMUL: case Op::ROWS_TRANSPOSE: call.n = in.n; break;
        default:
            call.a.scalar = in.a.present() && in.a.width == 1 && call.n > 1;
            call.b.scalar = in.b.present() && in.b.width == 1 && call.n > 1;
    }
    return call;
}

void Executor::multiply(const Instruction& in, const Place& place, int64_t j0, int64_t j1, int member) {
    const Packed& w = packed_[in.packed];
    kernels_.gemm(view(in.dst, place), view(in.a, place), w.memory.data(), in.c.present() ? view(in.c, place).p : nullptr,
                  place.rows, w.K, w.N, j0, j1, in.has(ACCUMULATE), scratch_[member].data());
}

// ---- costs -----------------------------------------------------------------------------------------------------

template <class F>
void Executor::timed(size_t block, size_t instruction, int member, int64_t rows, F work) {
    if (!profile_ || member > 0) return work();
    const auto start = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
    const Cost once = cost_of(blocks_[block].instructions[instruction], buffers_, rows);
    Cost& total = costs_[block][instruction];
    total.seconds += passed.count();
    total.operations += once.operations;
    total.bytes += once.bytes;
}

Cost cost_of(const Instruction& in, const std::vector<Buffer>& buffers, int64_t rows) {
    double per_row = static_cast<double>(in.dst.width);
    switch (in.op()) {
        case Op::GEMM: case Op::OUTER_SUM: per_row = 2.0 * in.a.width * in.dst.width; break;
        case Op::ROWS_MATMUL: per_row = 2.0 * in.m * in.k * in.n; break;
        case Op::SOFTMAX: case Op::LOG_SOFTMAX: case Op::LOGSUMEXP: case Op::CROSS_ENTROPY:
        case Op::SOFTMAX_CROSS_ENTROPY: per_row = 4.0 * in.a.width; break;  // maximum, exponential, sum, scaling
        case Op::ROW_DOT: per_row = 2.0 * in.a.width; break;
        case Op::ROW_SUM: case Op::SCATTER_SUM: per_row = static_cast<double>(in.a.width); break;
        case Op::COPY: case Op::FILL: case Op::LOOKUP: case Op::PICK: case Op::ONE_HOT: case Op::ROWS_TRANSPOSE:
            per_row = 0; break;
        default: break;
    }
    Cost cost;
    cost.operations = per_row * static_cast<double>(rows);
    for (const Operand* o : {&in.dst, &in.a, &in.b, &in.c}) {
        if (!o->present()) continue;
        const Buffer& b = buffers[o->buffer];
        double count = static_cast<double>(rows) * static_cast<double>(o->width);
        if (b.kind == BufferKind::tokens) count = static_cast<double>(rows);
        if (b.kind == BufferKind::param && in.op() == Op::GEMM)
            count = o == &in.b ? static_cast<double>(in.a.width) * in.dst.width : static_cast<double>(o->width);
        if (b.kind == BufferKind::sum && in.op() == Op::OUTER_SUM)
            count = 2.0 * static_cast<double>(in.a.width) * in.dst.width;
        cost.bytes += 4 * count;
    }
    if (in.has(ACCUMULATE)) cost.bytes += 4.0 * static_cast<double>(rows) * in.dst.width;
    return cost;
}

}  // namespace bptt
