// Which kernels to use on this machine.
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "kernels.h"

namespace bptt {
namespace {

struct Choice {
    const char* name;
    const Kernels* (*table)();  // null: not built for this kind of processor
    bool supported;
};

bool cpu_has_avx512() {
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
#else
    return false;
#endif
}

bool cpu_has_avx2() {
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
    return false;
#endif
}

#if defined(__x86_64__)
#define X86(f) f
#else
#define X86(f) nullptr
#endif
#if defined(__aarch64__)
#define ARM(f) f
#else
#define ARM(f) nullptr
#endif

}  // namespace

const Kernels& kernels() {
    const Choice best_first[] = {
        {"avx512", X86(kernels_avx512), cpu_has_avx512()},
        {"avx2", X86(kernels_avx2), cpu_has_avx2()},
        {"neon", ARM(kernels_neon), true},
        {"plain", kernels_plain, true},
    };
    const char* forced = std::getenv("BPTT_ISA");
    const std::string wanted = forced ? forced : "";
    for (const Choice& c : best_first) {
        const bool runs = c.table && c.supported;
        if (wanted.empty() ? runs : wanted == c.name) {
            if (!runs) throw std::invalid_argument("BPTT_ISA=" + wanted + ": this processor does not support it");
            return *c.table();
        }
    }
    throw std::invalid_argument("BPTT_ISA=" + wanted + ": unknown; the names are avx512, avx2, neon and plain");
}

}  // namespace bptt
