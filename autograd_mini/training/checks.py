"""What the trainer's arguments must be, found out before any work; numbers are checked as everywhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import permutations
from typing import Any

from autograd_mini.checks import checked_whole, named
from autograd_mini.engine import node
from autograd_mini.engine.further import MINUS_LOG_SOFTMAX
from autograd_mini.engine.graph import leaves
from autograd_mini.engine.primitives import NEG, SOFTPLUS
from autograd_mini.engine.value import Value
from autograd_mini.nn.containers import Activation, Sequential
from autograd_mini.nn.layers import MLP, Layer, Neuron
from autograd_mini.nn.losses import LOSSES, Loss
from autograd_mini.nn.module import Module
from autograd_mini.nn.nested import flat
from autograd_mini.optim import Optimizer
from autograd_mini.vectorizer import jax_backend

_ROLES = ("model", "loss", "optimizer")


def check_order(*given: Any) -> None:
    """Refuse a model, a loss and an optimizer that come in another order, also classes in their place."""
    for order in permutations(_ROLES):
        if all(role in _roles(thing) for role, thing in zip(order, given, strict=True)):
            if order == _ROLES:
                return
            moved = [role for role, place in zip(order, _ROLES, strict=True) if role != place]
            are = (
                f"the {moved[0]} and the {moved[1]} are swapped" if len(moved) == 2 else "all three are swapped around"
            )
            raise TypeError(f"expected Trainer(model, loss, optimizer), got Trainer({', '.join(order)}): {are}")


def _roles(thing: Any) -> set[str]:
    """Return what a thing, or an object of it if it is a class, could be to a Trainer."""
    kind = thing if isinstance(thing, type) else type(thing)
    if issubclass(kind, Optimizer):
        return {"optimizer"}
    if issubclass(kind, Module):
        return {"model", "loss"}  # a loss may be a module with parameters of its own
    return {"loss"} if callable(thing) or kind is str else set()


def loss_function(loss: str | Loss) -> Loss:
    """Return a loss given by its name, or a function as it is; refuse a class and an optimizer."""
    if isinstance(loss, (type, Optimizer)):
        what = f"the class {loss.__name__}; make one of it first" if isinstance(loss, type) else f"{loss!r:.60}"
        raise TypeError(f"expected a loss by its name or as a function, got {what}")
    return loss if callable(loss) else named("loss", loss, LOSSES, ", or pass a function")


def checked_optimizer(optimizer: Any) -> Any:
    """Return an optimizer, and refuse the class of one."""
    if isinstance(optimizer, type):
        raise TypeError(f"expected an optimizer, got the class; write {optimizer.__name__}(model.parameters(), lr=0.1)")
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"expected an optimizer, got {optimizer!r:.60}; write SGD(model.parameters(), lr=0.1)")
    return optimizer


def checked_model(model: Any) -> Module:
    """Return a model, and refuse what is none."""
    if isinstance(model, type):
        raise TypeError(f"expected a model, got the class {model.__name__}; make one of it first")
    if not isinstance(model, Module):
        raise TypeError(f"expected a model that is a Module, got {model!r:.60}; see autograd_mini.nn.Module")
    return model


def called(name: str, thing: Any) -> Any:
    """Return a function, or None; refuse what can't be called."""
    if thing is not None and not callable(thing):
        raise TypeError(f"{name}: expected a function, got {thing!r:.60}")
    return thing


def callback_list(callbacks: Any) -> list[Callable[[Any], Any]]:
    """Return callbacks as a list, also a single one."""
    listed = [callbacks] if callable(callbacks) else list(callbacks or ())
    return [called("callbacks", callback) for callback in listed]


def checked_devices(devices: Any, engine: str) -> int:
    """Return on how many devices to train, and refuse more than there are."""
    count = checked_whole("devices", devices, least=1)
    if engine != "vectorized":
        raise ValueError(
            f"devices: expected engine='vectorized' with it, got {engine!r}; the eager engine has no arrays"
        )
    jax_backend.devices(count)
    return count


def pair_or_none(name: str, pair: Any) -> Any:
    """Return a pair of examples and targets, or None."""
    if pair is not None and not (isinstance(pair, (tuple, list)) and len(pair) == 2):
        what = f"{len(pair)} things" if isinstance(pair, (tuple, list)) else f"{pair!r:.60}"
        raise ValueError(f"{name}: expected a pair (X, y), got {what}")
    return pair


# --------------------------------------------------------------------------------- what an optimizer is to train


class Trained:
    """Which parameters of a model an optimizer has, and which not.

    Attributes
    ----------
    parameters : list of Parameter
        The model's.
    left_out : list of str
        The names of those that will stay as they are, though they aren't frozen.
    others : set of Value
        What the optimizer has in the place of the model's parameters: under the names of those left out, or instead of
        all. Those that a loss or a penalty has in addition are trained, too, and aren't counted.
    """

    def __init__(self, model: Module, optimizer: Optimizer) -> None:
        self.parameters, held = model.parameters(), set(optimizer.parameters)
        self._to_train = trainable(self.parameters)
        self._kind = type(optimizer).__name__
        self.left_out = [parameter.label for parameter in self._to_train if parameter not in held]
        strangers, names = held.difference(self.parameters), set(self.left_out)
        is_missed = len(strangers) == len(held)
        self.others = strangers if is_missed else {stranger for stranger in strangers if stranger.label in names}

    def check(self, loss: Value | None = None) -> None:
        """Refuse the optimizer of another model.

        Parameters
        ----------
        loss : Value, optional
            The loss of an example with the penalty, by whose graph it is found out whether anything depends on the
            others.

        Raises
        ------
        ValueError
            If the optimizer has none of what is to be trained, or others in its place that nothing depends on.
        """
        is_lost = bool(self._to_train) and len(self.left_out) == len(self._to_train)
        if self.others and loss is not None and not is_lost:
            is_lost = self.others.isdisjoint(leaves(loss))
        if is_lost:
            lacks = f"{len(self.left_out)} of the model's {len(self._to_train)} parameters"
            has = f"{len(self.others)} that aren't the model's" if self.others else "none that could be trained instead"
            raise ValueError(
                f"the optimizer lacks {lacks} and has {has}. Was it made for another model, or before this one was "
                f"made anew, loaded, copied or got a new layer? Make it last: {self._kind}(model.parameters(), …). "
                f"What is to stay as it is can be frozen"
            )


def trainable(parameters: Sequence[Any]) -> list[Any]:
    """Return those that aren't frozen; mostly all, as none ever was."""
    return [p for p in parameters if not p.is_frozen] if node.any_frozen else list(parameters)


def check_depends(loss: Value, others: Callable[[], Iterable[Value]], parameters: Sequence[Value]) -> None:
    """Refuse a loss on which no parameter that is to be trained has any influence.

    Parameters
    ----------
    loss : Value
        The loss of an example with the penalty, in evaluation mode.
    others : callable
        What gives the losses of all examples, in training mode, one after the other; asked only where the first one
        doesn't depend on a parameter, as a model may give some examples a number that is fixed.
    parameters : sequence of Value
        Those of the optimizer.

    Raises
    ------
    ValueError
        If none of them depends on any.
    """
    trained = set(trainable(parameters))

    def depends(node: Value) -> bool:
        """Return whether a node is computed from any of them; mostly the first way down ends at one."""
        stack, seen = [node], set()
        while stack:
            v = stack.pop()
            if v in trained:
                return True
            if v not in seen:
                seen.add(v)
                stack += v.parents
        return False

    if trained and not depends(loss) and not any(map(depends, others())):
        raise ValueError(
            "nothing would be trained: the loss doesn't depend on any of the optimizer's parameters. Does the model "
            "compute inside of no_grad(), or hand on detach(), .data or a plain number? Let it, and the loss, compute "
            "with the Values themselves"
        )


# ------------------------------------------------------------------------ which outputs fit which loss

# For each loss the last activations that it can't be used with, what it takes, and what to do.
_TO_LOGITS = "make the model with output='identity'"
_UNFIT: dict[str, tuple[tuple[str, ...], str, str]] = {
    "cross_entropy": (
        ("softmax", "sigmoid"),
        "takes the softmax itself, of logits",
        f"{_TO_LOGITS}; or take 'binary_cross_entropy' with sigmoid for classes that don't exclude each other",
    ),
    "binary_cross_entropy_with_logits": (
        ("sigmoid", "softmax", "relu", "softplus"),
        "takes the sigmoid itself, of logits of both signs",
        f"{_TO_LOGITS}, or with output='sigmoid' and take 'binary_cross_entropy'",
    ),
    "binary_cross_entropy": (
        ("identity", "tanh", "relu", "leaky_relu", "elu", "softplus", "sign"),
        "takes probabilities from 0 to 1",
        f"make the model with output='sigmoid', or {_TO_LOGITS[5:]} and take 'binary_cross_entropy_with_logits'",
    ),
    "hinge": (("sigmoid", "softmax", "relu", "softplus"), "takes scores of both signs", _TO_LOGITS),
}


def check_outputs(model: Module, loss: Loss, example: tuple[Any, Any] | None = None) -> None:
    """Refuse a model whose last activation the loss can't be used with: as when both take the softmax.

    Parameters
    ----------
    model, loss
        Those of a training.
    example : pair, optional
        The prediction for an example and its loss, as nodes: their graph tells of a model or a loss of one's own what
        it is.

    Raises
    ------
    ValueError
        If they don't fit together, with what to take instead.
    """
    if isinstance(model, MLP) and model.output == "softmax" and len(model.layers[-1].neurons) == 1:
        raise ValueError(
            "the softmax of one output is always 1: make the model with output='sigmoid', or an output for each class"
        )
    name, ending = _name(loss), _ending(model)
    if example is not None:
        prediction, node = example
        name, ending = name or _name_in(node, prediction), ending or _ending_in(prediction)
    unfit, takes, advice = _UNFIT.get(name or "", ((), "", ""))
    if ending in unfit:
        raise ValueError(f"the loss {name} {takes}, but the model ends with {ending}: {advice}")


def is_open(model: Module, loss: Loss) -> bool:
    """Return whether only the graph of an example can tell if the last activation is one that the loss takes."""
    name, ending = _name(loss), _ending(model)
    return ending in (None, "sigmoid", "softmax") if name is None else ending is None and name in _UNFIT


def _name(loss: Any) -> str | None:
    """Return which of the library's losses it is, also with some of its arguments given; None if it is none."""
    while isinstance(loss, partial):
        loss = loss.func
    return next((name for name, known in LOSSES.items() if known is loss), None)


def _name_in(loss: Any, prediction: Any) -> str | None:
    """Return which loss on logits a graph computes of the prediction."""
    outputs = {output for output in flat(prediction) if isinstance(output, Value)}
    pending, seen, smooth = [loss] if isinstance(loss, Value) else [], set(outputs), set()
    while pending:
        v = pending.pop()
        if v in seen:
            continue
        seen.add(v)
        if v.primitive is MINUS_LOG_SOFTMAX and outputs.issuperset(v.parents[1:]):
            return "cross_entropy"
        if v.primitive is SOFTPLUS:
            smooth.add(v.parents[0])
        pending += v.parents
    both = any(z.primitive is NEG and z.parents[0] in outputs & smooth for z in smooth)
    return "binary_cross_entropy_with_logits" if both else None


def _ending(model: Any) -> str | None:
    """Return the last activation of a model that consists of the library's modules; None of another."""
    forward = type(model).forward
    if forward is Sequential.forward:
        return _ending(model.modules[-1])
    if forward is MLP.forward:
        return "softmax" if model.output == "softmax" else _ending(model.layers[-1])
    if forward is Layer.forward:
        return _ending(model.neurons[-1])
    if forward in (Neuron.forward, Activation.forward):
        a = Activation(model.activation)([0.0, 0.0])[0]
        return a.primitive.name if a.primitive is not None else "identity"
    return None


def _ending_in(prediction: Any) -> str | None:
    """Return the last activation of a model, as the graph of its prediction tells it."""
    output = flat(prediction)[-1]
    if not isinstance(output, Value) or output.primitive is None:
        return None
    is_sum = output.primitive.name == "dot" and output.label == "z"  # of a neuron
    return "identity" if is_sum else output.primitive.name
