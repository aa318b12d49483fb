# Neural bigram: the next token from the present one, through a hidden layer of sigmoids.
size e = 64, h = 128

e = x @ L
h = sigmoid(e @ W + b1)
yhat = softmax(h @ U + b2)
