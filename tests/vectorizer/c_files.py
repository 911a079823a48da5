"""C files compiled and called: what the tests of `Program.save("net.c")` share."""

import ctypes
import re
import subprocess

import numpy as np
import pytest

from autograd_mini.native import build

STRICT = "-std=c99 -Wall -Wextra -pedantic -Werror -Wconversion -Wshadow -Wdouble-promotion".split()
COMPILER = build.compiler()
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="there is no C compiler")


def compiled(source, target, *flags, command=None):
    """Compile a file, every warning being an error."""
    call = [*(command or COMPILER), *STRICT, *flags, str(source), "-o", str(target), *["-lm"] * ("-c" not in flags)]
    done = subprocess.run(call, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:3000]
    return target


def saved(program, path, **options):
    """Save a program as a C file and return its text, which has to be ASCII."""
    program.save(path, **options)
    return path.read_text(encoding="ascii")


def example_in(text):
    """Return the program in the comment that a C file begins with."""
    lines = [line[3:] for line in text.split("\n\n#include")[0].split("\n")]
    return "\n".join([*lines[lines.index("#include <stdio.h>") :], ""])


class CFile:
    """A program saved and compiled as a library: its functions take and give NumPy's arrays."""

    def __init__(self, program, folder, name="net", **options):
        text = saved(program, folder / f"{name}.c", **options)
        self.name, self.real = name, np.dtype(options.get("dtype", program.dtype)).type
        self.sizes = {key: int(size) for key, size in re.findall(rf"#define {name.upper()}_(\w+) (\d+)", text)}
        self.library = ctypes.CDLL(str(compiled(folder / f"{name}.c", folder / f"{name}.so", "-shared", "-fPIC")))
        self.theta = self._array("THETA")
        if len(self.theta):
            number = np.ctypeslib.as_ctypes_type(self.real)
            self.theta[:] = (number * len(self.theta)).in_dll(self.library, f"{name}_theta")

    def _array(self, size):
        return np.full(self.sizes[size], np.nan, self.real)  # so that what isn't written is seen

    def _call(self, function, *arguments):
        call = getattr(self.library, f"{self.name}_{function}")
        call.restype = real = np.ctypeslib.as_ctypes_type(self.real)
        sorts = {int: ctypes.c_int, float: real, np.ndarray: ctypes.c_void_p}
        call.argtypes = [sorts[type(argument)] for argument in arguments]
        return call(*[a.ctypes.data if isinstance(a, np.ndarray) else a for a in arguments])

    @property
    def _numbers(self):
        return [self.theta] if len(self.theta) else []

    def predict(self, *inputs):
        """Return the results (n, k), example after example."""
        results = []
        for row in zip(*inputs, strict=True) if inputs else [()]:
            out, work = self._array("OUTPUTS"), self._array("PREDICT_WORK")
            self._call("predict", *self._numbers, *[np.array(x, self.real) for x in row], out, work)
            results.append(out)
        return np.array(results)

    def value_and_grad(self, *inputs, lr=None):
        """Return the mean and its gradient; with a learning rate by way of a training step."""
        gradient, work = self._array("GRADIENT"), self._array("WORK")
        count = [len(inputs[0])] if inputs else []
        given = [np.ascontiguousarray(x, self.real) for x in inputs]
        name, step = ("value_and_grad", []) if lr is None else ("train", [lr])
        value = self._call(name, *self._numbers, *count, *given, *step, gradient, work)
        return value, gradient

    def value_and_slopes(self, *row):
        """Return the value of one example, and its derivatives by each input."""
        given = [np.array(x, self.real) for x in row]
        slopes = [np.full(x.shape, np.nan, self.real) for x in given]
        return self._call("value_and_grad", *self._numbers, *given, *slopes, self._array("WORK")), slopes


def assert_same(got, expected, what, rel):
    """Assert that numbers differ by no more than rounding; infinities and nan equal themselves."""
    np.testing.assert_allclose(got, expected, rtol=rel, atol=rel, err_msg=what)


def assert_as_the_program(program, folder, *inputs, **options):
    """Assert that the C file of a program gives what the program gives, and return the file."""
    c = CFile(program, folder, **options)
    rel = 1e-12 if c.real is np.float64 else 1e-5
    values = np.reshape(program(*inputs), (-1, c.sizes["OUTPUTS"]))
    assert_same(c.predict(*inputs), values, "results", rel)
    if "GRADIENT" in c.sizes:
        value, gradient = program.value_and_grad(*inputs)
        got, got_gradient = c.value_and_grad(*inputs)
        assert_same(got, value, "mean", rel)
        assert_same(got_gradient[: len(gradient)], gradient, "gradient", rel)
    elif "WORK" in c.sizes:
        _, slopes = program.value_and_gradients(*inputs)
        slopes = slopes if isinstance(slopes, tuple) else (slopes,)
        for i, row in enumerate(zip(*inputs, strict=True)):
            got, by_inputs = c.value_and_slopes(*row)
            assert_same(got, values[i, 0], "value", rel)
            for ours, theirs in zip(by_inputs, slopes, strict=True):
                assert_same(ours, theirs[i], "derivatives by an input", rel)
    return c
