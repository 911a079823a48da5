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


def compiled(source, target, *flags, command=COMPILER):
    """Compile a file with every warning an error."""
    done = subprocess.run(
        [*command, *STRICT, "-O1", *flags, str(source), "-o", str(target), "-lm"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[:3000]
    return target


def example_of(text):
    """The program in the comment at the beginning of a C file."""
    lines = [line[3:] for line in text.split("\n\n#include")[0].split("\n")]
    return "\n".join(lines[lines.index("#include <stdio.h>") :]) + "\n"


class CFile:
    """A saved program as a library; its functions take and give NumPy's arrays."""

    def __init__(self, program, folder, name="net", command=COMPILER, **options):
        path = folder / f"{name}.c"
        program.save(path, **options)
        self.text = path.read_text(encoding="ascii")
        self.name = name
        self.sizes = {key: int(size) for key, size in re.findall(rf"#define {name.upper()}_(\w+) (\d+)", self.text)}
        self.real = np.float64 if f"\ndouble {name}_" in self.text or "double *out" in self.text else np.float32
        self.library = ctypes.CDLL(str(compiled(path, folder / f"{name}.so", "-shared", "-fPIC", command=command)))
        self.theta = self._array(self.sizes["THETA"])
        if len(self.theta):
            stored = (np.ctypeslib.as_ctypes_type(self.real) * len(self.theta)).in_dll(self.library, f"{name}_theta")
            self.theta[:] = np.frombuffer(stored, self.real)

    def _array(self, size):
        return np.full(size, np.nan, self.real)

    def _call(self, function, *arguments):
        call = getattr(self.library, f"{self.name}_{function}")
        call.restype = np.ctypeslib.as_ctypes_type(self.real)
        call.argtypes = [
            ctypes.c_int if isinstance(a, int) else call.restype if isinstance(a, float) else ctypes.c_void_p
            for a in arguments
        ]
        return call(*[a.ctypes.data if isinstance(a, np.ndarray) else a for a in arguments])

    def _given(self, inputs):
        return [np.ascontiguousarray(given, self.real) for given in inputs]

    def predict(self, *inputs):
        """The results (n, k) of each example."""
        given, results = self._given(inputs), []
        for row in zip(*given, strict=True) if given else [()]:
            out, work = self._array(self.sizes["OUTPUTS"]), self._array(self.sizes["PREDICT_WORK"])
            rows = [np.ascontiguousarray(x) for x in row]
            self._call("predict", *[self.theta] * bool(len(self.theta)), *rows, out, work)
            results.append(out)
        return np.array(results)

    def value_and_grad(self, *inputs, lr=None):
        """The mean and its gradient; with a learning rate after a step of training."""
        given = self._given(inputs)
        gradient, work = self._array(self.sizes["GRADIENT"]), self._array(self.sizes["WORK"])
        count = [len(given[0])] if given else []
        name, step = ("value_and_grad", []) if lr is None else ("train", [lr])
        value = self._call(name, *[self.theta] * bool(len(self.theta)), *count, *given, *step, gradient, work)
        return value, gradient
