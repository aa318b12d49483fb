# Minimal GRU, minGRU (Feng et al. 2024): gate and candidate do not see the state: no product is in the loop.
size e = 64, h = 128

e = x @ L
z = sigmoid(e @ Wz + bz)                     # update gate
n = e @ Wn + bn                              # candidate
h = (1 - z) * h[t-1] + z * n
yhat = softmax(h @ U + b)
