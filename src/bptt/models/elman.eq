# Elman network with a sigmoid, as in the textbook.
size e = 64, h = 128

e = x @ L
h = sigmoid(h[t-1] @ H + e @ I + b1)
yhat = softmax(h @ U + b2)
