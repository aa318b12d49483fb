// The optimisers' functions over lists of arrays: cut into chunks that the team works off. The chunks do not depend
// on the number of threads, nor do the sums.
#include "updates.h"

#include <algorithm>
#include <atomic>

#include "pool.h"

namespace bptt {
namespace {

constexpr int64_t CHUNK = 1 << 14;       // floats
constexpr int64_t TEAM_FLOATS = 1 << 16;  // fewer are not worth waking the team

struct Chunk {
    size_t array;
    int64_t start, size;
};

std::vector<Chunk> chunks_of(const std::vector<Array>& arrays) {
    std::vector<Chunk> chunks;
    for (size_t i = 0; i < arrays.size(); ++i)
        for (int64_t start = 0; start < arrays[i].size(); start += CHUNK)
            chunks.push_back({i, start, std::min(CHUNK, arrays[i].size() - start)});
    return chunks;
}

// work(chunk, its number) for all chunks
template <class F>
void over(const std::vector<Chunk>& chunks, F work) {
    const bool large = chunks.size() * CHUNK > static_cast<size_t>(TEAM_FLOATS);
    std::atomic<size_t> next{0};
    run_team(large ? wanted_threads() : 1, [&](int) {
        for (size_t i; (i = next.fetch_add(1)) < chunks.size();) work(chunks[i], i);
    });
}

}  // namespace

void sgd_step(const std::vector<Array>& p, const std::vector<Array>& g, const std::vector<Array>& velocities, float lr,
              float momentum, float decay) {
    const Kernels& k = kernels();
    over(chunks_of(p), [&](const Chunk& c, size_t) {
        float* velocity = velocities.empty() ? nullptr : velocities[c.array].floats() + c.start;
        k.sgd(p[c.array].floats() + c.start, g[c.array].floats() + c.start, velocity, c.size, lr, momentum, decay);
    });
}

void adam_step(const std::vector<Array>& p, const std::vector<Array>& g, const std::vector<Array>& m,
               const std::vector<Array>& v, const AdamStep& step) {
    const Kernels& k = kernels();
    over(chunks_of(p), [&](const Chunk& c, size_t) {
        const auto at = [&c](const std::vector<Array>& list) { return list[c.array].floats() + c.start; };
        k.adam(at(p), at(g), at(m), at(v), c.size, step);
    });
}

void scale(const std::vector<Array>& arrays, float factor) {
    const Kernels& k = kernels();
    over(chunks_of(arrays), [&](const Chunk& c, size_t) { k.scale(arrays[c.array].floats() + c.start, c.size, factor); });
}

double squared_norm(const std::vector<Array>& arrays) {
    const Kernels& k = kernels();
    const std::vector<Chunk> chunks = chunks_of(arrays);
    std::vector<double> sums(chunks.size());
    over(chunks, [&](const Chunk& c, size_t i) { sums[i] = k.squared_norm(arrays[c.array].floats() + c.start, c.size); });
    double total = 0;
    for (double s : sums) total += s;
    return total;
}

bool all_finite(const std::vector<Array>& arrays) {
    const Kernels& k = kernels();
    std::atomic<bool> finite{true};
    over(chunks_of(arrays), [&](const Chunk& c, size_t) {
        if (finite && !k.all_finite(arrays[c.array].floats() + c.start, c.size)) finite = false;
    });
    return finite;
}

}  // namespace bptt
