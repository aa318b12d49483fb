# Two layers of long short-term memory (see lstm).
size e = 64, h1 = 128, h2 = 128

e = x @ L
i1 = sigmoid(e @ Wi1 + h1[t-1] @ Ui1 + bi1)
f1 = sigmoid(e @ Wf1 + h1[t-1] @ Uf1 + bf1)
o1 = sigmoid(e @ Wo1 + h1[t-1] @ Uo1 + bo1)
g1 = tanh(e @ Wg1 + h1[t-1] @ Ug1 + bg1)
c1 = f1 * c1[t-1] + i1 * g1
h1 = o1 * tanh(c1)

i2 = sigmoid(h1 @ Wi2 + h2[t-1] @ Ui2 + bi2)
f2 = sigmoid(h1 @ Wf2 + h2[t-1] @ Uf2 + bf2)
o2 = sigmoid(h1 @ Wo2 + h2[t-1] @ Uo2 + bo2)
g2 = tanh(h1 @ Wg2 + h2[t-1] @ Ug2 + bg2)
c2 = f2 * c2[t-1] + i2 * g2
h2 = o2 * tanh(c2)

yhat = softmax(h2 @ U + b)
