"""`nn.Embedding`: a row of parameters for each token."""

import math

import numpy as np
import pytest

import autograd_mini as ag
from autograd_mini import Trainer, Value, nn, optim, vectorize
from autograd_mini.engine.node import FEATURE


def test_a_token_gives_the_rows_own_parameters():
    letters = nn.Embedding(4, 2, rng=0)
    for token in (2, 2.0, np.int64(2), np.array(2), True + 1):
        assert all(x is y for x, y in zip(letters(token), letters.weights[2], strict=True))
    assert letters([3, 0]) == [letters.weights[3], letters.weights[0]]
    assert letters(range(2)) == letters.weights[:2]


def test_a_token_that_is_a_node_is_an_operand():
    letters, token = nn.Embedding(4, 2, rng=0), Value(1.0, "token")
    x, _ = letters(token)
    assert x.primitive.name == "pick"
    assert x.parents[0] is token
    token.data = 3.0
    assert x.forward() == letters.weights[3][0].data


def test_its_parameters_are_named_and_in_the_state_as_in_pytorch():
    letters = nn.Embedding(3, 2, rng=0)
    assert [name for name, _ in letters.named_parameters()][:3] == ["weights.0.0", "weights.0.1", "weights.1.0"]
    assert letters.weights[2][1].label == "weights.2.1"
    assert {name: array.shape for name, array in letters.state_dict().items()} == {"weight": (3, 2)}
    letters.load_state_dict({"weight": [[1, 2], [3, 4], [5, 6]]})
    assert [x.data for x in letters(1)] == [3.0, 4.0]
    assert repr(letters) == "Embedding(3, 2)"


def test_rows_are_drawn_by_seed_from_the_standard_normal_distribution():
    drawn = nn.Embedding(200, 20, rng=1).state_dict()["weight"]
    assert abs(drawn.std() - 1.0) < 0.05
    assert np.array_equal(drawn, nn.Embedding(200, 20, rng=1).state_dict()["weight"])
    assert not nn.Embedding(2, 2, "zeros").state_dict()["weight"].any()


@pytest.mark.parametrize("token", [4, -1, 0.5, math.nan])
def test_a_token_that_isnt_there_is_refused(token):
    letters = nn.Embedding(4, 2, rng=0)
    message = rf"expected a whole number from 0 to 3, to name one of 4, got {token:g}"
    leaf = Value(token)
    leaf._local = FEATURE
    for given in (token, leaf, Value(token), [0, token]):
        with pytest.raises(IndexError, match=message):
            letters(given)
    with pytest.raises(IndexError, match=message + " in example 1"):
        vectorize(lambda t: letters(t)[0])([0, token])


@pytest.mark.parametrize("sizes", [(0, 2), (2, 0)])
def test_sizes_out_of_range_are_refused(sizes):
    with pytest.raises(ValueError, match=r"expected .* at least 1"):
        nn.Embedding(*sizes)


class NextLetter(nn.Module):
    def __init__(self, n_tokens):
        self.letters = nn.Embedding(n_tokens, 3, rng=0)
        self.network = nn.MLP(6, [n_tokens], rng=1)

    def forward(self, tokens):
        return self.network([x for row in self.letters(tokens) for x in row])


@pytest.mark.parametrize("n_tokens", [5, pytest.param(300, marks=pytest.mark.slow)])
def test_both_engines_train_it_to_the_same_parameters(n_tokens):
    X = np.random.default_rng(0).integers(0, 5, size=(12, 2)).astype(float)
    y = ((X[:, 0] + X[:, 1]) % 5).astype(int)
    found = []
    for engine in ("eager", "vectorized"):
        model = NextLetter(n_tokens)
        optimizer = optim.Adam(model.parameters(), lr=0.1)
        trainer = Trainer(model, "cross_entropy", optimizer, batch_size=4, epochs=2, engine=engine, progress=False)
        trainer.fit(X, y)
        found.append([parameter.data for parameter in model.parameters()])
    assert np.allclose(*found, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("rows", "width"), [(300, 4), pytest.param(5_000, 64, marks=pytest.mark.slow)])
def test_a_program_reads_a_large_table_in_one_statement(rows, width):
    words = nn.Embedding(rows, width, rng=0)
    program = vectorize(lambda t: ag.sum([x * x for row in words(t) for x in row]))
    _, gradient = program.value_and_grad([[0, rows - 1], [rows - 1, 1]])
    assert program.parameters == words.parameters()
    weight = words.state_dict()["weight"]
    expected = np.zeros_like(weight)
    for token in (0, rows - 1, rows - 1, 1):
        expected[token] += weight[token]  # 2·w, for a mean over two
    assert np.allclose(gradient.reshape(rows, width), expected, rtol=0, atol=1e-12)
    assert sum(line.strip().startswith("picked(") for line in program.source.splitlines()) == 1
