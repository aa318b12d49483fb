// What the optimisers do, over lists of arrays of equal sizes. None of these needs the GIL.
#pragma once
#include <vector>

#include "arrays.h"
#include "kernels.h"

namespace bptt {

void sgd_step(const std::vector<Array>& params, const std::vector<Array>& grads, const std::vector<Array>& velocities,
              float lr, float momentum, float decay);  // no velocities: plain gradient descent
void adam_step(const std::vector<Array>& params, const std::vector<Array>& grads, const std::vector<Array>& m,
               const std::vector<Array>& v, const AdamStep&);
void scale(const std::vector<Array>& arrays, float factor);
double squared_norm(const std::vector<Array>& arrays);
bool all_finite(const std::vector<Array>& arrays);

}  // namespace bptt
