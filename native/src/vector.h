// One vector type per instruction set, and the few operations on it that the language extension lacks.
// Included only by kernels.cpp: everything is internal to the translation unit, so that no function compiled for
// one instruction set can be linked into the code of another.
#pragma once
#include <cstdint>
#include <cstring>
#include <utility>
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#define INLINE static inline __attribute__((always_inline))

namespace {

#if defined(__AVX512F__)
constexpr int W = 16;         // floats in a vector
constexpr int MAX_ROWS = 14;  // rows of the micro-kernel: 14 x 2 sums, 2 weights and an input fill 32 registers
#elif defined(__AVX2__)
constexpr int W = 8;
constexpr int MAX_ROWS = 6;   // 16 registers
#elif defined(__ARM_NEON)
constexpr int W = 4;
constexpr int MAX_ROWS = 10;  // 32 registers, of which compilers keep a dozen for inputs
#else
constexpr int W = 4;
constexpr int MAX_ROWS = 6;
#endif

typedef float vf __attribute__((vector_size(W * 4)));
typedef int32_t vi __attribute__((vector_size(W * 4)));
typedef uint32_t vu __attribute__((vector_size(W * 4)));
typedef float vf_unaligned __attribute__((vector_size(W * 4), aligned(4), may_alias));

INLINE vf splat(float x) { return x - vf{}; }
INLINE vi splat_int(int32_t x) { return x - vi{}; }
INLINE vf load(const float* p) { return *reinterpret_cast<const vf_unaligned*>(p); }
INLINE void store(float* p, vf x) { *reinterpret_cast<vf_unaligned*>(p) = x; }

// The first n < W floats; the other lanes are `fill` on loading and untouched in memory on storing.
#if defined(__AVX512F__)
INLINE vf load_part(const float* p, int64_t n, vf fill = vf{}) {
    return (vf)_mm512_mask_loadu_ps((__m512)fill, (__mmask16)((1u << n) - 1), p);
}
INLINE void store_part(float* p, vf x, int64_t n) {
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)x);
}
#elif defined(__AVX2__)
INLINE __m256i first_lanes(int64_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
INLINE vf load_part(const float* p, int64_t n, vf fill = vf{}) {
    const __m256i mask = first_lanes(n);
    return (vi)mask ? (vf)_mm256_maskload_ps(p, mask) : fill;
}
INLINE void store_part(float* p, vf x, int64_t n) { _mm256_maskstore_ps(p, first_lanes(n), (__m256)x); }
#else
INLINE vf load_part(const float* p, int64_t n, vf fill = vf{}) {
    for (int i = 0; i < n; ++i) fill[i] = p[i];
    return fill;
}
INLINE void store_part(float* p, vf x, int64_t n) {
    for (int i = 0; i < n; ++i) p[i] = x[i];
}
#endif

INLINE vi as_int(vf x) { return (vi)x; }
INLINE vf as_float(vi x) { return (vf)x; }
INLINE vf vabs(vf x) { return as_float(as_int(x) & 0x7fffffff); }
INLINE vf vmax(vf a, vf b) { return a > b ? a : b; }

INLINE vf vsqrt(vf x) {
#if defined(__AVX512F__)
    return (vf)_mm512_sqrt_ps((__m512)x);
#elif defined(__AVX2__)
    return (vf)_mm256_sqrt_ps((__m256)x);
#elif defined(__x86_64__)
    return (vf)_mm_sqrt_ps((__m128)x);
#elif defined(__ARM_NEON) && defined(__aarch64__)
    return (vf)vsqrtq_f32((float32x4_t)x);
#else
    for (int i = 0; i < W; ++i) x[i] = __builtin_sqrtf(x[i]);
    return x;
#endif
}

// The lanes of a and b in turn: a0 b0 a1 b1 ...; the first or the second half of them.
#if defined(__AVX512F__)
#define FIRST_HALF 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define SECOND_HALF 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#elif defined(__AVX2__)
#define FIRST_HALF 0, 8, 1, 9, 2, 10, 3, 11
#define SECOND_HALF 4, 12, 5, 13, 6, 14, 7, 15
#else
#define FIRST_HALF 0, 4, 1, 5
#define SECOND_HALF 2, 6, 3, 7
#endif

// Transposes W vectors of W lanes: log2(W) perfect shuffles of the whole.
INLINE void transpose(vf (&x)[W]) {
    for (int round = 1; round < W; round *= 2) {
        vf y[W];
#pragma GCC unroll 16
        for (int i = 0; i < W / 2; ++i) {
            y[2 * i] = __builtin_shufflevector(x[i], x[i + W / 2], FIRST_HALF);
            y[2 * i + 1] = __builtin_shufflevector(x[i], x[i + W / 2], SECOND_HALF);
        }
#pragma GCC unroll 16
        for (int i = 0; i < W; ++i) x[i] = y[i];
    }
}

template <int STEP, int... I>
INLINE vf rotated(vf x, std::integer_sequence<int, I...>) {
    return __builtin_shufflevector(x, x, (I + STEP) % W...);
}
// f over all lanes, halving their number each time.
template <int STEP = W / 2, class F>
INLINE float reduce(vf x, F f) {
    x = f(x, rotated<STEP>(x, std::make_integer_sequence<int, W>()));
    if constexpr (STEP > 1) return reduce<STEP / 2>(x, f);
    return x[0];
}
INLINE float sum(vf x) { return reduce(x, [](vf a, vf b) { return a + b; }); }
INLINE float maximum(vf x) { return reduce(x, vmax); }

}  // namespace
