"""Language models: initial values, training, scores, samples, and the files they are kept in."""
