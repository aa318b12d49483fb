# Long short-term memory with a forget gate (Hochreiter and Schmidhuber 1997, Gers et al. 2000).
size e = 64, h = 128

e = x @ L
i = sigmoid(e @ Wi + h[t-1] @ Ui + bi)       # input gate
f = sigmoid(e @ Wf + h[t-1] @ Uf + bf)       # forget gate
o = sigmoid(e @ Wo + h[t-1] @ Uo + bo)       # output gate
g = tanh(e @ Wg + h[t-1] @ Ug + bg)          # candidate
c = f * c[t-1] + i * g                       # cell
h = o * tanh(c)
yhat = softmax(h @ U + b)
