"""Freezing: no update, no gradient, and no graph where nothing below learns."""

import copy
import pickle
import weakref

import pytest

from autograd_mini import Value
from autograd_mini.engine.graph import topological_order
from autograd_mini.nn import MLP, Layer, Module, Neuron, Parameter
from autograd_mini.nn.batches import batch
from autograd_mini.nn.containers import Activation, Flatten, Sequential
from autograd_mini.nn.convolution import Conv1d
from autograd_mini.nn.freezing import freeze, is_frozen, unfreeze
from autograd_mini.nn.normalization import LayerNorm
from autograd_mini.optim import SGD


def transfer_model():
    """A convolution that was trained before, and a new head."""
    trained = Sequential(Conv1d(1, 2, 2, activation="tanh", rng=0), Flatten(), LayerNorm(6))
    return trained, Sequential(trained, Layer(6, 1, "identity", rng=1))


X = [1.0, 0.5, -0.5, 2.0]


class TestFrozenParameters:
    def test_hold_no_gradient_while_others_get_theirs(self):
        model, same = MLP(2, [3, 3, 1], "tanh", rng=0), MLP(2, [3, 3, 1], "tanh", rng=0)
        freeze(model.layers[1])
        for net in (model, same):
            net([1.0, 2.0]).backward()
        assert {p.grad for p in model.layers[1].parameters()} == {0.0}
        for i in (0, 2):  # the gradient goes on through the frozen layer
            gradients = [p.grad for p in model.layers[i].parameters()]
            assert gradients == [p.grad for p in same.layers[i].parameters()]
            assert any(gradients)

    def test_lose_the_gradient_they_had(self):
        neuron = Neuron(2, "identity", rng=0)
        neuron([1.0, 2.0]).backward()
        freeze(neuron)
        assert {p.grad for p in neuron.parameters()} == {0.0}
        unfreeze(neuron)
        assert {p.grad for p in neuron.parameters()} == {0.0}

    def test_are_still_parameters_with_a_name_and_a_state(self):
        model = MLP(2, [3, 1], rng=0)
        names = [name for name, _ in model.named_parameters()]
        state = model.state_dict()
        freeze(model)
        assert [name for name, _ in model.named_parameters()] == names
        model.load_state_dict({name: array + 1.0 for name, array in state.items()})
        assert (model.state_dict()["layers.0.weight"] == state["layers.0.weight"] + 1.0).all()

    def test_get_no_update_from_gradient_descent(self):
        model = MLP(2, [3, 1], "tanh", rng=0)
        freeze(model.layers[0])
        before = model.state_dict()
        optimizer = SGD(model.parameters(), lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            model([1.0, 2.0]).backward()
            optimizer.step()
        after = model.state_dict()
        assert (after["layers.0.weight"] == before["layers.0.weight"]).all()
        assert (after["layers.1.weight"] != before["layers.1.weight"]).all()

    def test_unfrozen_ones_learn_again(self):
        model = MLP(2, [3, 1], "tanh", rng=0)
        freeze(model)
        assert is_frozen(model)
        unfreeze(model)
        assert not is_frozen(model)
        model([1.0, 2.0]).backward()
        assert all(p.grad for p in model.layers[1].parameters())
        assert {type(p) for p in model.parameters()} == {Parameter}

    def test_freezing_twice_is_freezing_once(self):
        neuron = Neuron(2, rng=0)
        attributes = list(vars(neuron))
        freeze(neuron)
        freeze(neuron)
        unfreeze(neuron)
        assert not is_frozen(neuron)
        assert list(vars(neuron)) == attributes

    def test_unfreezing_what_is_not_frozen_changes_nothing(self):
        neuron = Neuron(2, "identity", rng=0)
        neuron([1.0, 2.0]).backward()
        unfreeze(neuron)
        assert neuron.bias.grad == 1.0

    def test_let_go_of_a_gradient_that_is_a_graph(self):
        neuron = Neuron(1, "tanh", rng=0)
        neuron([1.0]).backward(create_graph=True)
        gradient = weakref.ref(neuron.bias.grad)
        freeze(neuron)
        for parameter in neuron.parameters():
            parameter.grad = 0.0
        assert gradient() is None

    def test_some_parameters_and_lists_of_modules_can_be_frozen(self):
        model = MLP(2, [3, 3, 1], rng=0)
        freeze(model.layers[:2])
        assert [is_frozen(layer) for layer in model.layers] == [True, True, False]
        neuron = Neuron(2, "identity", rng=0)
        freeze(neuron.weights)
        neuron([1.0, 2.0]).backward()
        assert [p.grad for p in neuron.parameters()] == [0.0, 0.0, 1.0]

    def test_what_is_neither_module_nor_parameter_is_refused_before_any_change(self):
        neuron = Neuron(2, rng=0)
        with pytest.raises(
            TypeError, match=r"expected modules or parameters to freeze, got Value; as in freeze\(model\)"
        ):
            freeze(neuron, Value(1.0))
        assert not is_frozen(neuron)

    def test_nothing_is_not_frozen(self):
        assert not is_frozen(Activation("tanh"))


class TestGraphs:
    def test_a_frozen_part_at_the_bottom_builds_none(self):
        trained, model = transfer_model()
        whole = model(X)
        freeze(trained)
        output = model(X)
        assert output.data == whole.data
        head = model[1].neurons[0]
        assert {id(node) for node in topological_order(output)} == {
            id(node) for node in (output, *head.parameters(), *output.parents)
        }
        output.backward()
        assert head.weights[0].grad == output.parents[6].data
        unfreeze(trained)
        assert len(topological_order(model(X))) == len(topological_order(whole))

    def test_neither_do_frozen_layers(self):
        model = MLP(2, [3, 1], "tanh", rng=0)
        freeze(model.layers[0])
        assert all(parent.parents == () for parent in model([1.0, 2.0]).parents)

    def test_the_gradient_by_a_node_of_ones_own_still_comes_through(self):
        neuron = Neuron(2, "identity", rng=0)
        freeze(neuron)
        x = [Value(1.0), Value(2.0)]
        neuron(x).backward()
        assert [a.grad for a in x] == [w.data for w in neuron.weights]

    def test_a_batch_goes_through_too(self):
        trained, model = transfer_model()
        freeze(trained)
        outputs = batch(model, [X, X[::-1]])
        assert [o.data for o in outputs] == [model(X).data, model(X[::-1]).data]
        assert outputs[0].parents[6].parents == ()

    def test_a_new_head_inside_of_a_frozen_model_learns(self):
        _, model = transfer_model()
        freeze(model)
        model[1] = Layer(6, 1, "identity", rng=2)
        model(X).backward()
        assert all(p.grad for p in model[1].parameters())

    def test_a_shared_parameter_that_was_unfrozen_elsewhere_learns_everywhere(self):
        class Tied(Module):
            def __init__(self, w):
                self.w = w

            def forward(self, x):
                return self.w * x

        w = Parameter(3.0)
        first, second = Tied(w), Tied(w)
        freeze(first)
        unfreeze(second)
        first(2.0).backward()
        assert w.grad == 2.0

    def test_copies_and_pickles_stay_frozen_and_are_models_of_their_own(self):
        trained, model = transfer_model()
        freeze(trained)
        for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
            assert is_frozen(twin[0])
            before = model(X).data
            twin[0][0].bias[0].data += 1.0
            assert twin(X).data != before
            assert model(X).data == before
            unfreeze(twin)
            twin(X).backward()
            assert any(p.grad for p in twin[0].parameters())
            assert is_frozen(trained[0].bias[0])


def test_frozen_parameters_stay_frozen_in_another_process(run_python, tmp_path):
    trained, model = transfer_model()
    freeze(trained)
    (tmp_path / "model.pickle").write_bytes(pickle.dumps(model))
    printed = run_python(
        f"import pickle, pathlib; model = pickle.loads(pathlib.Path({str(tmp_path / 'model.pickle')!r}).read_bytes())\n"
        f"x = __import__('autograd_mini').Value(1.0); (model([x, 0.5, -0.5, 2.0])).backward()\n"
        f"print({{p.grad for p in model[0].parameters()}}, any(p.grad for p in model[1].parameters()))"
    )
    assert printed.strip() == "{0.0} True"
