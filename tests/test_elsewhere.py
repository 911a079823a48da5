"""Names that users of PyTorch, JAX and NumPy type next: an error that says what to write, and advice that runs."""

import inspect
import math
import re
import sys
from functools import partial
from importlib import import_module

import numpy as np
import pytest

import autograd_mini as ag
from autograd_mini import Value, nn, optim
from autograd_mini.elsewhere import ADVICE, ARGUMENTS

KINDS = {"Value": Value(2.0), "Module": nn.MLP(2, [1]), "Optimizer": optim.SGD([Value(1.0)], lr=0.1)}
MODULES = {module: names for module, names in ADVICE.items() if module not in KINDS}
NAMES = [(f"autograd_mini.{module}".rstrip("."), name) for module, names in MODULES.items() for name in names]


@pytest.mark.parametrize("module", sorted({module for module, _ in NAMES}))
def test_each_name_is_told_wherever_it_is_asked_for(module):
    place = import_module(module)
    for _, name in [row for row in NAMES if row[0] == module]:
        told = re.escape(f"{module} has no {name!r}: ")
        with pytest.raises(AttributeError, match=told):
            getattr(place, name)
        with pytest.raises(ImportError, match=told):
            exec(f"from {module} import {name}")
        assert not hasattr(place, name)
        assert name not in dir(place)


def test_every_expression_in_the_advice_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = nn.MLP(2, [1])
    x, y, p = Value(0.5), Value(2.0), Value(0.25)
    names = {name: getattr(ag, name) for name in dir(ag) if not name.startswith("_")}
    names |= {"x": x, "y": y * x, "a": x, "b": y, "p": p, "z": [x, y], "n": 2, "m": 3, "f": lambda x: x * x}
    names |= {"model": model, "parameters": model.parameters()}
    names["optimizer"] = optim.SGD(model.parameters(), lr=0.1)
    ag.save(model, "model.npz")
    texts = [text for rows in [*ADVICE.values(), *ARGUMENTS.values()] for text in rows.values()]
    for expression in sorted({expression for text in texts for expression in re.findall("`(.*?)`", text)}):
        eval(expression, names)


@pytest.mark.parametrize(
    ("ask", "advice"),
    [
        (lambda: nn.Linear, r"nn has no 'Linear': `nn.Layer\(2, 3, activation='identity'\)`"),
        (lambda: nn.ReLU, r"`nn.Layer\(2, 3, activation='relu'\)` has it, `nn.Activation\('relu'\)` is it as a module"),
        (lambda: nn.GELU, r"`nn.Activation\('gelu'\)`"),
        (lambda: nn.Softmax, "for training leave it out, and give the logits to `nn.cross_entropy`"),
        (lambda: nn.MSELoss, r"`nn.squared_error` is the function; PyTorch's takes the mean"),
        (lambda: nn.BCEWithLogitsLoss, "`nn.binary_cross_entropy_with_logits` is the function"),
        (lambda: nn.functional, "functions of numbers are in the package itself"),
        (lambda: nn.functional.relu, "functions of numbers are in the package itself"),
        (lambda: nn.ModuleList, "a plain list"),
        (lambda: optim.lr_scheduler, "StepLR is `optim.schedules.Step`, CosineAnnealingLR `optim.schedules.Cosine`"),
        (lambda: optim.lr_scheduler.StepLR, "StepLR is `optim.schedules.Step`"),
        (lambda: ag.tensor, r"`Value\(2.0\)`; there are no tensors"),
        (lambda: ag.Tensor, r"`Value\(2.0\)`; there are no tensors"),
        (lambda: Value(2.0).mul(3.0), r"^Value has no 'mul': the operators: a \+ b"),
        (lambda: Value(2.0).maximum(3.0), r"functions: `maximum\(x, y\)`"),
        (lambda: ag.softsign, r"^autograd_mini has no 'softsign': `x / \(1.0 \+ abs\(x\)\)`$"),
        (lambda: ag.scan, "write loops in Python"),
        (lambda: nn.Softsign, r"`nn.Activation\(lambda x: x / \(1.0 \+ abs\(x\)\)\)` is it as a module"),
        (lambda: ag.vmap, r"`vectorize\(f\)` maps a function of one example over a batch"),
    ],
)
def test_the_commonest_names_are_told(ask, advice):
    with pytest.raises(AttributeError, match=advice):
        ask()


def test_functions_that_are_a_line_of_others_have_the_values_that_they_name():
    names = {name: getattr(ag, name) for name in dir(ag)} | {"x": Value(0.3), "p": Value(0.3), "y": Value(2.0)}
    wanted = {
        "asinh": math.asinh(0.3),
        "atanh": math.atanh(0.3),
        "softsign": 0.3 / 1.3,
        "mish": 0.3 * math.tanh(math.log1p(math.exp(0.3))),
        "hardswish": 0.3 * 3.3 / 6.0,
        "logit": math.log(0.3 / 0.7),
        "xlogy": 0.3 * math.log(2.0),
        "rsqrt": 0.3**-0.5,
        "degrees": math.degrees(0.3),
    }
    for name, value in wanted.items():
        assert eval(ADVICE[""][name].split("`")[1], names).data == pytest.approx(value, rel=1e-14), name


def test_attributes_of_tensors_modules_and_optimizers_are_told_and_can_be_set():
    for of, thing in KINDS.items():
        for name in ADVICE[of]:
            with pytest.raises(AttributeError, match=rf"^{type(thing).__name__} has no '{name}': "):
                getattr(thing, name)
            assert not hasattr(thing, name)
            assert name not in dir(thing)
    x = Value(2.0)
    with pytest.raises(AttributeError, match=r"^Parameter has no 'numpy': `x.data` and `x.item"):
        nn.Parameter(2.0).numpy()
    assert np.sum(np.array([x, x])).data == np.sum(x * 2.0).data == 4.0
    assert (np.mean(np.array([x, x])).data, np.shape(x), np.ndim(x)) == (2.0, (), 0)

    class Sized(Value):
        shape = (1,)

    model = nn.MLP(2, [1], rng=0)
    model.weight, model.fit = nn.Parameter(2.0), 5
    assert (Sized(1.0).shape, model.weight.data, model.fit, len(model.parameters())) == ((1,), 2.0, 5, 4)
    assert {"weight", "fit", "forward"} <= set(dir(model))
    with pytest.raises(AttributeError, match=r"^MLP has no 'to': nothing needs moving to a device"):
        model.to("cpu")
    with pytest.raises(AttributeError, match=r"^SGD has no 'param_groups': `optimizer.lr` is the learning rate"):
        KINDS["Optimizer"].param_groups[0]["lr"] = 0.2


def test_an_import_of_a_name_is_told_beside_names_that_there_are():
    with pytest.raises(ImportError, match=r"autograd_mini.nn has no 'Linear'"):
        from autograd_mini.nn import MLP, Linear  # noqa: F401, the import itself raises


def test_other_names_are_answered_as_python_does():
    for module in (ag, nn, optim, optim.schedules):
        with pytest.raises(AttributeError, match=rf"^module '{module.__name__}' has no attribute 'tahn'$") as caught:
            module.tahn  # noqa: B018, reading it raises
        assert (caught.value.name, caught.value.obj) == ("tahn", sys.modules[module.__name__])
    with pytest.raises(ImportError, match="cannot import name 'tahn' from 'autograd_mini'"):
        from autograd_mini import tahn  # noqa: F401, the import itself raises
    assert getattr(nn, "Linear", None) is None


def test_backward_takes_retain_graph_and_the_graph_stays_either_way():
    for retain in (True, False, None):
        x = Value(3.0)
        y = x * x
        y.backward(retain_graph=retain)
        y.backward(retain_graph=retain)
        assert x.grad == 12.0


def test_zero_grad_sets_gradients_to_none_where_it_is_told_to():
    model = nn.MLP(2, [1], rng=0)
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for owner in (model, optimizer):
        model([1.0, 2.0]).backward()
        owner.zero_grad(set_to_none=True)
        assert [p.grad for p in model.parameters()] == [None] * 3
        optimizer.step()  # without a gradient there is no step
        model([1.0, 2.0]).backward()
        assert [p.grad for p in model.parameters()] == [1.0, 2.0, 1.0]
        owner.zero_grad(set_to_none=False)
        assert [p.grad for p in model.parameters()] == [0.0] * 3


X = Value(2.0)
TAKING = {
    "backward": lambda **others: X.backward(**others),
    "Embedding": lambda **others: nn.Embedding(3, 2, **others),
    "fit": lambda **others: trainer().fit([[1.0, 2.0]], [1.0], **others),
    **{name: partial(getattr(ag, name), [X, 1.0]) for name in ("sum", "mean", "prod", "softmax", "log_softmax")},
    **{name: partial(getattr(ag, name), [X, 1.0]) for name in ("logsumexp", "maximum", "minimum")},
    **{name: partial(getattr(ag, name), X) for name in ("leaky_relu", "elu", "softplus", "log", "clip")},
}


def trainer():
    model = nn.MLP(2, [1], rng=0)
    return ag.Trainer(model, "squared_error", optim.SGD(model.parameters(), lr=0.1), epochs=1, progress=False)


@pytest.mark.parametrize("function", ARGUMENTS)
def test_arguments_that_others_take_are_told(function):
    for name in ARGUMENTS[function]:
        with pytest.raises(TypeError, match=rf"^{function}\(\) got an unexpected keyword argument '{name}': .*[^{{]\w"):
            TAKING[function](**{name: 1})
    with pytest.raises(TypeError, match=rf"^{function}\(\) got an unexpected keyword argument 'foo'$"):
        TAKING[function](foo=1)


def test_the_commonest_arguments_are_told():
    with pytest.raises(TypeError, match=r"'negative_slope': `leaky_relu\(x, alpha=0.2\)`"):
        ag.leaky_relu(X, negative_slope=0.2)
    with pytest.raises(TypeError, match=r"'dim': it takes one list; .* \[softmax\(row\) for row in table\]"):
        ag.softmax([X, X], dim=0)
    with pytest.raises(TypeError, match=r"'epochs': give it to the Trainer: Trainer\(…, epochs=…\).fit\(X, y\)"):
        trainer().fit([[1.0, 2.0]], [1.0], epochs=2)
    with pytest.raises(TypeError, match=r"'gradient': x.backward\(grad=1.0\)"):
        ag.vectorize(lambda x: (x * x).backward(gradient=1.0))([1.0])
    assert str(inspect.signature(ag.softmax)).startswith("(logits: "), "what is refused isn't shown"
    assert "others" not in str(inspect.signature(ag.clip))
