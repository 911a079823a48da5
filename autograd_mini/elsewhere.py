"""Names of PyTorch, JAX, NumPy and Keras that this package doesn't have: what to write instead, as messages say it.

A name that means nothing else here isn't made an alias of: PyTorch's ``CrossEntropyLoss`` takes a mean, `cross_entropy`
a sum, and a program that ran on the other one would be wrong without a word. In the advice, what stands in backquotes
is there; tests look it up.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from inspect import Parameter, signature
from opcode import opmap
from typing import Any, NoReturn, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_ACTIVATION = "`nn.Layer(2, 3, activation={0!r})` has it, `nn.Activation({0!r})` is it as a module of its own"
_LOSS = (
    "`nn.{0}` is the function; PyTorch's takes the mean, as this one does with reduction='mean', and "
    "`Trainer`, which takes the loss by its name {0!r}, over a batch"
)
_OWN_LOSS = "a loss is any function of (prediction, target) that returns a Value: write it with `sum` and `maximum`"
_GATES = "there are `nn.RNN` and `nn.RNNCell`; gates are written with `nn.Layer(n, m, activation='sigmoid')`"
_ATTENTION = "attention is written with `nn.Layer`, `softmax` and `dot`"
_POOLING = "write it with `maximum` or `mean` over the numbers of each window"
_LIST = "a plain list: self.layers = [`nn.Layer(2, 8)`, …]; modules and parameters in lists and dicts are found"
_INIT = "`nn.initializers`: a layer takes initializer='he', 'xavier', 'zeros' or a function"
_SCALARS = "there are no tensors: a `Value` is one number, and a vector is a list of them"
_SHAPES = "there are no tensors, and a vector is a list of Values: arrange lists, or NumPy arrays of Values"
_ARRAYS = "make data with NumPy: models and `vectorize(f)` take its arrays, functions take them element by element"
_PRODUCT = "`dot([a, b], [x, y])` of each row: a matrix is a list of rows; `vectorize(f)` makes matrix products of them"
_RANDOM = "random numbers are NumPy's; a layer takes rng=0, a `Trainer` seed=0"
_PLACE = "nothing needs moving to a device: `vectorize(f)` compiles, `vectorize(f, backend='jax')` for JAX's devices"
_WHOLE = "it has the derivative 0 everywhere: take NumPy's of `x.data`, or `where(x > 0, a, b)`"
_DATA = "`Trainer` makes the batches: trainer.fit(X, y) with batch_size=…; data are in `datasets`"
_SCHEDULE = "give `optim.schedules.{0}` as lr: `optim.SGD(parameters, lr=optim.schedules.{0})`; step() advances it"
_SCHEDULES = {
    "ConstantLR": _SCHEDULE.format("Constant(0.1)"),
    "StepLR": _SCHEDULE.format("Step(0.1, size=30, gamma=0.1)"),
    "MultiStepLR": _SCHEDULE.format("Step(0.1, size=30, gamma=0.1)") + "; for other steps a function of the step",
    "ExponentialLR": _SCHEDULE.format("Exponential(0.1, gamma=0.99)"),
    "CosineAnnealingLR": _SCHEDULE.format("Cosine(0.1, steps=100)"),
    "CosineAnnealingWarmRestarts": _SCHEDULE.format("Cosine(0.1, steps=100)") + "; to restart, a function of the step",
    "LinearLR": _SCHEDULE.format("Linear(0.1, steps=100)"),
    "PolynomialLR": _SCHEDULE.format("Linear(0.1, steps=100)") + "; for other powers a function of the step",
    "LambdaLR": "give a function as lr: `optim.SGD(parameters, lr=lambda step: 0.1 / (1 + step))`",
    "MultiplicativeLR": "give a function as lr: `optim.SGD(parameters, lr=lambda step: 0.1 * 0.99**step)`",
    "OneCycleLR": _SCHEDULE.format("WarmUp(optim.schedules.Cosine(0.1, steps=100), steps=30)"),
    "SequentialLR": _SCHEDULE.format("WarmUp(optim.schedules.Cosine(0.1, steps=100), steps=30)"),
    "CyclicLR": "give a function as lr: `optim.SGD(parameters, lr=lambda step: 0.1)`",
    "ReduceLROnPlateau": "set `optimizer.lr` in a callback of the `Trainer`, or end the training with EarlyStopping",
}
_TO_SCHEDULES = (
    "a schedule is given as lr, and step() advances it: StepLR is `optim.schedules.Step`, CosineAnnealingLR "
    "`optim.schedules.Cosine`, ExponentialLR `optim.schedules.Exponential`, LinearLR `optim.schedules.Linear`, "
    "LambdaLR a function, as in `optim.SGD(parameters, lr=lambda step: 0.1 / (1 + step))`"
)
_ADAPTIVE = "there are `optim.SGD`, Adagrad, RMSprop, `optim.Adam` and AdamW; or write a subclass of `optim.Optimizer`"

_FUNCTIONAL = (
    "functions of numbers are in the package itself, as `relu` and `softmax`, and losses in nn, as `nn.squared_error`"
)
_LOOPS = "write loops in Python, choices as `where(x > 0, a, b)`: `vectorize(f)` traces them"
_OWN = "make it an operation of your own: `operation` takes two rules, its values and its derivatives"
_OPERATORS = "the operators: a + b, a - b, a * b, a / b"
_NEGATIVE = "-x"
_NAN = "math.isnan of `x.data`; `detect_anomaly()` finds the node where it began"
_COMPARISONS = "the operators: `x > y`, `x <= y`, `x == 0`, as in `where(x > y, x, y)`"
# Functions that are a line of others; of x, p or x and y.
_ACTIVATIONS = {
    "mish": "x * tanh(softplus(x))",
    "selu": "1.0507009873554805 * elu(x, 1.6732632423543772)",
    "celu": "elu(x)",
    "relu6": "clip(x, 0.0, 6.0)",
    "hardtanh": "clip(x, -1.0, 1.0)",
    "hardsigmoid": "clip(x / 6.0 + 0.5, 0.0, 1.0)",
    "hardswish": "x * clip(x / 6.0 + 0.5, 0.0, 1.0)",
    "softsign": "x / (1.0 + abs(x))",
    "tanhshrink": "x - tanh(x)",
    "softshrink": "x - clip(x, -0.5, 0.5)",
    "hardshrink": "where(abs(x) > 0.5, x, 0.0)",
    "threshold": "where(x > 0.1, x, 0.0)",
}
_FORMULAS = {
    **{name: f"`{formula}`" for name, formula in _ACTIVATIONS.items()},
    "asinh arcsinh": "`log(x + hypot(x, 1.0))`",
    "acosh arccosh": "`log(x + sqrt(x * x - 1.0))`",
    "atanh arctanh": "`0.5 * (log1p(x) - log1p(-x))`",
    "rsqrt": "`1.0 / sqrt(x)`",
    "exp2": "`2.0**x`",
    "logit": "`log(p / (1.0 - p))`",
    "xlogy": "`x * log(where(x > 0, y, 1.0))`, which is 0 at x = 0",
    "glu": "`x * sigmoid(y)` of each number and its gate",
    "softmin": "`softmax([-x, -y])`",
    "logaddexp": "`logsumexp(x, y)`",
    "lgamma gammaln gamma digamma polygamma erfinv erfcinv ndtri i0 sinc": _OWN,
    "clamp_min": "`clip(x, min=0.0)`",
    "clamp_max": "`clip(x, max=1.0)`",
    "deg2rad radians": "`x * 0.017453292519943295`",
    "rad2deg degrees": "`x * 57.29577951308232`",
    "lerp": "`x + 0.5 * (y - x)`",
}

# By module, and for a Value's attributes, the names of others and what to write instead. Several may share an advice.
_ADVICE: dict[str, dict[str, str]] = {
    "nn": {
        "Linear Dense Bilinear LazyLinear": (
            "`nn.Layer(2, 3, activation='identity')` is a linear layer of 2 inputs and 3 outputs, "
            "`nn.MLP(2, [16, 1])` a whole network"
        ),
        **{
            name: _ACTIVATION.format(kind)
            for name, kind in {
                "ReLU PReLU RReLU": "relu",
                "LeakyReLU": "leaky_relu(0.01)",
                "ELU": "elu",
                "GELU": "gelu",
                "SiLU Swish": "silu",
                "Tanh": "tanh",
                "Sigmoid": "sigmoid",
                "Softplus": "softplus",
                "Identity": "identity",
            }.items()
        },
        **{
            name: f"`nn.Activation(lambda x: {_ACTIVATIONS[name.lower()]})` is it as a module"
            for name in "Mish SELU CELU ReLU6 Hardtanh Hardsigmoid Hardswish Softsign Tanhshrink Softshrink Hardshrink "
            "Threshold".split()
        },
        "GLU": _FORMULAS["glu"],
        "Softmin": _FORMULAS["softmin"],
        "LogSigmoid": "`nn.Activation(log_sigmoid)` is it as a module, `log_sigmoid(x)` the function",
        "Softmax": "`nn.MLP(2, [16, 3], output='softmax')` and `nn.Activation('softmax')` have it, `softmax(z)` is the "
        "function; for training leave it out, and give the logits to `nn.cross_entropy`",
        "LogSoftmax": "`log_softmax(z)` is the function; for training give the logits to `nn.cross_entropy`",
        "MSELoss mse_loss": _LOSS.format("squared_error"),
        "L1Loss l1_loss": _LOSS.format("absolute_error"),
        "HuberLoss SmoothL1Loss huber_loss smooth_l1_loss": _LOSS.format("huber"),
        "BCELoss": _LOSS.format("binary_cross_entropy"),
        "BCEWithLogitsLoss MultiLabelSoftMarginLoss": _LOSS.format("binary_cross_entropy_with_logits"),
        "CrossEntropyLoss": _LOSS.format("cross_entropy"),
        "NLLLoss nll_loss": "give the logits themselves to `nn.cross_entropy`, without log_softmax before it",
        "GaussianNLLLoss": _LOSS.format("gaussian_nll"),
        "HingeEmbeddingLoss MultiMarginLoss SoftMarginLoss": _LOSS.format("hinge"),
        "KLDivLoss PoissonNLLLoss CTCLoss TripletMarginLoss MarginRankingLoss CosineEmbeddingLoss": _OWN_LOSS,
        "functional F": _FUNCTIONAL,
        "EmbeddingBag": "`nn.Embedding(3, 2)`, and `mean` of each column of the rows that it gives",
        "ZeroPad1d ZeroPad2d ConstantPad1d ConstantPad2d": "`nn.Conv2d(1, 1, 3, padding=1)` and Conv1d pad with zeros",
        "ReflectionPad1d ReflectionPad2d ReplicationPad1d ReplicationPad2d": "pad the rows with NumPy before",
        "Upsample Fold Unfold PixelShuffle": _SHAPES,
        "relu tanh sigmoid softmax log_softmax softplus leaky_relu elu gelu silu log_sigmoid logsumexp": (
            "the functions are in the package itself, as `relu(x)` and `softmax(z)`"
        ),
        "logsigmoid": "`log_sigmoid(x)`",
        "one_hot": "a class is its number: `nn.cross_entropy([x, y], 1)`",
        "init": _INIT,
        "ModuleList ModuleDict ParameterList ParameterDict": _LIST,
        "BatchNorm1d BatchNorm2d BatchNorm3d SyncBatchNorm": "`nn.BatchNorm(8)` is it for 8 features",
        "GroupNorm InstanceNorm1d InstanceNorm2d RMSNorm": "there are `nn.LayerNorm` and `nn.BatchNorm`",
        "Dropout1d Dropout2d Dropout3d AlphaDropout": "`nn.Dropout` drops single numbers",
        "Conv3d ConvTranspose1d ConvTranspose2d": "there are `nn.Conv1d` and `nn.Conv2d`",
        "MaxPool1d MaxPool2d AvgPool1d AvgPool2d AdaptiveAvgPool2d AdaptiveMaxPool2d": _POOLING,
        "LSTM GRU LSTMCell GRUCell": _GATES,
        "MultiheadAttention Transformer TransformerEncoder TransformerEncoderLayer TransformerDecoder": _ATTENTION,
        "Unflatten": "`nn.Reshape`",
        "DataParallel": "`Trainer` takes devices=2",
        "utils": "`optim.clip_grad_norm` and `optim.clip_grad_value` bound gradients",
        "UninitializedParameter Buffer": "`nn.Parameter`",
    },
    "optim": {
        "lr_scheduler": _TO_SCHEDULES,
        **_SCHEDULES,
        "Adadelta Adamax NAdam RAdam ASGD Rprop LBFGS SparseAdam Lion Muon Adafactor": _ADAPTIVE,
        "sgd": "`optim.SGD`",
        "adam": "`optim.Adam`",
        "adamw": "`optim.AdamW`",
        "rmsprop RMSProp": "`optim.RMSprop`",
        "adagrad AdaGrad": "`optim.Adagrad`",
        "clip_grad_norm_": "`optim.clip_grad_norm`",
        "clip_grad_value_": "`optim.clip_grad_value`",
        "swa_utils": "average `model.state_dict()` in a callback of the `Trainer`",
    },
    "optim.schedules": _SCHEDULES,
    "Value": {
        "numpy tolist cpu cuda to float double": "`x.data` and `x.item()` are its number",
        "shape size ndim dtype device": "it is one number; lists of Values have a length",
        "reshape view flatten squeeze unsqueeze transpose T": _SHAPES,
        "requires_grad requires_grad_": "each Value has a gradient; `x.detach()` has no graph, "
        "`nn.freeze(model)` keeps parameters as they are",
        "grad_fn": "`x.primitive` is its operation, `x.parents` are its operands, `x.local_grads` by each of them",
        "is_leaf": "a leaf has no `x.parents`",
        "retain_grad": "after backward() each node of the graph has its `x.grad`",
        "zero_ zero_grad": "`x.grad` is set by x.grad = 0.0; modules and optimizers have zero_grad()",
        "add_ sub_ mul_ copy_ fill_": "a number is changed by x.data -= 0.1 * x.grad",
        "sum mean prod": "it is one number already; of many `sum([x, y])`, `mean([x, y])` and `prod([x, y])`",
        "max min": "it is one number; of many `maximum(x, y)` and `minimum(x, y)`",
        "norm": "`abs(x)`; of many `sqrt(sum([v * v for v in z]))`",
        "clone": "`identity(x)`, a node of its own, or `x.detach()`",
        "matmul mm": _PRODUCT,
        "gelu silu log_sigmoid logsigmoid": "functions: `gelu(x)`, `silu(x)`, `log_sigmoid(x)`",
        "maximum minimum fmax fmin where dot": "functions: `maximum(x, y)`, `minimum(x, y)`, `where(x > 0, x, y)`, "
        "`dot([a, b], [x, y])`",
        "neg negative": _NEGATIVE,
        "add sub subtract mul multiply div divide true_divide": _OPERATORS,
        "eq ne lt le gt ge less less_equal greater greater_equal not_equal": _COMPARISONS,
        "round floor ceil trunc rint frac fmod remainder": _WHOLE,
        "isnan isinf isfinite": _NAN,
        "absolute fabs": "`x.abs()`",
        "sgn": "`x.sign()`",
        "power float_power": "`x.pow(2.0)`, or x**2",
        "expit": "`x.sigmoid()`",
        "var std": "it is one number; of many `mean([(v - m) ** 2 for v in z])` with `mean(z)` as m",
        "argmax argmin argsort sort topk": "it is one number; of many compare `x.data`",
        "cumsum cumprod": "a loop: total = total + x",
        "detach_": "`x.detach()`",
        **_FORMULAS,
        "softmax log_softmax logsumexp": "functions of a list: `softmax([x, y])`",
        "register_hook": "`grad(f)` of a function, or a callback of the `Trainer`",
    },
    "Module": {
        "to cuda cpu": _PLACE,
        "half float double": "every number is a float of 64 bits; `vectorize(f, dtype='float32')` runs in 32",
        "modules children named_children": "`model.named_modules()`",
        "apply": "a loop over `model.named_modules()` or `model.parameters()`",
        "register_buffer buffers named_buffers": "a plain attribute: what is no parameter isn't trained",
        "register_parameter register_module add_module": "an attribute: self.scale = `nn.Parameter(1.0)`",
        "requires_grad_": "`nn.freeze(model)` and `nn.unfreeze(model)`",
        "register_forward_hook register_full_backward_hook": "write it in forward; nodes keep their `x.grad`",
        "fit compile train_step evaluate": "`Trainer(model, 'squared_error', optimizer)` has fit, evaluate and predict",
        "predict predict_proba": "call it, `model([1.0, 2.0])`, or `vectorize(model)` for many rows at once",
        "summary": "print(model), `draw(model)` and `model.named_parameters()`",
        "save save_weights": "`save(model, 'model.npz')`",
        "backward": "of the loss: loss.backward()",
        "weight": "`model.state_dict()` has them as arrays; a neuron's are its weights and bias",
    },
    "Optimizer": {
        "param_groups": "`optimizer.lr` is the learning rate, `optimizer.hyperparameters()` has the others",
        "add_param_group": "all parameters are given at once: `optim.SGD([x, y], lr=0.1)`; or take two optimizers",
        "minimize init apply_updates apply_gradients": "zero_grad(), loss.backward(), step()",
    },
    "": {
        "tensor Tensor as_tensor scalar_tensor Variable FloatTensor DoubleTensor": f"`Value(2.0)`; {_SCALARS}",
        "from_numpy array asarray ndarray": f"`vectorize(f)` and models take NumPy's arrays; {_SCALARS}",
        "zeros ones full empty eye zeros_like ones_like arange linspace": _ARRAYS,
        "numpy jnp": f"{_ARRAYS}; the functions are in the package, as `exp` and `where`",
        "rand randn randint normal manual_seed random randperm": _RANDOM,
        "cat stack concat concatenate reshape flatten squeeze unsqueeze transpose permute": _SHAPES,
        "matmul mm mv bmm einsum inner outer vdot tensordot": _PRODUCT,
        "device cuda cpu backends mps device_put set_default_device": _PLACE,
        "float float32 float64 double half dtype set_default_dtype": "every number is a float of 64 bits; "
        "`vectorize(f, dtype='float32')` runs in 32",
        "jit compile": "`vectorize(f)` compiles a function, with backend='jax' by XLA",
        "vmap": "`vectorize(f)` maps a function of one example over a batch",
        "pmap": "`vectorize(f)` on one device; `Trainer` takes devices=2",
        "jacfwd jacrev": "`jacobian(f)`",
        "value_and_gradient": "`value_and_grad(f)`",
        "jvp vjp": "`jacobian(f)`, or a seed: y.backward(grad=2.0)",
        "lax tree_util tree_map cond scan switch select fori_loop while_loop": _LOOPS,
        "functional F": _FUNCTIONAL,
        "custom_vjp custom_jvp custom_gradient Function": _OWN,
        "autograd": "`grad(f)`, `jacobian(f)` and `hessian(f)` are in the package itself; "
        "`y.backward(create_graph=True)` gives gradients that can be differentiated",
        "func": "`grad(f)`, `jacobian(f)`, `hessian(f)` and `vectorize(f)` are in the package itself",
        "stop_gradient lax_stop_gradient": "`x.detach()`",
        "inference_mode": "`no_grad()`",
        "set_grad_enabled": "`no_grad()` and `enable_grad()`",
        "is_grad_enabled requires_grad_": "each Value has a gradient; `no_grad()` builds no graph, "
        "`nn.freeze(model)` keeps parameters as they are",
        "clamp": "`clip(x, 0.0, 1.0)`, or x.clamp(0.0, 1.0)",
        "negative neg": _NEGATIVE,
        "add subtract sub multiply mul divide div true_divide": _OPERATORS,
        "eq ne lt le gt ge less less_equal not_equal": _COMPARISONS,
        "absolute fabs": "`abs(x)`",
        "arcsin": "`asin(x)`",
        "arccos": "`acos(x)`",
        "arctan": "`atan(x)`",
        "arctan2": "`atan2(y, x)`",
        "power float_power": "`pow(x, 2.0)`, or x**2",
        "logsigmoid": "`log_sigmoid(x)`",
        "swish": "`silu(x)`",
        "expit": "`sigmoid(x)`",
        "heaviside": "`step(x)`",
        "max amax fmax": "`maximum(a, b)`, or Python's own max for plain numbers",
        "min amin fmin": "`minimum(a, b)`, or Python's own min for plain numbers",
        "argmax argmin argsort sort topk": "compare `x.data`: no gradient goes through an index",
        "cumsum cumprod": "a loop: total = total + x",
        "product": "`prod([x, y])`",
        "average": "`mean([x, y])`",
        "var std": "`mean([(v - m) ** 2 for v in z])` with `mean(z)` as m",
        "norm linalg": "`hypot(a, b)`, or `sqrt(sum([v * v for v in z]))`",
        "dist": "`hypot(a, b)`",
        "round floor ceil trunc rint fmod remainder": _WHOLE,
        "isnan isinf isfinite": _NAN,
        **_FORMULAS,
        "allclose isclose equal": "compare `x.data`, as with math.isclose",
        "mse_loss": "`nn.squared_error`",
        "binary_cross_entropy cross_entropy huber hinge": "the losses are in `nn`",
        "Module Linear Layer MLP Neuron Sequential Parameterlist": "`nn.MLP`, `nn.Layer` and the others are in `nn`",
        "Embedding Dropout BatchNorm LayerNorm Conv1d Conv2d layers losses activations": "they are in `nn`",
        "SGD Adam AdamW RMSprop Adagrad optimizers lr_scheduler": "the optimizers and schedules are in `optim`",
        "Sigmoid Tanh ReLU": "`sigmoid(x)`, `tanh(x)` and `relu(x)` are functions",
        "utils DataLoader Dataset TensorDataset": _DATA,
        "keras Model fit": "`Trainer(model, 'squared_error', optimizer)`",
        "checkpoint": "`save(model, 'model.npz')` and `load('model.npz')`",
    },
}
ADVICE = {
    module: {name: advice for names, advice in rows.items() for name in names.split()}
    for module, rows in _ADVICE.items()
}

_ROWS = "it takes one list; of a table, it is called for each row: [{0}(row) for row in table]"
_IN_PLACE = "nothing is changed in place: x = {0}(x)"
# By function, arguments that others take and what to write instead.
ARGUMENTS: dict[str, dict[str, str]] = {
    **{
        name: dict.fromkeys(["dim", "axis", "keepdim", "keepdims", "dtype"], _ROWS.format(name))
        for name in ("sum", "mean", "prod", "softmax", "log_softmax", "logsumexp", "maximum", "minimum")
    },
    "leaky_relu": {"negative_slope": "`leaky_relu(x, alpha=0.2)`", "inplace": _IN_PLACE.format("leaky_relu")},
    "elu": {"inplace": _IN_PLACE.format("elu")},
    "softplus": {
        "beta": "`softplus(2.0 * x) / 2.0` is it with beta=2",
        "threshold": "it doesn't overflow: leave it out",
    },
    "log": {"base": "`log2(x)`, `log10(x)`, or `log(x) / log(y)` to the base y"},
    "clip": {
        "a_min": "`clip(x, min=0.0)`",
        "a_max": "`clip(x, max=1.0)`",
        "out": "nothing is changed in place: x = clip(x, 0.0, 1.0)",
    },
    "backward": {
        "gradient": "x.backward(grad=1.0)",
        "inputs": "`grad(f)` differentiates by chosen arguments; backward gives the gradient of each node",
    },
    "fit": {
        **dict.fromkeys(["epochs", "batch_size", "callbacks"], "give it to the Trainer: Trainer(…, {0}=…).fit(X, y)"),
        "validation_data": "give it to the Trainer: Trainer(…, validation=(X, y))",
        "validation_split": "split the data before: Trainer(…, validation=(X[80:], y[80:])).fit(X[:80], y[:80])",
        "verbose": "give it to the Trainer: Trainer(…, progress=False)",
        "shuffle": "a Trainer has sampling=…, as in Trainer(…, sampling='order')",
        "sample_weight": "weigh the examples in a loss of your own",
    },
    "Embedding": {
        "padding_idx": "give the padding a row of its own, and leave it out of the loss",
        "max_norm": "`optim.clip_grad_norm` bounds gradients, a penalty as `nn.L2(0.1)` the numbers",
    },
}


class Told:
    """An attribute that a class hasn't: asking for it raises an AttributeError that says what to write instead.

    Examples
    --------
    >>> class Number:
    ...     shape = Told("shape", "it is one number")
    >>> Number().shape
    Traceback (most recent call last):
        ...
    AttributeError: Number has no 'shape': it is one number
    """

    # A descriptor, as a ``__getattr__`` would make every attribute of every node slower.
    __slots__ = ("_advice", "_name")

    def __init__(self, name: str, advice: str) -> None:
        self._name, self._advice = name, advice

    def __get__(self, thing: Any, kind: type) -> NoReturn:
        raise AttributeError(f"{kind.__name__} has no {self._name!r}: {self._advice}", name=self._name)


def tell(kind: type, of: str) -> None:
    """Have a class say what to write for attributes that it hasn't: those that are listed under a name."""
    for name, advice in ADVICE[of].items():
        setattr(kind, name, Told(name, advice))

    def names(self: Any) -> list[str]:  # what an editor offers after the dot
        return [name for name in object.__dir__(self) if name not in ADVICE[of] or hasattr(self, name)]

    setattr(kind, "__dir__", names)  # noqa: B010, a type checker refuses the assignment


def without_others(function: Callable[P, T]) -> Callable[P, T]:
    """Have a function show what it takes without the ``**others`` that it has only to refuse them with advice.

    Examples
    --------
    >>> @without_others
    ... def double(x, **others):
    ...     return 2 * x
    >>> signature(double)
    <Signature (x)>
    """
    shown = signature(function)
    arguments = [argument for argument in shown.parameters.values() if argument.kind is not Parameter.VAR_KEYWORD]
    function.__signature__ = shown.replace(parameters=arguments)  # type: ignore[attr-defined]
    return function


def unexpected(function: str, others: dict[str, Any]) -> TypeError:
    """Return the error about keywords that a function doesn't take, with what to write instead of the first.

    Examples
    --------
    >>> print(unexpected("clip", {"a_min": 0.0}))
    clip() got an unexpected keyword argument 'a_min': `clip(x, min=0.0)`
    """
    name = next(iter(others))
    advice = ARGUMENTS[function].get(name, "").format(name)
    return TypeError(f"{function}() got an unexpected keyword argument {name!r}{advice and ': '}{advice}")


def missing(module: str, name: str) -> Exception:
    """Return the error about a name that a module hasn't, for its ``__getattr__`` to raise.

    It is an AttributeError. In ``from … import name`` Python drops those and says no more than that it can't import
    the name; so there it is an ImportError with the same message.

    Parameters
    ----------
    module : str
        The module's full name.
    name : str
        What was asked for.

    Examples
    --------
    >>> print(missing("autograd_mini", "clamp"))
    autograd_mini has no 'clamp': `clip(x, 0.0, 1.0)`, or x.clamp(0.0, 1.0)
    """
    advice = ADVICE[module.partition(".")[2]].get(name)
    if advice is None:
        return AttributeError(f"module {module!r} has no attribute {name!r}", name=name, obj=sys.modules[module])
    message = f"{module} has no {name!r}: {advice}"
    asking = sys._getframe(2)
    is_import = asking.f_code.co_code[asking.f_lasti] == opmap["IMPORT_FROM"]
    return ImportError(message, name=module) if is_import else AttributeError(message, name=name)
