"""`Trainer`: the loop of the lectures: feed forward, compute the loss, back-propagate, update; epoch after epoch."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import numpy as np

from autograd_mini.checks import Array, checked, checked_choice, checked_whole
from autograd_mini.elsewhere import unexpected
from autograd_mini.engine.modes import enable_grad, ignoring_anomalies, no_grad
from autograd_mini.engine.value import Value
from autograd_mini.errors import AnomalyError, TraceError
from autograd_mini.nn.losses import LOSSES, Loss
from autograd_mini.nn.module import Module
from autograd_mini.optim import Optimizer
from autograd_mini.optim.clipping import clip_factor, vector_norm
from autograd_mini.pickling import state_of
from autograd_mini.progress import showing
from autograd_mini.training import checks
from autograd_mini.training.data import (
    SAMPLINGS,
    augmented,
    check_columns,
    checked_features,
    checked_targets,
    column_names,
    enough_for_each_batch,
    epoch_order,
)
from autograd_mini.training.eager import EagerEngine, as_node, evaluating, losses_of
from autograd_mini.training.history import History
from autograd_mini.training.metrics import metric_functions
from autograd_mini.training.native_epochs import NativeEpochs
from autograd_mini.training.progress import progress_bar
from autograd_mini.training.snapshot import LastEpoch, TrainingState, weights
from autograd_mini.training.stopping import StoppingRule, stopping_rules
from autograd_mini.training.vectorized import VectorizedEngine
from autograd_mini.vectorizer.anomalies import error_of

_LOG = logging.getLogger(__name__)
# After an epoch that nobody watches the parameters' own numbers may be older by so much: reading and writing thousands
# of them takes as long as to train them for an epoch.
_SECONDS_AHEAD = 0.05


class NonFiniteLossError(ArithmeticError):
    """The loss became infinite or nan; the model has the parameters of the last batch where it was finite."""


class Trainer:
    """Train a model by mini-batch gradient descent.

    θ ← θ - η ∇ (1/m Σ loss(f(xᵢ), yᵢ) + penalty), over batches of m examples, shuffled anew each epoch.

    Parameters
    ----------
    model : Module
        Called with one example's features.
    loss : str or callable
        ``loss(prediction, target)`` for one example, or its name: "squared_error", "hinge", "binary_cross_entropy",
        "binary_cross_entropy_with_logits", "cross_entropy", ….
    optimizer : Optimizer
        Made with the model's parameters.
    batch_size : int or None, optional
        m: 1 for one example at a time, None for all of them at once.
    epochs : int, optional
        How many times `fit` goes through the examples, at the most.
    seed : int, optional
        Where the shuffling comes from; two trainings with one seed are equal to the bit.
    penalty : callable, optional
        ``penalty(model)``, a Value to be added to the mean loss of every batch, such as ``nn.L2(1e-3)``.
    validation : tuple of (X, y), optional
        Examples on which the loss is taken after every epoch.
    progress : bool, optional
        Whether to show a progress bar; by default in a terminal and in Jupyter only.
    stopping : StoppingRule or list of them, optional
        When to end before the last epoch: `EarlyStopping`, `LossTolerance`, `GradientNorm` or rules of one's own.
    metrics : list of str, or dict of str to callable, optional
        What to record after every epoch beside the loss: "accuracy", "mean_squared_error", "r2_score", "log_loss", or
        functions of ``(y_true, y_pred)`` by name. Where there is a target for each output, both have the same shape.
    callbacks : list of callable, optional
        Called with the trainer after every epoch.
    augment : callable, optional
        Data augmentation: ``augment(X_batch, generator)`` returns the batch to train on instead, of the same shape.
    clip_norm, clip_value : float, optional
        Bounds for the norm of the gradient and for each of its components.
    sampling : {"shuffle", "replacement", "order"}, optional
        How an epoch draws the examples: each once in a new order; at random, so that some come often and some not at
        all; each once in the order given.
    engine : {"vectorized", "eager"}, optional
        What computes the gradients: an array program that is made from the graph of one example, or the graphs of all
        examples one after the other, thousands of times slower. Both give the same. A model that branches on the data
        of Values can't be vectorized; it is trained eagerly, and a warning is logged.
    devices : int, optional
        On how many devices JAX spreads each batch: the parameters are on all of them, and XLA adds up the gradients. By
        default NumPy computes, which is quicker for small networks.

    Attributes
    ----------
    history : History
        What has been recorded so far.
    interrupted : bool
        Whether Ctrl-C ended the last `fit`.
    stop_reason : str
        Which stopping rule ended the last `fit`, when and why, as is logged too; empty if none did.

    Raises
    ------
    ValueError
        If a number is out of its range, a name is unknown, or `validation` isn't a pair or is missing for a rule; if
        the optimizer was made for another model, or the model ends with an activation that the loss takes itself.
    TypeError
        If model, loss and optimizer come in another order, or one is a class instead of an object.

    Examples
    --------
    >>> from autograd_mini import datasets
    >>> from autograd_mini.nn import MLP
    >>> from autograd_mini.optim import SGD
    >>> X, y = datasets.linear(n=50, noise=0.0, seed=0)
    >>> model = MLP(1, [1], rng=0)
    >>> trainer = Trainer(model, "squared_error", SGD(model.parameters(), lr=0.1), batch_size=10, epochs=30)
    >>> history = trainer.fit(X, y)
    >>> history.loss[-1] < 1e-6
    True
    """

    def __init__(
        self,
        model: Module,
        loss: str | Loss,
        optimizer: Optimizer,
        batch_size: int | None = 32,
        epochs: int = 100,
        seed: int | None = 0,
        penalty: Callable[[Any], Any] | None = None,
        validation: tuple[Any, Any] | None = None,
        progress: bool | None = None,
        *,
        stopping: StoppingRule | Sequence[StoppingRule] | None = None,
        metrics: Sequence[str] | Mapping[str, Callable[[Any, Any], float]] = (),
        callbacks: Sequence[Callable[[Trainer], Any]] = (),
        augment: Callable[[Array, np.random.Generator], Any] | None = None,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        sampling: str = "shuffle",
        engine: str = "vectorized",
        devices: int | None = None,
    ) -> None:
        checks.check_order(model, loss, optimizer)
        self.model = checks.checked_model(model)
        self.loss = checks.loss_function(loss)
        self.optimizer = checks.checked_optimizer(optimizer)
        checks.check_outputs(self.model, self.loss)
        checks.Trained(self.model, self.optimizer).check()
        self.batch_size = None if batch_size is None else checked_whole("batch_size", batch_size, least=1)
        self.epochs = checked_whole("epochs", epochs, least=1)
        self.penalty = checks.called("penalty", penalty)
        self.validation: tuple[Any, Any] | None = checks.pair_or_none("validation", validation)
        self.progress = progress
        self.metrics = metric_functions(metrics, self.loss)
        self.stopping = stopping_rules(
            stopping, ["loss", *["validation_loss"] * (validation is not None), *self.metrics]
        )
        self.callbacks = checks.callback_list(callbacks)
        self.augment = checks.called("augment", augment)
        self.clip_norm = None if clip_norm is None else checked("clip_norm", clip_norm, above=0.0)
        self.clip_value = None if clip_value is None else checked("clip_value", clip_value, above=0.0)
        self.sampling = checked_choice("sampling", sampling, SAMPLINGS)
        checked_choice("engine", engine, (VectorizedEngine.name, EagerEngine.name))
        self.devices = None if devices is None else checks.checked_devices(devices, engine)
        self._engine = EagerEngine() if engine == EagerEngine.name else VectorizedEngine(self.devices)
        self.rng = np.random.default_rng(seed)
        self.interrupted, self.stop_reason = False, ""
        self._best_model: dict[str, Any] = {}
        self._last_epoch = LastEpoch()
        self._ahead: Array | None = None  # θ, while the parameters' own numbers are those of an earlier epoch
        self._columns: list[str] | None = None  # those of the data frame that `fit` was given, if it was one
        self.history = History(metrics={name: [] for name in self.metrics})

    def __getstate__(self) -> dict[str, Any]:
        """Return everything, for pickle and copies; the copy's training goes on as this one's would."""
        return state_of(self)

    @property
    def engine(self) -> str:
        """What computes the gradients: "vectorized" or "eager"."""
        return self._engine.name

    def fit(self, X: Any, y: Any, **others: NoReturn) -> History:
        """Train for `epochs` epochs, or until a stopping rule says so; called again, go on from where it stopped.

        Ctrl-C ends the training with everything as it was after the last finished epoch. However it ends, a rule with
        ``restore_best`` then puts the parameters of the best epoch in place. The next call goes on from those of the
        last epoch, as if it had never ended, unless any was changed in between: then from what is there, and a warning
        is logged.

        Parameters
        ----------
        X : array_like of shape (n, d)
            One example a row.
        y : array_like of shape (n,) or (n, k)
            The targets.

        Returns
        -------
        History
            The losses of all epochs so far.

        Raises
        ------
        ValueError
            If the examples are empty, of the wrong width, or hold nan or infinite numbers, or if the loss can't take a
            target, before any work.
        NonFiniteLossError
            If the loss or a parameter becomes infinite or nan, saying in which epoch and batch. The model then has the
            parameters of the last batch at which the loss was finite, and the optimizer forgets its momentum.
        Exception
            What a metric or a stopping rule raises; everything is then as it was after the last finished epoch.
        """
        if others:
            raise unexpected("fit", others)
        trained = checks.Trained(self.model, self.optimizer)
        training = self._checked(X, y, trained=trained)
        enough_for_each_batch(self.model, len(training[0]), self.batch_size)
        validation = None
        if self.validation is not None:
            check_columns("validation X", self.validation[0], column_names(X))
            validation = self._checked(*self.validation, which="validation ")
        self._columns = column_names(X) or self._columns
        if self._last_epoch.take_up(self.model, self.optimizer):
            _LOG.warning(
                "The parameters have been changed since those of the best epoch were put in place: training goes on "
                "from what they are now, and the optimizer from its state after epoch %d",
                len(self.history),
            )
        were_others = [rule.belong_to(self.history) for rule in self.stopping]
        if any(were_others):
            self._best_model.clear()
        self.model.train()
        self.interrupted, self.stop_reason = False, ""
        stopped_by: StoppingRule | None = None
        finished = self._state(trained.parameters)
        self._begin(*training)
        rules_look = any(rule.looks_at_parameters for rule in self.stopping)
        is_watched = bool(self.callbacks or rules_look or self.metrics or validation is not None)
        with progress_bar(self.epochs, "epoch", self.progress) as bar:
            try:
                for epoch in range(self.epochs):
                    if epoch and (self.callbacks or not self._engine.is_current()):  # something has changed the model
                        self._catch_up()
                        self._say_untrained(checks.Trained(self.model, self.optimizer))
                        self._prepare(*training)
                    started = time.perf_counter()
                    self.history.loss.append(self._epoch(*training, is_watched or epoch == self.epochs - 1))
                    speed = len(training[0]) / max(time.perf_counter() - started, 1e-9)
                    try:
                        self._record(training, validation)
                        stopped_by = self._stopping_rule()
                    except Exception:  # an epoch is recorded with all its numbers, or has not been
                        self._ahead = None
                        finished.restore()
                        raise
                    finished.take(self._ahead)
                    is_over = stopped_by is not None or epoch == self.epochs - 1
                    if is_over:
                        self._put_best_in_place(stopped_by)
                    if not bar.disable:
                        bar.set_postfix(_shown(self.history, speed), refresh=False)
                    bar.update()
                    for callback in self.callbacks:
                        callback(self)
                        if not getattr(callback, "only_watches", False):  # what a callback has done stays done
                            finished = self._state()
                    if is_over:
                        break
            except KeyboardInterrupt:
                self.interrupted, self._ahead = True, None
                finished.restore()
                self._put_best_in_place(stopped_by)
            finally:
                self._catch_up()
                self._engine.let_go()
        return self.history

    # ------------------------------------------------------------------------------------------------- the loop

    def _begin(self, X: Array, y: Array) -> None:
        """Start a training from the numbers that the parameters have now."""
        self._ahead = None
        self._caught_up = time.perf_counter()  # when they were up to date last
        self._trained: list[Value] = []  # nothing yet, so that `_prepare` takes down where this training begins
        self._prepare(X, y)

    def _prepare(self, X: Array, y: Array) -> None:
        """Tell the engine what to compute; where that can't be vectorized, go on with the eager engine."""
        parameters = self.optimizer.parameters
        if self._trained != parameters:
            self._trained = list(parameters)
            # θ as it was when the loss was last known to be finite, and the gradient of the step from there.
            self._last_finite = np.array([parameter.data for parameter in parameters])
            self._gradient: Array | None = None
        work = (self.model, self.loss, self.penalty, parameters, X, y)
        with self._naming_row(X, y), showing(self.progress):
            try:
                self._engine.prepare(*work)
            except TraceError as error:
                _LOG.warning("Training eagerly, which is slow: %s", error)
                self._engine = EagerEngine()
                self._engine.prepare(*work)

    def _epoch(self, X: Array, y: Array, is_watched: bool) -> float:
        """Go once through the examples, and return their mean loss, each as it was when it was used.

        Where nobody watches, the parameters may keep their numbers until `_catch_up`.
        """
        engine, n = self._engine, len(X)
        order = epoch_order(n, self.batch_size, self.rng, self.sampling)
        size = min(self.batch_size or n, n)
        epochs = None if self.augment is not None else engine.epochs(X, y, size)
        ahead, self._ahead = self._ahead, None
        theta, total = engine.load() if ahead is None else ahead, 0.0
        try:
            with np.errstate(all="ignore"), self._naming_row(X, y):
                clip = self.clip_value, self.clip_norm
                if epochs is not None and epochs.take_up(theta, self.optimizer, engine.present, clip):
                    theta = epochs.theta
                    total = self._run(epochs, order)
                    if not is_watched and time.perf_counter() < self._caught_up + _SECONDS_AHEAD:
                        self._ahead = theta
                    return total / n
                rows, targets = X[order], y[order]
                for number, start in enumerate(range(0, n, size), start=1):
                    chosen = rows[start : start + size]
                    if self.augment is not None:
                        chosen = augmented(chosen, self.augment, self.rng)
                    loss, gradient = engine(theta, chosen, targets[start : start + size])
                    if not math.isfinite(loss):
                        raise self._not_finite(f"the loss became {loss}", number)
                    self._last_finite, self._gradient = theta, self._clipped(gradient)
                    theta = self.optimizer.advance(theta, self._gradient, engine.present)
                    if not np.isfinite(theta).all():
                        raise self._not_finite("a parameter became infinite or nan", number)
                    total += loss * len(chosen)
        except NonFiniteLossError:
            theta = self._last_finite
            raise
        except AnomalyError as error:  # inside of `detect_anomaly`: its examples are those of the batch
            if not error.examples:
                raise
            by_row = {int(order[start + i]): message for i, message in error.examples.items()}
            raise error_of(by_row, min(size, n - start)) from None
        finally:
            if self._ahead is None:
                self._store(theta)
        return total / n

    def _store(self, theta: Array) -> None:
        self._engine.store(theta, self._gradient)
        self._caught_up = time.perf_counter()

    def _catch_up(self) -> None:
        """Give the parameters the numbers that the training has come to, if they don't have them yet."""
        if self._ahead is not None:
            self._store(self._ahead)
            self._ahead = None

    def _run(self, epochs: NativeEpochs, order: Array) -> float:
        """Have an epoch run by itself, and return the sum of the losses."""
        total, batch = 0.0, 0
        for done in epochs.run(order):
            total, batch = done.total, batch + done.run
            if done.stepped:
                self._last_finite, self._gradient = epochs.before, epochs.gradient
            if not math.isfinite(done.loss):
                raise self._not_finite(f"the loss became {done.loss}", batch)
            if done.is_lost:
                raise self._not_finite("a parameter became infinite or nan", batch)
            self._engine.compare(epochs.theta, lambda: epochs.examples(order))
        return total

    def _clipped(self, gradient: Array) -> Array:
        if self.clip_value is not None:
            gradient = np.clip(gradient, -self.clip_value, self.clip_value)
        if self.clip_norm is not None:
            gradient = gradient * clip_factor(vector_norm(gradient), self.clip_norm)
        return gradient

    def _not_finite(self, what: str, batch: int) -> NonFiniteLossError:
        self.optimizer.state.clear()
        return NonFiniteLossError(
            f"{what} in epoch {len(self.history) + 1}, batch {batch}; the model has the parameters of the last batch "
            f"where the loss was finite. Try a smaller learning rate than {self.optimizer.lr:g}, or scale the features"
        )

    def _record(self, training: tuple[Array, Array], validation: tuple[Array, Array] | None) -> None:
        """Write down what is known after an epoch beside the training loss."""
        if validation is not None:
            self.history.validation_loss.append(self._mean_loss(*validation, which="validation "))
        if self.metrics:
            X, y = training if validation is None else validation
            outputs = self._outputs(X)
            if y.size == outputs.size:  # (n, 1) beside (n,) would make a metric of one's own compare all with all
                y = y.reshape(outputs.shape)
            for name, metric in self.metrics.items():
                self.history.metrics.setdefault(name, []).append(_number(f"metrics[{name!r}]", metric(y, outputs)))

    def _stopping_rule(self) -> StoppingRule | None:
        """Ask every stopping rule, and return the first that says stop."""
        parameters, epoch = self.optimizer.parameters, len(self.history)
        latest = self.history.latest()
        answers = [rule.should_stop(epoch, latest[rule.monitor], parameters) for rule in self.stopping]
        keeper = self._keeper()
        if getattr(keeper, "best_epoch", None) == epoch and not getattr(keeper, "waited", 0):
            self._best_model.clear()
            self._best_model.update(self.model.state_dict())  # with running statistics, which are no parameters
        if not any(answers):
            return None
        self._catch_up()
        rule = self.stopping[answers.index(True)]
        self.stop_reason = f"{rule!r} after epoch {epoch}: {rule.monitor} {rule.reason(latest[rule.monitor])}"
        _LOG.log(
            logging.WARNING if math.isnan(latest[rule.monitor]) else logging.INFO, "Stopped by %s", self.stop_reason
        )
        return rule

    def _keeper(self) -> StoppingRule | None:
        """Return the first rule that puts the best epoch's parameters back at the end, whatever ends the training."""
        return next((rule for rule in self.stopping if getattr(rule, "restore_best", False)), None)

    def _put_best_in_place(self, stopped_by: StoppingRule | None) -> None:
        """Give the rules the chance to put better parameters in place, before the last epoch's callbacks see them."""
        keeper = self._keeper() if self._best_model else None
        rules = dict.fromkeys(rule for rule in (keeper, stopped_by) if rule is not None)
        if not rules:
            return
        last = weights(self.model, self.optimizer)
        if keeper is not None:
            self.model.load_state_dict(self._best_model)
        for rule in rules:
            rule.restore(self.optimizer.parameters)
        self._last_epoch.set_aside(last, self.model, self.optimizer)

    # ----------------------------------------------------------------------------------------- using the model

    def predict(self, X: Any) -> Array:
        """Return the model's outputs for every row, in evaluation mode.

        Parameters
        ----------
        X : array_like of shape (n, d)
            One example a row. A data frame must have the columns of the one that `fit` was given, in their order.

        Returns
        -------
        numpy.ndarray
            Of shape (n,) for one output, (n, k) for k.
        """
        check_columns("X", X, self._columns)
        return self._outputs(checked_features(X, getattr(self.model, "n_inputs", None)))

    def _outputs(self, X: Array) -> Array:
        with showing(self.progress):
            return self._engine.outputs(self.model, X)

    def evaluate(self, X: Any, y: Any) -> float:
        """Return the mean loss on examples, in evaluation mode and without the penalty."""
        return self._mean_loss(*self._checked(X, y))

    def _mean_loss(self, X: Array, y: Array, which: str = "") -> float:
        with self._naming_row(X, y, which), showing(self.progress):
            return self._engine.mean_loss(self.model, self.loss, X, y)

    # ------------------------------------------------------------------------------------- going on another day

    def state_dict(self) -> dict[str, Any]:
        """Return all that going on needs: parameters, optimizer, generators, rules and history, as copies.

        A training that is saved, loaded into a new trainer of the same making and continued equals one that never
        stopped, to the bit. See `autograd_mini.serialization.save_training`.
        """
        return self._state().state_dict() | ({"columns": self._columns[:]} if self._columns else {})

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` of a trainer of the same making returned.

        Raises
        ------
        ValueError
            If it doesn't fit this trainer's model, optimizer or rules.
        """
        columns = state.get("columns")
        if columns is not None and not (isinstance(columns, list) and all(isinstance(name, str) for name in columns)):
            raise ValueError(f"columns: expected a list of names, got {columns!r:.60}")
        self._state().load_state_dict(state)
        for rule in self.stopping:
            rule._training = self.history
        self._columns = columns

    def _state(self, parameters: Sequence[Value] | None = None) -> TrainingState:
        parts = self.model, self.optimizer, self.stopping, self.history, self.rng
        return TrainingState(*parts, self._best_model, self._last_epoch, parameters)

    # ------------------------------------------------------------------------------------------------- checks

    def _checked(
        self, X: Any, y: Any, *, which: str = "", trained: checks.Trained | None = None
    ) -> tuple[Array, Array]:
        """Return examples as arrays; where they are to be trained on, the parts of the training are checked as well."""
        check_columns(f"{which}X", X, self._columns)
        features = checked_features(X, getattr(self.model, "n_inputs", None), f"{which}X")
        targets = checked_targets(y, len(features), f"{which}y")
        if trained is None:
            self._try_out(features, targets, which)
            return features, targets
        recording = bool(trained.others) or checks.is_open(self.model, self.loss)
        example = self._try_out(features, targets, which, recording=True)
        checks.check_outputs(self.model, self.loss, example if recording else None)
        with enable_grad(), ignoring_anomalies():
            loss = as_node(example[1]) + as_node(0.0 if self.penalty is None else self.penalty(self.model))
        self._untrained = ""
        self._say_untrained(trained, loss)
        checks.check_depends(loss, lambda: self._losses_in_training(features, targets), self.optimizer.parameters)
        return features, targets

    def _losses_in_training(self, X: Array, y: Array) -> Iterator[Value]:
        """Iterate over the losses of the examples in training mode; everything is then as it was before."""
        before = self._state()
        try:
            with evaluating(self.model), enable_grad(), ignoring_anomalies():  # which ends in the modes it began with
                self.model.train()
                yield from losses_of(self.model, self.loss, X.tolist(), y.tolist())
        finally:
            before.restore()

    def _say_untrained(self, trained: checks.Trained, loss: Value | None = None) -> None:
        """Refuse the optimizer of another model, and say once what it leaves as it is."""
        trained.check(loss)
        stay, untrained = trained.left_out, ""
        if all(parameter.is_frozen for parameter in self.optimizer.parameters):
            untrained = "Nothing is trained: all parameters of the optimizer are frozen; see unfreeze"
        elif stay:
            few = ", ".join(stay[:3]) + ", …" * (len(stay) > 3)
            untrained = (
                f"Not the optimizer's, and not trained: {len(stay)} of the model's parameters ({few}); freeze them to "
                f"say that they are meant to stay"
            )
        if untrained and untrained != self._untrained:
            _LOG.warning(untrained)
        self._untrained = untrained

    def _try_out(self, X: Array, y: Array, which: str = "", recording: bool = False) -> tuple[Any, Any]:
        """Compute losses of one example, so that a target the loss can't take is found before any work.

        The library's own losses are shown every target there is; a function of one's own only the first. The prediction
        and its first loss are returned, with their graph if it is to be recorded.
        """
        is_known = any(self.loss is loss for loss in LOSSES.values())
        targets = y.tolist()
        with evaluating(self.model), ignoring_anomalies():  # row and targets needn't belong together
            with enable_grad() if recording else no_grad():
                prediction = self.model(X[0].tolist())
                with self._naming_row(X, y, which):
                    first = self.loss(prediction, targets[0])
            with no_grad(), self._naming_row(X, y, which):
                for target in _distinct(targets)[1:] if is_known else ():
                    self.loss(prediction, target)
        return prediction, first

    @contextmanager
    def _naming_row(self, X: Array, y: Array, which: str = "") -> Iterator[None]:
        """Say of an error that a target has caused in which row it is: the first that the loss doesn't take."""
        try:
            yield
        except (ValueError, TypeError, LookupError) as error:
            if type(error) not in (ValueError, TypeError, KeyError, IndexError):  # others want other arguments
                raise
            with evaluating(self.model), no_grad(), ignoring_anomalies():
                prediction = self.model(X[0].tolist())
                for i, target in enumerate(y.tolist()):
                    try:
                        self.loss(prediction, target)
                    except type(error) as refused:
                        raise type(error)(f"{which}y, row {i}: {refused}") from error
            raise


def _shown(history: History, speed: float) -> dict[str, str]:
    """Return what the progress bar says of the last epoch; the bar itself says when the last one will end."""
    latest = history.latest().items()
    shown = {name.removeprefix("validation_loss") or "validation": f"{x:.4f}" for name, x in latest}
    return shown | {"examples/s": f"{speed:.0f}"}


def _number(name: str, number: Any) -> float:
    try:
        return float(number)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: expected a number, got {number!r:.60}") from None


def _distinct(targets: list[Any]) -> list[Any]:
    return list(dict.fromkeys(tuple(target) if isinstance(target, list) else target for target in targets))
