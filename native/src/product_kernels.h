// Matrix products on packed panels: GEMM and OUTER_SUM share one micro-kernel, which keeps a tile of the result in
// registers and walks down the inner dimension. (The scheme of Goto and van de Geijn, 2008.)
#pragma once
#include "kernels.h"
#include "vector.h"

namespace {
using bptt::View;

constexpr int PANEL = 2 * W;               // columns of a panel: two vectors
constexpr int64_t DEPTH = 256;             // inner extent of a block, so that a panel stays in the L1 cache
constexpr int64_t STRIDE = DEPTH + 16;     // of a packed row; no power of two, or the rows would share cache sets
constexpr int64_t HEIGHT = 32 * MAX_ROWS;  // rows of a packed block, so that it stays in the L2 cache
constexpr int64_t SLAB = 16 * PANEL;       // columns worked on at a time, so that their results stay in the L2 cache
constexpr int64_t SCRATCH = HEIGHT * STRIDE + DEPTH * SLAB;

enum class Onto { nothing, bias, result };  // what the product is added to

struct Tile {
    float* d;
    int64_t ld;
    const float *a, *b;  // packed
    int64_t depth;
    Onto onto;
    const float* bias;
    int64_t columns;  // valid columns of the panel
};

// d[ROWS, columns] = onto + sum over p of a[i * ROW_STEP + p * STEP] * b[p, :]
template <int ROWS, int VECTORS, int ROW_STEP, int STEP>
void micro_kernel(const Tile& t) {
    vf s[ROWS][VECTORS];
#pragma GCC unroll 16
    for (int i = 0; i < ROWS; ++i) {
        // The result is wanted only at the end; asked for now, it has arrived by then.
        __builtin_prefetch(t.d + i * t.ld, 1);
        if (VECTORS > 1) __builtin_prefetch(t.d + i * t.ld + W, 1);
        for (int v = 0; v < VECTORS; ++v) s[i][v] = vf{};
    }
    const float *a = t.a, *b = t.b;
    for (int64_t p = 0; p < t.depth; ++p) {
        vf w[VECTORS];
        for (int v = 0; v < VECTORS; ++v) w[v] = load(b + v * W);
#pragma GCC unroll 16
        for (int i = 0; i < ROWS; ++i) {
            const vf x = splat(a[i * ROW_STEP]);
            for (int v = 0; v < VECTORS; ++v) s[i][v] += x * w[v];
        }
        a += STEP, b += VECTORS * W;
    }
    const int64_t tail = t.columns - (VECTORS - 1) * W;  // lanes of the last vector
#pragma GCC unroll 16
    for (int i = 0; i < ROWS; ++i)
        for (int v = 0; v < VECTORS; ++v) {
            float* d = t.d + i * t.ld + v * W;
            const float* onto = t.onto == Onto::result ? d : t.bias + v * W;
            if (v == VECTORS - 1 && tail < W) {
                if (t.onto != Onto::nothing) s[i][v] += load_part(onto, tail);
                store_part(d, s[i][v], tail);
            } else {
                if (t.onto != Onto::nothing) s[i][v] += load(onto);
                store(d, s[i][v]);
            }
        }
}

// One instance for every number of rows, so that odd batches cost little.
typedef void (*Micro)(const Tile&);
template <int VECTORS, int ROW_STEP, int STEP>
INLINE Micro micro_for(int64_t rows) {
#define M(r) (r <= MAX_ROWS ? micro_kernel<(r < MAX_ROWS ? r : MAX_ROWS), VECTORS, ROW_STEP, STEP> : nullptr)
    static constexpr Micro table[] = {M(1), M(2), M(3),  M(4),  M(5),  M(6),  M(7),
                                      M(8), M(9), M(10), M(11), M(12), M(13), M(14)};
#undef M
    return table[rows - 1];
}

// `total` cut into the fewest parts of at most `most`, as equal as possible.
struct Parts {
    int64_t total, count;
    Parts(int64_t total, int64_t most) : total(total), count((total + most - 1) / most) {}
    int64_t start(int64_t i) const { return total * i / count; }
    int64_t size(int64_t i) const { return start(i + 1) - start(i); }
};

INLINE int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
INLINE int64_t padded(int64_t n) { return (n + W - 1) / W * W; }

// Runs the micro-kernel over all row groups of a packed block against one packed panel.
template <int ROW_STEP, int STEP>
INLINE void sweep(Tile t, const float* packed, const Parts& groups, int64_t group_size, float* d, int64_t columns) {
    t.columns = columns;
    for (int64_t g = 0; g < groups.count; ++g) {
        t.a = packed + g * group_size;
        t.d = d + groups.start(g) * t.ld;
        const int64_t rows = groups.size(g);
        (columns > W ? micro_for<2, ROW_STEP, STEP>(rows) : micro_for<1, ROW_STEP, STEP>(rows))(t);
    }
}

INLINE void copy(float* d, const float* p, int64_t n) {
    int64_t j = 0;
    for (; j + W <= n; j += W) store(d + j, load(p + j));
    if (j < n) store_part(d + j, load_part(p + j, n - j), n - j);
}

// Row p of a panel: `columns` values and zeros up to the next whole vector.
INLINE void copy_padded(float* d, const float* p, int64_t columns) {
    int64_t j = 0;
    for (; j + W <= columns; j += W) store(d + j, load(p + j));
    if (j < columns) store(d + j, load_part(p + j, columns - j));
}

// out[p * width + j] = w[j * ldw + p] for j < columns <= W, zero for the other j < W; vector by vector.
INLINE void pack_transposed(float* out, int64_t width, const float* w, int64_t ldw, int64_t columns, int64_t depth) {
    for (int64_t p = 0; p < depth; p += W) {
        const int64_t left = smaller(depth - p, W);
        vf x[W];
        for (int i = 0; i < W; ++i) {
            if (i >= columns) x[i] = vf{};
            else if (left == W) x[i] = load(w + i * ldw + p);
            else x[i] = load_part(w + i * ldw + p, left);
        }
        transpose(x);
        for (int i = 0; i < left; ++i) store(out + (p + i) * width, x[i]);
    }
}

// A packed matrix is cut along K into blocks; in a block one panel follows the other, each [depth][PANEL] (the last
// may be one vector wide).
INLINE float* packed_panel(float* packed, const Parts& depths, int64_t block, int64_t panel, int64_t N) {
    return packed + depths.start(block) * padded(N) + panel * PANEL * depths.size(block);
}

void pack(float* packed, const float* w, int64_t ldw, int64_t K, int64_t N, bool transposed, int64_t first, int64_t last) {
    const Parts depths(K, DEPTH);
    for (int64_t block = 0; block < depths.count; ++block)
        for (int64_t panel = first; panel < last; ++panel) {
            float* out = packed_panel(packed, depths, block, panel, N);
            const int64_t k0 = depths.start(block), depth = depths.size(block), j0 = panel * PANEL;
            const int64_t columns = smaller(N - j0, PANEL), width = padded(columns);
            if (!transposed)
                for (int64_t p = 0; p < depth; ++p) copy_padded(out + p * width, w + (k0 + p) * ldw + j0, columns);
            else
                for (int64_t j = 0; j < width; j += W)
                    pack_transposed(out + j, width, w + (j0 + j) * ldw + k0, ldw, smaller(columns - j, W), depth);
        }
}

void gemm(View d, View a, const float* packed, const float* bias, int64_t rows, int64_t K, int64_t N, int64_t j0,
          int64_t j1, bool accumulate, float* scratch) {
    const Parts depths(K, DEPTH), heights(rows, HEIGHT);
    const int64_t slab = depths.count > 1 ? SLAB : j1 - j0;  // nothing to keep when one pass finishes the result
    for (int64_t h = 0; h < heights.count; ++h) {
        const int64_t r0 = heights.start(h);
        const Parts groups(heights.size(h), MAX_ROWS);
        for (int64_t start = j0; start < j1; start += slab)
            for (int64_t block = 0; block < depths.count; ++block) {
                const int64_t k0 = depths.start(block), depth = depths.size(block);
                for (int64_t g = 0; g < groups.count; ++g)
                    for (int64_t i = 0; i < groups.size(g); ++i)
                        copy(scratch + (g * MAX_ROWS + i) * STRIDE, a.p + (r0 + groups.start(g) + i) * a.ld + k0, depth);
                Tile t{};
                t.ld = d.ld, t.depth = depth;
                for (int64_t j = start; j < smaller(j1, start + slab); j += PANEL) {
                    t.b = packed_panel(const_cast<float*>(packed), depths, block, j / PANEL, N);
                    t.bias = bias ? bias + j : nullptr;
                    t.onto = block > 0 || accumulate ? Onto::result : bias ? Onto::bias : Onto::nothing;
                    sweep<STRIDE, 1>(t, scratch, groups, MAX_ROWS * STRIDE, d.p + r0 * d.ld + j, smaller(j1 - j, PANEL));
                }
            }
    }
    if (accumulate && bias)
        for (int64_t r = 0; r < rows; ++r)
            for (int64_t j = j0; j < j1; ++j) d.p[r * d.ld + j] += bias[j];
}

void outer_sum(View d, View a, View b, int64_t rows, int64_t K, int64_t N, float* scratch) {
    const Parts depths(rows, DEPTH), heights(K, HEIGHT);
    float* slab = scratch + HEIGHT * STRIDE;
    for (int64_t block = 0; block < depths.count; ++block) {
        const int64_t p0 = depths.start(block), depth = depths.size(block);
        for (int64_t h = 0; h < heights.count; ++h) {
            const int64_t k0 = heights.start(h);
            const Parts groups(heights.size(h), MAX_ROWS);
            for (int64_t g = 0; g < groups.count; ++g)
                for (int64_t p = 0; p < depth; ++p)
                    copy(scratch + (g * depth + p) * MAX_ROWS, a.p + (p0 + p) * a.ld + k0 + groups.start(g), groups.size(g));
            Tile t{};
            t.ld = d.ld, t.depth = depth, t.onto = Onto::result;
            for (int64_t start = 0; start < N; start += SLAB) {
                // A slab at a time, since a row of one panel alone would be too short a read.
                const int64_t end = smaller(N, start + SLAB);
                for (int64_t p = 0; p < depth; ++p)
                    for (int64_t j = start; j < end; j += PANEL) {
                        const int64_t columns = smaller(end - j, PANEL);
                        copy_padded(slab + (j - start) * depth + p * padded(columns), b.p + (p0 + p) * b.ld + j, columns);
                    }
                for (int64_t j = start; j < end; j += PANEL) {
                    t.b = slab + (j - start) * depth;
                    sweep<1, MAX_ROWS>(t, scratch, groups, MAX_ROWS * depth, d.p + k0 * d.ld + j, smaller(end - j, PANEL));
                }
            }
        }
    }
}

}  // namespace
