// exp, log, tanh, sigmoid, softplus on vectors: relative error about 1e-7 wherever the result is a normal number,
// and the right limit at infinities. Method: reduce to a small interval around 0 or 1, then a polynomial (the
// coefficients are minimax fits of the usual kind, see Muller, Elementary Functions, ch. 3 and 11).
#pragma once
#include "vector.h"

namespace {

constexpr float LOG2E = 1.44269504088896341f;
constexpr float LN2_HIGH = 0.693359375f;  // few bits, so that n * LN2_HIGH is exact
constexpr float LN2_LOW = -2.12194440054690583e-4f;

INLINE vf round_to_integer(vf x) {
    const vf magic = splat(12582912.0f);  // 1.5 * 2**23: the sum has no bits left for a fraction
    return (x + magic) - magic;
}
// Unsigned, since a NaN on its way through here has become some integer, perhaps a very large one.
INLINE vi shifted(vi n, int bits) { return (vi)((vu)n << bits); }
INLINE vf power_of_two(vi n) { return as_float(shifted((vi)((vu)n + 127u), 23)); }  // -126 <= n <= 127

// exp(r) - 1 for |r| <= ln(2) / 2
INLINE vf expm1_reduced(vf r) {
    vf p = splat(1.9875691500e-4f);
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    return p * r * r + r;
}

INLINE vf vexp(vf x) {
    // Beyond these bounds the result is 0 or infinity anyway. A NaN passes both comparisons and stays.
    x = x < splat(-105.0f) ? splat(-105.0f) : x;
    x = x > splat(90.0f) ? splat(90.0f) : x;
    const vf n = round_to_integer(x * LOG2E);
    const vf r = (x - n * LN2_HIGH) - n * LN2_LOW;
    // Two factors, since 2**n itself may be too large or too small where the product is not.
    const vi whole = __builtin_convertvector(n, vi);
    const vi half = whole >> 1;
    return (expm1_reduced(r) + 1.0f) * power_of_two(half) * power_of_two(whole - half);
}

// tanh(x) = (e - 1) / (e + 1) with e = exp(2|x|), and e - 1 computed without cancellation
INLINE vf vtanh(vf x) {
    vf y = 2.0f * vabs(x);
    y = y > splat(20.0f) ? splat(20.0f) : y;  // from here on the result is 1
    const vf n = round_to_integer(y * LOG2E);
    const vf r = (y - n * LN2_HIGH) - n * LN2_LOW;
    const vf scale = power_of_two(__builtin_convertvector(n, vi));
    const vf em1 = scale * expm1_reduced(r) + (scale - 1.0f);
    const vf t = em1 / (em1 + 2.0f);
    return as_float(as_int(t) | (as_int(x) & (int32_t)0x80000000));
}

INLINE vf vsigmoid(vf x) { return 1.0f / (1.0f + vexp(-x)); }

// log(x) for a positive, normal, finite x
INLINE vf log_normal(vf x) {
    const vi bits = as_int(x);
    // x = m * 2**e with m in [sqrt(1/2), sqrt(2))
    const vi e = (bits - 0x3f3504f3) >> 23;
    const vf f = as_float(bits - shifted(e, 23)) - 1.0f;
    vf p = splat(7.0376836292e-2f);
    p = p * f - 1.1514610310e-1f;
    p = p * f + 1.1676998740e-1f;
    p = p * f - 1.2420140846e-1f;
    p = p * f + 1.4249322787e-1f;
    p = p * f - 1.6668057665e-1f;
    p = p * f + 2.0000714765e-1f;
    p = p * f - 2.4999993993e-1f;
    p = p * f + 3.3333331174e-1f;
    const vf exponent = __builtin_convertvector(e, vf);
    const vf square = f * f;
    vf y = p * f * square + exponent * LN2_LOW;
    y = y - 0.5f * square;
    return (f + y) + exponent * LN2_HIGH;
}

INLINE vf vlog(vf x) {
    const vf infinity = splat(__builtin_inff());
    const vi tiny = x < splat(1.17549435e-38f);
    vf y = tiny ? x * 8388608.0f : x;  // 2**23 makes a subnormal number normal
    y = y > vf{} ? y : splat(1.0f);    // what is not positive gets its result below
    y = log_normal(y) - (tiny ? splat(15.9423851528787f) : vf{});
    y = x < infinity ? y : x;  // infinity and NaN
    y = x == vf{} ? -infinity : y;
    return x < vf{} ? splat(__builtin_nanf("")) : y;
}

// log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|)); log1p by the correction of Kahan for the rounding of 1 + u
INLINE vf vsoftplus(vf x) {
    const vf u = vexp(-vabs(x));
    const vf w = 1.0f + u;
    const vf log1p = log_normal(w) + (u - (w - 1.0f)) / w;
    return (x > vf{} ? x : vf{}) + log1p;
}

}  // namespace
