"""Formulas and derivations for a terminal, Markdown, LaTeX and HTML."""
