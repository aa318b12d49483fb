# A matrix as state: what was seen is written into S as outer products, and read back with a query.
# (Schmidhuber 1992; linear attention is the same with decay 1.)
size e = 48, k = 24, v = 32

e = x @ L
k = tanh(e @ Wk)
v = e @ Wv
q = tanh(e @ Wq)
d = sigmoid(sum(e * w))             # how much of the past to keep, one number
S = d * S[t-1] + k.T @ v
yhat = softmax((q @ S) @ U + b)
