# Two layers of gated recurrent units (see gru).
size e = 64, h1 = 128, h2 = 128

e = x @ L
r1 = sigmoid(e @ Wr1 + h1[t-1] @ Ur1 + br1)
z1 = sigmoid(e @ Wz1 + h1[t-1] @ Uz1 + bz1)
n1 = tanh(e @ Wn1 + bn1 + r1 * (h1[t-1] @ Un1 + cn1))
h1 = (1 - z1) * n1 + z1 * h1[t-1]

r2 = sigmoid(h1 @ Wr2 + h2[t-1] @ Ur2 + br2)
z2 = sigmoid(h1 @ Wz2 + h2[t-1] @ Uz2 + bz2)
n2 = tanh(h1 @ Wn2 + bn2 + r2 * (h2[t-1] @ Un2 + cn2))
h2 = (1 - z2) * n2 + z2 * h2[t-1]

yhat = softmax(h2 @ U + b)
