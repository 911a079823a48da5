"""Black and Scholes's price of a call and its derivatives by S, K, T, r and σ, for 100,000 scenarios.

The scenarios are five columns, each of them contiguous. NumPy has no erf; its versions take SciPy's.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

import autograd_mini as ag
from vectorized import ours, rivals
from vectorized.timing import ON_NUMPY, OURS, Contender, Mark, Work

SCENARIOS, SAMPLE, BLOCK = 100_000, 1_000, 4_096
Array = np.ndarray[Any, Any]


@functools.cache
def columns() -> Array:
    """Return the scenarios, shape (5, n): S, K, T, r and σ."""
    rng = np.random.default_rng(0)
    ranges = ((80.0, 120.0), (80.0, 120.0), (0.1, 2.0), (0.0, 0.05), (0.1, 0.5))
    return np.array([rng.uniform(low, high, SCENARIOS) for low, high in ranges])


def price_with(exp: Any, log: Any, sqrt: Any, erf: Any) -> Callable[..., Any]:
    """Return the price as a formula over a library's functions."""

    def below(z: Any) -> Any:
        return 0.5 * (1.0 + erf(z * math.sqrt(0.5)))

    def price(S: Any, K: Any, T: Any, r: Any, sigma: Any) -> Any:
        spread = sigma * sqrt(T)
        d1 = (log(S / K) + (r + 0.5 * sigma * sigma) * T) / spread
        return S * below(d1) - K * exp(-r * T) * below(d1 - spread)

    return price


def contender(run: Callable[[], Any], **options: Any) -> Contender:
    """Return the contender whose run gives the prices and the five derivatives, shape (5, n)."""

    def numbers() -> Array:
        prices, derivatives = run()
        return np.vstack([np.asarray(prices), np.asarray(derivatives)])[:, :SAMPLE]

    return Contender(run, numbers, **options)


def own() -> Contender:
    """Return this library's way."""
    price = price_with(ag.exp, ag.log, ag.sqrt, ag.erf)
    evaluate = ours.values_and_derivatives(lambda x: price(*x))
    X = columns().T

    def run() -> Any:
        prices, derivatives = evaluate(X)
        return prices, derivatives.T

    return contender(run)


def own_eager() -> Contender:
    """Return this library's eager engine, on a sample of the scenarios."""
    price = price_with(ag.exp, ag.log, ag.sqrt, ag.erf)
    rows = columns().T[:SAMPLE].tolist()

    def run() -> Any:
        prices, derivatives = [], []
        for row in rows:
            inputs = [ag.Value(number) for number in row]
            root = price(*inputs)
            root.backward()
            prices.append(root.data)
            derivatives.append([x.grad for x in inputs])
        return prices, np.transpose(derivatives)

    return contender(run, share=SAMPLE / SCENARIOS, rounds=5)


def by_hand() -> Contender:
    """Return NumPy by hand: the textbook's Greeks, block by block, in buffers that stay in the cache."""
    from scipy.special import erf

    X = columns()
    prices, out = np.empty(SCENARIOS), np.empty((5, SCENARIOS))
    buffers = np.empty((8, BLOCK))
    half, root_2pi = math.sqrt(0.5), math.sqrt(2.0 * math.pi)

    def block(start: int, stop: int) -> None:
        S, K, T, r, sigma = X[:, start:stop]
        by_S, by_K, by_T, by_r, by_sigma = out[:, start:stop]
        root_T, spread, d1, N1, N2, discounted, density, work = buffers[:, : stop - start]
        np.sqrt(T, out=root_T)
        np.multiply(sigma, root_T, out=spread)
        np.divide(S, K, out=d1)
        np.log(d1, out=d1)
        np.multiply(sigma, sigma, out=work)
        np.multiply(work, 0.5, out=work)
        np.add(work, r, out=work)
        np.multiply(work, T, out=work)
        np.add(d1, work, out=d1)
        np.divide(d1, spread, out=d1)
        np.subtract(d1, spread, out=N2)
        for z, N in ((d1, N1), (N2, N2)):
            np.multiply(z, half, out=N)
            erf(N, out=N)
            np.add(N, 1.0, out=N)
            np.multiply(N, 0.5, out=N)
        np.multiply(r, T, out=discounted)
        np.negative(discounted, out=discounted)
        np.exp(discounted, out=discounted)
        np.multiply(discounted, N2, out=by_K)  # e^(-rT) N(d2), whose negative is ∂/∂K
        np.multiply(K, by_K, out=work)  # K e^(-rT) N(d2)
        np.multiply(S, N1, out=prices[start:stop])
        np.subtract(prices[start:stop], work, out=prices[start:stop])
        np.negative(by_K, out=by_K)
        by_S[...] = N1
        np.multiply(work, T, out=by_r)
        np.multiply(d1, d1, out=density)
        np.multiply(density, -0.5, out=density)
        np.exp(density, out=density)
        np.multiply(density, 1.0 / root_2pi, out=density)
        np.multiply(density, S, out=density)  # S φ(d1)
        np.multiply(density, root_T, out=by_sigma)
        np.multiply(density, sigma, out=by_T)
        np.divide(by_T, root_T, out=by_T)
        np.multiply(by_T, 0.5, out=by_T)
        np.multiply(work, r, out=work)
        np.add(by_T, work, out=by_T)

    def run() -> Any:
        for start in range(0, SCENARIOS, BLOCK):
            block(start, min(start + BLOCK, SCENARIOS))
        return prices, out

    return contender(run)


def pytorch() -> Contender:
    """Return PyTorch's way."""
    torch = rivals.torch()
    price = price_with(torch.exp, torch.log, torch.sqrt, torch.erf)
    inputs = [torch.tensor(column, requires_grad=True) for column in columns()]

    def run() -> Any:
        prices = price(*inputs)
        derivatives = torch.autograd.grad(prices, inputs, torch.ones_like(prices))
        return prices.detach(), derivatives

    return contender(run)


def jax_jit() -> Contender:
    """Return JAX's way: price and derivatives of one scenario, mapped over all under ``jit``."""
    jax = rivals.jax()
    jnp = jax.numpy
    price = price_with(jnp.exp, jnp.log, jnp.sqrt, jax.scipy.special.erf)
    compiled = jax.jit(jax.vmap(jax.value_and_grad(price, argnums=(0, 1, 2, 3, 4))))
    inputs = [jnp.asarray(column) for column in columns()]
    return contender(lambda: jax.block_until_ready(compiled(*inputs)))


def hips_autograd() -> Contender:
    """Return HIPS autograd's way: one forward pass on the columns and one backward pass."""
    import autograd.numpy as anp
    from autograd import make_vjp
    from autograd.scipy.special import erf

    price = price_with(anp.exp, anp.log, anp.sqrt, erf)
    inputs = tuple(columns())
    with_vjp = make_vjp(lambda columns: price(*columns))
    ones = np.ones(SCENARIOS)

    def run() -> Any:
        vjp, prices = with_vjp(inputs)
        return prices, vjp(ones)

    return contender(run)


def casadi_map() -> Contender:
    """Return CasADi's way: an SX function of one scenario, mapped over the columns."""
    import casadi

    x = casadi.SX.sym("x", 5)
    value = price_with(casadi.exp, casadi.log, casadi.sqrt, casadi.erf)(*casadi.vertsplit(x))
    mapped = casadi.Function("price", [x], [value, casadi.gradient(value, x)]).map(SCENARIOS)
    X = columns()

    def run() -> Any:
        prices, derivatives = mapped(X)
        return prices.full()[0], derivatives.full()

    return contender(run)


WORK = Work(
    key="black-scholes",
    title="Black-Scholes price and 5 derivatives, 100,000 scenarios",
    unit="ms",
    per_second=1e3,
    ours={OURS: own},
    rivals={
        "hand-written NumPy, in blocks": by_hand,
        "JAX jit": jax_jit,
        "PyTorch eager": pytorch,
        "HIPS autograd": hips_autograd,
        "CasADi map": casadi_map,
        f"{OURS}, eager": own_eager,
    },
    marks=(
        Mark(ON_NUMPY, 1.8),
        Mark("hand-written NumPy, in blocks", 1.3, before=0.52),
        Mark("JAX jit", 1.5, before=0.66),
        Mark("PyTorch eager", 1.0),
        Mark("HIPS autograd", 3.0),
        Mark("CasADi map", 8.0),
        Mark(f"{OURS}, eager", 300.0, before=560.0),
    ),
)
