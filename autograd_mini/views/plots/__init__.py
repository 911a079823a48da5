"""Plots of training, of functions and of what a network has learned, with Matplotlib (extra ``plot``).

Each function draws into the `Axes` it is given, or into a new figure, and returns the `Axes`, so that all that
Matplotlib can do is still open. Matplotlib is imported when something is drawn; nothing global of it is changed.
"""

from autograd_mini.views.plots.activation import plot_activation
from autograd_mini.views.plots.curves import plot_loss, plot_saturation, plot_vanishing_gradients
from autograd_mini.views.plots.decision import plot_decision_boundary
from autograd_mini.views.plots.descent import plot_descent_path
from autograd_mini.views.plots.weights import plot_gradient_norm_by_layer, plot_weight_histogram

__all__ = [
    "plot_activation",
    "plot_decision_boundary",
    "plot_descent_path",
    "plot_gradient_norm_by_layer",
    "plot_loss",
    "plot_saturation",
    "plot_vanishing_gradients",
    "plot_weight_histogram",
]
