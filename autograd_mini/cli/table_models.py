"""A network for a table: fitted to a CSV file's numbers, scored on held-out rows, saved, and asked for predictions.

Features are standardised with the mean and standard deviation of the training rows, which are kept beside the network.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, NamedTuple

import numpy as np

from autograd_mini.checks import Array, check_names, checked
from autograd_mini.cli.tables import (
    Table,
    TableError,
    Target,
    Task,
    are_missing,
    exact_number,
    listed,
    loses_digits,
    read_target,
    spellings,
)
from autograd_mini.datasets import split
from autograd_mini.errors import LoadError
from autograd_mini.files import refusing
from autograd_mini.nn import MLP
from autograd_mini.optim import SGD
from autograd_mini.serialization import load_with_extra, save
from autograd_mini.training import Trainer

_MOMENTUM = 0.9
_KIND = "csv_model"  # tells these files from other saved models


@dataclass(frozen=True)
class Columns:
    """What a network's inputs and outputs mean.

    Attributes
    ----------
    features : list of str
        The columns that it reads, in order.
    target : str
        The column that it predicts.
    task : {"classification", "regression"}
        Whether that is a class or a number.
    classes : list of str
        The names of the classes; empty for regression.
    means, scales : list of float
        What is subtracted from each feature, and by what it is divided then.
    target_mean, target_scale : float
        The same for the target of a regression.
    texts : dict
        For features that are one of two texts, that which is 0 and that which is 1.
    """

    features: list[str]
    target: str
    task: Task
    classes: list[str]
    means: list[float]
    scales: list[float]
    target_mean: float = 0.0
    target_scale: float = 1.0
    texts: dict[str, list[str]] = field(default_factory=dict)

    def standardised(self, X: Array) -> Array:
        """Return the features as the network takes them."""
        return (X - self.means) / self.scales


class Score(NamedTuple):
    """How good predictions are on rows with a known target.

    Attributes
    ----------
    text : str
        What to print, e.g. ``accuracy 96.7% (29 of 30)``.
    value : float
        The accuracy, or R² (nan where the target doesn't vary).
    """

    text: str
    value: float


@dataclass(frozen=True)
class CsvModel:
    """A network and what its inputs and outputs mean.

    Attributes
    ----------
    network : MLP
        The network.
    columns : Columns
        Its columns.
    """

    network: MLP
    columns: Columns

    def predict(self, X: Array) -> Array:
        """Return the index of the likeliest class, or the number, for each row of features.

        Parameters
        ----------
        X : numpy.ndarray of shape (rows, features)
            The features as they stand in the table.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            outputs = self._outputs(X)
        if self.columns.task == "classification":
            return np.asarray(outputs.argmax(axis=1))
        numbers: Array = outputs * self.columns.target_scale + self.columns.target_mean
        return numbers

    def predictions(self, table: Table) -> list[str]:
        """Return the predictions for a table's rows as they are to be written: names of classes, or numbers.

        Raises
        ------
        TableError
            If a feature's column isn't there or holds something that is no number.
        """
        found = self.predict(self._features(table))
        if self.columns.task == "classification":
            return [self.columns.classes[index] for index in found]
        return [f"{number:.6g}" for number in found]

    def score_on(self, table: Table) -> Score:
        """Return the score on a table that has the target's column.

        Raises
        ------
        TableError
            If a target is missing or is no number where numbers are due.
        """
        cells = table.cells(self.columns.target)
        known = [not missing for missing in are_missing(cells)]
        if not any(known):
            raise TableError(f"{table.path}: the column {self.columns.target!r} is empty")
        rows = [row for row, is_known in zip(table.rows, known, strict=True) if is_known]
        lines = [line for line, is_known in zip(table.lines, known, strict=True) if is_known]
        scored = Table(table.path, table.header, rows, lines)
        predicted = self.predict(self._features(scored))
        notes: list[str] = []
        if self.columns.task == "regression":
            found = score(self.columns.task, predicted, scored.numbers([self.columns.target])[:, 0])
        else:
            actual, notes = self._classes_of(scored.cells(self.columns.target))
            found = score(self.columns.task, predicted, actual)
        if len(rows) < len(cells):
            notes.append(f"rows without a target left out: {len(cells) - len(rows)}")
        return Score("; ".join([found.text, *notes]), found.value)

    def _classes_of(self, cells: list[str]) -> tuple[Array, list[str]]:
        """Return the indices of the classes that cells name, -1 for others; and what there is to say about that.

        A program may write the class 1 as 1.0, where a column has a gap, and True as TRUE.
        """
        index = {name: i for i, name in enumerate(self.columns.classes)}
        numbers = [exact_number(name) for name in self.columns.classes]
        folded = [name.casefold() for name in self.columns.classes]
        notes = []
        for cell in sorted(set(cells) - set(index)):
            number = exact_number(cell)
            known: list[Any] = folded if number is None else numbers
            wanted = cell.casefold() if number is None else number
            if known.count(wanted) == 1:
                index[cell] = known.index(wanted)
                notes.append(f"{cell} is taken for the class {self.columns.classes[index[cell]]}")
        unknown = sorted(set(cells) - set(index))
        if unknown:
            count = sum(cell in unknown for cell in cells)
            notes.append(f"rows of classes that training hasn't seen: {count} ({listed(unknown, most=6)})")
        return np.array([index.get(cell, -1) for cell in cells]), notes

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network and its columns to a file."""
        kept = asdict(self.columns)
        if not self.columns.texts:  # a file without them can be read by versions that know of none
            del kept["texts"]
        save(self.network, path, kind=_KIND, **kept)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> CsvModel:
        """Read what `save` wrote.

        Raises
        ------
        LoadError
            If the file is damaged or no such model.
        OSError
            If it can't be opened.
        """
        network, kept = load_with_extra(path)
        if kept.pop("kind", None) != _KIND or not isinstance(network, MLP):
            raise LoadError(f"{path} holds a network without its columns' names; make one with autograd-mini train")
        with refusing(path, "is damaged: its columns don't fit the network"):
            return cls(network, _checked_columns(kept, network))

    def _features(self, table: Table) -> Array:
        return table.numbers(self.columns.features, texts=self.columns.texts)

    def _outputs(self, X: Array) -> Array:
        trainer = Trainer(self.network, "squared_error", SGD(self.network.parameters(), lr=1.0))
        return trainer.predict(self.columns.standardised(X))


def _checked_columns(kept: dict[str, Any], network: MLP) -> Columns:
    """Return what was kept beside a network as its columns.

    Raises
    ------
    ValueError
        If it can't be that, with what is wrong.
    """
    kept = {"texts": {}, **kept}
    check_names("the columns", kept, [field.name for field in fields(Columns)])
    n, classes = network.n_inputs, network.widths[-1] if kept["task"] == "classification" else 0
    if kept["task"] not in ("classification", "regression") or network.widths[-1] != (classes or 1):
        raise ValueError(f"{kept['task']!r:.80} is no task for {network.widths[-1]} outputs")
    for name, length in {"features": n, "means": n, "scales": n, "classes": classes}.items():
        if not isinstance(kept[name], list) or len(kept[name]) != length:
            raise ValueError(f"{name}: expected a list of {length}, got {kept[name]!r:.80}")
    for name in (*kept["features"], *kept["classes"], kept["target"]):
        if not isinstance(name, str):
            raise ValueError(f"expected the name of a column or a class, got {name!r:.80}")
    if not isinstance(kept["texts"], dict) or not set(kept["texts"]) <= set(kept["features"]):
        raise ValueError(f"texts: expected two texts for some features, got {kept['texts']!r:.80}")
    for two in kept["texts"].values():
        if not isinstance(two, list) or len(two) != 2 or not all(isinstance(text, str) for text in two):
            raise ValueError(f"texts: expected two texts for a feature, got {two!r:.80}")
    numbers = {
        "means": [checked("means", mean) for mean in kept["means"]],
        "scales": [checked("scales", scale, above=0.0) for scale in kept["scales"]],
        "target_mean": checked("target_mean", kept["target_mean"]),
        "target_scale": checked("target_scale", kept["target_scale"], above=0.0),
    }
    return Columns(**kept | numbers)


def score(task: Task, predicted: Array, actual: Array) -> Score:
    """Return how good predictions are: the accuracy, or R² and the root of the mean squared error.

    Examples
    --------
    >>> score("classification", np.array([0, 1, 1]), np.array([0, 1, 0])).text
    'accuracy 66.7% (2 of 3)'
    >>> score("regression", np.array([1.0, 2.0]), np.array([1.0, 3.0])).text
    'R² 0.5, RMSE 0.7071'
    """
    if task == "classification":
        right = int((predicted == actual).sum())
        accuracy = right / len(actual)
        return Score(f"accuracy {accuracy:.1%} ({right} of {len(actual)})", accuracy)
    squared = float(((predicted - actual) ** 2).sum())
    total = float(((actual - actual.mean()) ** 2).sum())
    r2 = 1.0 - squared / total if total else float("nan")
    rmse = float(np.sqrt(squared / len(actual)))
    return Score((f"R² {r2:.4g}, " if total else "") + f"RMSE {rmse:.4g}", r2)


class Problem(NamedTuple):
    """A table made ready for training.

    Attributes
    ----------
    columns : Columns
        What the network's inputs and outputs are to mean.
    X_train, X_test, y_train, y_test : numpy.ndarray
        The rows to train on and those held out, as they stand in the table; classes as indices.
    notes : list of str
        What was made of the table that isn't written in it, and what the score won't tell.
    """

    columns: Columns
    X_train: Array
    X_test: Array
    y_train: Array
    y_test: Array
    notes: list[str]

    def baseline(self) -> tuple[str, Score]:
        """Return a guess without a network, always the commonest class or the mean, and its score on held-out rows."""
        if self.columns.task == "classification":
            guess: Any = np.bincount(self.y_train).argmax()
            name = f"always {self.columns.classes[guess]!r}"
        else:
            guess = self.y_train.mean()
            name = f"always the mean, {guess:.4g}"
        return name, score(self.columns.task, np.full(len(self.y_test), guess), self.y_test)


def problem(
    table: Table,
    target: str,
    task: Task | None = None,
    ignore: Sequence[str] = (),
    test_fraction: float = 0.2,
    seed: int = 0,
) -> Problem:
    """Return a table's rows as a problem to train on.

    Parameters
    ----------
    table : Table
        The table; all its columns but the target and the ignored ones are features.
    target : str
        The column to predict.
    task : {"classification", "regression"}, optional
        What it is, if not by the rule of `read_target`.
    ignore : sequence of str
        Columns to leave out.
    test_fraction : float
        The part of the rows to hold out.
    seed : int
        Where their choice comes from.

    Raises
    ------
    TableError
        If a column isn't there or unfit, or there are too few rows.
    """
    found: Target = read_target(table, target, task)
    if target in ignore:
        raise TableError(f"the column {target!r} can't be both the target and ignored")
    left_out = {table.place(name) for name in [target, *ignore]}
    names = [name for place, name in enumerate(table.header) if place not in left_out]
    if not names:
        only = f"{table.path} has no columns but the target and the ignored ones; expected features"
        raise TableError(only + table.not_cut())
    texts = {name: two for name in names if (two := table.two_texts(name))}
    X = table.numbers(names, "leave the column out with --ignore", texts)
    if len(X) < 4:
        raise TableError(f"{table.path} has {len(X)} row{'s' if len(X) > 1 else ''}; expected at least 4 to train on")
    by_class = _split_by_class if found.task == "classification" else split
    X_train, X_test, y_train, y_test = by_class(X, found.values, test_fraction, seed)
    means, scales = _mean_and_scale(X_train)
    target_mean, target_scale = _mean_and_scale(y_train) if found.task == "regression" else (0.0, 1.0)
    for name, scale in zip([*names, target], [*scales, target_scale], strict=True):
        if not np.isfinite(scale):
            raise TableError(f"the column {name!r} has numbers too large to standardise; give them in a larger unit")
    columns = Columns(names, target, found.task, found.classes, means, scales, target_mean, target_scale, texts)
    notes = [*_notes_on_features(table, columns, X_train), *_notes_on_classes(found.classes, y_train, y_test)]
    if found.task == "regression":
        # 3.1 and 3.10 may be versions: a column of measured numbers has one way to write a fraction.
        alike = [group for group in spellings(table.cells(target)) if all("." in cell for cell in group)]
        notes += [f"{' and '.join(group)} are one number; for classes use --task classification" for group in alike[:1]]
    return Problem(columns, X_train, X_test, y_train, y_test, notes)


def _notes_on_features(table: Table, columns: Columns, X_train: Array) -> list[str]:
    """Return what was made of the features' cells that isn't written in them."""
    notes = []
    for name, numbers in zip(columns.features, X_train.T, strict=True):
        cells = table.cells(name)
        if name in columns.texts:
            spelled = [
                sorted({cell for cell in cells if cell.casefold() == text.casefold()}) for text in columns.texts[name]
            ]
            is_told_apart = spelled[0] != spelled[1] and all(spelled)
            zero, one = spelled if is_told_apart else [[text] for text in columns.texts[name]]
            notes.append(f"column {name!r} is 0 for {' and '.join(zero)}, 1 for {' and '.join(one)}")
        else:
            changed = next((cell for cell in cells if loses_digits(cell)), None)
            if changed is not None:
                notes.append(f"column {name!r} is made of numbers: {changed} becomes {float(changed):.17g}")
        if numbers.min() == numbers.max():
            notes.append(f"column {name!r} is the same in all rows that are trained on, and tells nothing")
    return notes


def _notes_on_classes(classes: list[str], y_train: Array, y_test: Array) -> list[str]:
    """Return which classes may be meant as one, and which have too few rows to be learned or scored."""
    notes = [f"{' and '.join(group)} are {len(group)} classes, as they are spelled" for group in spellings(classes)]
    for y, what in ((y_train, "trained on"), (y_test, "held out, so the score tells nothing about it")):
        missing = [name for i, name in enumerate(classes) if i not in y]
        notes += [f"class {listed(missing)}: no row is {what}"] if missing else []
    return notes


def _split_by_class(X: Array, y: Array, test_fraction: float, seed: int) -> tuple[Array, Array, Array, Array]:
    """Return what `split` does, with the same part of every class held out; at least one row of each is trained on."""
    rng = np.random.default_rng(seed)
    held_out = np.zeros(len(y), dtype=bool)
    for rows in (rng.permutation(np.flatnonzero(y == k)) for k in range(int(y.max()) + 1)):
        held_out[rows[: min(round(test_fraction * len(rows)), len(rows) - 1)]] = True
    if not held_out.any():  # the classes are so small that a part of each rounds to nothing
        return split(X, y, test_fraction, seed)
    return X[~held_out], X[held_out], y[~held_out], y[held_out]


def _mean_and_scale(numbers: Array) -> tuple[Any, Any]:
    """Return mean and standard deviation by column; 1 for what doesn't vary, so that it can be divided by."""
    with np.errstate(over="ignore", invalid="ignore"):
        scale = numbers.std(axis=0)
        mean = numbers.mean(axis=0)
    # Rounding leaves a constant column a standard deviation a little above 0.
    varies = scale > 1e-12 * np.abs(numbers).max(axis=0)
    return mean.tolist(), np.where(varies, scale, 1.0).tolist()


def network_for(columns: Columns, hidden: Sequence[int] = (16, 16), activation: str = "relu", seed: int = 0) -> MLP:
    """Return an untrained network with an input for each feature, and an output for each class or for the number.

    Raises
    ------
    ValueError
        If a width isn't at least 1, or no activation has the name.
    """
    outputs = len(columns.classes) or 1
    return MLP(len(columns.features), [*hidden, outputs], activation=activation, rng=seed)


def train(
    network: MLP,
    problem: Problem,
    epochs: int = 200,
    lr: float = 0.01,
    batch_size: int = 16,
    seed: int = 0,
    progress: bool | None = None,
) -> CsvModel:
    """Train a network on a problem's training rows, in place, and return it with its columns.

    Raises
    ------
    NonFiniteLossError
        If the loss becomes infinite or nan.
    """
    columns = problem.columns
    loss = "cross_entropy" if columns.task == "classification" else "squared_error"
    optimizer = SGD(network.parameters(), lr=lr, momentum=_MOMENTUM)
    trainer = Trainer(network, loss, optimizer, batch_size=batch_size, epochs=epochs, seed=seed, progress=progress)
    y = problem.y_train
    if columns.task == "regression":
        y = (y - columns.target_mean) / columns.target_scale
    trainer.fit(columns.standardised(problem.X_train), y)
    if trainer.interrupted:
        raise KeyboardInterrupt
    return CsvModel(network, columns)
