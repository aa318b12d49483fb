# A cell of one's own: one gate, no reset, and a candidate that looks two steps back.
size e = 48, h = 96

e = x @ L
g = sigmoid(e @ Wg + h[t-1] @ Ug + bg)               # how much of the candidate to take
n = tanh(e @ Wn + (h[t-1] - h[t-2]) @ Un + bn)       # what has changed lately
h = h[t-1] + g * (n - h[t-1])
yhat = softmax(h @ U + b)
