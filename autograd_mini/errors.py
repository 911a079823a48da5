"""The exceptions of the package that Python has no name for."""

from __future__ import annotations


class AnomalyError(ArithmeticError):
    """A value or a gradient became infinite or nan inside `detect_anomaly`.

    Attributes
    ----------
    examples : dict of int to str
        Of a batch: what is wrong in which example. Empty where there is no batch.
    """

    def __init__(self, message: str = "", examples: dict[int, str] | None = None) -> None:
        super().__init__(message)
        self.examples = examples or {}


class GradientCheckError(AssertionError):
    """A gradient disagrees with its finite difference."""


class LoadError(ValueError):
    """A file can't be read: it is damaged, isn't one of this library's, or holds something else than was asked for."""


class MissingDependencyError(ImportError):
    """A package of an optional extra is needed and isn't installed."""


class ProgramError(RuntimeError):
    """A program gave another result than the scalar engine: it depends on something that it can't see."""


class TraceError(TypeError):
    """A function can't be vectorized, because what it does depends on the data of one example."""
