"""Text: corpora, tokenizers and vocabularies, and batches of token pairs. Knows nothing of models."""
