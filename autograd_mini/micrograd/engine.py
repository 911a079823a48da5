"""``from micrograd.engine import Value`` with the import replaced."""

from autograd_mini.engine.value import Value

__all__ = ["Value"]
