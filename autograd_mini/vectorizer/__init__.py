"""The vectorizer: trace a scalar function, group its nodes, emit array statements, run them on whole batches."""

from autograd_mini.vectorizer.program import Program
from autograd_mini.vectorizer.vectorization import vectorize

__all__ = ["Program", "vectorize"]
