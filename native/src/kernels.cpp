// All kernels for one instruction set. CMake compiles this file several times, each time with other compiler flags
// and another name for the one symbol that it exports.
#include "product_kernels.h"
#include "row_kernels.h"
#include "update_kernels.h"

#define STRING_OF(x) #x
#define STRING(x) STRING_OF(x)
#define JOIN_OF(a, b) a##b
#define JOIN(a, b) JOIN_OF(a, b)

const bptt::Kernels* bptt::JOIN(kernels_, BPTT_KERNELS)() {
    static constexpr Kernels table = {STRING(BPTT_KERNELS), PANEL, W,   SCRATCH,      run_rows,  pack, gemm,
                                      outer_sum,            sgd,   adam, scale, squared_norm, all_finite};
    return &table;
}
