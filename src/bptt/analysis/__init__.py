"""What else follows from a model's equations: what it costs, and how far its gradients reach."""
