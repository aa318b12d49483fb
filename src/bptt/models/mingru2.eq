# Two layers of minimal GRUs (see mingru), with a tanh between them.
size e = 64, h1 = 128, h2 = 128

e = x @ L
z1 = sigmoid(e @ Wz1 + bz1)
n1 = e @ Wn1 + bn1
h1 = (1 - z1) * h1[t-1] + z1 * n1

a = tanh(h1)
z2 = sigmoid(a @ Wz2 + bz2)
n2 = a @ Wn2 + bn2
h2 = (1 - z2) * h2[t-1] + z2 * n2

yhat = softmax(h2 @ U + b)
