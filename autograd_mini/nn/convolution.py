"""`Conv1d` and `Conv2d`: a dense layer whose W has a special form, the same few weights at every position.

zₒ(p) = Σ over channels c and offsets k of wₒ(c, k) · x(c, p·stride + k) + bₒ: one dot node for each output position,
and for each weight as many successors as there are positions.
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

from autograd_mini.checks import checked_whole, is_whole
from autograd_mini.engine import functions
from autograd_mini.engine.value import Constant, Parameter, Value
from autograd_mini.nn.activations import ActivationLike, Choice, activation_name, unit
from autograd_mini.nn.initializers import InitializerLike, Random, initial_weights
from autograd_mini.nn.module import Module
from autograd_mini.nn.nested import flat, folded, is_list, nodes, shape

_AXES = {1: "positions", 2: "rows and columns"}


class _Convolution(Module):
    """A convolution over any number of axes; the sizes of kernel, stride and padding are given for each axis."""

    n_axes: int
    activation = Choice()
    _activate: Any

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        activation: ActivationLike = "identity",
        initializer: InitializerLike = None,
        rng: Random = None,
    ) -> None:
        self.in_channels = checked_whole("in_channels", in_channels, least=1)
        self.out_channels = checked_whole("out_channels", out_channels, least=1)
        self.kernel_size = _sizes("kernel_size", kernel_size, self.n_axes, least=1)
        self.stride = _sizes("stride", stride, self.n_axes, least=1)
        self.padding = _sizes("padding", padding, self.n_axes, least=0)
        self.activation = activation
        # Each filter is a neuron whose features are the numbers under the kernel, and is drawn as such.
        features = self.in_channels * prod(self.kernel_size)
        drawn = initial_weights(initializer, activation, rng, (self.out_channels, features))
        self.weight: list[Any] = [
            folded([Parameter(w) for w in row], (self.in_channels, *self.kernel_size)) for row in drawn.tolist()
        ]
        self.bias = [Parameter(0.0) for _ in range(self.out_channels)]

    def forward(self, x: Any) -> list[Any]:
        """Return the activations [channel][position] or [channel][row][column] for one example."""
        x, sizes = self._checked(nodes(x))
        wide = [size + 2 * pad for size, pad in zip(sizes, self.padding, strict=True)]
        counts = [
            (n - kernel) // stride + 1 for n, kernel, stride in zip(wide, self.kernel_size, self.stride, strict=True)
        ]
        channels = [self._padded(channel, sizes, wide) for channel in x]
        offsets = [_place(offset, wide) for offset in product(*map(range, self.kernel_size))]
        starts = [
            _place([i * stride for i, stride in zip(index, self.stride, strict=True)], wide)
            for index in product(*map(range, counts))
        ]
        patches = [[channel[start + offset] for channel in channels for offset in offsets] for start in starts]
        return [
            folded(
                [
                    unit(self._activate, functions.dot(weights, patch, bias), o, *place)
                    for place, patch in zip(product(*map(range, counts)), patches, strict=True)
                ],
                counts,
            )
            for o, (weights, bias) in enumerate(zip(map(flat, self.weight), self.bias, strict=True))
        ]

    def _padded(self, channel: Any, sizes: tuple[int, ...], wide: list[int]) -> list[Value]:
        """Return a channel in one list, row after row, with a leaf of 0 for every place of the border."""
        places = product(*[range(pad, pad + size) for pad, size in zip(self.padding, sizes, strict=True)])
        inside = {_place(place, wide): node for place, node in zip(places, flat(channel), strict=True)}
        return [inside[i] if i in inside else Constant(0.0) for i in range(prod(wide))]

    def _checked(self, x: Any) -> tuple[Any, tuple[int, ...]]:
        """Return the channels and how long each axis is."""
        found = shape(x)
        if len(found) == self.n_axes and self.in_channels == 1:
            x, found = [x], (1, *found)
        if len(found) != 1 + self.n_axes:
            short = f", or without the channel as there is one, of {self.n_axes} axes" if self.in_channels == 1 else ""
            raise ValueError(
                f"{self!r}: expected one example as x[channel]{'[position]' * self.n_axes}{short}; got shape {found}; "
                f"call it with one example at a time"
            )
        if found[0] != self.in_channels:
            raise ValueError(f"{self!r}: expected {self.in_channels} channels, got {found[0]} (shape {found})")
        for size, pad, kernel in zip(found[1:], self.padding, self.kernel_size, strict=True):
            if size + 2 * pad < kernel:
                raise ValueError(
                    f"{self!r}: expected at least {kernel} {_AXES[self.n_axes]} for the kernel, got {size} with a "
                    f"padding of {pad}; choose a smaller kernel_size or a larger padding"
                )
        return x, found[1:]

    def __repr__(self) -> str:
        kernel, stride, padding = map(_short, (self.kernel_size, self.stride, self.padding))
        return (
            f"{type(self).__name__}({self.in_channels}, {self.out_channels}, kernel_size={kernel}, stride={stride}, "
            f"padding={padding}, activation={activation_name(self.activation)!r})"
        )


class Conv1d(_Convolution):
    """A convolution over positions: zₒ(p) = Σ wₒ(c, k) · x(c, p·stride + k) + bₒ, a = σ(z).

    As in PyTorch the kernel isn't turned round (it is a cross-correlation). Padding puts zeros at both ends.

    Parameters
    ----------
    in_channels, out_channels : int
        The number of channels that come in and of filters.
    kernel_size : int
        How many positions each output sees.
    stride : int
        How far the kernel moves from one output to the next.
    padding : int
        The number of zeros at each end.
    activation, initializer, rng
        As for `Neuron`; a filter's weights are drawn as those of a neuron of in_channels·kernel_size features.

    Attributes
    ----------
    weight : list of list of list of Parameter
        wₒ(c, k), of shape (out_channels, in_channels, kernel_size).
    bias : list of Parameter
        bₒ.

    Raises
    ------
    ValueError
        If an argument is out of its range. When called: if the channels are more or fewer, unequally long, or shorter
        than the kernel.

    Examples
    --------
    >>> difference = Conv1d(1, 1, kernel_size=2, initializer="zeros")
    >>> difference.load_state_dict({"weight": [[[-1.0, 1.0]]], "bias": [0.0]})
    >>> [[z.data for z in channel] for channel in difference([1.0, 4.0, 9.0, 16.0])]
    [[3.0, 5.0, 7.0]]
    """

    n_axes = 1


class Conv2d(_Convolution):
    """A convolution over rows and columns: zₒ(p, q) = Σ wₒ(c, k, l) · x(c, p·stride + k, q·stride + l) + bₒ, a = σ(z).

    As in PyTorch the kernel isn't turned round (it is a cross-correlation). Padding puts zeros on all four sides.

    Parameters
    ----------
    in_channels, out_channels : int
        The number of channels that come in and of filters.
    kernel_size, stride, padding : int or pair of int
        As for `Conv1d`, for rows and columns alike or for each.
    activation, initializer, rng
        As for `Neuron`; a filter's weights are drawn as those of a neuron that has the kernel's numbers as features.

    Attributes
    ----------
    weight : nested lists of Parameter
        wₒ(c, k, l), of shape (out_channels, in_channels, rows, columns).
    bias : list of Parameter
        bₒ.

    Raises
    ------
    ValueError
        If an argument is out of its range. When called: if the channels are more or fewer, of unequal shapes, or
        smaller than the kernel.

    Examples
    --------
    >>> mean = Conv2d(1, 1, kernel_size=(2, 2), stride=2, initializer="zeros")
    >>> mean.load_state_dict({"weight": [[[[0.25, 0.25], [0.25, 0.25]]]], "bias": [0.0]})
    >>> [[z.data for z in row] for row in mean([[1.0, 3.0, 10.0, 10.0], [5.0, 7.0, 10.0, 10.0]])[0]]
    [[4.0, 10.0]]
    """

    n_axes = 2


def _sizes(name: str, size: Any, n_axes: int, least: int) -> tuple[int, ...]:
    """Return a size for each axis."""
    sizes = tuple(size) if is_list(size) and n_axes > 1 else (size,) * n_axes
    if len(sizes) != n_axes or not all(is_whole(n, least) for n in sizes):
        pair = ", or a pair of them" if n_axes == 2 else ""
        raise ValueError(f"{name}: expected a whole number of at least {least}{pair}, got {size!r}")
    return tuple(int(n) for n in sizes)


def _place(index: Any, sizes: list[int]) -> int:
    """Return where a place lies in a flat list, row after row."""
    at = 0
    for i, size in zip(index, sizes, strict=True):
        at = at * size + i
    return at


def _short(sizes: tuple[int, ...]) -> int | tuple[int, ...]:
    return sizes[0] if len(set(sizes)) == 1 else sizes
