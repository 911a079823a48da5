"""The GPT of the lesson, as it is written there: its program gives the eager engine's numbers, and it trains."""

import json
from pathlib import Path

import numpy as np
import pytest

from autograd_mini import nn, optim, sum, vectorize

LESSON = Path(__file__).parents[2] / "notebooks" / "11_a_small_gpt.ipynb"


@pytest.fixture(scope="module")
def lesson():
    """What the lesson defines before it makes a model: the names as tokens, and the classes."""
    cells = json.loads(LESSON.read_text(encoding="utf-8"))["cells"]
    found = {}
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            if source.startswith("model = "):
                return found
            exec(compile(source, LESSON.name, "exec"), found)
    raise AssertionError("the lesson makes no model")


def loss_of(model):
    return lambda x, y, mask: sum([m * nn.cross_entropy(z, t) for z, t, m in zip(model(x), y, mask, strict=True)])


def eager_gradient(model, loss, columns):
    model.zero_grad()
    for x, y, m in zip(*[column.tolist() for column in columns], strict=True):
        loss(x, y, m).backward()
    return [parameter.grad for parameter in model.parameters()]


@pytest.mark.parametrize(("places", "width"), [(3, 4), pytest.param(8, 16, marks=pytest.mark.slow)])
def test_the_program_has_the_eager_engines_gradient(lesson, places, width):
    model = lesson["GPT"](len(lesson["letters"]), places, width)
    columns = [lesson[name][:2, :places] for name in ("X", "Y", "mask")]
    loss = loss_of(model)
    program = vectorize(loss)
    _, gradient = program.value_and_grad(*columns, reduction="sum")
    assert program.parameters == model.parameters()
    assert np.allclose(gradient, eager_gradient(model, loss, columns), rtol=0, atol=1e-11)
    gathers = [line for line in program.source.splitlines() if line.strip().startswith("picked(")]
    assert len(gathers) == 1


@pytest.mark.slow
def test_it_trains_to_the_same_parameters_as_eagerly_and_learns(lesson):
    found = []
    columns = [lesson[name][:4, :4] for name in ("X", "Y", "mask")]
    for engine in ("eager", "vectorized"):
        model = lesson["GPT"](len(lesson["letters"]), 4, 4)
        # Not Adam: the bias of the keys has the derivative 0, of which Adam makes a step of its rounding.
        loss, optimizer = loss_of(model), optim.SGD(model.parameters(), lr=0.02)
        program, values = vectorize(loss), []
        for _ in range(12):
            value, gradient = program.value_and_grad(*columns, reduction="sum")
            if engine == "eager":
                gradient = eager_gradient(model, loss, columns)
            for parameter, derivative in zip(model.parameters(), gradient, strict=True):
                parameter.grad = derivative
            optimizer.step()
            values.append(value)
        assert values[-1] < 0.8 * values[0]
        found.append([parameter.data for parameter in model.parameters()])
    assert np.allclose(*found, rtol=0, atol=1e-9)


def test_padding_has_no_influence_on_what_comes_before(lesson):
    model = lesson["GPT"](len(lesson["letters"]), 3, 4)
    first = [z.data for z in model([5, 1])[1]]
    assert [z.data for z in model([5, 1, 0])[1]] == first
    assert [z.data for z in model([5, 1, 7])[1]] == first
