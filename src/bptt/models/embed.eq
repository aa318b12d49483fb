# Embed and unembed: a linear bigram model of low rank, without biases.
size e = 64

e = x @ L
yhat = softmax(e @ U)
