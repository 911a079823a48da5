"""Activations with a parameter, by name."""

import copy
import pickle

import pytest

from autograd_mini import Value
from autograd_mini.engine import functions
from autograd_mini.nn import MLP
from autograd_mini.nn.activations import ParametrisedActivation, parametrised


@pytest.mark.parametrize("name", ["leaky_relu(0.2)", " leaky_relu( alpha = 2e-1 ) ", "leaky_relu(alpha=.2)"])
def test_reads_the_number(name):
    assert parametrised(name) == ParametrisedActivation("leaky_relu", 0.2)


@pytest.mark.parametrize(("name", "function"), [("leaky_relu(0.2)", functions.leaky_relu), ("elu(0.5)", functions.elu)])
@pytest.mark.parametrize("x", [-1000.0, -1.5, 0.0, 2.0])
def test_is_the_function_with_that_parameter(name, function, x):
    activation = parametrised(name)
    alpha = float(name.partition("(")[2][:-1])
    assert activation(x) == function(x, alpha)
    ours, theirs = Value(x), Value(x)
    activation(ours).backward()
    function(theirs, alpha).backward()
    assert ours.grad == theirs.grad


@pytest.mark.parametrize("name", ["tanh", "leaky_relu", "", "nonsense"])
def test_names_without_parentheses_are_not_its_business(name):
    assert parametrised(name) is None


def test_survives_copies_and_pickles_and_tells_its_name():
    activation = parametrised("elu(0.5)")
    assert activation.__name__ == "elu(0.5)"
    assert pickle.loads(pickle.dumps(activation)) == activation
    assert copy.deepcopy(activation) == activation
    assert hash(activation) == hash(parametrised("elu(0.50)"))
    with pytest.raises(AttributeError):
        activation.alpha = 1.0


def test_a_model_with_it_can_be_pickled_and_shows_it():
    model = MLP(2, [3, 1], activation=parametrised("leaky_relu(0.2)"), rng=0)
    assert "activation='leaky_relu(0.2)'" in repr(model)
    assert pickle.loads(pickle.dumps(model))([1.0, -2.0]).data == model([1.0, -2.0]).data


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "tanh(2)",
            "'tanh\\(2\\)': expected a parameter after leaky_relu or elu only, got one after 'tanh'; write the",
        ),
        ("elu()", "'elu\\(\\)': expected a finite number in the parentheses, got ''; as in 'elu\\(0.2\\)'"),
        ("elu(x)", "expected a finite number in the parentheses, got 'x'"),
        ("elu(nan)", "expected a finite number in the parentheses, got 'nan'"),
        ("leaky_relu(inf)", "expected a finite number in the parentheses, got 'inf'"),
        ("elu(1, 2)", "expected a finite number in the parentheses, got '1, 2'"),
    ],
)
def test_what_makes_no_sense_is_refused(name, message):
    with pytest.raises(ValueError, match=message):
        parametrised(name)
