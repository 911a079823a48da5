"""Where estimators train: a model with the programs of its training, kept for the next training of the same shape.

Making a program takes longer than some epochs. A search over a grid fits hundreds of networks that differ in their
numbers alone, so all of one `Plan` use the same workbench, one after the other. And the first of them needn't trace
thousands of nodes: a network of a few neurons is traced, its program is widened, and that is held against the eager
engine's own rules before anything is trained with it.
"""

from __future__ import annotations

import logging
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from autograd_mini.checks import Array
from autograd_mini.engine import functions
from autograd_mini.engine.freshness import assign
from autograd_mini.engine.value import Value
from autograd_mini.errors import TraceError
from autograd_mini.nn import L1, L2, MLP, Dropout, Layer, Module, Parameter, Sequential, WeightElimination, freeze
from autograd_mini.nn.activations import activation_function
from autograd_mini.nn.losses import LOSSES
from autograd_mini.nn.penalties import penalised
from autograd_mini.optim import SGD, Optimizer
from autograd_mini.training import NonFiniteLossError, Trainer
from autograd_mini.training.data import epoch_order
from autograd_mini.training.eager import evaluating
from autograd_mini.training.native_epochs import NativeEpochs, can_run
from autograd_mini.training.vectorized import VectorizedEngine
from autograd_mini.vectorizer import Program, vectorize
from autograd_mini.vectorizer.checks import SpotCheck, against_eager, agrees_with, choices
from autograd_mini.vectorizer.compiled import Compiled, without_collection
from autograd_mini.vectorizer.running import Resident, run_batch
from autograd_mini.vectorizer.widening import Lengths, NotWidenedError

# The penalties by name, each with the share of alpha that is its λ: scikit-learn has ½ α ‖W‖².
PENALTIES = {"l1": (L1, 1.0), "l2": (L2, 0.5), "weight_elimination": (WeightElimination, 1.0)}
_NOTICED = 0.1  # a λ at which a penalty that is wrong shows
_MOST_KEPT = 8  # workbenches that nobody uses at the moment


class Plan(NamedTuple):
    """What two trainings must have in common to share a program.

    Attributes
    ----------
    sizes : tuple of int
        The numbers of features, of the neurons of each hidden layer, and of outputs.
    activation, loss : str
        Those of `nn.MLP` and of `Trainer`.
    keep_prob : float
        With what probability dropout keeps a hidden unit; at 1 there is none.
    penalty : str or None
        One of `PENALTIES`.
    is_weighted : bool
        Whether examples have weights: then each is the last number of its targets.
    """

    sizes: tuple[int, ...]
    activation: str
    loss: str
    keep_prob: float = 1.0
    penalty: str | None = None
    is_weighted: bool = False

    def network(self) -> Any:
        """Return a model of this plan, in evaluation mode, with all weights 0."""
        if self.keep_prob == 1.0:
            model: Any = MLP(self.sizes[0], self.sizes[1:], self.activation, initializer="zeros")
        else:
            parts: list[Any] = []
            for n_in, n_out in zip(self.sizes[:-2], self.sizes[1:-1], strict=True):
                parts += [Layer(n_in, n_out, self.activation, "zeros"), Dropout(self.keep_prob, inverted=True)]
            model = Sequential(*parts, MLP(self.sizes[-2], self.sizes[-1:], initializer="zeros"))
        return model.eval()

    @property
    def n_parameters(self) -> int:
        """The number of weights and biases."""
        return sum(n_out * (n_in + 1) for n_in, n_out in zip(self.sizes[:-1], self.sizes[1:], strict=True))

    def loss_of(self, output: Any, target: Any) -> Any:
        """Return the loss of one example, times its weight if it has one."""
        loss = LOSSES[self.loss]
        if not self.is_weighted:
            return loss(output, target)
        *targets, weight = target
        is_list = isinstance(output, list) and self.loss != "cross_entropy"
        return loss(output, targets if is_list else targets[0]) * weight

    def blocks(self, theta: Array) -> tuple[list[Array], list[Array]]:
        """Return the weights, of shape (inputs, outputs), and the biases of each layer, from the flat array of all."""
        weights, biases, start = [], [], 0
        for n_in, n_out in zip(self.sizes[:-1], self.sizes[1:], strict=True):
            block = theta[start : start + n_out * (n_in + 1)].reshape(n_out, n_in + 1)
            weights.append(block[:, :-1].T.copy())
            biases.append(block[:, -1].copy())
            start += block.size
        return weights, biases

    def theta(self, weights: Sequence[Array], biases: Sequence[Array]) -> Array:
        """Return weights and biases as one flat array, in the order of the network's parameters: `blocks` backwards."""
        layers = zip(weights, biases, strict=True)
        return np.concatenate([np.column_stack([w.T, b]).ravel() for w, b in layers])


class _Strength:
    """A penalty whose λ is a number that may be changed without a new program."""

    def __init__(self, name: str) -> None:
        self.kind = PENALTIES[name][0]
        self.lam = Parameter(0.0, label="λ")
        freeze([self.lam])

    def __call__(self, model: Any) -> Value:
        penalty: Value = self.lam * self.kind(1.0).measure(penalised(model))
        return penalty


class Leaves(Sequence[Value]):
    """So many nodes, which are made when the first of them is asked for: to train needs none."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._made: list[Value] = []

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, k: Any) -> Any:
        if not self._made:
            with without_collection():
                self._made = [Value(0.0) for _ in range(self._count)]
        return self._made[k]


class Neurons(Module):
    """The network of a plan on bare nodes: those of `Plan.network`, without names.

    To name thousands of parameters takes longer than some trainings, and nobody sees these.

    Parameters
    ----------
    plan : Plan
        What the network is; without dropout.
    leaves : sequence of Value
        The weights of each neuron and its bias, and behind all of them λ if there is a penalty.
    """

    def __init__(self, plan: Plan, leaves: Sequence[Value]) -> None:
        # Behind functions, where no module looks for parts to name.
        self._outputs: Callable[[Any], Any] = lambda x: outputs_of(plan, leaves, x)
        self._penalty: Callable[[], Any] = lambda: penalty_of(plan, leaves)

    def forward(self, x: Any) -> Any:
        """Return the output for one example, or a list of several."""
        return self._outputs(x)

    def penalty(self) -> Value:
        """Return λ times the measure of the weights."""
        node: Value = self._penalty()
        return node


def _neurons(plan: Plan, numbers: Sequence[Any]) -> list[list[tuple[Sequence[Any], Any]]]:
    """Return the weights and the bias of each neuron of each layer."""
    layers, start = [], 0
    for n_in, n_out in zip(plan.sizes[:-1], plan.sizes[1:], strict=True):
        ends = range(start + n_in, start + n_out * (n_in + 1), n_in + 1)
        layers.append([(numbers[end - n_in : end], numbers[end]) for end in ends])
        start += n_out * (n_in + 1)
    return layers


def outputs_of(plan: Plan, numbers: Sequence[Any], x: Any) -> Any:
    """Return the output of a plan's network for one example, or a list of several; of nodes, or of plain numbers."""
    *hidden, last = _neurons(plan, numbers)
    activate, x = activation_function(plan.activation), [*x]
    for layer in hidden:
        x = [activate(functions.dot(weights, x, bias)) for weights, bias in layer]
    found = [functions.dot(weights, x, bias) for weights, bias in last]
    return found[0] if len(found) == 1 else found


def penalty_of(plan: Plan, numbers: Sequence[Any]) -> Any:
    """Return the last number, λ, times the measure of all weights but the biases."""
    assert plan.penalty is not None
    weights = [w for layer in _neurons(plan, numbers) for weights, _ in layer for w in weights]
    return numbers[plan.n_parameters] * PENALTIES[plan.penalty][0](1.0).measure(weights)


def _objective(plan: Plan, leaves: Sequence[Any]) -> Callable[[Any, Any], Any]:
    """Return the loss of one example with the penalty."""

    def objective(x: Any, t: Any) -> Any:
        loss = plan.loss_of(outputs_of(plan, leaves, x), t)
        return loss if plan.penalty is None else loss + penalty_of(plan, leaves)

    return objective


class Widened(VectorizedEngine):
    """Trains with the program of a small network of a plan's kind, widened; θ are its parameters without λ.

    Parameters
    ----------
    plan : Plan
        What is trained.
    leaves : Leaves
        The nodes of the network and λ, which get numbers only where a row is compared with the eager engine.
    X, y : numpy.ndarray
        Examples, with which the program is tried.
    theta : numpy.ndarray
        Weights, at which it is tried.

    Raises
    ------
    NotWidenedError
        If it isn't known what the program is, or the machine doesn't run it.
    """

    def __init__(self, plan: Plan, leaves: Leaves, X: Array, y: Array, theta: Array) -> None:
        super().__init__()
        compiled, columns = _widened(plan, leaves, X[0], y[0]), [X, y.reshape(len(y), -1)]
        if not can_run(compiled):
            raise NotWidenedError("what isn't run by the machine")
        self.parameters, self._n = leaves, plan.n_parameters
        self._objective: Callable[[Any, Any], Any] = _objective(plan, leaves)  # type: ignore[assignment]
        full = self._full(theta, _NOTICED)
        value = lambda numbers, x, t: _objective(plan, numbers)(x, t)  # noqa: E731
        _compare(value, self._objective, compiled, columns, full, leaves, self._spot_check)
        self._resident, self._at = Resident(compiled, full), slice(self._n)
        self._known = slice(None)

    def _full(self, theta: Array, lam: float) -> Array:
        """Return θ with λ behind it, if there is one."""
        return np.append(theta, [lam] * (len(self.parameters) - self._n))

    def show(self, X: Array, y: Array) -> None:
        """Refuse what is no class of the program."""
        choices(self._resident.compiled, [X, y.reshape(len(y), -1)])

    def start(self, theta: Array, lam: float) -> None:
        """Begin at θ, with a strength of the penalty."""
        self._good = self._full(theta, lam)
        self._resident.theta[:] = self._good
        self._since = time.perf_counter()

    def compare(self, theta: Array, examples: Callable[[], list[Array]]) -> None:
        """Compare one of the last examples with the eager engine, if it is time for that; see `VectorizedEngine`."""
        before, self._since = self._since, time.perf_counter()
        if self._spot_check.is_due(self._since - before):
            self._check(np.append(theta, self._resident.theta[self._n :]), examples())

    def _place(self) -> Array:
        return np.arange(self._n)


def _compare(
    value: Callable[..., Any],
    f: Callable[..., Any],
    compiled: Compiled,
    columns: list[Array],
    theta: Array,
    leaves: Leaves,
    spot_check: SpotCheck,
) -> None:
    """Compare a widened program with the eager engine: on plain numbers, and where that tells too little on nodes.

    Raises
    ------
    NotWidenedError
        If they differ: then the network is traced as it is, which is slow, and which a warning says.
    """
    if agrees_with(value, compiled, columns, theta, spot_check):
        return
    assign(leaves, theta.tolist())
    try:
        against_eager(f, compiled, columns, len(columns[0]), spot_check)
    except TraceError as error:
        logging.getLogger(__name__).warning("Tracing the whole network, which is slow: widened, %s", error)
        raise NotWidenedError(str(error)) from error


def _widened(plan: Plan, leaves: Leaves, x: Array, t: Array | None = None) -> Compiled:
    """Return the program of a plan's network, or with a target of its loss, from that of a small one.

    It is compared with nothing yet; the small one is, on nodes.

    Raises
    ------
    NotWidenedError
        If it isn't known what it is.
    """
    wide = Lengths(plan.sizes, 0 if t is None else t.size, len(leaves) - plan.n_parameters)
    narrow = wide.narrow()
    small, rng = plan._replace(sizes=narrow.layers), np.random.default_rng(0)
    before = [Value(number) for number in rng.normal(size=narrow.leaves).tolist()]
    rows = [rng.normal(size=(1, narrow.layers[0]))]
    f = _objective(small, before) if t is not None else partial(outputs_of, small, before)
    if t is not None:
        rows.append(np.ones((1, narrow.targets)))
    examples = [rows[0][0], *(row[0] if t is not None and t.ndim else row[0, 0] for row in rows[1:])]
    compiled = Compiled(f, [*map(np.asarray, examples)], ["x", "t"][: len(rows)], "parameters", "float64")
    against_eager(f, compiled, rows, 1, SpotCheck())
    return compiled.widened(narrow, wide, before, leaves)


class Workbench:
    """A model, and the programs that train it and predict with it; used by one thread at a time, see `workbench`.

    Parameters
    ----------
    plan : Plan
        What is trained here.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._penalty: Any = None
        if plan.keep_prob == 1.0:
            self._leaves = Leaves(plan.n_parameters + (plan.penalty is not None))
            self.model: Any = Neurons(plan, self._leaves)
            if plan.penalty is not None:
                self._penalty = lambda model: model.penalty()
                self._lam: Callable[[], Any] = lambda: self._leaves[-1]
        else:
            self.model = plan.network()
            if plan.penalty is not None:
                self._penalty = strength = _Strength(plan.penalty)
                self._lam = lambda: strength.lam
        self._trainer: Trainer | None = None
        self._engine: Widened | None = None
        self._is_widened = isinstance(self.model, Neurons)  # until it turns out that it can't be
        self._program: Program | None = None
        self._compiled: Compiled | None = None

    def outputs(self, theta: Array, X: Array) -> Array:
        """Return the outputs for every row, of shape (n, outputs), of the network with these weights."""
        if self._program is None and self._compiled is None:
            self._make_program(theta, X)
        if self._compiled is not None:
            found, _ = run_batch(self._compiled, [X], len(X), None, block=None, threads="auto", parameters=theta)
            outputs: Array = found.T
            return outputs
        assert self._program is not None
        with evaluating(self.model):  # the last training has left it in its own mode, or goes on in it
            return np.reshape(self._program(X, parameters=theta[self._order]), (len(X), -1))

    def _make_program(self, theta: Array, X: Array) -> None:
        """Make the program of the outputs, which is compared with the eager engine at the weights and rows given."""
        if isinstance(self.model, Neurons):
            plan, leaves = self.plan._replace(penalty=None), Leaves(self.plan.n_parameters)
            try:
                compiled = _widened(plan, leaves, X[0])
                value, f = (lambda numbers, x: outputs_of(plan, numbers, x)), lambda x: outputs_of(plan, leaves, x)
                _compare(value, f, compiled, [X], theta, leaves, SpotCheck())
                self._compiled = compiled
                return
            except (NotWidenedError, TraceError):  # which it says itself where it can't be traced either
                pass
        place = {parameter: k for k, parameter in enumerate(self.parameters)}  # made before they are traced
        if self._trainer is None:  # else they have numbers
            assign(self.parameters, theta.tolist())
        self._program = vectorize(self.model)
        with evaluating(self.model):
            self._program(X[:1])
        self._order = np.array([place[parameter] for parameter in self._program.parameters])

    def begin(
        self,
        theta: Array,
        X: Array,
        y: Array,
        rule: Callable[[list[Value]], Optimizer],
        batch_size: int,
        shuffle: bool,
        alpha: float,
        seed: int,
    ) -> Training:
        """Return a training that starts from these weights; what an earlier one has left is gone."""
        lam = 0.0 if self.plan.penalty is None else PENALTIES[self.plan.penalty][1] * alpha
        if self._is_widened and self._engine is None:
            try:
                self._engine = Widened(self.plan, self._leaves, X, y, theta)
            except (NotWidenedError, TraceError):  # which says itself where it can't be traced either
                self._is_widened = False
        engine = self._engine
        epochs = None if engine is None else engine.epochs(X, y, batch_size)
        if engine is not None and epochs is not None:
            engine.show(X, y)
            engine.start(theta, lam)
            return MachineTraining(engine, epochs, theta, rule([Value(0.0)]), (X, y), batch_size, shuffle, seed)
        return self._trained_by_trainer(theta, lam, X, y, rule, batch_size, shuffle, seed)

    def let_go(self) -> None:
        """Forget the examples, after a training."""
        if self._engine is not None:
            self._engine.let_go()

    @cached_property
    def parameters(self) -> list[Value]:
        """Those of the model, without λ."""
        if isinstance(self.model, Neurons):
            return list(self._leaves[: self.plan.n_parameters])
        return list(self.model.parameters())

    def _trained_by_trainer(
        self,
        theta: Array,
        lam: float,
        X: Array,
        y: Array,
        rule: Callable[[list[Value]], Optimizer],
        batch_size: int,
        shuffle: bool,
        seed: int,
    ) -> TrainerTraining:
        """Return a training by `Trainer`, which draws for dropout and runs also where there is no machine."""
        assign(self.parameters, theta.tolist())
        if self._penalty is not None:
            self._lam().data = lam
        if self._trainer is None:
            sgd = SGD(self.parameters, lr=1.0)
            self._trainer = Trainer(self.model, self.plan.loss_of, sgd, penalty=self._penalty, progress=False)
        trainer, generator = self._trainer, np.random.default_rng(seed)
        trainer.optimizer, trainer.batch_size, trainer.rng = rule(self.parameters), batch_size, generator
        trainer.sampling = "shuffle" if shuffle else "order"
        dropouts = [part for _, part in self.model.named_modules() if isinstance(part, Dropout)]
        for k, dropout in enumerate(dropouts):
            dropout.rng.bit_generator.state = np.random.default_rng([seed, k]).bit_generator.state
        return TrainerTraining(trainer, X, y)


class Training:
    """A training under way: an epoch a call, with nothing recorded.

    Attributes
    ----------
    optimizer : Optimizer
        What steps; its state can be kept for another training.
    """

    optimizer: Optimizer

    def epoch(self) -> float:
        """Go once through the examples, and return their mean loss with the penalty.

        Raises
        ------
        NonFiniteLossError
            If the loss or a parameter becomes infinite or nan, saying in which iteration and batch.
        """
        return self._epoch()

    def _epoch(self) -> float:
        raise NotImplementedError

    def loss(self, theta: Array) -> tuple[float, Array]:
        """Return the mean loss of all examples with the penalty, at any weights, and its gradient."""
        raise NotImplementedError

    @property
    def theta(self) -> Array:
        """The weights that the training has come to."""
        raise NotImplementedError

    def slow_down(self, rate: float) -> None:
        """Change the learning rate; as in scikit-learn the velocity stays what it was."""
        state, velocity = self.optimizer.state, "momentum_buffer"
        if velocity in state:  # in units of the rate
            state[velocity] = state[velocity] * (self.optimizer.lr / rate)
        self.optimizer.lr = rate


class MachineTraining(Training):
    """One whose parameters are nothing but an array, run by the machine.

    The nodes get the array's numbers where a row is compared with the eager engine.
    """

    def __init__(
        self,
        engine: Widened,
        epochs: NativeEpochs,
        theta: Array,
        optimizer: Optimizer,
        examples: tuple[Array, Array],
        batch_size: int,
        shuffle: bool,
        seed: int,
    ) -> None:
        self._engine, self._epochs, self.optimizer, self._examples = engine, epochs, optimizer, examples
        self._size, self._sampling = batch_size, "shuffle" if shuffle else "order"
        self._rng, self._at, self._n_epochs = np.random.default_rng(seed), theta, 0

    def _epoch(self) -> float:
        n, epochs, batch, total = len(self._examples[0]), self._epochs, 0, 0.0
        order = epoch_order(n, self._size, self._rng, self._sampling)
        self._n_epochs += 1
        if not epochs.take_up(self._at, self.optimizer, None, (None, None)):
            raise AssertionError("the machine knows the rules that estimators have")
        self._at = epochs.theta
        for done in epochs.run(order):
            total, batch = done.total, batch + done.run
            if not math.isfinite(done.loss) or done.is_lost:
                what = "a parameter became infinite or nan" if done.is_lost else f"the loss became {done.loss}"
                raise NonFiniteLossError(
                    f"{what} in iteration {self._n_epochs}, batch {batch}. Try a smaller learning rate than "
                    f"{self.optimizer.lr:g}, or scale the features"
                )
            self._engine.compare(self._at, lambda: epochs.examples(order))
        return total / n

    def loss(self, theta: Array) -> tuple[float, Array]:  # noqa: D102
        return self._engine(theta, *self._examples)

    @property
    def theta(self) -> Array:  # noqa: D102
        return np.array(self._at)


class TrainerTraining(Training):
    """One run by `Trainer`: where there are draws for dropout, or no machine."""

    def __init__(self, trainer: Trainer, X: Array, y: Array) -> None:
        self._trainer, self._examples, self.optimizer = trainer, (X, y), trainer.optimizer
        trainer.model.train()
        trainer._begin(X, y)
        trainer._engine.load()  # also λ, which isn't trained

    def _epoch(self) -> float:
        return self._trainer._epoch(*self._examples, is_watched=False)

    def loss(self, theta: Array) -> tuple[float, Array]:  # noqa: D102
        return self._trainer._engine(theta, *self._examples)

    @property
    def theta(self) -> Array:  # noqa: D102
        ahead = self._trainer._ahead
        return (
            np.array([parameter.data for parameter in self._trainer.optimizer.parameters])
            if ahead is None
            else ahead.copy()
        )


_kept: OrderedDict[Plan, list[Workbench]] = OrderedDict()
_lock = Lock()


@contextmanager
def workbench(plan: Plan) -> Iterator[Workbench]:
    """Lend the workbench of a plan, which nobody else uses meanwhile; after an error it is thrown away."""
    with _lock:
        idle = _kept.pop(plan, [])
        bench = idle.pop() if idle else None
        if idle:
            _kept[plan] = idle
    bench = bench or Workbench(plan)
    yield bench
    bench.let_go()
    with _lock:
        _kept.setdefault(plan, []).append(bench)
        _kept.move_to_end(plan)
        while sum(map(len, _kept.values())) > _MOST_KEPT:
            oldest = next(iter(_kept))
            _kept[oldest].pop(0)
            if not _kept[oldest]:
                del _kept[oldest]
