# One matrix both looks tokens up and scores the next one; the first state is learned.
size e = 96

e = x @ L
h = tanh(h[t-1] @ H + e + b1)
h[0] = h0
yhat = softmax(h @ L.T + b2)
