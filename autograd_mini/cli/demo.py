"""The demonstration: ``python -m autograd_mini``.

The two-layer example of the lectures, forward and backward, with the arithmetic and its graph; then a network trained
on the iris data; then what was written and where.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from autograd_mini.cli import console
from autograd_mini.engine import functions
from autograd_mini.engine.value import Constant, Parameter, Value

FOLDER = "autograd_mini_demo"
_LEARNING_RATE = 0.5


def lecture_example() -> Value:
    """Return the loss of the lectures' two-layer network, one input, two hidden units, one output, as a graph.

    x → z¹ = w¹x + b¹ → a = g(z¹) → z² = w²ᵀa + b² → ŷ = g(z²) → l = -[y log ŷ + (1-y) log(1-ŷ)], with g = σ.

    Examples
    --------
    >>> l = lecture_example()
    >>> l.label, round(l.data, 4)
    ('l', 0.4784)
    """
    x, y = Value(1.5, "x"), Constant(1.0, "y")
    w1, b1 = [Parameter(0.8, "w¹₁"), Parameter(-0.4, "w¹₂")], [Parameter(0.1, "b¹₁"), Parameter(0.3, "b¹₂")]
    w2, b2 = [Parameter(0.6, "w²₁"), Parameter(-0.9, "w²₂")], Parameter(0.4, "b²")
    a = []
    for w, b, unit in zip(w1, b1, "₁₂", strict=True):
        z = _labelled(functions.dot([w], [x], b), f"z¹{unit}")
        a.append(_labelled(functions.sigmoid(z), f"a{unit}"))
    z2 = _labelled(functions.dot(w2, a, b2), "z²")
    y_hat = _labelled(functions.sigmoid(z2), "ŷ")
    return _labelled(-(y * functions.log(y_hat) + (1 - y) * functions.log(1 - y_hat)), "l")


def _labelled(node: Value, label: str) -> Value:
    node.label = label
    return node


def run(progress: bool | None = None) -> None:
    """Run the demonstration and write its files to ``autograd_mini_demo`` in the current folder.

    Raises
    ------
    OSError
        If nothing can be written there; before any work.
    """
    folder = Path(FOLDER)
    folder.mkdir(exist_ok=True)
    try:
        with tempfile.TemporaryFile(dir=folder):  # if nothing can be written there, say so now and not at the end
            pass
    except OSError as error:
        raise OSError(error.errno, error.strerror, FOLDER) from None
    _show_lecture_example(folder / "lecture_example.svg")
    _show_iris(folder / "iris_network.svg", folder / "iris_model.npz", progress)
    _show_files(folder)


def _show_lecture_example(picture: Path) -> None:
    """Print both passes through the lectures' example, and draw it."""
    loss = lecture_example()
    formula = [
        "  x → z¹ = w¹x + b¹ → a = σ(z¹) → z² = w²ᵀa + b² → ŷ = σ(z²)",
        "    → l = −[y log ŷ + (1−y) log(1−ŷ)]",
    ]
    parts = {"1. A two-layer network, one example": formula, **console.both_passes(loss, "l")}
    _print(console.sections(parts | {"Are the gradients right?": console.gradient_table(loss)}), "")
    loss.backward()
    draw_to(picture, loss)
    before, after = loss.data, _step_down(loss)
    _print(f"  One step downhill, θ ← θ − {_LEARNING_RATE}·∂l/∂θ, takes l from {before:.4f} to {after:.4f}.", "")


def _step_down(loss: Value) -> float:
    """Move every parameter against its gradient, and return the new loss."""
    from autograd_mini.engine.graph import leaves

    for leaf in leaves(loss):
        if isinstance(leaf, Parameter):
            leaf.data -= _LEARNING_RATE * leaf.grad
    return loss.forward()


def _show_iris(picture: Path, model_file: Path, progress: bool | None) -> None:
    """Train a network on the iris data, print its accuracy, draw and save it."""
    from autograd_mini.datasets import iris, split
    from autograd_mini.nn import MLP
    from autograd_mini.optim import SGD
    from autograd_mini.serialization import save
    from autograd_mini.training import Trainer

    data = iris()
    X_train, X_test, y_train, y_test = split(*data, test_fraction=0.2, seed=0)
    mean, scale = X_train.mean(axis=0), X_train.std(axis=0)
    model = MLP(4, [8, 3], activation="tanh", rng=0)
    n = len(model.parameters())
    flowers = [
        f"  {len(data.X)} flowers, {len(data.feature_names)} lengths each, {len(data.target_names)} species: "
        f"{', '.join(data.target_names)}",
        f"  a 4-8-3 network, {n} parameters, trained on {len(X_train)} flowers, tested on {len(X_test)} others",
    ]
    _print(console.sections({"2. A network that learns: which iris is it?": flowers}), "")
    optimizer = SGD(model.parameters(), lr=0.05, momentum=0.9)
    trainer = Trainer(model, "cross_entropy", optimizer, batch_size=16, epochs=60, seed=0, progress=progress)
    X_train, X_test = (X_train - mean) / scale, (X_test - mean) / scale
    before = trainer.evaluate(X_train, y_train)
    history = trainer.fit(X_train, y_train)
    if trainer.interrupted:
        raise KeyboardInterrupt
    predicted = trainer.predict(X_test).argmax(axis=1)
    draw_to(picture, model)
    save(model, model_file, means=mean.tolist(), scales=scale.tolist(), classes=data.target_names)
    right = int((predicted == y_test).sum())
    _print(
        f"  loss           {before:.4f} at the start, {history.loss[-1]:.4f} after {len(history.loss)} epochs",
        f"  test accuracy  {right / len(y_test):.1%} ({right} of {len(y_test)}), where guessing gets a third",
        "",
    )


def _show_files(folder: Path) -> None:
    """Print what was written, and what to try next."""
    written = {
        "lecture_example.svg": "the graph of part 1, with every value and gradient",
        "iris_network.svg": "the trained network, its weights as width and colour",
        "iris_model.npz": "its parameters, for autograd_mini.serialization.load",
    }
    files = [f"  {name:<21}{meaning}" for name, meaning in written.items()]
    _print(
        console.sections({f"Written to {folder}/": files}),
        "",
        "Try your own:",
        "",
        '  autograd-mini step "tanh(w*x + b)" w=0.5 x=2 b=0.1',
        '  autograd-mini draw "tanh(w*x + b)" w=0.5 x=2 b=0.1 -o graph.svg',
        "  autograd-mini train data.csv --target COLUMN -o model.npz",
    )


def draw_to(path: Path, thing: Any, scale: float | None = None, **style: Any) -> None:
    """Draw a graph or a network, in the style that `draw` is given, in the format that the file's ending names."""
    from autograd_mini.files import replacing
    from autograd_mini.views import draw
    from autograd_mini.views.figures import FORMATS

    drawing = draw(thing, **style)
    kind = path.suffix[1:].lower()
    if kind in FORMATS or scale is not None:
        drawing.save(path, scale=scale)
        return
    content = drawing.source.encode() if kind in ("gv", "dot") else drawing.pipe(format=kind)
    with replacing(path) as file:
        file.write(content)


def _print(*lines: str) -> None:
    print("\n".join(lines), flush=True)
