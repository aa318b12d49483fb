# Recurrent network with tanh and without biases.
size e = 64, h = 128

e = x @ L
h = tanh(h[t-1] @ H + e @ I)
yhat = softmax(h @ U)
