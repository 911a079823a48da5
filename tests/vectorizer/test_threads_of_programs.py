"""A batch's blocks on several threads: the same results to the bit, whoever runs them."""

import os
import threading

import numpy as np
import pytest
from native.machines import needs_machine

from autograd_mini import nn, pick, vectorize
from autograd_mini.engine.value import Parameter
from autograd_mini.vectorizer import native_backend, running
from autograd_mini.vectorizer import threads as helpers
from autograd_mini.vectorizer.threads import spread

RNG = np.random.default_rng(3)
X, LABELS = RNG.normal(size=(1001, 3)), RNG.integers(0, 4, 1001).astype(float)


@pytest.fixture
def small_blocks(monkeypatch):
    """Batches of a thousand examples are as many blocks as large ones would be."""
    monkeypatch.setattr(native_backend, "_BLOCK_WORK", 30_000)


def results(threads, backend, **options):
    """All that a program computes of a batch, as bytes."""
    model = nn.Sequential(nn.MLP(3, [6, 4], activation="tanh", rng=0), nn.Dropout(0.5, rng=1))
    program = vectorize(lambda x, t: nn.cross_entropy(model(x), t), threads=threads, backend=backend, seed=5, **options)
    value, gradient = program.value_and_grad(X, LABELS)
    values, (by_x, _) = program.value_and_gradients(X, LABELS)
    found = [np.array(value), gradient, program(X, LABELS), values, by_x]
    found.append(program.value_and_grad(X, LABELS, parameters=0.5 * program.theta(), reduction="sum")[1])
    return [array.tobytes() for array in found]


@pytest.mark.parametrize(("backend", "options"), [("auto", {}), ("auto", {"block": 300}), ("numpy", {"block": 100})])
def test_results_do_not_depend_on_the_number_of_threads(small_blocks, backend, options):
    expected = results(1, backend, **options)
    for threads in (2, "auto"):
        assert results(threads, backend, **options) == expected, f"{threads} threads"


@needs_machine
def test_blocks_are_alike_and_even_in_number(small_blocks):
    w = [Parameter(0.1 * k) for k in range(4)]
    program = vectorize(lambda x: sum(u * x**k for k, u in enumerate(w)))
    program.value_and_grad(X[:, 0])
    compiled = program._latest
    for n in (1, 2, 7, 100, 1000, 1001, 5000, 100_000, 1_000_001):
        size = compiled.block_size(n)
        blocks = -(-n // size)
        assert size == n or size % 8 == 0, f"{n} examples in blocks of {size}"
        assert blocks == 1 or blocks % 2 == 0 or blocks > 100, f"{blocks} blocks of {n} examples"
    assert compiled.block_size(100) == 100
    assert compiled.block_size(100_000) < 10_000
    assert compiled.block_size(1000, wanted=70) == 70


@needs_machine
def test_threads_are_chosen_where_there_are_several_blocks(small_blocks, monkeypatch):
    used = []

    def counted(run, count, threads):
        used.append((count, threads))
        spread(run, count, threads)

    monkeypatch.setattr(running, "spread", counted)
    monkeypatch.setattr(running, "processors", lambda: 2)
    w = Parameter(2.0)
    for options in ({}, {"backend": "numpy", "block": 100}, {"threads": 1}):
        program = vectorize(lambda x: (w * x).tanh().exp(), **options)
        program.value_and_grad(X[:10, 0])
        program.value_and_grad(np.tile(X[:, 0], 3))
    assert [threads for _, threads in used] == [2, 1, 1], "auto, NumPy, one thread; and none for ten examples"
    assert all(count > 1 for count, _ in used)


def test_means_over_a_batch_are_taken_of_all_of_it_on_any_number_of_threads(small_blocks):
    def made(threads):
        model = nn.Sequential(nn.MLP(3, [4], rng=0), nn.BatchNorm(4), nn.MLP(4, [1], rng=1))
        value, gradient = vectorize(lambda x: model(x) ** 2, threads=threads).value_and_grad(X)
        return value, gradient.tobytes(), model[1].running_mean

    assert repr(made(1)) == repr(made(2)) == repr(made("auto"))


@pytest.mark.parametrize("threads", [0, -1, 1.5, "2", "all", None, True])
def test_a_number_of_threads_that_is_none_is_refused(threads):
    with pytest.raises(ValueError, match=r"threads: expected a whole number of at least 1, got .*; or pass 'auto'"):
        vectorize(lambda x: x, threads=threads)


def test_an_error_is_that_of_the_first_block_that_has_one(small_blocks):
    table = [Parameter(float(k)) for k in range(3)]
    index = np.zeros(1001)
    index[[400, 900]] = 7.0
    program = vectorize(lambda i: pick(i + 0.0, table), threads=2, block=100, check=False)
    program(np.zeros(3))
    for _ in range(5):
        with pytest.raises(IndexError, match="example 400"):
            program(index)


# -------------------------------------------------------------------------------------------------- the helpers


def test_each_block_is_run_once_by_this_thread_or_another():
    ran, who = [], set()
    both = threading.Barrier(2, timeout=10.0)

    def run(k):
        if k < 2:  # two threads are here at once
            both.wait()
        ran.append(k)
        who.add(threading.current_thread())

    spread(run, 50, 2)
    assert sorted(ran) == list(range(50))
    assert len(who) == 2
    assert threading.current_thread() in who


def test_this_thread_does_it_alone_where_there_are_no_others(monkeypatch):
    def none(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(helpers, "_pool", none)
    ran = []
    spread(ran.append, 5, 4)
    assert ran == [0, 1, 2, 3, 4]


def test_helpers_that_began_are_waited_for_where_there_are_no_more(monkeypatch):
    pool, sent = helpers._pool(os.getpid()), []

    class Few:
        def submit(self, work):
            if sent:
                raise RuntimeError("can't start new thread")
            sent.append(pool.submit(work))
            return sent[-1]

    monkeypatch.setattr(helpers, "_pool", lambda _: Few())
    ran, both = [], threading.Barrier(2, timeout=10.0)

    def run(k):
        both.wait()
        ran.append(k)

    spread(run, 2, 5)
    assert sorted(ran) == [0, 1]


def test_what_is_interrupted_stops_and_waits_for_nobody():
    ran = []

    def run(k):
        ran.append(k)
        if k == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        spread(run, 1000, 2)
    assert len(ran) < 1000
    spread(ran.append, 3, 2)  # and the helpers are there again
    assert ran[-3:].count(2) == 1


FORK = """
import os, threading
from autograd_mini.vectorizer.threads import spread

spread(lambda k: None, 4, 2)
child = os.fork()
if not child:
    ran = []
    try:
        both = threading.Barrier(2, timeout=10.0)
        spread(lambda k: (ran.append(k), both.wait()), 2, 2)
    finally:
        os._exit(0 if sorted(ran) == [0, 1] else 1)
print("ended with", os.waitpid(child, 0)[1])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
def test_a_fork_has_threads_of_its_own(run_python):
    assert run_python(FORK).strip() == "ended with 0"  # by itself: JAX, where it is imported, wants no forks


def test_many_calls_share_the_helpers():
    before = threading.active_count()
    for _ in range(20):
        spread(lambda k: None, 8, 3)
    assert threading.active_count() <= before + 2 * 20
    names = [thread.name for thread in threading.enumerate() if thread.name.startswith("autograd_mini")]
    assert len(names) <= 64
