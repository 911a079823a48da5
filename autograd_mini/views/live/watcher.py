"""`watch`: a training shown as it happens, and afterwards epoch by epoch."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_mini.checks import checked_whole
from autograd_mini.files import write_text
from autograd_mini.training.data import checked_features, checked_targets
from autograd_mini.training.trainer import Trainer
from autograd_mini.views import page
from autograd_mini.views.live.budget import Budget
from autograd_mini.views.live.data import frames_as_data
from autograd_mini.views.live.figure import Figure, Scales, Subject, summary
from autograd_mini.views.live.measuring import Frame, Measure, Recording, Snapshot, spread
from autograd_mini.views.live.screen import Screen, screen_here
from autograd_mini.views.live.structure import MOST_WEIGHTS, Network, count_weights, network_of
from autograd_mini.views.live.surface import surface_of

if TYPE_CHECKING:
    from autograd_mini.views.live.surface import Surface

Array = np.ndarray[Any, Any]

_LIVE, _AFTERWARDS = "The training at its present epoch", "Training, epoch by epoch"
_MOST_IN_NOTEBOOK = 60  # frames, so that a notebook stays small; a saved page has all that are kept


class Watcher:
    """A training that is watched; made by `watch`, and a callback of the trainer until it is closed.

    A notebook shows it as a page with a slider over the epochs.

    Attributes
    ----------
    trainer : Trainer
        Whose training it is.
    frames : list of Frame
        What is kept: at most 200 epochs, evenly spread, the first and the last always among them.
    """

    only_watches = True  # it changes nothing, so the trainer need not save its state again after this callback

    def __init__(self, trainer: Trainer, X: Array | None, y: Array | None, example: int, every: int | None) -> None:
        self.trainer = trainer
        self._row: Any = None if X is None else X[example].tolist()
        self._measure = Measure(trainer, X, y)
        self._recording = Recording(every)
        self._taken: dict[Snapshot, Frame] = {}
        found = network_of(trainer.model, X.shape[1] if X is not None and X.ndim == 2 else None)
        is_large = found is not None and count_weights(found) > MOST_WEIGHTS
        self._network = None if is_large else found
        self._surface: Surface | None = None
        first = self._measure.snapshot(len(trainer.history))
        self._recording.add(first)
        if X is not None and y is not None and self._row is not None:
            with self._measure.at(first):
                n_outputs = len(self._measure.output(self._row))
            self._surface = surface_of(X, y, n_outputs, trainer.loss, self._measure.is_quick)
        self._subject = Subject(
            self._network.sizes if self._network else [],
            self._network.headings if self._network else [],
            self._surface,
            None if X is None or y is None else (example, X[example], np.atleast_1d(y[example])),
            _note(trainer, found, is_large, X is not None),
        )
        self._budget = Budget()
        self._screen: Screen | None = screen_here()
        start = time.perf_counter()
        self._still()
        self._budget.expect(time.perf_counter() - start)

    def __call__(self, trainer: Trainer) -> None:
        """Take down an epoch, and show it if it is time to; called by the trainer.

        Raises
        ------
        ValueError
            If it is the callback of another trainer.
        """
        if trainer is not self.trainer:
            raise ValueError("this watcher belongs to another trainer; call watch(trainer, X, y) for each of them")
        self._budget.start()
        self._recording.add(self._measure.snapshot(len(trainer.history)))
        if self._screen is not None:
            self._screen.open("<p>training …</p>", self._finished)
            if self._budget.allows_picture():
                self._budget.picture_starts()
                self._screen.show(page.image(self._still(), _LIVE))
                self._budget.picture_ends()
        self._budget.stop()

    # ----------------------------------------------------------------------------------------------- frames

    @property
    def frames(self) -> list[Frame]:
        """What is kept, one frame an epoch; what isn't known yet is computed now."""
        self._catch_up()
        snapshots = self._recording.snapshots()
        self._taken = {s: self._taken[s] if s in self._taken else self._frame(s) for s in snapshots}
        return list(self._taken.values())

    def _catch_up(self) -> None:
        """Take down the epoch after which Ctrl-C came before the trainer had called all its callbacks."""
        epoch, last = len(self.trainer.history), self._recording.snapshots()[-1].epoch
        if any(callback is self for callback in self.trainer.callbacks) and epoch > last:
            self._recording.add(self._measure.snapshot(epoch))

    def _frame(self, snapshot: Snapshot) -> Frame:
        found: dict[str, Any] = {}
        with self._measure.at(snapshot):
            if self._network is not None:
                found["weights"], found["biases"] = self._network.numbers("data")
                if self._row is not None:
                    self._measure.add_gradients()
                    found["weight_gradients"], found["bias_gradients"] = self._network.numbers("grad")
                    found["activations"] = self._network.activations(self._row)
            if self._row is not None:
                found["output"] = self._measure.output(self._row)
            if self._surface is not None:
                found["surface"] = self._measure.outputs(self._surface.grid).astype(np.float32)
        history, epoch = self.trainer.history, snapshot.epoch
        return Frame(epoch, _entry(history.loss, epoch), _entry(history.validation_loss, epoch), **found)

    def _figure(self, epochs: int) -> Figure:
        history = self.trainer.history
        losses: dict[str, Sequence[float]] = {"training": history.loss, "validation": history.validation_loss}
        return Figure(self._subject, losses, epochs)

    def _still(self) -> str:
        """Return the figure of the newest snapshot."""
        frame = self._frame(self._recording.snapshots()[-1])
        done = len(self.trainer.history)
        return self._figure(max(done, self.trainer.epochs)).svg(frame, Scales.of([frame]))

    # ------------------------------------------------------------------------------------------- afterwards

    def _html(self, most: int | None = None) -> str:
        """Return the page; its picture is the last frame, which the script makes the one that is looked at."""
        frames = self.frames
        if most is not None:
            frames = [frames[i] for i in spread(len(frames), most)]
        figure, scales, last = self._figure(frames[-1].epoch), Scales.of(frames), frames[-1]
        data = frames_as_data(figure, frames, scales)
        return page.fragment("watch", figure.svg(last, scales), summary(last, figure.epochs), data)

    def _finished(self) -> str:
        return self._html(_MOST_IN_NOTEBOOK)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._finished()}

    def _mime_(self) -> tuple[str, str]:
        # What marimo asks for: it puts HTML into its page without running scripts.
        return "text/html", page.frame(_AFTERWARDS, self._finished())

    def save(self, path: str | Path) -> Path:
        """Write the training as one HTML file that needs no network, with a slider over the epochs.

        Parameters
        ----------
        path : str or Path
            Where to, a name that ends in ``.html``.

        Returns
        -------
        Path
            Where it is. A 2-16-16-1 network with 200 frames takes about half a MB: its numbers are kept with five
            digits, the regions of the decision boundary in 127 shades on each side of it.

        Raises
        ------
        ValueError
            If the name ends otherwise.
        """
        target = Path(path)
        if target.suffix.lower() not in (".html", ".htm"):
            raise ValueError(f"path: expected a name that ends in .html, got {str(path)!r}")
        write_text(target, page.document(_AFTERWARDS, self._html()))
        return target

    def close(self) -> None:
        """End watching: the trainer calls it no more. What has been recorded stays."""
        self.trainer.callbacks[:] = [callback for callback in self.trainer.callbacks if callback is not self]
        if self._screen is not None:
            self._screen.close()

    def __repr__(self) -> str:
        epochs = [snapshot.epoch for snapshot in self._recording.snapshots()]
        plural = "" if len(epochs) == 1 else "s"
        return f"Watcher({len(epochs)} frame{plural} of epochs {epochs[0]} to {epochs[-1]})"


def watch(trainer: Trainer, X: Any = None, y: Any = None, *, example: int = 0, every: int | None = None) -> Watcher:
    """Watch a training: in Jupyter as it happens, and in a saved page epoch by epoch.

    It shows the network as circles and lines, with its weights, the activations of one example and the gradient on
    every weight, the loss curve, and for two features the decision boundary. Call it before ``trainer.fit``; it becomes
    one of the trainer's callbacks.

    The training it watches is the same to the bit as without it, and takes less than 5 % longer: an epoch costs a copy
    of the parameters, all else is computed when it is looked at, and live pictures are drawn as often as the time
    allows, at most ten times a second. In a notebook the last one becomes a page with a slider when its cell is over.

    Parameters
    ----------
    trainer : Trainer
        Whose training to watch.
    X, y : array_like, optional
        Examples for the gradients, the activations and the decision boundary, in general those that ``fit`` gets; by
        default the trainer's validation examples. Without any, weights and losses are shown.
    example : int, optional
        The row of `X` whose activations are shown.
    every : int, optional
        How many epochs lie between two frames, at the least; of a long training at most 200 frames are kept anyway.

    Returns
    -------
    Watcher
        With ``frames``, ``save("training.html")`` and ``close()``.

    Raises
    ------
    TypeError
        If `trainer` isn't a Trainer, or `example` isn't a whole number.
    ValueError
        If only one of `X` and `y` is given, they don't fit the model, the loss or each other, there is no such example,
        or `every` isn't at least 1.

    Examples
    --------
    >>> from autograd_mini import Trainer, datasets, watch
    >>> from autograd_mini.nn import MLP
    >>> from autograd_mini.optim import SGD
    >>> X, y = datasets.moons(40, seed=0)
    >>> model = MLP(2, [4, 1], activation="tanh", rng=0)
    >>> trainer = Trainer(model, "squared_error", SGD(model.parameters(), lr=0.05), epochs=5)
    >>> watcher = watch(trainer, X, y)
    >>> history = trainer.fit(X, y)
    >>> watcher
    Watcher(6 frames of epochs 0 to 5)
    >>> [gradient.shape for gradient in watcher.frames[-1].weight_gradients]
    [(4, 2), (1, 4)]
    """
    if not isinstance(trainer, Trainer):
        raise TypeError(f"trainer: expected a Trainer, got {trainer!r:.60}; write watch(trainer, X, y)")
    if X is None and y is None and trainer.validation is not None:
        X, y = trainer.validation
    if (X is None) != (y is None):
        raise ValueError(f"expected both X and y, or neither, got no {'X' if X is None else 'y'}")
    steps = None if every is None else checked_whole("every", every, least=1)
    if isinstance(example, bool) or not isinstance(example, (int, np.integer)):
        raise TypeError(f"example: expected the number of a row of X, got {example!r:.60}")
    if X is not None:
        X = checked_features(X, getattr(trainer.model, "n_inputs", None))
        y = checked_targets(y, len(X))
        if not 0 <= example < len(X):
            raise ValueError(f"example: expected a row of X, from 0 to {len(X) - 1}, got {example}")
    watcher = Watcher(trainer, X, y, int(example), steps)
    trainer.callbacks.append(watcher)
    return watcher


def _entry(losses: list[float], epoch: int) -> float | None:
    return losses[epoch - 1] if 0 < epoch <= len(losses) else None


def _note(trainer: Trainer, network: Network | None, is_large: bool, has_examples: bool) -> str:
    """Return what can't be shown, and why."""
    if is_large and network is not None:
        return f"The network has {count_weights(network)} weights; the picture is for up to {MOST_WEIGHTS}."
    if network is None:
        name = type(trainer.model).__name__
        return f"The picture of the network is for MLP, Layer and Sequential of layers, not for this {name}."
    return "" if has_examples else "For activations, gradients and the decision boundary call watch(trainer, X, y)."
