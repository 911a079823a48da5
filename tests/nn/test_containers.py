"""Sequential, Residual, Activation, Flatten, Reshape: what goes through them, their names and their state."""

import copy
import pickle

import numpy as np
import pytest

from autograd_mini import Value
from autograd_mini.engine import functions
from autograd_mini.nn import MLP, Layer, Module
from autograd_mini.nn.activations import ACTIVATIONS
from autograd_mini.nn.containers import Activation, Flatten, Reshape, Residual, Sequential
from autograd_mini.nn.convolution import Conv1d


def numbers(nested):
    return [numbers(part) for part in nested] if isinstance(nested, list) else nested.data


def two_layers(last=1):
    return Sequential(Layer(2, 3, "tanh", rng=0), Layer(3, last, "identity", rng=1))


class TestSequential:
    def test_computes_what_an_mlp_of_the_same_weights_does(self):
        model, mlp = two_layers(), MLP(2, [3, 1], "tanh", rng=5)
        mlp.load_state_dict({f"layers.{name}": array for name, array in model.state_dict().items()})
        ours, theirs = model([0.3, -0.7]), mlp([0.3, -0.7])
        assert ours.data == theirs.data
        ours.backward()
        theirs.backward()
        assert [p.grad for p in model.parameters()] == [p.grad for p in mlp.parameters()]

    def test_only_a_single_output_comes_without_its_list(self):
        assert isinstance(two_layers(1)([1.0, 2.0]), Value)
        assert len(two_layers(2)([1.0, 2.0])) == 2
        assert numbers(Sequential(Conv1d(1, 1, 2, initializer="zeros"))([1.0, 2.0, 3.0])) == [[0.0, 0.0]]

    def test_a_single_output_inside_can_be_the_next_input(self):
        model = Sequential(Sequential(Layer(2, 1, rng=0)), Layer(1, 3, rng=1))
        assert len(model([1.0, 2.0])) == 3

    def test_parameters_are_named_by_their_place(self):
        model = two_layers()
        names = [name for name, _ in model.named_parameters()]
        assert names[0] == "modules.0.neurons.0.weights.0"
        assert names[-1] == "modules.1.neurons.0.bias"
        assert [p.label for p in model.parameters()] == names

    def test_the_state_has_pytorchs_names_also_inside_of_a_module(self):
        class Net(Module):
            def __init__(self):
                self.encoder = Sequential(Layer(2, 3, rng=0), Activation("tanh"), Residual(Layer(3, 3, rng=1)))

        assert list(Net().state_dict()) == [
            "encoder.0.weight",
            "encoder.0.bias",
            "encoder.2.module.weight",
            "encoder.2.module.bias",
        ]

    def test_the_state_comes_back(self):
        model, other = two_layers(), two_layers()
        for parameter in other.parameters():
            parameter.data += 1.0
        other.load_state_dict(model.state_dict())
        assert [p.data for p in other.parameters()] == [p.data for p in model.parameters()]

    def test_indexing_length_and_iteration(self):
        model = Sequential(Layer(2, 3), Activation("tanh"), Layer(3, 1))
        assert len(model) == 3
        assert list(model) == [model[0], model[1], model[2]]
        assert model[-1] is model.modules[2]

    def test_a_slice_shares_the_modules_and_leaves_their_names(self):
        model = Sequential(Layer(2, 3, rng=0), Activation("tanh"), Layer(3, 1, rng=1))
        labels = [p.label for p in model.parameters()]
        tail = model[1:]
        assert isinstance(tail, Sequential)
        assert tail[1] is model[2]
        assert tail(model[0]([1.0, 2.0])).data == model([1.0, 2.0]).data
        assert model([1.0, 2.0]).scope == "modules.2.neurons.0"
        assert [p.label for p in model.parameters()] == labels

    def test_an_empty_slice_is_refused(self):
        with pytest.raises(ValueError, match="nothing is left of 2 modules in that slice; choose at least one"):
            two_layers()[5:]

    def test_a_new_head_takes_the_name_of_the_old(self):
        model = two_layers()
        head = Layer(3, 2, rng=7)
        model[-1] = head
        assert model[1] is head
        assert head.neurons[1].bias.label == "modules.1.neurons.1.bias"
        assert len(model([1.0, 2.0])) == 2

    def test_n_inputs_is_the_first_modules_and_absent_where_it_has_none(self):
        assert two_layers().n_inputs == 2
        assert not hasattr(Sequential(Flatten(), Layer(4, 1)), "n_inputs")

    def test_nodes_are_in_the_scope_of_their_module(self):
        output = two_layers()([1.0, 2.0])
        assert output.scope == "modules.1.neurons.0"
        assert output.parents[3].scope == "modules.0.neurons.0"

    def test_train_and_eval_reach_all(self):
        model = Sequential(Residual(Sequential(Layer(2, 2))), Layer(2, 1))
        model.eval()
        assert not any(module.training for _, module in model.named_modules())
        assert not model[:1].training

    def test_copies_and_pickles_are_models_of_their_own(self):
        model = two_layers()
        for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
            twin[0].neurons[0].weights[0].data += 1.0
            assert twin([1.0, 2.0]).data != model([1.0, 2.0]).data

    def test_what_is_no_module_is_refused(self):
        with pytest.raises(
            TypeError, match=r"module 1: expected a Module, got builtin_function_or_method; wrap a func"
        ):
            Sequential(Layer(2, 1), abs)
        with pytest.raises(TypeError, match="expected a Module, got list; write the modules one by one"):
            Sequential([Layer(2, 1)])
        with pytest.raises(TypeError, match="module 0: expected a Module, got int"):
            two_layers()[0] = 3
        with pytest.raises(ValueError, match=r"expected at least one module, got none; as in Sequential\(Layer"):
            Sequential()

    def test_repr_can_be_read(self):
        assert repr(Sequential(Layer(2, 1), Residual(Activation("tanh")), Reshape(1, 2))) == (
            "Sequential(Layer(2, 1, activation='relu'), Residual(Activation('tanh')), Reshape(1, 2))"
        )


class TestResidual:
    def test_adds_the_input_and_its_gradient(self):
        x = [Value(0.5), Value(-1.0)]
        block = Residual(Layer(2, 2, "tanh", rng=0))
        out = block(x)
        inner = block.module(x)
        assert numbers(out) == [a.data + f.data for a, f in zip(x, inner, strict=True)]
        (out[0] + out[1]).backward()
        W = block.state_dict()["module.weight"]
        expected = 1.0 + W.T @ (1.0 - np.tanh(W @ [0.5, -1.0]) ** 2)
        np.testing.assert_allclose([a.grad for a in x], expected, rtol=1e-14)

    def test_a_number_becomes_one_leaf_for_both_ways(self):
        out = Residual(Layer(1, 1, "identity", rng=0))([3.0])[0]
        x, z = out.parents
        assert x in z.parents

    def test_one_input_and_one_output_with_and_without_their_lists(self):
        layer = Layer(1, 1, "identity", initializer="zeros")
        assert numbers(Residual(layer)([3.0])) == [3.0]
        assert numbers(Residual(Sequential(layer))([3.0])) == [3.0]
        assert numbers(Residual(Sequential(layer))(3.0)) == 3.0

    def test_goes_round_a_convolution(self):
        assert numbers(Residual(Conv1d(2, 2, 3, padding=1, initializer="zeros"))([[1.0, 2.0], [3.0, 4.0]])) == [
            [1.0, 2.0],
            [3.0, 4.0],
        ]

    @pytest.mark.parametrize("module", [Layer(2, 3), Layer(2, 1), Sequential(Layer(2, 1))])
    def test_other_widths_are_refused(self, module):
        with pytest.raises(
            ValueError, match=r"expected an output of the input's shape \(2,\), got \([31],\).*outputs as"
        ):
            Residual(module)([1.0, 2.0])

    def test_exposes_n_inputs(self):
        assert Residual(Layer(2, 2)).n_inputs == 2
        assert not hasattr(Residual(Activation("tanh")), "n_inputs")


class TestActivation:
    @pytest.mark.parametrize("name", ACTIVATIONS)
    def test_is_the_function_of_that_name(self, name):
        x = [[0.5, -1.5], [2.0]]
        assert numbers(Activation(name)(x)) == [[ACTIVATIONS[name](a) for a in row] for row in x]
        assert numbers(Activation(name)(0.5)) == ACTIVATIONS[name](0.5)

    def test_identity_makes_no_node(self):
        x = Value(2.0)
        assert Activation("identity")(x) is x

    def test_softmax_goes_over_the_innermost_list(self):
        rows = numbers(Activation("softmax")([[1.0, 2.0], [3.0, 3.0]]))
        assert rows == [functions.softmax([1.0, 2.0]), [0.5, 0.5]]

    def test_softmax_of_one_number_is_refused(self):
        with pytest.raises(ValueError, match="softmax needs a list of numbers, one for each class, got a single one"):
            Activation("softmax")(Value(1.0))

    def test_takes_a_function_and_labels_what_it_makes(self):
        x = Value(2.0, "x")
        square = Activation(lambda v: v * v)(x)
        assert (square.data, square.label) == (4.0, "a")
        assert Activation(lambda v: v)(x).label == "x"
        assert Activation(lambda v: 1.0 if v > 0 else 0.0)(x).data == 1.0

    def test_unknown_names_are_refused(self):
        with pytest.raises(ValueError, match="no activation is named 'tanhh'; choose one of identity"):
            Activation("tanhh")


class TestFlattenAndReshape:
    def test_are_each_others_opposite(self):
        x = np.arange(12.0).reshape(2, 3, 2)
        flat = Flatten()(x)
        assert numbers(flat) == list(range(12))
        assert numbers(Reshape(2, 3, 2)(flat)) == x.tolist()

    def test_flatten_keeps_the_nodes(self):
        a, b = Value(1.0), Value(2.0)
        assert [x is y for x, y in zip(Flatten()([[a], [b]]), [a, b], strict=True)] == [True, True]

    def test_reshape_refuses_what_does_not_fit(self):
        assert Reshape(2, 3).n_inputs == 6
        with pytest.raises(ValueError, match=r"Reshape\(2, 3\): expected 6 numbers, got 5; choose lengths that fit"):
            Reshape(2, 3)([0.0] * 5)
        with pytest.raises(ValueError, match=r"expected lengths of at least 1, got \(2, 0\)"):
            Reshape(2, 0)

    def test_elements_that_are_no_numbers_are_refused(self):
        with pytest.raises(TypeError, match="expected a real number, got str 'a'"):
            Flatten()([[1.0, "a"]])
