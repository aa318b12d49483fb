# Residual recurrent network: tanh gives what is added to the state.
size e = 64, h = 128

e = x @ L
h = tanh(h[t-1] @ H + e @ I) + h[t-1]
yhat = softmax(h @ U)
