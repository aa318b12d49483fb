# Gated recurrent unit (Cho et al. 2014).
# The reset gate acts after the product with the state: all products with h[t-1] are then one.
size e = 64, h = 128

e = x @ L
r = sigmoid(e @ Wr + h[t-1] @ Ur + br)       # reset gate
z = sigmoid(e @ Wz + h[t-1] @ Uz + bz)       # update gate
n = tanh(e @ Wn + bn + r * (h[t-1] @ Un + cn))   # candidate
h = (1 - z) * n + z * h[t-1]
yhat = softmax(h @ U + b)
