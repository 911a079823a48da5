"""The engine: nodes, the table of operations, the two passes over a graph, derivatives. Only `arrays` needs NumPy.

micrograd has `Value` under this name too: ``from autograd_mini.engine import Value``.
"""

from autograd_mini.engine.value import Value

__all__ = ["Value"]
