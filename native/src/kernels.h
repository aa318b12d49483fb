// The interface between the executor and the kernels, which are compiled once per instruction set.
#pragma once
#include <cstdint>

#include "program.h"

namespace bptt {

// Rows of floats. `scalar`: one column stands for all; ld == 0: one row stands for all.
struct View {
    float* p = nullptr;
    int64_t ld = 0;
    bool scalar = false;
};

// A row-wise instruction (or a lookup, scatter, column sum) on `rows` consecutive rows.
struct Call {
    Op op;
    uint32_t flags;
    int64_t rows, n;   // n: width of dst; of a where dst is one number a row
    View d, a, b, c;
    const int32_t* tokens;
    double f0, f1;
    int64_t m, k;      // ROWS_MATMUL, ROWS_TRANSPOSE; with their own n
    uint32_t seed, key, first_row;  // DROPOUT_MASK
    bool has(Flag flag) const { return flags & flag; }
};

struct AdamStep {
    float lr, epsilon, decay;
    float beta1, beta2, gain1, gain2;  // gain: 1 - beta, which float32 knows better than beta
    float correction1, correction2;    // 1 - beta**step
};

struct Kernels {
    const char* isa;
    int64_t panel;    // columns of a packed panel of weights
    int64_t lanes;    // columns are padded to a multiple of this
    int64_t scratch;  // floats of scratch a thread needs for the products

    void (*rows)(const Call&);

    // Panels `first` to `last` of W[K,N] (transposed: of the transpose of w[N,K]) into the layout gemm reads.
    void (*pack)(float* packed, const float* w, int64_t ldw, int64_t K, int64_t N, bool transposed, int64_t first,
                 int64_t last);
    // Columns [j0, j1) of d[rows,N] (=|+=) a[rows,K] @ W + bias; j0 is the start of a panel.
    void (*gemm)(View d, View a, const float* packed, const float* bias, int64_t rows, int64_t K, int64_t N,
                 int64_t j0, int64_t j1, bool accumulate, float* scratch);
    // d[K,N] += a[rows,K].T @ b[rows,N]
    void (*outer_sum)(View d, View a, View b, int64_t rows, int64_t K, int64_t N, float* scratch);

    void (*sgd)(float* p, const float* g, float* velocity, int64_t n, float lr, float momentum, float decay);
    void (*adam)(float* p, const float* g, float* m, float* v, int64_t n, const AdamStep&);
    void (*scale)(float* p, int64_t n, float factor);
    double (*squared_norm)(const float* p, int64_t n);
    bool (*all_finite)(const float* p, int64_t n);
};

// The kernels for this machine: the best it can run, or what the environment variable BPTT_ISA names
// (std::invalid_argument if that is unknown, not built, or not supported here).
const Kernels& kernels();

const Kernels* kernels_avx512();
const Kernels* kernels_avx2();
const Kernels* kernels_neon();
const Kernels* kernels_plain();

}  // namespace bptt
