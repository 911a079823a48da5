"""Scalar reverse-mode automatic differentiation in which you can watch the chain rule happen.

>>> import autograd_mini as ag
>>> a, b = ag.Value(2.0, label="a"), ag.Value(-3.0, label="b")
>>> L = a * b + a**2
>>> L.backward()
>>> a.grad, b.grad
(1.0, 2.0)
"""

from autograd_mini import datasets, graph, nn, optim
from autograd_mini.backprop import backward_steps, explain, finite_difference, forward_steps
from autograd_mini.derivatives import check_gradients, derivative_table, grad, hessian, jacobian, value_and_grad
from autograd_mini.errors import AnomalyError, GradientCheckError, MissingDependencyError
from autograd_mini.functions import (
    abs as abs,
)
from autograd_mini.functions import (
    acos,
    asin,
    atan,
    cos,
    cosh,
    dot,
    elu,
    erf,
    exp,
    expm1,
    identity,
    leaky_relu,
    log,
    log1p,
    logsumexp,
    maximum,
    minimum,
    relu,
    sigmoid,
    sign,
    sin,
    sinh,
    softmax,
    softplus,
    sqrt,
    step,
    tan,
    tanh,
    where,
)
from autograd_mini.functions import (
    pow as pow,
)
from autograd_mini.functions import (
    sum as sum,
)
from autograd_mini.modes import detect_anomaly, enable_grad, no_grad, scope
from autograd_mini.serialization import load, save
from autograd_mini.training import Trainer
from autograd_mini.value import Constant, Parameter, Value

__version__ = "0.1.0"

# abs, pow and sum are left out, as NumPy does, so that `from autograd_mini import *` hides no function of Python's.
__all__ = [
    "AnomalyError",
    "Constant",
    "GradientCheckError",
    "MissingDependencyError",
    "Parameter",
    "Trainer",
    "Value",
    "acos",
    "asin",
    "atan",
    "backward_steps",
    "check_gradients",
    "cos",
    "cosh",
    "datasets",
    "derivative_table",
    "detect_anomaly",
    "dot",
    "elu",
    "enable_grad",
    "erf",
    "exp",
    "explain",
    "expm1",
    "finite_difference",
    "forward_steps",
    "grad",
    "graph",
    "hessian",
    "identity",
    "jacobian",
    "leaky_relu",
    "load",
    "log",
    "log1p",
    "logsumexp",
    "maximum",
    "minimum",
    "nn",
    "no_grad",
    "optim",
    "relu",
    "save",
    "scope",
    "sigmoid",
    "sign",
    "sin",
    "sinh",
    "softmax",
    "softplus",
    "sqrt",
    "step",
    "tan",
    "tanh",
    "value_and_grad",
    "where",
]
