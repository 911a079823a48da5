"""The name under which micrograd has `Value`: ``from autograd_mini.engine import Value``."""

from autograd_mini.engine.value import Value

__all__ = ["Value"]
