"""Models go to PyTorch and come from there with the same predictions, gradients, names and modes; or are refused."""

import collections
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd_mini import functions, nn, vectorize
from autograd_mini.interchange import from_torch, load_torch_state, to_torch, torch_state
from autograd_mini.interchange.stacks import TorchState
from autograd_mini.nn.nested import flat

pytestmark = pytest.mark.needs("torch")
T = torch.nn


@pytest.fixture(autouse=True)
def _float64():
    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def drawn(module):
    """Give every number of a module, running statistics too, one that isn't special."""
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if tensor.is_floating_point():
                tensor.copy_(torch.rand(tensor.shape) + 0.1 if "var" in name else torch.randn(tensor.shape))
    return module


def predictions(model, X):
    return np.asarray(vectorize(model)(X)).reshape(len(X), -1)


def of_torch(module, X):
    return module(torch.tensor(X)).detach().numpy().reshape(len(X), -1)


def assert_equal(model, module, X):
    """Predictions, and gradients of a loss by all parameters, agree to 1e-12."""
    np.testing.assert_allclose(predictions(model, X), of_torch(module, X), 1e-12, 1e-12)
    module.zero_grad()
    module(torch.tensor(X)).sin().reshape(len(X), -1).sum(1).mean().backward()
    wanted = [p.grad.numpy().ravel() for p in module.parameters() if p.requires_grad]
    loss = vectorize(lambda x: functions.sum([functions.sin(out) for out in flat([model(x)])]))
    _, gradient = loss.value_and_grad(X)
    by_parameter = dict(zip(map(id, loss.parameters), gradient, strict=True))
    found = [
        np.array([by_parameter.get(id(cell), 0.0) for cell in flat(entry)])
        for _, entry in dict(_entries(model)).items()
    ]
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, 1e-11, 1e-12)


def _entries(model):
    """The trained parameters in the order of PyTorch's, by name; one that is there twice once."""
    seen = set()
    for name, entry in TorchState(model)._state_entries():
        cells = flat(entry)
        if "running" not in name and not cells[0].is_frozen and id(cells[0]) not in seen:
            seen.add(id(cells[0]))
            yield name, entry


def names(module):
    return [name for name in module.state_dict() if "num_batches" not in name]


STACKS = {
    "linear": (lambda: T.Linear(3, 2), (5, 3)),
    "without a bias": (lambda: T.Sequential(T.Linear(3, 4, bias=False), T.Tanh(), T.Linear(4, 1)), (5, 3)),
    "a perceptron": (lambda: T.Sequential(T.Linear(3, 4), T.ReLU(), T.Linear(4, 3), T.Softmax(dim=-1)), (5, 3)),
    "nested": (lambda: T.Sequential(T.Sequential(T.Linear(3, 4), T.ELU(0.5)), T.Sequential(T.Linear(4, 2))), (5, 3)),
    "conv1d": (
        lambda: T.Sequential(T.Conv1d(2, 3, 3, stride=2, padding=1), T.SiLU(), T.Flatten(), T.Linear(12, 2)),
        (5, 2, 8),
    ),
    "conv2d": (
        lambda: T.Sequential(T.Conv2d(2, 3, (2, 3), stride=(2, 1), padding=(0, 1), bias=False), T.GELU(), T.Flatten()),
        (5, 2, 4, 5),
    ),
    "same": (lambda: T.Sequential(T.Conv1d(1, 2, 3, padding="same"), T.Flatten()), (4, 1, 6)),
    "layer norm": (lambda: T.Sequential(T.Linear(3, 4), T.LayerNorm(4, eps=1e-3), T.Sigmoid()), (5, 3)),
    "batch norm": (lambda: T.Sequential(T.Linear(3, 4), T.BatchNorm1d(4, eps=1e-3), T.ReLU()).eval(), (5, 3)),
    "batch norm of images": (
        lambda: T.Sequential(T.Conv2d(1, 2, 2), T.BatchNorm2d(2), T.Flatten()).eval(),
        (5, 1, 3, 3),
    ),
    "batch norm of sequences": (
        lambda: T.Sequential(T.Conv1d(1, 2, 2), T.BatchNorm1d(2), T.Flatten()).eval(),
        (5, 1, 4),
    ),
    "dropout": (lambda: T.Sequential(T.Linear(3, 4), T.Dropout(0.3), T.Linear(4, 1)).eval(), (5, 3)),
    "unflatten": (lambda: T.Sequential(T.Unflatten(1, (1, 3)), T.Conv1d(1, 2, 2), T.Flatten()), (5, 3)),
}


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_comes_from_pytorch_and_goes_back(stack):
    make, shape = STACKS[stack]
    module, X = drawn(make()), np.random.default_rng(0).normal(size=shape)
    model = from_torch(module)
    assert list(model.state_dict()) == names(module)
    assert_equal(model, module, X)
    back = to_torch(model)
    assert names(back) == names(module)
    assert str(back) == str(module) or "padding=same" in str(module)
    np.testing.assert_array_equal(of_torch(back, X), of_torch(module, X))
    assert [part.training for part in back.modules()] == [part.training for part in module.modules()]


@given(st.data())
@settings(max_examples=30)
def test_stacks_of_any_layers_go_both_ways(data):
    parts, width = [], data.draw(st.integers(1, 4))
    first = width
    for _ in range(data.draw(st.integers(1, 4))):
        kind = data.draw(st.sampled_from(["linear", "norm", "batch", "activation", "dropout"]))
        if kind == "linear":
            n = data.draw(st.integers(2, 4))
            parts.append(T.Linear(width, n, bias=data.draw(st.booleans())))
            width = n
        elif kind == "activation":
            parts.append(data.draw(st.sampled_from([T.ReLU(), T.Tanh(), T.ELU(0.7), T.LeakyReLU(0.3), T.Softplus()])))
        elif width > 1 or kind == "dropout":
            parts.append({"norm": T.LayerNorm, "batch": T.BatchNorm1d}.get(kind, lambda _: T.Dropout(0.25))(width))
    if not parts:
        parts = [T.Identity()]
    module = drawn(
        T.Sequential(T.Linear(first, width), T.Tanh(), *parts) if width == first else T.Sequential(*parts)
    ).eval()
    X = np.random.default_rng(0).normal(size=(4, first))
    assert_equal(from_torch(module), module, X)


MODELS = {
    "an MLP": lambda: nn.MLP(3, [4, 2], "tanh", rng=0),
    "probabilities": lambda: nn.MLP(3, [4, 3], "leaky_relu(0.2)", output="softmax", rng=0),
    "a neuron": lambda: nn.Neuron(3, "sigmoid", rng=0),
    "layers": lambda: nn.Sequential(
        nn.Layer(3, 4, "elu", rng=0), nn.Activation("softplus"), nn.Layer(4, 1, "gelu", rng=1)
    ),
    "an MLP among others": lambda: nn.Sequential(nn.LayerNorm(3), nn.MLP(3, [4, 2], rng=0), nn.Activation("silu")),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_goes_to_pytorch(name):
    model, X = MODELS[name](), np.random.default_rng(0).normal(size=(5, 3))
    module = to_torch(model)
    assert_equal(model, module, X)
    assert list(torch_state(model)) == names(module)
    assert_equal(from_torch(module), module, X)


def test_large_numbers_of_a_softplus_are_the_same_too():
    model = nn.Sequential(nn.Layer(1, 1, "softplus", initializer="zeros"))
    model.load_state_dict({"0.weight": [[1.0]], "0.bias": [0.0]})
    assert_equal(model, to_torch(model), np.linspace(-50, 50, 101)[:, None])


@pytest.mark.parametrize("threshold", [1.0, 20.0, 100.0])
def test_pytorchs_softplus_is_x_from_its_threshold_on_here_too(threshold):
    module = drawn(T.Sequential(T.Linear(1, 1), T.Softplus(threshold=threshold)))
    X = np.linspace(-50, 50, 101)[:, None]
    assert_equal(from_torch(module), module, X)
    model = pickle.loads(pickle.dumps(from_torch(module)))
    assert to_torch(model)[1].threshold == min(threshold, 40.0)
    assert_equal(model, to_torch(model), X)


def test_a_single_output_of_an_inner_stack_is_normalised():
    module = drawn(T.Sequential(T.Sequential(T.Linear(2, 1)), T.BatchNorm1d(1), T.LayerNorm(1), T.Linear(1, 2)))
    model, X = from_torch(module), np.random.default_rng(0).normal(size=(4, 2))
    found = [[out.data for out in row] for row in nn.batch(model, X.tolist())]
    np.testing.assert_allclose(found, of_torch(module, X), 1e-12, 1e-12)
    assert_equal(model.eval(), module.eval(), X)


def test_a_layer_computes_with_what_its_neurons_have():
    layer, X = nn.Layer(3, 2, "identity", rng=0), np.random.default_rng(0).normal(size=(5, 3))
    for neuron in layer.neurons:
        neuron.activation = "tanh"
    layer.neurons.append(nn.Neuron(3, "tanh", rng=1))
    assert_equal(layer, to_torch(layer), X)


@pytest.mark.parametrize(
    ("parts", "kind"),
    [
        (lambda: [nn.BatchNorm(1), nn.Activation("relu"), nn.Conv2d(1, 2, 2)], T.BatchNorm2d),
        (lambda: [nn.Sequential(nn.Conv2d(1, 1, 2)), nn.Activation("relu"), nn.BatchNorm(1)], T.BatchNorm2d),
        (lambda: [nn.Reshape(1, 2, 2), nn.BatchNorm(1)], T.BatchNorm2d),
        (lambda: [nn.BatchNorm(1), nn.Conv1d(1, 2, 2)], T.BatchNorm1d),
        (lambda: [nn.Conv2d(1, 1, 2), nn.Flatten(), nn.BatchNorm(4), nn.Reshape(1, 2, 2)], T.BatchNorm1d),
        (lambda: [nn.BatchNorm(4), nn.Reshape(1, 2, 2), nn.Conv2d(1, 1, 2)], T.BatchNorm1d),
        (lambda: [nn.BatchNorm(4), nn.Layer(4, 2)], T.BatchNorm1d),
    ],
)
def test_a_batch_norm_is_that_of_the_axes_around_it(parts, kind):
    made = to_torch(nn.Sequential(*parts()))
    assert [type(part) for part in made.modules() if "BatchNorm" in type(part).__name__] == [kind]


def test_pytorchs_generator_and_default_device_dont_matter():
    before = torch.get_rng_state()
    with torch.device("meta"):
        module = to_torch(nn.MLP(2, [3, 1], rng=0))
    assert torch.equal(before, torch.get_rng_state())
    assert {tensor.device.type for tensor in module.parameters()} == {"cpu"}


def test_a_state_of_pytorch_is_loaded_whole_or_not_at_all():
    module = drawn(T.Sequential(T.Linear(3, 4), T.Tanh(), T.Linear(4, 2)))
    model, X = nn.MLP(3, [4, 2], "tanh", rng=0), np.random.default_rng(0).normal(size=(5, 3))
    before = model.state_dict()
    for state, words in [
        ({"0.weight": module[0].weight}, r"missing \['0.bias', '2.weight', '2.bias'\], unknown nothing"),
        ({**module.state_dict(), "4.bias": [1.0]}, r"unknown \['4.bias'\]"),
        ({**module.state_dict(), "2.bias": torch.zeros(3)}, r"2.bias: expected shape \(2,\), got \(3,\)"),
        ([1.0], "expected a mapping of names to arrays"),
    ]:
        with pytest.raises(ValueError, match=words):
            load_torch_state(model, state)
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])
    load_torch_state(model, module.state_dict())
    assert_equal(model, module, X)
    norm, theirs = nn.BatchNorm(2), drawn(T.BatchNorm1d(2))
    load_torch_state(norm, theirs.state_dict())
    np.testing.assert_array_equal(norm.running_var, theirs.running_var)


def test_what_single_precision_cannot_hold_is_refused():
    model = nn.Neuron(2, rng=0)
    model.weights[0].data = 1e300
    with pytest.raises(ValueError, match=r"weight: expected numbers that float32 holds, up to 3.4e38, got 1e\+300"):
        to_torch(model, dtype="float32")
    model.weights[0].data = float("inf")
    assert to_torch(model, dtype=torch.float32)[0].weight[0, 0] == float("inf")


def test_a_softmax_over_axis_1_is_one_over_the_features_where_these_are_a_list():
    module = drawn(T.Sequential(T.Linear(3, 4), T.LayerNorm(4), T.Softmax(dim=1), T.Linear(4, 2), T.Softmax(dim=1)))
    assert_equal(from_torch(module), module, np.random.default_rng(0).normal(size=(5, 3)))


def test_a_recurrent_layer_of_sequences():
    rnn = drawn(T.RNN(2, 3, nonlinearity="relu", batch_first=True))
    model, X = from_torch(rnn), np.random.default_rng(0).normal(size=(4, 5, 2)) / 4
    outputs = rnn(torch.tensor(X))[0].detach().numpy()
    found = vectorize(lambda x: model(x)[0])(X)
    np.testing.assert_allclose(found, outputs, 1e-12, 1e-12)
    assert list(model.state_dict()) == names(rnn) == names(to_torch(model))
    cell = drawn(T.RNNCell(2, 3, bias=False))
    found = vectorize(lambda x: from_torch(cell)(x))(X[:, 0])
    np.testing.assert_allclose(found, cell(torch.tensor(X[:, 0])).detach().numpy(), 1e-12, 1e-12)


def test_an_embedding_looks_up_the_same_rows():
    table = drawn(T.Embedding(5, 3))
    model = from_torch(table)
    np.testing.assert_array_equal(vectorize(lambda token: model(token))([0, 4, 2]), table.weight.detach()[[0, 4, 2]])
    np.testing.assert_array_equal(to_torch(model).weight.detach(), table.weight.detach())


def test_batch_norm_in_training_uses_and_keeps_the_same_statistics():
    module = drawn(T.Sequential(T.Linear(3, 2), T.BatchNorm1d(2, momentum=0.3)))
    model, X = from_torch(module), np.random.default_rng(0).normal(size=(6, 3))
    assert model.training
    assert_equal(model, module, X)  # twice each: so the running ones have followed twice on one side, once on the other
    model, module = from_torch(module), module
    vectorize(model)(X)
    module(torch.tensor(X))
    for name, array in model.state_dict().items():
        np.testing.assert_allclose(array, module.state_dict()[name].numpy(), 1e-12, 1e-12)


def test_dropout_keeps_the_share_that_pytorch_keeps():
    model = from_torch(T.Dropout(0.2))
    assert (model.keep_prob, model.inverted, model.training) == (0.8, True, True)
    assert to_torch(model).p == pytest.approx(0.2)


def test_what_is_frozen_stays_frozen():
    module = T.Sequential(T.Linear(2, 3), T.Tanh(), T.Linear(3, 1))
    module[0].requires_grad_(False)
    model = from_torch(module)
    assert [parameter.is_frozen for parameter in model.parameters()] == [True] * 9 + [False] * 4
    assert [p.requires_grad for p in to_torch(model).parameters()] == [False, False, True, True]
    assert_equal(model, module, np.ones((2, 2)))


def test_a_module_that_is_there_twice_is_one_module_here_too():
    part = T.Linear(2, 2)
    module = drawn(T.Sequential(part, T.Tanh(), part))
    model = from_torch(module)
    assert model[0] is model[2]
    assert_equal(model, module, np.random.default_rng(0).normal(size=(3, 2)))
    back = to_torch(model)
    assert back[0] is back[2]


def test_a_norm_without_parameters_has_frozen_ones():
    module = T.Sequential(T.Linear(3, 2), T.LayerNorm(2, elementwise_affine=False))
    model = from_torch(module)
    assert [p.data for p in model[1].parameters()] == [1.0, 1.0, 0.0, 0.0]
    assert nn.is_frozen(model[1])
    assert_equal(model, module, np.random.default_rng(0).normal(size=(3, 3)))


def test_numbers_of_half_precision_come_as_they_are():
    module = T.Linear(2, 1).to(torch.bfloat16)
    np.testing.assert_array_equal(from_torch(module).state_dict()["weight"], module.weight.detach().double().numpy())


class Own(T.Module):
    def forward(self, x):
        return x


def lazily():
    return T.Sequential(T.LazyLinear(2))


def hooked():
    module = T.Sequential(T.Linear(2, 2), T.Linear(2, 2))
    module[1].register_forward_hook(lambda *_: None)
    return module


def patched():
    module = T.Sequential(T.Linear(2, 2), T.Tanh())
    module[1].forward = torch.relu
    return module


def tied_inside():
    cell = T.RNNCell(2, 2)
    cell.weight_hh = cell.weight_ih
    return T.Sequential(cell)


def tied():
    a, b = T.Linear(2, 2), T.Linear(2, 2)
    b.weight = a.weight
    return T.Sequential(a, b)


def normed():
    return T.Sequential(T.utils.parametrizations.weight_norm(T.Linear(2, 2)))


def with_a_hook(kind):
    part = T.Linear(2, 2)
    if kind == "backward":
        part.register_full_backward_pre_hook(lambda _, grads: grads)
    elif kind == "gradient":
        part.weight.register_hook(lambda grad: grad)
    else:
        part.weight.register_post_accumulate_grad_hook(lambda _: None)
    return T.Sequential(T.ReLU(), part)


def sharing_memory():
    a, b = T.Linear(2, 2), T.Linear(2, 2)
    b.weight = T.Parameter(a.weight.detach().t())
    return T.Sequential(a, b)


REFUSED = {
    "a function": (lambda: T.functional.relu, TypeError, "expected a torch.nn.Module, got"),
    "a module of one's own": (
        lambda: T.Sequential(T.Linear(2, 2), Own()),
        ValueError,
        r"1: Own\(\) has no counterpart here; there are BatchNorm1d",
    ),
    "an LSTM": (lambda: T.LSTM(2, 3), ValueError, "LSTM.* has no counterpart"),
    "groups": (
        lambda: T.Sequential(T.Sequential(T.Conv1d(2, 2, 1, groups=2))),
        ValueError,
        r"0.0: Conv1d.*has groups=2; only groups=1",
    ),
    "dilation": (lambda: T.Conv2d(1, 1, 2, dilation=2), ValueError, r"dilation=\(2, 2\); only dilation=\(1, 1\)"),
    "padding": (lambda: T.Conv1d(1, 1, 2, padding_mode="circular"), ValueError, "padding_mode='circular'; only"),
    "same of an even kernel": (lambda: T.Conv1d(1, 1, 2, padding="same"), ValueError, "kernel of even size"),
    "two layers": (lambda: T.RNN(1, 2, num_layers=2), ValueError, "num_layers=2; only num_layers=1"),
    "both directions": (lambda: T.RNN(1, 2, bidirectional=True), ValueError, "bidirectional=True; only"),
    "several axes": (lambda: T.LayerNorm((2, 3)), ValueError, "over several axes"),
    "no statistics": (lambda: T.BatchNorm1d(2, track_running_stats=False), ValueError, "track_running_stats=True"),
    "a mean of all": (lambda: T.BatchNorm1d(2, momentum=None), ValueError, "momentum=None"),
    "padding of tokens": (lambda: T.Embedding(3, 2, padding_idx=0), ValueError, "padding_idx=0; only padding_idx=None"),
    "another gelu": (lambda: T.GELU("tanh"), ValueError, "approximate='tanh'; only approximate='none'"),
    "another softplus": (lambda: T.Softplus(beta=2), ValueError, "beta=2"),
    "all dropped": (lambda: T.Dropout(1.0), ValueError, "expected p below 1"),
    "other axes": (lambda: T.Flatten(0), ValueError, "start_dim=0; only start_dim=1"),
    "softmax of channels": (
        lambda: T.Sequential(T.Linear(3, 4), T.Softmax(dim=1), T.Sequential(T.Unflatten(1, (2, 2)), T.Softmax(dim=1))),
        ValueError,
        r"^2\.1: Softmax\(dim=1\) is over axis 1, .* write dim=-1",
    ),
    "softmax of one's own input": (lambda: T.Softmax(dim=1), ValueError, r"^Softmax\(dim=1\) is over axis 1, "),
    "softmax of rows": (lambda: T.Softmax(dim=0), ValueError, "only dim=-1"),
    "a hook before backward": (lambda: with_a_hook("backward"), ValueError, "1: Linear.* has hooks"),
    "a hook of a gradient": (lambda: with_a_hook("gradient"), ValueError, "1: Linear.* has hooks"),
    "a hook after a gradient": (lambda: with_a_hook("after"), ValueError, "1: Linear.* has hooks"),
    "memory in common": (sharing_memory, ValueError, "0.weight and 1.weight share their memory"),
    "what another name has": (lambda: T.Mish(), ValueError, r"Mish\(\) has no counterpart here; `nn.Activation"),
    "eps": (lambda: T.Sequential(T.LayerNorm(2, eps=0.0)), ValueError, "0: LayerNorm.* can't be made here: eps"),
    "names": (
        lambda: T.Sequential(collections.OrderedDict(a=T.Linear(1, 1))),
        ValueError,
        r"other names than 0, 1, …, here \['a'\]",
    ),
    "nothing": (lambda: T.Sequential(), ValueError, "is empty"),
    "lazy": (lazily, ValueError, "0: LazyLinear.* has no counterpart|call it once before"),
    "hooks": (hooked, ValueError, "1: Linear.* has hooks"),
    "another forward": (patched, ValueError, r"^1: Tanh\(\) has a forward of its own, .* delete it before"),
    "a weight tied inside of a module": (tied_inside, ValueError, "0.weight_ih and 0.weight_hh are one tensor"),
    "a tied weight": (tied, ValueError, "0.weight and 1.weight are one tensor"),
    "a parametrized weight": (normed, ValueError, "(?s)0: Parametrized.* has no counterpart"),
    "no numbers": (lambda: T.Sequential(T.Linear(2, 2, device="meta")), ValueError, "0: Linear.*on the device 'meta'"),
    "complex numbers": (lambda: T.Linear(2, 2, dtype=torch.complex64), ValueError, "complex64, expected real numbers"),
}


@pytest.mark.parametrize("what", REFUSED)
@pytest.mark.filterwarnings("ignore:Lazy modules", "ignore:torch.nn.utils", "ignore:Using padding='same'")
def test_what_cannot_be_carried_over_truly_is_refused_with_its_place(what):
    make, error, words = REFUSED[what]
    with pytest.raises(error, match=words):
        from_torch(make())


class OwnHere(nn.Module):
    def forward(self, x):
        return x


class OwnNeuron(nn.Neuron):
    def forward(self, x):
        return 2.0 * super().forward(x)


def mixed(neuron=None):
    layer = nn.Layer(2, 2, rng=0)
    layer.neurons[0] = neuron or nn.Neuron(2, "tanh")
    return layer


def forward_replaced():
    model = nn.Sequential(nn.Layer(2, 2, rng=0))
    model[0].forward = lambda x: x
    return model


def tied_here():
    a, b = nn.Layer(2, 2, rng=0), nn.Layer(2, 2, rng=0)
    b.neurons[1].weights = a.neurons[0].weights
    return nn.Sequential(a, b)


NOT_THERE = {
    "a number": (lambda: 3.0, TypeError, "expected a Module, got float"),
    "a module of one's own": (
        lambda: nn.Sequential(nn.Layer(2, 2), OwnHere()),
        "1: OwnHere.* has no counterpart in PyTorch",
    ),
    "a way around": (lambda: nn.Residual(nn.Layer(2, 2)), "Residual.* has no counterpart in PyTorch"),
    "dropout of the lectures": (
        lambda: nn.Sequential(nn.Dropout(0.8)),
        r"0: Dropout.*make it Dropout\(0.8, inverted=True\)",
    ),
    "a function of one's own": (lambda: nn.Neuron(2, lambda z: z * z), "the activation '<lambda>' has no counterpart"),
    "neurons that differ": (lambda: nn.Sequential(mixed()), r"0: Layer.* has neurons with 'tanh' and with 'relu'"),
    "a neuron of one's own": (lambda: mixed(OwnNeuron(2)), "has a neuron of another kind, Neuron"),
    "a forward of its own": (forward_replaced, r"0: Layer.* has a forward of its own"),
    "weights in common": (tied_here, "0.weight and 2.weight have a parameter in common"),
    "sign": (
        lambda: nn.MLP(2, [2, 1], "sign"),
        r"layers.0: the activation 'sign' has no counterpart in PyTorch; there are relu",
    ),
    "a sigmoid that recurs": (lambda: nn.RNN(1, 2, "sigmoid"), "RNN.* has an activation that PyTorch hasn't there"),
}


@pytest.mark.parametrize("what", NOT_THERE)
def test_what_pytorch_has_not_is_refused_with_its_place(what):
    make, *error, words = NOT_THERE[what]
    with pytest.raises(error[0] if error else ValueError, match=words):
        to_torch(make())


def test_a_bias_in_some_neurons_and_freezing_in_part_are_refused():
    layer = nn.Layer(2, 2, rng=0)
    layer.neurons[0].bias = None
    with pytest.raises(ValueError, match="has a bias in some neurons alone, which PyTorch has in all or none"):
        to_torch(layer)
    layer = nn.Sequential(nn.Layer(2, 2, rng=0))
    nn.freeze(layer[0].neurons[0])
    with pytest.raises(ValueError, match="weight: some of its parameters are frozen and some not"):
        to_torch(layer)
    with pytest.raises(ValueError, match="dtype: expected 'float64' or 'float32', got 'float16'"):
        to_torch(nn.Neuron(2), dtype="float16")


def test_single_precision_is_there_too():
    module = to_torch(nn.MLP(2, [3, 1], rng=0), dtype="float32")
    assert {p.dtype for p in module.parameters()} == {torch.float32}


@pytest.mark.needs("safetensors")
def test_files_of_safetensors_go_both_ways(tmp_path):
    from safetensors.torch import load_file, save_file

    from autograd_mini.interchange import load_safetensors, save_safetensors

    module = drawn(T.Sequential(T.Linear(3, 4), T.BatchNorm1d(4), T.Tanh(), T.Linear(4, 1))).eval()
    X = np.random.default_rng(0).normal(size=(5, 3))
    save_file(module.state_dict(), tmp_path / "theirs.safetensors")
    model = nn.Sequential(
        nn.Layer(3, 4, "identity"), nn.BatchNorm(4), nn.Activation("tanh"), nn.Layer(4, 1, "identity")
    )
    load_safetensors(model.eval(), tmp_path / "theirs.safetensors")
    assert_equal(model, module, X)
    save_safetensors(model, tmp_path / "ours.safetensors")
    other = T.Sequential(T.Linear(3, 4), T.BatchNorm1d(4), T.Tanh(), T.Linear(4, 1)).eval()
    other.load_state_dict(load_file(tmp_path / "ours.safetensors"))
    np.testing.assert_array_equal(of_torch(other, X), of_torch(module, X))
