"""What threads, asyncio tasks and generators share, and what each has for itself."""

import asyncio
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from autograd_mini import AnomalyError, Value, detect_anomaly, enable_grad, log, no_grad, scope
from autograd_mini.engine import modes


def is_recording():
    x = Value(2.0)
    return bool((x * x).parents)


def test_threads_that_share_leaves_lose_no_gradient():
    before = sys.getswitchinterval()
    w = [Value(1.0, f"w{i}") for i in range(3)]
    sys.setswitchinterval(1e-6)
    try:

        def work(_):
            for _ in range(300):
                (w[0] * w[1] + w[2] * w[0]).backward()

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(8)))
    finally:
        sys.setswitchinterval(before)
    assert [leaf.grad for leaf in w] == [4800.0, 2400.0, 2400.0]


def test_one_context_object_serves_several_threads_at_once():
    shared, tagged, inside, leave = no_grad(), scope("part"), threading.Barrier(2), threading.Event()
    seen = {}

    def first():
        with shared, tagged:
            inside.wait()
            leave.wait(5)
            seen["first"] = (is_recording(), (Value(1.0) * 1).scope)
        seen["first after"] = (is_recording(), (Value(1.0) * 1).scope)

    thread = threading.Thread(target=first)
    thread.start()
    inside.wait()
    with enable_grad(), scope("other"), shared, tagged:
        seen["second"] = (is_recording(), (Value(1.0) * 1).scope)
    seen["second after"] = (is_recording(), (Value(1.0) * 1).scope)
    leave.set()
    thread.join()
    assert seen == {
        "first": (False, "part"),
        "first after": (True, ""),
        "second": (False, "other.part"),
        "second after": (True, ""),
    }
    assert modes.open_contexts == 0


def test_a_task_has_its_modes_for_itself():
    async def without():
        with no_grad(), scope("without"):
            await asyncio.sleep(0.01)
            return is_recording(), (Value(1.0) * 1).scope

    async def plain():
        found = []
        for _ in range(5):
            found.append((is_recording(), (Value(1.0) * 1).scope))
            await asyncio.sleep(0.004)
        return set(found)

    async def both():
        return await asyncio.gather(without(), plain())

    with ThreadPoolExecutor(1) as pool:  # where a browser is tested, this thread runs a loop already
        assert pool.submit(lambda: asyncio.run(both())).result() == [(False, "without"), {(True, "")}]
    assert modes.open_contexts == 0


def test_a_generator_that_waits_leaves_its_modes_to_itself():
    def rows():
        with no_grad(), scope("rows"):
            for _ in range(3):
                yield is_recording(), (Value(1.0) * 1).scope

    generator = rows()
    assert next(generator) == (False, "rows")
    assert is_recording()
    with scope("outside"):
        assert (Value(1.0) * 1).scope == "outside"
        assert next(generator) == (False, "rows.outside")
        assert (Value(1.0) * 1).scope == "outside"
    assert next(generator) == (False, "rows")
    assert list(generator) == []
    assert is_recording()
    abandoned = rows()
    next(abandoned)
    del abandoned
    assert modes.open_contexts == 0


def test_generators_may_end_in_any_order():
    def within(context):
        with context:
            yield
            yield

    first, second = within(no_grad()), within(detect_anomaly())
    next(first), next(second)
    list(first)
    assert is_recording()
    with enable_grad():
        list(second)
    log(Value(0.0))  # no anomaly is looked for any more
    assert modes.open_contexts == 0


def test_a_context_manager_of_ones_own_holds_while_it_is_open():
    @contextmanager
    def evaluation():
        with no_grad(), scope("evaluation"):
            yield

    with evaluation():
        assert not is_recording()
        assert (Value(1.0) * 1).scope == "evaluation"
    assert is_recording()


@pytest.fixture
def without_graph():
    with no_grad():
        yield


def test_a_fixture_holds_during_the_test(without_graph):
    assert not is_recording()


def test_a_decorated_generator_runs_each_step_inside():
    @no_grad()
    def steps():
        got = yield is_recording()
        yield got, is_recording()
        return "end"

    def whole():
        return (yield from steps())

    generator = steps()
    assert next(generator) is False
    assert is_recording()
    assert generator.send("sent") == ("sent", False)
    with pytest.raises(StopIteration, match="end"):
        next(generator)
    assert list(whole()) == [False, (None, False)]


@pytest.mark.parametrize("context", [no_grad, enable_grad, detect_anomaly, lambda: scope("a")])
def test_modes_are_restored_on_an_error_in_any_nesting(context):
    with pytest.raises(KeyError), context(), no_grad(), context():
        raise KeyError
    assert is_recording()
    assert modes.open_contexts == 0


# ------------------------------------------------------------------------------------------------------ old graphs


def test_derivatives_of_derivatives_of_an_old_graph_are_refused():
    x = Value(2.0, label="x")
    y = x * x * x
    x.data = 5.0
    with pytest.raises(RuntimeError, match=r"older than its leaves: mul has 4\.0, .* so x has changed .* call forward"):
        y.backward(create_graph=True)
    assert x.grad == 0.0
    y.forward()
    y.backward(create_graph=True)
    assert x.grad.data == 75.0


def test_an_old_graph_is_an_anomaly_where_anomalies_are_looked_for():
    w, x = Value(3.0, label="w"), Value(2.0, label="x")
    loss = (w * x + 1.0) ** 2
    w.data = 1.0
    with detect_anomaly(), pytest.raises(AnomalyError, match=r"older than its leaves.*so w has changed"):
        loss.backward()
    assert w.grad == 0.0
    loss.backward()  # the recorded local derivatives, as promised
    assert w.grad == 28.0


def test_a_graph_with_nan_is_not_old():
    x = Value(-1.0)
    y = log(x) * 0.0
    y.backward(create_graph=True)
    assert x.grad.data == 0.0
