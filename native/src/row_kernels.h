// Row-wise instructions: element by element, row reductions, softmax, tokens, small matrices per row.
#pragma once
#include "functions.h"
#include "kernels.h"

namespace {
using bptt::Call;
using bptt::View;

INLINE float* row(const View& v, int64_t r) { return v.p + r * v.ld; }

// A source of an element-wise operation along one row; a scalar is spread over a vector that is read again and again.
struct Source {
    const float* p;
    int64_t step;
    alignas(64) float spread[W];
    __attribute__((always_inline)) void start(const View& v, int64_t r) {
        if (v.scalar) {
            store(spread, splat(v.p[r * v.ld]));
            p = spread, step = 0;
        } else {
            p = v.p + r * v.ld, step = W;
        }
    }
};

INLINE bool dense(const View& v, int64_t n) { return v.scalar ? v.ld == 0 : v.ld == n; }

// dst (=|+=) f(a, b) or f(a); an unused source is a scalar zero.
template <class F>
INLINE void elementwise(const Call& call, F f) {
    alignas(64) float zero = 0;
    const View nothing{&zero, 0, true};
    const View va = call.a.p ? call.a : nothing, vb = call.b.p ? call.b : nothing;
    int64_t rows = call.rows, n = call.n;
    if (dense(call.d, n) && dense(va, n) && dense(vb, n)) n *= rows, rows = 1;
    const bool accumulate = call.has(bptt::ACCUMULATE);
    for (int64_t r = 0; r < rows; ++r) {
        Source a, b;
        a.start(va, r), b.start(vb, r);
        float* d = row(call.d, r);
        int64_t j = 0;
        for (; j + W <= n; j += W, a.p += a.step, b.p += b.step) {
            vf y = f(load(a.p), load(b.p));
            if (accumulate) y += load(d + j);
            store(d + j, y);
        }
        if (j < n) {
            vf y = f(load_part(a.p, n - j), load_part(b.p, n - j));
            if (accumulate) y += load_part(d + j, n - j);
            store_part(d + j, y, n - j);
        }
    }
}

// Small whole and half exponents exactly; others by the C library, lane by lane.
INLINE void power(const Call& call) {
    const float e = (float)call.f0;
    if (e == 2) return elementwise(call, [](vf a, vf) { return a * a; });
    if (e == 3) return elementwise(call, [](vf a, vf) { return a * a * a; });
    if (e == -1) return elementwise(call, [](vf a, vf) { return 1.0f / a; });
    if (e == -2) return elementwise(call, [](vf a, vf) { return 1.0f / (a * a); });
    elementwise(call, [e](vf a, vf) {
        vf y;
        for (int i = 0; i < W; ++i) y[i] = __builtin_powf(a[i], e);
        return y;
    });
}

// f(sum, vector) over a row, with `fill` in the lanes that the row lacks. Two sums hide the latency.
template <class F>
INLINE vf fold(const float* p, int64_t n, vf start, vf fill, F f) {
    vf s0 = start, s1 = start;
    int64_t j = 0;
    for (; j + 2 * W <= n; j += 2 * W) s0 = f(s0, load(p + j)), s1 = f(s1, load(p + j + W));
    for (; j + W <= n; j += W) s0 = f(s0, load(p + j));
    if (j < n) s1 = f(s1, load_part(p + j, n - j, fill));
    return f(s0, s1);
}

INLINE float row_maximum(const float* p, int64_t n) {
    const vf low = splat(-__builtin_inff());
    return maximum(fold(p, n, low, low, [](vf s, vf x) { return vmax(s, x); }));
}

// Writes exp(x - shift) to d and returns the sum; d may be p. Without d only the sum.
template <bool STORE>
INLINE float exp_sum(float* d, const float* p, int64_t n, float shift) {
    vf s = vf{}, s1 = vf{};
    int64_t j = 0;
    for (; j + 2 * W <= n; j += 2 * W) {
        const vf y = vexp(load(p + j) - shift), y1 = vexp(load(p + j + W) - shift);
        if (STORE) store(d + j, y), store(d + j + W, y1);
        s += y, s1 += y1;
    }
    for (; j < n; j += W) {
        const int64_t left = n - j < W ? n - j : W;
        const vf x = left == W ? load(p + j) : load_part(p + j, left, splat(-__builtin_inff()));
        const vf y = vexp(x - shift);
        if (STORE) left == W ? store(d + j, y) : store_part(d + j, y, left);
        s += y;
    }
    return sum(s + s1);
}

INLINE float log_of(float x) { return vlog(splat(x))[0]; }

template <class F>
INLINE void along(float* d, const float* p, int64_t n, F f) {
    int64_t j = 0;
    for (; j + W <= n; j += W) store(d + j, f(load(p + j)));
    if (j < n) store_part(d + j, f(load_part(p + j, n - j)), n - j);
}

INLINE void softmax_row(float* d, const float* p, int64_t n) {
    const float total = exp_sum<true>(d, p, n, row_maximum(p, n));
    along(d, d, n, [total](vf x) { return x * (1.0f / total); });
}

INLINE float logsumexp_row(const float* p, int64_t n) {
    const float top = row_maximum(p, n);
    return top + log_of(exp_sum<false>(nullptr, p, n, top));
}

// The loss of one row of logits; they are replaced by weight * (softmax - onehot).
INLINE float softmax_cross_entropy_row(float* p, int64_t n, int32_t token, float weight) {
    const float top = row_maximum(p, n), chosen = p[token];
    const float total = exp_sum<true>(p, p, n, top);
    const float factor = weight / total;
    along(p, p, n, [factor](vf x) { return x * factor; });
    p[token] -= weight;
    return (top - chosen) + log_of(total);
}

INLINE float dot(const float* a, const float* b, int64_t n) {
    vf s = vf{};
    int64_t j = 0;
    for (; j + W <= n; j += W) s += load(a + j) * load(b + j);
    if (j < n) s += load_part(a + j, n - j) * load_part(b + j, n - j);
    return sum(s);
}

INLINE void add_to(float* d, const float* p, int64_t n) {
    int64_t j = 0;
    for (; j + W <= n; j += W) store(d + j, load(d + j) + load(p + j));
    if (j < n) store_part(d + j, load_part(d + j, n - j) + load_part(p + j, n - j), n - j);
}

// dst[m,n] (=|+=) op(A)[m,k] @ op(B)[k,n] with flattened matrices.
INLINE void small_matmul(float* d, const float* a, const float* b, int64_t m, int64_t k, int64_t n, bool ta, bool tb,
                         bool accumulate) {
    if (n == 1) {  // a column: compute its transpose, a row, which is contiguous
        const float* p = a;
        const bool t = ta;
        a = b, b = p, ta = false, tb = !t, n = m, m = 1;
    }
    const int64_t row_step = ta ? 1 : k, step = ta ? m : 1;
    for (int64_t i = 0; i < m; ++i) {
        const float* ai = a + i * row_step;
        float* di = d + i * n;
        if (!tb) {
            for (int64_t j = 0; j < n; j += W) {
                const int64_t left = n - j < W ? n - j : W;
                vf s = !accumulate ? vf{} : left == W ? load(di + j) : load_part(di + j, left);
                if (left == W)
                    for (int64_t p = 0; p < k; ++p) s += ai[p * step] * load(b + p * n + j);
                else
                    for (int64_t p = 0; p < k; ++p) s += ai[p * step] * load_part(b + p * n + j, left);
                left == W ? store(di + j, s) : store_part(di + j, s, left);
            }
        } else {
            for (int64_t j = 0; j < n; ++j) {
                float s = 0;
                if (!ta) s = dot(ai, b + j * k, k);
                else for (int64_t p = 0; p < k; ++p) s += ai[p * step] * b[j * k + p];
                di[j] = accumulate ? di[j] + s : s;
            }
        }
    }
}

INLINE void lookup(const Call& call) {
    const bool accumulate = call.has(bptt::ACCUMULATE), transposed = call.has(bptt::TRANSPOSED);
    for (int64_t r = 0; r < call.rows; ++r) {
        const int64_t token = call.tokens[r];
        float* d = row(call.d, r);
        if (transposed)
            for (int64_t j = 0; j < call.n; ++j) {
                const float w = call.b.p[j * call.b.ld + token];
                d[j] = accumulate ? d[j] + w : w;
            }
        else if (accumulate)
            add_to(d, row(call.b, token), call.n);
        else
            memcpy(d, row(call.b, token), call.n * sizeof(float));
    }
}

INLINE void scatter_sum(const Call& call) {
    for (int64_t r = 0; r < call.rows; ++r) {
        const int64_t token = call.tokens[r];
        const float* a = row(call.a, r);
        if (call.has(bptt::TRANSPOSED))
            for (int64_t j = 0; j < call.n; ++j) call.d.p[j * call.d.ld + token] += a[j];
        else
            add_to(row(call.d, token), a, call.n);
    }
}

// The same function of seed, key and position on every machine: a counter through a 32-bit mixing function.
INLINE void dropout_mask(const Call& call) {
    const vu base = (vu)splat_int((int32_t)(call.seed * 0x85EBCA77u + call.key * 0xC2B2AE3Du));
    const vu threshold = (vu)splat_int((int32_t)(uint32_t)(uint64_t)(call.f0 * 4294967296.0));
    const vf kept = splat((float)(1.0 / (1.0 - call.f0)));
    vu lane;
    for (int i = 0; i < W; ++i) lane[i] = i;
    for (int64_t r = 0; r < call.rows; ++r) {
        const uint32_t first = (call.first_row + (uint32_t)r) * (uint32_t)call.n;
        float* d = row(call.d, r);
        for (int64_t j = 0; j < call.n; j += W) {
            vu x = (lane + (first + (uint32_t)j)) * 0x9E3779B1u + base;
            x ^= x >> 16;
            x *= 0x7FEB352Du;
            x ^= x >> 15;
            x *= 0x846CA68Bu;
            x ^= x >> 16;
            const vf y = x >= threshold ? kept : vf{};
            call.n - j < W ? store_part(d + j, y, call.n - j) : store(d + j, y);
        }
    }
}

void run_rows(const Call& call) {
    using bptt::Op;
    const float f0 = (float)call.f0, f1 = (float)call.f1;
    const int64_t n = call.n;
    const auto each = [&call](auto f) {
        for (int64_t r = 0; r < call.rows; ++r) f(row(call.d, r), row(call.a, r), r);
    };
    switch (call.op) {
        case Op::FILL: return elementwise(call, [f0](vf, vf) { return splat(f0); });
        case Op::COPY: return elementwise(call, [](vf a, vf) { return a; });
        case Op::AFFINE: return elementwise(call, [f0, f1](vf a, vf) { return f0 * a + f1; });
        case Op::EXP: return elementwise(call, [](vf a, vf) { return vexp(a); });
        case Op::LOG: return elementwise(call, [](vf a, vf) { return vlog(a); });
        case Op::SQRT: return elementwise(call, [](vf a, vf) { return vsqrt(a); });
        case Op::TANH: return elementwise(call, [](vf a, vf) { return vtanh(a); });
        case Op::SIGMOID: return elementwise(call, [](vf a, vf) { return vsigmoid(a); });
        case Op::RELU: return elementwise(call, [](vf a, vf) { return a < vf{} ? vf{} : a; });
        case Op::STEP: return elementwise(call, [](vf a, vf) { return a > vf{} ? splat(1) : vf{}; });
        case Op::SOFTPLUS: return elementwise(call, [](vf a, vf) { return vsoftplus(a); });
        case Op::POW: return power(call);
        case Op::ADD: return elementwise(call, [](vf a, vf b) { return a + b; });
        case Op::SUB: return elementwise(call, [](vf a, vf b) { return a - b; });
        case Op::MUL: return elementwise(call, [](vf a, vf b) { return a * b; });
        case Op::DIV: return elementwise(call, [](vf a, vf b) { return a / b; });
        case Op::SIGMOID_GRADIENT: return elementwise(call, [](vf a, vf b) { return a * b * (1.0f - b); });
        case Op::TANH_GRADIENT: return elementwise(call, [](vf a, vf b) { return a * (1.0f - b * b); });
        case Op::COLUMN_SUM:
            for (int64_t r = 0; r < call.rows; ++r) add_to(call.d.p, row(call.a, r), n);
            return;
        case Op::LOOKUP: return lookup(call);
        case Op::SCATTER_SUM: return scatter_sum(call);
        case Op::SOFTMAX: return each([n](float* d, float* a, int64_t) { softmax_row(d, a, n); });
        case Op::LOG_SOFTMAX:
            return each([n](float* d, float* a, int64_t) {
                const float shift = logsumexp_row(a, n);
                along(d, a, n, [shift](vf x) { return x - shift; });
            });
        case Op::LOGSUMEXP: return each([n](float* d, float* a, int64_t) { *d = logsumexp_row(a, n); });
        case Op::CROSS_ENTROPY:
            return each([&call, n](float* d, float* a, int64_t r) {
                const float top = row_maximum(a, n);
                *d = (top - a[call.tokens[r]]) + log_of(exp_sum<false>(nullptr, a, n, top));
            });
        case Op::SOFTMAX_CROSS_ENTROPY:
            return each([&call, n](float* d, float* a, int64_t r) {
                *d = softmax_cross_entropy_row(a, n, call.tokens[r], *row(call.c, r));
            });
        case Op::ROW_SUM:
            return each([n](float* d, float* a, int64_t) {
                *d = sum(fold(a, n, vf{}, vf{}, [](vf s, vf x) { return s + x; }));
            });
        case Op::ROW_DOT:
            return each([&call, n](float* d, float* a, int64_t r) { *d = dot(a, row(call.b, r), n); });
        case Op::ONE_HOT:
            for (int64_t r = 0; r < call.rows; ++r) {
                memset(row(call.d, r), 0, n * sizeof(float));
                row(call.d, r)[call.tokens[r]] = 1;
            }
            return;
        case Op::PICK:
            return each([&call](float* d, float* a, int64_t r) { *d = a[call.tokens[r]]; });
        case Op::ROWS_MATMUL:
            return each([&call, n](float* d, float* a, int64_t r) {
                small_matmul(d, a, row(call.b, r), call.m, call.k, n, call.has(bptt::TRANSPOSED_A),
                             call.has(bptt::TRANSPOSED_B), call.has(bptt::ACCUMULATE));
            });
        case Op::ROWS_TRANSPOSE:
            return each([&call, n](float* d, float* a, int64_t) {
                for (int64_t i = 0; i < call.m; ++i)
                    for (int64_t j = 0; j < n; ++j) d[j * call.m + i] = a[i * n + j];
            });
        case Op::DROPOUT_MASK: return dropout_mask(call);
        case Op::GEMM: case Op::OUTER_SUM: return;  // product_kernels.h
    }
}

}  // namespace
