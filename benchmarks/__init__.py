"""Speed of training beside other programs. Run from the repository's root; README.md says how to read it."""
