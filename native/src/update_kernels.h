// What an optimiser does to one array: element-wise updates, norms, a test for infinities.
#pragma once
#include "kernels.h"
#include "vector.h"

namespace {

// f(offset, get, put) for every vector of n elements; get and put are whole or partial loads and stores.
template <class F>
INLINE void vectors(int64_t n, F f) {
    int64_t j = 0;
    for (; j + W <= n; j += W)
        f([j](const float* p) { return load(p + j); }, [j](float* p, vf x) { store(p + j, x); });
    if (j < n)
        f([j, n](const float* p) { return load_part(p + j, n - j); },
          [j, n](float* p, vf x) { store_part(p + j, x, n - j); });
}

void sgd(float* p, const float* g, float* velocity, int64_t n, float lr, float momentum, float decay) {
    vectors(n, [=](auto get, auto put) {
        vf step = get(g) + decay * get(p);
        if (velocity) {
            step += momentum * get(velocity);
            put(velocity, step);
        }
        put(p, get(p) - lr * step);
    });
}

// Adam (Kingma and Ba, 2015) with decoupled weight decay (Loshchilov and Hutter, 2019).
void adam(float* p, const float* g, float* m, float* v, int64_t n, const bptt::AdamStep& s) {
    vectors(n, [=](auto get, auto put) {
        const vf gradient = get(g);
        const vf first = s.beta1 * get(m) + s.gain1 * gradient;
        const vf second = s.beta2 * get(v) + s.gain2 * gradient * gradient;
        put(m, first), put(v, second);
        const vf step = (first / s.correction1) / (vsqrt(second / s.correction2) + s.epsilon);
        const vf value = get(p);
        put(p, value - s.lr * (step + s.decay * value));
    });
}

void scale(float* p, int64_t n, float factor) {
    vectors(n, [=](auto get, auto put) { put(p, get(p) * factor); });
}

// Summed in 32 lanes on every instruction set, so that the result is the same on all of them.
double squared_norm(const float* p, int64_t n) {
    typedef float Floats __attribute__((vector_size(32)));
    typedef double Doubles __attribute__((vector_size(64)));
    constexpr int LANES = 8, SUMS = 4;
    Doubles s[SUMS] = {};
    int64_t j = 0;
    for (; j + LANES * SUMS <= n; j += LANES * SUMS)
        for (int k = 0; k < SUMS; ++k) {
            Floats x;
            __builtin_memcpy(&x, p + j + k * LANES, sizeof x);
            const Doubles y = __builtin_convertvector(x, Doubles);
            s[k] += y * y;
        }
    for (int i = 0; j < n; ++i, ++j) s[i / LANES][i % LANES] += static_cast<double>(p[j]) * p[j];
    const Doubles lanes = (s[0] + s[1]) + (s[2] + s[3]);
    double total = 0;
    for (int i = 0; i < LANES; ++i) total += lanes[i];
    return total;
}

bool all_finite(const float* p, int64_t n) {
    vi bad = vi{};
    vectors(n, [&](auto get, auto) { bad |= (as_int(get(p)) & 0x7f800000) == 0x7f800000; });
    int32_t any = 0;
    for (int i = 0; i < W; ++i) any |= bad[i];
    return !any;
}

}  // namespace
