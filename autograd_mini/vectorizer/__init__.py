"""The vectorizer: trace a scalar function, group its nodes, emit array statements, run them on whole batches."""

from autograd_mini.vectorizer.program import Program, vectorize

__all__ = ["Program", "vectorize"]
