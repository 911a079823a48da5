"""Record what JAX's functions of the same names give, with their gradients, into jax_figures.json beside this file.

Run it where JAX is installed, which the test doesn't need: ``python tests/record_jax_figures.py``. The test takes the
points from the file.
"""

import json
from pathlib import Path

FIGURES = Path(__file__).with_name("jax_figures.json")
NUMBERS = [-800.0, -40.0, -8.0, -1.0, -0.25, 0.5, 1.0, 3.0, 40.0, 800.0]
POSITIVE = [1e-300, 0.125, 1.0, 3.0, 8.0, 1000.0, 1e300]
PAIRS = [[3.0, 4.0], [-3.0, 4.0], [3.0, -4.0], [-3.0, -4.0], [0.0, 2.0], [2.0, 0.0], [1e-8, 5.0], [-2.0, 1e8]]
LISTS = [[0.5], [1.0, -2.0, 3.0], [2.0, 0.0, 5.0, -1.0], [0.0, 3.0, 0.0], [800.0, -800.0, 0.5, 799.0]]


def record() -> None:
    import jax
    from jax import numpy as jnp

    jax.config.update("jax_enable_x64", True)
    functions = {
        "silu": (jax.nn.silu, NUMBERS),
        "gelu": (lambda x: jax.nn.gelu(x, approximate=False), NUMBERS),
        "gelu_tanh": (lambda x: jax.nn.gelu(x, approximate=True), NUMBERS),
        "log_sigmoid": (jax.nn.log_sigmoid, NUMBERS),
        "square": (jnp.square, NUMBERS),
        "reciprocal": (jnp.reciprocal, NUMBERS),
        "cbrt": (jnp.cbrt, NUMBERS),
        "clip": (lambda x: jnp.clip(x, -2.0, 2.0), NUMBERS),
        "log2": (jnp.log2, POSITIVE),
        "log10": (jnp.log10, POSITIVE),
        "hypot": (lambda p: jnp.hypot(p[0], p[1]), PAIRS),
        "atan2": (lambda p: jnp.arctan2(p[0], p[1]), PAIRS),
        "mean": (jnp.mean, LISTS),
        "prod": (jnp.prod, LISTS),
        "log_softmax": (lambda p: jax.nn.log_softmax(p)[-1], LISTS),
    }
    figures = {}
    for name, (function, points) in functions.items():
        results = [jax.value_and_grad(function)(jnp.array(point)) for point in points]
        figures[name] = [
            [point, float(value), gradient.tolist()] for point, (value, gradient) in zip(points, results, strict=True)
        ]
    lines = [f"{json.dumps(name)}: {json.dumps(rows)}" for name, rows in figures.items()]
    FIGURES.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    record()
