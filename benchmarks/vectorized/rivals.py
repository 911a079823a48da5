"""The other libraries, imported when a work needs them and told to keep to one thread.

A missing one raises ImportError, which the timing shows as "not installed".
"""

from __future__ import annotations

import functools
import os
import shutil
from typing import Any


@functools.cache
def torch() -> Any:
    """Return PyTorch."""
    import torch

    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    return torch


def compiling_torch() -> Any:
    """Return PyTorch, where there is the C++ compiler that ``torch.compile`` needs."""
    module = torch()
    if shutil.which("g++") is None and shutil.which("clang++") is None:
        raise ImportError("torch.compile needs a C++ compiler", name="g++")
    return module


@functools.cache
def jax() -> Any:
    """Return JAX with float64, and with each call run in the thread that made it."""
    os.environ["NPROC"] = "1"  # the size of XLA's thread pool, read when it starts
    import jax

    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_cpu_enable_async_dispatch", False)
    return jax
