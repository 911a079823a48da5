"""`vectorize` and `Program`: a scalar function, run on whole batches."""

from __future__ import annotations

import inspect
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from autograd_mini.checks import Array
from autograd_mini.engine.freshness import assign
from autograd_mini.engine.value import Value
from autograd_mini.files import write_text
from autograd_mini.nn import freezing
from autograd_mini.nn.module import Module, inside
from autograd_mini.pickling import state_of
from autograd_mini.vectorizer import anomalies, checks
from autograd_mini.vectorizer.checks import SpotCheck
from autograd_mini.vectorizer.compiled import MOST_SIZES, Compiled, Structure, argument_names, arranged
from autograd_mini.vectorizer.running import FLOAT64, Repeated, run_batch, total
from autograd_mini.vectorizer.straight_line import StraightLine


class ProgramExplanation:
    """What became of a graph; prints itself as a table.

    Attributes
    ----------
    nodes, statements : int
        Scalar nodes in the graph, and array statements in both passes.
    groups : list of (str, int, str)
        The name of each group's array, its rows, and why it is what it is.
    runs_on, because : str
        What runs it, and why: "native", "numpy", "jax" or "python".
    """

    def __init__(self, compiled: Compiled) -> None:
        self.nodes, self.statements = compiled.n_nodes, compiled.statements
        self.groups = [] if compiled.straight is not None else compiled.program.notes
        self.runs_on, self.because = compiled.runs_on

    def __repr__(self) -> str:
        return f"<Explanation: {self.nodes} nodes, {len(self.groups)} arrays>"

    def __str__(self) -> str:
        by = f"run by {_RUNNERS[self.runs_on]}: {self.because}"
        if not self.groups:
            return (
                f"{self.nodes} scalar nodes became {self.statements} statements of straight-line Python: there is no "
                f"batch, and too little in it is alike for arrays to pay\n{by}"
            )
        width = max([len(name) for name, _, _ in self.groups], default=0)
        lines = [f"{self.nodes} scalar nodes became {len(self.groups)} arrays and {self.statements} array statements"]
        lines += [
            f"  {name:<{width}}  {rows:>6} row{'s' if rows > 1 else ' '}  {why}" for name, rows, why in self.groups
        ]
        return "\n".join([*lines, by])


_RUNNERS = {"native": "the native machine", "numpy": "NumPy", "jax": "JAX", "python": "Python"}
MOST_VERSIONS = 4  # programs kept for one kind of call, where what the function looks at goes to and fro
MOST_KEYS = 16  # kinds of call, such as widths of the features, for which programs are kept
REDUCTIONS = ("mean", "sum", None)


class Program:
    """A scalar function as a program on arrays; made by `vectorize`.

    It is traced at the first call for each shape of inputs. An input of shape (n, d) gives the function a list of d
    Values, (n,) a single one, (n, h, w) lists in lists. The leaves that the function uses and that were there before
    are parameters: they are read anew at each run. The function may take derivatives itself, by `grad` and the like, or
    by ``backward(create_graph=True)``.

    Attributes
    ----------
    f : callable
        The function.
    """

    def __init__(
        self,
        f: Callable[..., Any],
        backend: str = "auto",
        dtype: str = "float64",
        threads: int | str = "auto",
        seed: int | None = None,
        block: int | None = None,
        check: bool = True,
    ) -> None:
        self.f, self.backend, self.dtype = f, backend, dtype
        self.threads, self.block, self.check = threads, block, check
        self._rng = None if seed is None else np.random.default_rng(seed)
        self._example: tuple[list[Array], str] | None = None  # of the last call: one row, by what to differentiate
        self._begin()

    def _begin(self) -> None:
        """Have nothing compiled yet."""
        self._compiled: dict[Any, list[Compiled]] = {}  # for each kind of call the latest ones, newest first
        self._spot_check = SpotCheck()
        self._latest: Compiled | None = None
        self._repeated: dict[Any, Repeated] = {}  # for each reduction and shapes of inputs
        self._last_call: tuple[Any, Compiled | None] = None, None  # shapes and the like, and the program for them
        self._modules: list[Module] | None = None
        self._current: Compiled | None = None  # of straight-line Python
        self._straight: StraightLine | None = None
        self._quick: Callable[[], tuple[float, Array] | None] | None = None  # the same with all that is asked before
        self._quick_for: tuple[Compiled, int] | None = None
        self._latest_structure: Structure = ()

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy or another process needs to compile it anew."""
        kept = ("f", "backend", "dtype", "threads", "block", "check", "_rng", "_example")
        state = state_of(self)
        return {name: state[name] for name in kept}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._begin()

    # -------------------------------------------------------------------------------------------------- running

    def __call__(self, *inputs: Any, parameters: Any = None) -> Array | Any:
        """Return the function's value for every example.

        Parameters
        ----------
        *inputs : array_like of shape (n, ...)
            One for each argument of the function.
        parameters : array_like of shape (P,), optional
            Numbers for each of `parameters`, in their order, in the place of those that they have; see `theta`.

        Returns
        -------
        numpy.ndarray
            Of shape (n,), or (n, k) where the function returns a list of k, (n, k, m) for lists in a list. Without
            inputs a float, or (k,). A tuple of arrays for lists of several lengths, for what `value_and_grad` returns,
            and for gradients by several arguments.

        Raises
        ------
        ValueError
            If there are no examples, or not equally many in all inputs.
        TraceError
            If the function looks at the data of a traced Value.
        """
        if parameters is None and not inputs and self._quick is not None and (found := self._quick()) is not None:
            return found[0]
        if parameters is None and not inputs and self._runs_straight(None):
            values, _ = self._straight()  # type: ignore[misc]
            return _shaped(np.array(values)[:, None], self._latest_structure, False)
        arrays, n = checks.arrays(inputs)
        compiled = self._for(arrays, "parameters")
        numbers = None if parameters is None else checks.numbers("parameters", parameters, compiled)
        if compiled.straight is not None:
            if numbers is None:
                return self()
            return _shaped(np.array(self._straight_at(compiled, numbers, None)[0])[:, None], compiled.structure, False)
        outputs, _ = self._run(compiled, self._columns(compiled, arrays, n), n, None, parameters=numbers)
        return _shaped(outputs, compiled.structure, bool(arrays))

    def value_and_grad(
        self, *inputs: Any, reduction: str | None = "mean", parameters: Any = None
    ) -> tuple[float | Any, Array]:
        """Return the mean of the function over the batch, and its gradient by every parameter.

        Parameters
        ----------
        *inputs : array_like of shape (n, ...)
            One for each argument of the function.
        reduction : {"mean", "sum", None}
            What becomes of the examples' values; None keeps each by itself.
        parameters : array_like of shape (P,), optional
            Numbers for each of `parameters`, in their order, in the place of those that they have: `theta` returns
            such an array, and `assign` puts one into the parameters.

        Returns
        -------
        value : float, or numpy.ndarray of shape (n,)
            The mean, the sum, or all values.
        gradient : numpy.ndarray of shape (P,), or (n, P)
            ∂value/∂p for each of `parameters`, in their order. An optimizer takes it, as in
            ``optimizer.step(gradient, program.parameters)``: a model may have more parameters, on which the value
            doesn't depend.

        Raises
        ------
        ValueError
            If there are no examples, not equally many in all inputs, the function returns a list, or there are other
            than P numbers for the parameters.

        Examples
        --------
        A minimizer of SciPy's calls it with arrays of its own.

        >>> from autograd_mini import Value, vectorize
        >>> x, y = Value(-1.2), Value(1.0)
        >>> program = vectorize(lambda: (1 - x) ** 2 + 100 * (y - x**2) ** 2)
        >>> program.value_and_grad(parameters=[1.0, 2.0])
        (100.0, array([-400.,  200.]))
        >>> from scipy.optimize import minimize  # doctest: +SKIP
        >>> def objective(theta):
        ...     return program.value_and_grad(parameters=theta)
        >>> found = minimize(objective, program.theta(), jac=True)  # doctest: +SKIP
        >>> program.assign(found.x)  # doctest: +SKIP
        """
        if reduction == "mean" and parameters is None and not inputs:
            found = None if self._quick is None else self._quick()
            if found is not None:
                return found
            if self._runs_straight(1.0) and self._latest_structure == ():
                current = self._current
                assert current is not None
                if self._quick is None or self._quick_for != (current, current.version):
                    self._quick, self._quick_for = current.guarded(self._spot_check), (current, current.version)
                (value,), gradient = self._straight()  # type: ignore[misc]
                return value, gradient
        if reduction not in REDUCTIONS:
            raise ValueError(f"reduction: expected 'mean', 'sum' or None, got {reduction!r}")
        try:
            shapes = tuple([array.shape for array in inputs if array.dtype is FLOAT64])
        except AttributeError:  # of a list
            shapes = ()
        call = (reduction, *shapes) if len(shapes) == len(inputs) else None
        repeated = self._repeated.get(call)
        if repeated is not None:
            found = repeated(inputs, parameters)
            if found is not None:
                return found
        arrays, n = checks.arrays(inputs)
        compiled = self._for(arrays, "parameters")
        checks.single_output(compiled)
        numbers = None if parameters is None else checks.numbers("parameters", parameters, compiled)
        if compiled.straight is not None and numbers is not None:
            (value,), derivatives = self._straight_at(compiled, numbers, 1.0)
            return value, np.array(derivatives[: len(numbers)]) + 0.0
        if compiled.straight is not None or (not arrays and reduction != "mean"):  # it is all the same
            return self.value_and_grad(parameters=numbers)
        if reduction is None:
            return self._each(compiled, arrays, n, numbers)
        seed = 1.0 / n if reduction == "mean" else 1.0
        outputs, gradient = self._run(compiled, self._columns(compiled, arrays, n), n, seed, parameters=numbers)
        if shapes and call is not None and not self.block and compiled.can_be_repeated(n):
            for oldest in [*self._repeated][: len(self._repeated) + 1 - MOST_SIZES]:
                self._repeated.pop(oldest, None)
            self._repeated[call] = Repeated(compiled, shapes, seed, self._spot_check if self.check else None)
        return total(outputs[0]) * seed, gradient[compiled.places]

    def _each(
        self, compiled: Compiled, arrays: list[Array], n: int, numbers: Array | None = None
    ) -> tuple[Array, Array]:
        """Return every example's value and gradient."""
        checks.independent(compiled)
        values, gradients = np.empty(n), np.empty((n, len(compiled.positions)))
        columns = self._columns(compiled, arrays, n)
        if anomalies.are_looked_for():  # here the examples still have their numbers
            anomalies.look_for(compiled, compiled.theta(numbers), columns, n, 1.0)
        for i in range(n):
            row = [column[i : i + 1] for column in columns]
            output, gradient = self._run(compiled, row, 1, 1.0, parameters=numbers)
            values[i], gradients[i] = output[0, 0], gradient[compiled.places]
        return values, gradients

    def gradients(self, *inputs: Any, wrt: str = "inputs") -> Array | Any:
        """Return the derivatives of the function for every example.

        Parameters
        ----------
        *inputs : array_like of shape (n, ...)
            One for each argument of the function.
        wrt : {"inputs", "parameters"}
            By what.

        Returns
        -------
        numpy.ndarray, or tuple of them
            ∂f/∂input, of the shape of the input; one for each input where there are several. Where the function returns
            a list of k, of shape (n, k, ...). By the parameters: of shape (n, P).
        """
        arrays, n = checks.arrays(inputs)
        if wrt == "parameters":
            compiled = self._for(arrays, wrt)
            checks.single_output(compiled)
            return self.value_and_grad()[1] if not arrays else self._each(compiled, arrays, n)[1]
        if wrt != "inputs":
            raise ValueError(f"wrt: expected 'inputs' or 'parameters', got {wrt!r}")
        return self.value_and_gradients(*inputs)[1]

    def value_and_gradients(self, *inputs: Any) -> tuple[Array, Array | Any]:
        """Return the function's value for every example, and its derivatives by the inputs, in one go.

        Parameters
        ----------
        *inputs : array_like of shape (n, ...)
            One for each argument of the function.

        Returns
        -------
        values : numpy.ndarray of shape (n,) or (n, k)
            As the program itself returns them.
        derivatives : numpy.ndarray, or tuple of them
            As `gradients` returns them.

        Examples
        --------
        >>> from autograd_mini import vectorize
        >>> values, (by_x, by_y) = vectorize(lambda x, y: x * y).value_and_gradients([2.0, 3.0], [5.0, 7.0])
        >>> values, by_x, by_y
        (array([10., 21.]), array([5., 7.]), array([2., 3.]))
        """
        arrays, n = checks.arrays(inputs)
        if not arrays:
            raise ValueError("the function has no inputs; ask for wrt='parameters', or call value_and_grad()")
        compiled = self._for(arrays, "inputs")
        checks.independent(compiled)
        k = len(compiled.scalars.outputs)
        reached = compiled.program.input_gradients
        whole, at = compiled.all_in_one(n), 1
        found: list[Array] = []
        for i, size in enumerate(compiled.sizes[: len(arrays)]):
            if whole is not None and i in reached:
                found.append(whole[np.newaxis, at : at + size])
                at += size
            else:
                found.append((np.empty if i in reached else np.zeros)((k, size, n), compiled.dtype))
        columns = self._columns(compiled, arrays, n)
        for row in range(k):
            seed = 1.0 if k == 1 else np.eye(k)[row]
            outputs, _ = self._run(compiled, columns, n, seed, [array[row] for array in found], whole=whole)
        results = []
        for array, given in zip(found, arrays, strict=True):
            of_examples = np.moveaxis(array, 2, 0).reshape(n, k, *given.shape[1:])
            results.append(arranged(of_examples, compiled.structure))
        return _shaped(outputs, compiled.structure, True), results[0] if len(results) == 1 else tuple(results)

    def _runs_straight(self, seed: float | None) -> bool:
        """Return whether straight-line Python is there, and still right; a seed if gradients are asked for."""
        if self._current is None:
            return False
        if not self._current.is_current():
            self._current = self._straight = self._quick = self._quick_for = None
            return False
        spot_check = self._spot_check
        spot_check.left -= 1
        if spot_check.left < 0 and self.check:
            with spot_check:
                checks.straight_against_eager(self.f, self._current)
        elif spot_check.left < 0:
            spot_check.left = sys.maxsize
        if anomalies.are_looked_for():
            anomalies.look_for(self._current, self._current.theta(), [], 1, seed)
        return True

    def _straight_at(self, compiled: Compiled, numbers: Array, seed: float | None) -> tuple[Any, Any]:
        """Return the results of straight-line Python, and the derivatives, for numbers in the place of the present."""
        assert compiled.straight is not None
        if anomalies.are_looked_for():
            anomalies.look_for(compiled, compiled.theta(numbers), [], 1, seed)
        return compiled.straight(numbers.tolist())

    def _columns(self, compiled: Compiled, arrays: list[Array], n: int) -> list[Array]:
        """Return the inputs with a row for each example, and new random leaves; the first ones are checked."""
        masks = compiled.masks(n, self._rng)
        columns = [array.reshape(n, -1) for array in arrays] + ([] if masks is None else [masks])
        checks.choices(compiled, columns)
        if not compiled.checked and self.check:
            checks.against_eager(self.f, compiled, columns, n, self._spot_check)
            compiled.checked = True
        return columns

    def _run(
        self,
        compiled: Compiled,
        columns: list[Array],
        n: int,
        seed: Any,
        into: Sequence[Array] = (),
        parameters: Array | None = None,
        whole: Array | None = None,
    ) -> tuple[Array, Any]:
        """Return the outputs (k, n) and, if there is a seed, the gradient of the flat vector."""
        is_looking = anomalies.are_looked_for()
        if is_looking:
            theta = compiled.theta(parameters)
            anomalies.look_for(compiled, theta, columns, n, seed if seed is None else float(np.max(seed)))
        started = time.perf_counter()
        how: Any = {
            "block": self.block,
            "threads": self.threads,
            "parameters": parameters,
            "into": into,
            "whole": whole,
        }
        outputs, gradient = run_batch(compiled, columns, n, seed, **how)
        if is_looking:
            anomalies.refuse_results("a result or its gradient", outputs, *into, *() if seed is None else (gradient,))
        if self.check and self._spot_check.is_due(time.perf_counter() - started):
            with self._spot_check:
                checks.against_eager_at(self.f, compiled, columns, self._spot_check.row(n))
        return outputs, gradient

    # ------------------------------------------------------------------------------------------- looking inside

    def _for(self, arrays: list[Array], wrt: str) -> Compiled:
        """Return the program for inputs of these shapes, traced now if it is the first call."""
        call = tuple([array.shape[1:] for array in arrays]), wrt, freezing.changes()
        before, compiled = self._last_call
        if call == before and compiled is not None and compiled.is_current():  # modes and all: the usual case
            return compiled
        if self._modules is None:
            parts = [part for model in _models(self.f) for part in inside(model)]
            self._modules = [part for part in parts if isinstance(part, Module)]
        # In evaluation mode, or with a part that is frozen, a model is another function.
        modes = (freezing.changes(), *[module.training for module in self._modules])
        key = (*call[:2], modes)
        versions = self._compiled.get(key, [])
        compiled = next((version for version in versions if version.is_current()), None)
        if compiled is None:
            examples = [array[0] for array in arrays]
            names = argument_names(self.f, len(arrays))
            self._repeated.clear()
            compiled = Compiled(self.f, examples, names, wrt, self.dtype, self.backend, models=_models(self.f))
            self._compiled[key] = [compiled, *versions][:MOST_VERSIONS]
            if len(self._compiled) > MOST_KEYS:
                del self._compiled[next(iter(self._compiled))]  # the oldest
        if compiled.straight is not None:
            self._run_straight(compiled)
        if self._latest is not compiled:
            self._latest, self._example = compiled, ([array[:1].copy() for array in arrays], wrt)
        self._last_call = call if compiled.watches_all else None, compiled
        return compiled

    def _run_straight(self, compiled: Compiled) -> None:
        """From now on run as Python on floats: the function has no inputs, and is short."""
        if self.check and not compiled.checked:
            with self._spot_check:
                checks.straight_against_eager(self.f, compiled)
            compiled.checked = True
        self._current, self._straight, self._latest_structure = compiled, compiled.straight, compiled.structure

    def _traced(self) -> Compiled:
        if self._latest is None and self._example is not None:
            self._for(*self._example)
        if self._latest is None:
            try:
                self._for([], "parameters")
            except TypeError:
                raise ValueError(
                    "nothing has been traced yet: call the program once on a batch, as in program(X, Y), so that the "
                    "shapes of the inputs are known"
                ) from None
        assert self._latest is not None
        return self._latest

    @property
    def parameters(self) -> list[Value]:
        """The parameters that the function uses: a model's as in its ``parameters()``, others as first used.

        Those of a model that the results don't depend on are left out, as frozen ones are.
        """
        return list(self._traced().parameters)

    def theta(self) -> Array:
        """Return the present numbers of `parameters`, in their order, as an array of one's own.

        Examples
        --------
        Gradient descent on an array, which is put into the parameters at the end:

        >>> from autograd_mini import nn, vectorize
        >>> model = nn.Neuron(1, rng=0)
        >>> program = vectorize(lambda x, y: (model([x]) - y) ** 2)
        >>> x, y = [0.0, 1.0, 2.0], [1.0, 3.0, 5.0]
        >>> program.value_and_grad(x, y)  # doctest: +ELLIPSIS
        (...)
        >>> theta = program.theta()
        >>> for _ in range(200):
        ...     value, gradient = program.value_and_grad(x, y, parameters=theta)
        ...     theta -= 0.2 * gradient
        >>> program.assign(theta)
        >>> [round(p.data, 6) for p in model.parameters()]
        [2.0, 1.0]
        """
        return np.array([parameter._data for parameter in self._traced().parameters], float)

    def assign(self, theta: Any) -> None:
        """Put numbers into `parameters`, in their order.

        Parameters
        ----------
        theta : array_like of shape (P,)
            The numbers.

        Raises
        ------
        ValueError
            If there are other than P numbers; no parameter has been changed then.
        """
        compiled = self._traced()
        numbers = checks.numbers("theta", theta, compiled)
        assign(compiled.parameters, numbers.tolist())

    @property
    def source(self) -> str:
        """The source of the program that ran last: its forward and its backward pass, as they are executed."""
        return self._traced().source

    def save(
        self, path: str | Path, *, train: str | None = None, dtype: str | None = None, backend: str | None = None
    ) -> None:
        """Write the program with the present parameters to a file that runs without this package.

        A ``.py`` file needs NumPy alone: it has ``bind(n, theta, gradient)``, the parameters as ``theta``, and runs.
        With ``backend="jax"`` it needs JAX and has ``run(theta, seed, *inputs)``, a pure function for ``jax.jit``. In
        both, ``order`` says where in ``theta`` and its gradient the numbers of `parameters` are. A ``.c`` file is C99
        for any machine, needs ``math.h`` alone, and begins with a comment that says how to call it: ``net_predict``
        gives the results of one example, ``net_value_and_grad`` the mean over some and its gradient; of a function
        without parameters, the value of one example and its derivatives by the inputs.

        Parameters
        ----------
        path : str or Path
            The file, ending in ``.py`` or ``.c``; what is in a C file is called by its name.
        train : {"sgd"}, optional
            Of a C file: a step of gradient descent too, ``net_train``, for training on the device.
        dtype : {"float64", "float32"}, optional
            The numbers of a C file; by default the program's.
        backend : {"numpy", "jax"}, optional
            What runs a Python file; by default NumPy, whatever runs the program here.

        Raises
        ------
        ValueError
            If the ending or an option is unknown, or a C file can't hold the program: one in which the examples of a
            batch depend on each other, or random numbers are drawn. Nothing has been written then.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> from autograd_mini import Value
        >>> w = Value(2.0)
        >>> program = vectorize(lambda x, y: (w * x - y) ** 2)
        >>> value, gradient = program.value_and_grad([1.0], [3.0])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     target = pathlib.Path(folder) / "line.c"
        ...     program.save(target, train="sgd", dtype="float32")
        ...     print(target.read_text().splitlines()[2])
        // void line_predict(const float *theta, const float *x, const float *y, float *out, float *work);
        """
        if not checks.is_c_file(path, train, dtype, backend):
            write_text(path, self._traced().script(backend or "numpy"))
            return
        compiled, arrays = self.as_it_is_now()
        if arrays and not compiled.parameters:
            compiled = self._for(arrays, "inputs")
        write_text(path, compiled.c_file(Path(path), dtype or self.dtype, train))

    def as_it_is_now(self, *inputs: Any) -> tuple[Compiled, list[Array]]:
        """Return what is to be saved, with the model in evaluation mode maybe, and the example that it is of.

        That is one of the inputs, or without any the one that it was last traced on.
        """
        if inputs:
            arrays = checks.arrays(inputs)[0]
        else:
            self._traced()
            assert self._example is not None
            arrays = self._example[0]
        return self._for(arrays, "parameters"), arrays

    def explain(self) -> ProgramExplanation:
        """Print how many scalar nodes became how many array statements, why each group is one, and what runs it."""
        explanation = ProgramExplanation(self._traced())
        print(explanation)
        return explanation

    def __repr__(self) -> str:
        name = getattr(self.f, "__name__", type(self.f).__name__)
        run_by = "" if self._latest is None else f", run by {_RUNNERS[self._latest.runs_on[0]]}"
        shapes = f"{len(self._compiled)} shape{'s' * (len(self._compiled) != 1)} of inputs"
        return f"<Program of {name}, traced for {shapes}{run_by}>"


def _shaped(outputs: Array, structure: Structure, has_inputs: bool) -> Any:
    """Return outputs (k, n) as the function arranged them; without inputs there is one example alone."""
    if structure == ():
        return outputs[0] if has_inputs else float(outputs[0, 0])
    result = arranged(outputs.T.copy(), structure)
    return result if has_inputs else _of_one(result)


def _of_one(result: Any) -> Any:
    return tuple(map(_of_one, result)) if isinstance(result, tuple) else result[0]


def _models(f: Any) -> list[Module]:
    """Return the models that a function names itself, in its closure and among the globals: those that come first."""
    if isinstance(f, partial):
        return [model for part in (f.func, *f.args, *f.keywords.values()) for model in _models(part)]
    function = getattr(f, "__func__", f)
    found = [f, getattr(f, "__self__", None)]
    if inspect.isfunction(function):
        named = inspect.getclosurevars(function)
        found += [*named.nonlocals.values(), *named.globals.values()]
    return [thing for thing in found if isinstance(thing, Module)]


def vectorize(
    f: Callable[..., Any],
    *,
    backend: str = "auto",
    dtype: str = "float64",
    threads: int | str = "auto",
    seed: int | None = None,
    block: int | None = None,
    check: bool = True,
) -> Program:
    """Turn a scalar function into a program on arrays.

    Parameters
    ----------
    f : callable
        A function of Values, and lists of Values, to a Value or lists of Values; parameters may be in its closure, as
        those of a model are. A Value is found in a set or by ``dict.get`` only if it is in there itself, not by its
        number; ``pick`` and ``where`` choose by numbers. Bare numbers that it can reach are part of the program, which
        is made anew when one changes. Each length of a sequence has a program of its own: call it with sequences of
        one length at a time, or pad them all to the longest, and make a mask one more input, by which the loss is
        multiplied.
    backend : {"auto", "native", "numpy", "jax"}, optional
        What runs it: NumPy; machine code that came with the package ("native"); JAX. By default machine code where it
        is there, and NumPy where it isn't, or where a matrix is so large that NumPy's multiplies faster;
        `Program.explain` says which.
    dtype : {"float64", "float32"}, optional
        The precision.
    threads : int or "auto", optional
        How many threads a batch's blocks are spread over; by default, where machine code runs it, as many as there are
        processors, for batches of several blocks, and one else. The results are the same to the bit.
    seed : int, optional
        Where random leaves (dropout) come from; by default each module's own generator.
    block : int, optional
        How many examples are computed at a time; by default what fits the cache, and of machine code what takes about
        0.3 ms.
    check : bool, optional
        Whether the first run is checked against the eager engine on sample rows.

    Returns
    -------
    Program

    Raises
    ------
    TypeError
        If `f` can't be called.
    ValueError
        If an option is unknown.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> w, b = Value(2.0), Value(1.0)
    >>> program = vectorize(lambda x, y: (w * x + b - y) ** 2)
    >>> program([1.0, 2.0], [3.0, 4.0])
    array([0., 1.])
    >>> value, gradient = program.value_and_grad([1.0, 2.0], [3.0, 4.0])
    >>> value, gradient
    (0.5, array([2., 1.]))
    >>> from autograd_mini import grad
    >>> vectorize(grad(lambda x: x**3))([1.0, 2.0])
    array([ 3., 12.])
    """
    checks.options(f, backend, dtype, threads, block)
    return Program(f, backend, dtype, threads, seed, block, check)
