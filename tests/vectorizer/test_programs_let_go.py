"""Programs that are no longer used are let go, with their arrays and with the graph that they were traced from."""

import gc
import weakref

import numpy as np
import pytest

import autograd_mini as ag
from autograd_mini import nn, optim
from autograd_mini.engine.value import Parameter
from autograd_mini.training import Trainer
from autograd_mini.vectorizer import vectorize
from autograd_mini.vectorizer.program import MOST_KEYS, MOST_VERSIONS

W = Parameter(0.5, label="w")


def watched(compiled):
    """Return weak references to a program, a node of its graph, and its arrays."""
    workspace = compiled.workspace(2)
    arrays = workspace.theta.base if workspace.theta.base is not None else workspace.theta
    compiled.give_back(2, workspace)
    return [*map(weakref.ref, (compiled, compiled.scalars.node[-1], compiled.nodes[0], arrays, workspace))]


def alive(references):
    gc.collect()
    return [reference() for reference in references if reference() is not None]


def test_a_program_that_is_dropped_leaves_nothing():
    program = vectorize(lambda x: ag.tanh(W * x))
    program.value_and_grad([0.1, 0.2])
    program.gradients([0.1, 0.2])
    found = [reference for versions in program._compiled.values() for c in versions for reference in watched(c)]
    assert len(alive(found)) == 10
    del program
    assert not alive(found)


def test_programs_for_other_widths_are_let_go():
    program = vectorize(lambda x: ag.sum([ag.tanh(W * a) for a in x]), check=False)
    seen = []
    for width in range(1, MOST_KEYS + 9):
        program(np.ones((2, width)))
        seen.append(weakref.ref(program._latest))
    assert len(program._compiled) == MOST_KEYS
    assert len(alive(seen)) == MOST_KEYS
    assert seen[-1]() is not None
    assert program(np.ones((2, 1))) == pytest.approx(np.tanh(0.5))  # the first one is made anew


def test_programs_for_other_surroundings_are_let_go():
    rates = [0.0]
    program = vectorize(lambda x: W * x * rates[0], check=False)
    seen = []
    for k in range(MOST_VERSIONS + 3):
        rates[0] = float(k)
        assert program([2.0]) == k
        seen.append(weakref.ref(program._latest))
    assert len(alive(seen)) == MOST_VERSIONS


def test_straight_line_programs_for_other_surroundings_are_let_go():
    rates = [0.0]
    program = vectorize(lambda: ag.tanh(W * rates[0]), check=False)
    seen = []
    for k in range(MOST_VERSIONS + 3):
        rates[0] = float(k)
        assert program() == pytest.approx(np.tanh(0.5 * k))
        seen += [weakref.ref(program._latest), weakref.ref(program._straight)]
    assert len(alive(seen)) == 2 * MOST_VERSIONS


@pytest.mark.parametrize("sizes", [range(1, 30)])
def test_arrays_for_few_batch_sizes_are_kept(sizes):
    program = vectorize(lambda x: ag.tanh(W * x), check=False)
    for n in sizes:
        program(np.ones(n))
    assert len(program._latest._pool) <= 8


def test_a_trainer_lets_go_of_its_old_programs():
    model = nn.MLP(2, [3, 1], rng=0)
    trainer = Trainer(model, "squared_error", optim.SGD(model.parameters(), lr=0.1), epochs=1)
    X, y = np.ones((4, 2)), np.ones(4)
    trainer.fit(X, y)
    found = watched(trainer._engine._resident.compiled)
    trainer.predict(X)
    found += watched(trainer._engine._programs["outputs"][1]._latest)
    nn.freeze(model.layers[0])
    trainer.fit(X, y)
    trainer.predict(X)
    assert not alive(found[:5])
    found += watched(trainer._engine._resident.compiled)
    del trainer
    assert not alive(found)
