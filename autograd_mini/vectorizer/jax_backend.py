"""The JAX backend: a printed program under ``jax.jit``, with the two calls of a NumPy program around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_mini.checks import Array, needed


def jax_module() -> Any:
    """Return the package.

    Raises
    ------
    MissingDependencyError
        If it isn't installed.
    """
    return needed("jax", 'backend="jax" needs JAX, which isn\'t installed; pip install "autograd-mini[jax]"')


def precision(dtype: Any) -> Any:
    """Return a context in which JAX computes in the precision of a dtype; its own default is float32."""
    jax = jax_module()
    enable = jax.enable_x64 if hasattr(jax, "enable_x64") else jax.experimental.enable_x64
    return enable(np.dtype(dtype) == np.float64)


def devices(count: int) -> list[Any]:
    """Return so many of JAX's devices.

    Raises
    ------
    ValueError
        If there are fewer.
    """
    there = jax_module().devices()
    if count > len(there):
        raise ValueError(
            f"devices: expected at most the {len(there)} that JAX has, got {count}; on a machine without accelerators "
            f"XLA_FLAGS=--xla_force_host_platform_device_count={count} makes so many of its cores"
        )
    return list(there[:count])


class JaxProgram:
    """A printed program, compiled by JAX for each batch size, on one device or on several.

    Parameters
    ----------
    source : str
        A module with a function ``run(theta, seed, *inputs)``.
    dtype : numpy.dtype
        The precision.
    n_devices : int, optional
        On how many devices the batch is spread; the parameters are on each of them.
    """

    def __init__(self, source: str, dtype: Any, n_devices: int = 1) -> None:
        jax = jax_module()
        namespace: dict[str, Any] = {}
        exec(compile(source, "<program>", "exec"), namespace)
        self.dtype, self._n_devices = dtype, n_devices
        run = namespace["run"]
        self._both = jax.jit(run)
        self._values = jax.jit(lambda *arguments: run(*arguments)[:2])  # XLA leaves out what nobody asks for
        self._batch: Any = None
        if n_devices > 1:
            mesh = jax.sharding.Mesh(np.array(devices(n_devices)), ("batch",))
            self._batch = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("batch"))
            self._everywhere = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())

    def __call__(self, theta: Array, seed: Any, columns: Sequence[Array]) -> Any:
        """Return the results, what modules asked for, the gradient, and those of the inputs.

        Without a seed there are no gradients, and nothing is computed for them.
        """
        jax = jax_module()
        with precision(self.dtype):
            given = [np.asarray(theta, self.dtype), np.asarray(0.0 if seed is None else seed, self.dtype)]
            arrays = [np.asarray(column, self.dtype) for column in columns]
            if self._batch is not None:
                # A batch that the devices can't share evenly is computed by each of them as a whole.
                shared = len(columns[0]) % self._n_devices == 0
                given = [jax.device_put(array, self._everywhere) for array in given]
                arrays = [jax.device_put(array, self._batch if shared else self._everywhere) for array in arrays]
            return self._values(*given, *arrays) if seed is None else self._both(*given, *arrays)


class JaxWorkspace:
    """A JAX program for one batch size: XLA compiles both passes together."""

    def __init__(self, program: JaxProgram, theta: Array, gradient: Array, n_outputs: int) -> None:
        self._program, self._n_outputs = program, n_outputs
        self.theta, self.gradient = theta, gradient

    def run(self, columns: Sequence[Array], seed: Any) -> tuple[Any, Any, Any]:
        """Return the results, what modules asked for, and the gradients of the inputs; see `Workspace.run`."""
        nothing = np.zeros(self._n_outputs) if self._n_outputs > 1 and seed is None else None
        found = self._program(self.theta, seed if nothing is None else nothing, columns)
        if seed is not None:
            self.gradient[:] = found[2]
        by_input = () if seed is None else found[3]
        outputs, effects, gradients = [tuple(map(np.asarray, part)) for part in (found[0], found[1], by_input)]
        return outputs, effects, gradients
