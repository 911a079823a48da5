"""What the lessons use: the lectures' own small networks, and the quantities that the lessons count and plot.

The chain of three functions, the network whose paths share factors, the chain of scalar layers, saturation by large
initial weights, the path of an optimizer over a loss of two parameters, a convolution written as a matrix.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd_mini.checks import Array, checked_whole
from autograd_mini.engine import functions
from autograd_mini.engine.derivatives import grad
from autograd_mini.engine.graph import topological_order
from autograd_mini.engine.value import Parameter, Value
from autograd_mini.nn.activations import ActivationFunction, ActivationLike, activation_function
from autograd_mini.nn.convolution import Conv1d
from autograd_mini.nn.initializers import normal
from autograd_mini.nn.layers import MLP
from autograd_mini.nn.losses import squared_error
from autograd_mini.optim import Optimizer, grad_norm


class Chain(NamedTuple):
    """Layers of one unit each: z_l = w_l a_{l-1}, a_l = σ(z_l), a_0 = x.

    Attributes
    ----------
    x : Value
        The input.
    weights : list of Parameter
        w_1 … w_L; θ_1 … θ_L in the chain of functions.
    pre_activations : list of Value
        z_1 … z_L.
    outputs : list of Value
        a_1 … a_L; the last one is y.
    activation : callable
        σ.
    """

    x: Value
    weights: list[Parameter]
    pre_activations: list[Value]
    outputs: list[Value]
    activation: ActivationFunction

    @property
    def y(self) -> Value:
        """The output of the last layer."""
        return self.outputs[-1]


def scalar_chain(
    depth: int, weight: float | Sequence[float] = 1.0, activation: ActivationLike = "sigmoid", x: float = 1.0
) -> Chain:
    """Return a chain of scalar layers: a_l = σ(w_l a_{l-1}), l = 1 … L.

    Parameters
    ----------
    depth : int
        L, the number of layers.
    weight : float or sequence of float
        The weight of all layers, or of each.
    activation : str or callable
        σ.
    x : float
        The input.

    Examples
    --------
    >>> chain = scalar_chain(3, weight=2.0, activation="relu", x=1.5)
    >>> chain.y.data, len(chain.weights)
    (12.0, 3)
    >>> chain.y.backward()
    >>> chain.x.grad
    8.0
    """
    depth = checked_whole("depth", depth, 1)
    numbers = list(weight) if isinstance(weight, Iterable) else [weight] * depth
    if len(numbers) != depth:
        raise ValueError(f"weight: expected one number, or one for each of the {depth} layers, got {len(numbers)}")
    return _chain(x, numbers, activation, "w", "a")


def three_function_chain(
    x: float, theta1: float, theta2: float, theta3: float, activation: ActivationLike = "tanh"
) -> Chain:
    """Return y = h₃(h₂(h₁(x; θ₁); θ₂); θ₃), with h(z; θ) = σ(θ·z) for all three.

    The chain's ``outputs`` are z₁ = h₁(x; θ₁), z₂ = h₂(z₁; θ₂) and y, its ``weights`` θ₁, θ₂ and θ₃.

    Parameters
    ----------
    x, theta1, theta2, theta3 : float
        The input and the parameters.
    activation : str or callable
        σ.

    Examples
    --------
    >>> chain = three_function_chain(2.0, 0.5, 3.0, -1.0, activation="identity")
    >>> [output.data for output in chain.outputs], [output.label for output in chain.outputs]
    ([1.0, 3.0, -3.0], ['z1', 'z2', 'y'])
    """
    chain = _chain(x, [theta1, theta2, theta3], activation, "θ", "z")
    for s, z in enumerate(chain.pre_activations, start=1):
        z.label = f"s{s}"  # the lecture calls the results of the functions z
    chain.y.label = "y"
    return chain


def _chain(x: float, numbers: list[float], activation: ActivationLike, weight: str, output: str) -> Chain:
    activate = activation_function(activation)
    chain = Chain(Value(x, label="x"), [], [], [], activate)
    a = chain.x
    for layer, number in enumerate(numbers, start=1):
        w = Parameter(number, label=f"{weight}{layer}")
        z = w * a
        z.label = f"z{layer}"
        a = activate(z)
        a.label = f"{output}{layer}"
        chain.weights.append(w)
        chain.pre_activations.append(z)
        chain.outputs.append(a)
    return chain


def gradient_factors(chain: Chain) -> list[float]:
    """Return w_l σ′(z_l) of every layer: what the gradient is multiplied with on its way back through the layer.

    Their product is ∂y/∂x. Without the first weight and times x it is ∂y/∂w₁.

    Examples
    --------
    >>> gradient_factors(scalar_chain(3, weight=2.0, activation="sigmoid", x=0.0))[0]
    0.5
    """
    slope = grad(chain.activation)
    return [w.data * slope(z.data) for w, z in zip(chain.weights, chain.pre_activations, strict=True)]


def vanishing_products(
    activation: ActivationLike, depths: Iterable[int], weight: float = 1.0, z: float = 1.0
) -> list[float]:
    """Return Π |w σ′(z)| over so many layers, for every depth, with one weight and one pre-activation for all layers.

    Parameters
    ----------
    activation : str or callable
        σ.
    depths : iterable of int
        The numbers of layers.
    weight, z : float
        w and z.

    Examples
    --------
    >>> vanishing_products("sigmoid", [1, 2, 10], z=0.0)
    [0.25, 0.0625, 9.5367431640625e-07]
    >>> vanishing_products("relu", [1, 30])
    [1.0, 1.0]
    """
    factor = abs(weight * grad(activation_function(activation))(float(z)))
    return [math.prod([factor] * checked_whole("depths", depth, 1)) for depth in depths]


class SharedNetwork(NamedTuple):
    """A network in which many paths lead from θ to y.

    All paths begin at ``theta`` and end at ``y``; ``layers`` has the units between them.
    """

    theta: Parameter
    layers: list[list[Value]]
    y: Value


def shared_network(
    layers: int, width: int, activation: ActivationLike = "identity", theta: float = 0.5
) -> SharedNetwork:
    """Return the lecture's network: θ feeds a layer of units, each layer all units of the next, the last one feeds y.

    A unit is σ(Σ w u) over the units u of the layer before, with fixed weights of about ±1/width.

    Parameters
    ----------
    layers, width : int
        The number of layers between θ and y, and of units in each.
    activation : str or callable
        σ; with "identity" a unit is a single node.
    theta : float
        θ.

    Examples
    --------
    >>> from autograd_mini.engine.graph import count_paths
    >>> network = shared_network(layers=3, width=4)
    >>> count_paths(network.y, network.theta) == 4**3
    True
    """
    layers, width = checked_whole("layers", layers, 1), checked_whole("width", width, 1)
    activate = activation_function(activation)
    start = Parameter(theta, label="θ")
    units: list[Value] = [start]
    found: list[list[Value]] = []
    for layer in range(1, layers + 1):
        before, units = units, []
        for j in range(1, width + 1):
            weights = [(-1.0) ** (i * j) * (1.0 + 0.1 * i + 0.2 * j) / len(before) for i in range(1, len(before) + 1)]
            z = functions.dot(weights, before)
            unit = z if activate is functions.identity else activate(z)
            unit.label = f"u{layer}{j}" if width < 10 else f"u{layer},{j}"
            units.append(unit)
        found.append(units)
    y = functions.dot([1.0 - 0.25 * j for j in range(width)], units)
    y.label = "y"
    return SharedNetwork(start, found, y)


def products_with_sharing(root: Value, leaf: Value) -> int:
    """Return how many products the backward pass forms between a leaf and the root: one for each edge on a path.

    Examples
    --------
    >>> x = y = Value(1.0)
    >>> for _ in range(100):
    ...     y = y + y
    >>> products_with_sharing(y, x)
    200
    """
    return _products(root, leaf)[0]


def products_without_sharing(root: Value, leaf: Value) -> int:
    """Return how many products it takes to multiply out every path by itself: the sum of the lengths of all paths.

    They are counted without walking the paths, of which there may be exponentially many.

    Examples
    --------
    >>> x = y = Value(1.0)
    >>> for _ in range(100):
    ...     y = y + y
    >>> products_without_sharing(y, x) == 100 * 2**100
    True
    """
    return _products(root, leaf)[1]


def _products(root: Value, leaf: Value) -> tuple[int, int]:
    edges = 0
    reached: dict[Value, tuple[int, int]] = {}  # of every node on a path: the paths from the leaf, their lengths
    for node in topological_order(root):
        if node is leaf:
            reached[node] = (1, 0)
            continue
        before = [reached[parent] for parent in node.parents if parent in reached]
        if before:
            edges += len(before)
            reached[node] = (sum(paths for paths, _ in before), sum(paths + lengths for paths, lengths in before))
    return edges, reached.get(root, (0, 0))[1]


def saturation_norms(
    scales: Iterable[float],
    X: Any,
    y: Any,
    widths: Sequence[int] = (8, 8, 1),
    activation: ActivationLike = "tanh",
    seed: int = 0,
) -> list[float]:
    """Return the norm of the gradient of a fresh network's mean squared error, for every scale of its weights.

    The same numbers are drawn for every scale and multiplied with it; all layers, the last one too, have the
    activation, so that all of them can saturate.

    Parameters
    ----------
    scales : iterable of float
        The standard deviations of the initial weights.
    X, y : array_like
        Examples, one a row, and their targets.
    widths : sequence of int
        The number of neurons of each layer, the last being 1.
    activation : str or callable
        σ.
    seed : int
        Where the weights come from.

    Examples
    --------
    >>> small, large = saturation_norms([0.5, 50.0], [[1.0, -0.5]], [0.0], widths=(4, 1))
    >>> large < 1e-6 < small
    True
    """
    rows, targets = np.asarray(X, dtype=float).tolist(), np.asarray(y, dtype=float).tolist()
    norms = []
    for scale in scales:
        model = MLP(len(rows[0]), widths, activation, output=activation, initializer=normal(scale), rng=seed)
        squared_error([model(row) for row in rows], targets, reduction="mean").backward()
        norms.append(grad_norm(model.parameters()))
    return norms


def descent_path(
    f: Callable[..., Any],
    start: Sequence[float],
    optimizer: Callable[[list[Value]], Optimizer],
    steps: int,
) -> Array:
    """Return the way an optimizer goes down a function: the parameters before the first step and after each.

    Parameters
    ----------
    f : callable
        The loss, of as many Values as there are in `start`.
    start : sequence of float
        Where to begin.
    optimizer : callable
        Makes the optimizer from the list of parameters, as in ``lambda p: SGD(p, lr=0.1)``.
    steps : int
        How many steps to take.

    Returns
    -------
    numpy.ndarray of shape (steps + 1, len(start))

    Examples
    --------
    >>> from autograd_mini.optim import SGD
    >>> descent_path(lambda a, b: a**2 + b**2, [4.0, 2.0], lambda p: SGD(p, lr=0.25), steps=2)
    array([[4. , 2. ],
           [2. , 1. ],
           [1. , 0.5]])
    """
    parameters: list[Value] = [Parameter(number) for number in start]
    rule = optimizer(parameters)
    path = [[parameter.data for parameter in parameters]]
    for _ in range(checked_whole("steps", steps, 1)):
        rule.zero_grad()
        f(*parameters).backward()
        rule.step()
        path.append([parameter.data for parameter in parameters])
    return np.array(path)


def convolution_matrix(convolution: Conv1d, n_positions: int) -> Array:
    """Return the matrix W with which a dense layer does what a convolution does: z = W x + b.

    Parameters
    ----------
    convolution : Conv1d
        The convolution; its weights are put in their places.
    n_positions : int
        The number of positions of a channel that comes in.

    Returns
    -------
    numpy.ndarray of shape (filters · positions out, channels · positions in)

    Examples
    --------
    >>> difference = Conv1d(1, 1, kernel_size=2, initializer="zeros")
    >>> difference.load_state_dict({"weight": [[[-1.0, 1.0]]], "bias": [0.0]})
    >>> convolution_matrix(difference, 4)
    array([[-1.,  1.,  0.,  0.],
           [ 0., -1.,  1.,  0.],
           [ 0.,  0., -1.,  1.]])
    """
    (kernel,), (stride,), (padding,) = convolution.kernel_size, convolution.stride, convolution.padding
    n_out = (n_positions + 2 * padding - kernel) // stride + 1
    if n_out < 1:
        raise ValueError(f"n_positions: expected at least {kernel - 2 * padding} for the kernel, got {n_positions}")
    matrix = np.zeros((convolution.out_channels, n_out, convolution.in_channels, n_positions))
    for (o, c, k), weight in np.ndenumerate(convolution.state_dict()["weight"]):
        for p in range(n_out):
            place = p * stride + k - padding
            if 0 <= place < n_positions:
                matrix[o, p, c, place] = weight
    return matrix.reshape(convolution.out_channels * n_out, -1)
