"""What the tests of the vectorizer share: the eager engine run example by example, to compare programs with."""

import numpy as np
import pytest

from autograd_mini import Value
from autograd_mini.engine.graph import recorded_gradients as gradients
from autograd_mini.vectorizer import vectorize


def nested(flat, shape):
    """Return a flat list as lists in lists of a shape."""
    if not shape:
        return flat[0]
    step = len(flat) // shape[0] if shape[0] else 0
    return [nested(flat[k * step : (k + 1) * step], shape[1:]) for k in range(shape[0])]


def eager(f, *inputs, parameters=()):
    """Return what the eager engine gives: values (n,), gradients by the parameters (n, P), and by each input."""
    arrays = [np.asarray(given, dtype=float) for given in inputs]
    n = len(arrays[0]) if arrays else 1
    values, by_parameters, by_inputs = np.empty(n), np.empty((n, len(parameters))), [np.zeros(a.shape) for a in arrays]
    for i in range(n):
        leaves = [[Value(x) for x in array[i].ravel().tolist()] for array in arrays]
        root = f(*[nested(flat, array.shape[1:]) for flat, array in zip(leaves, arrays, strict=True)])
        root = root if isinstance(root, Value) else Value(root)
        found = gradients(root)
        values[i] = root.data
        by_parameters[i] = [found.get(p, 0.0) for p in parameters]
        for k, (flat, array) in enumerate(zip(leaves, arrays, strict=True)):
            by_inputs[k][i] = np.reshape([found.get(leaf, 0.0) for leaf in flat], array.shape[1:])
    return values, by_parameters, by_inputs


def close(expected, rel=1e-9):
    """Return what compares equal to arrays that differ by no more than rounding; nan equals nan."""
    return pytest.approx(expected, rel=rel, abs=rel, nan_ok=True)


def assert_close(got, expected, what, rel=1e-9):
    """Assert that arrays have one shape and differ by no more than rounding; infinities and nan equal themselves."""
    assert np.shape(got) == np.shape(expected), f"{what}: shape {np.shape(got)} instead of {np.shape(expected)}"
    np.testing.assert_allclose(got, expected, rtol=rel, atol=rel, err_msg=what)


def assert_as_eager(f, *inputs, rel=1e-9, by_inputs=True, **options):
    """Assert that a program gives the eager engine's values and every gradient, and return the program."""
    program = vectorize(f, **options)
    mean, gradient = program.value_and_grad(*inputs)
    values, by_parameters, expected = eager(f, *inputs, parameters=program.parameters)
    assert_close(program(*inputs), values if inputs else values[0], "values", rel)
    assert_close(mean, values.mean(), "mean", rel)
    assert_close(gradient, by_parameters.mean(axis=0), "gradient by the parameters", rel)
    if inputs and by_inputs:
        found = program.gradients(*inputs)
        for k, (got, wanted) in enumerate(zip(found if len(inputs) > 1 else [found], expected, strict=True)):
            assert_close(got, wanted, f"gradient by input {k}", rel)
    return program
