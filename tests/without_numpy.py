"""What has to run where NumPy isn't installed: graphs, both passes, what explains them and what draws them.

It is run as a script: by .ci/run where NumPy really isn't installed, and by `test_without_numpy.py` where it is hidden.
"""

import sys
import tempfile
from pathlib import Path


def main():
    from autograd_mini import (
        Parameter,
        Value,
        backward_steps,
        draw,
        explain,
        forward_steps,
        grad,
        step_through,
        tanh,
        to_latex,
        to_python,
    )

    w, x = Parameter(0.5, label="w"), Value(2.0, label="x")
    b = Value(-1.0, label="b")
    loss = tanh(w * x + b) ** 2 + abs(x - 3) / w
    loss.backward()
    assert (loss.data, w.grad, x.grad, b.grad) == (2.0, -4.0, -2.0, 0.0)
    loss.forward()
    first = w.grad
    w.grad = 0.0
    loss.backward(create_graph=True)
    assert w.grad.data == first
    assert grad(grad(lambda a: a**3))(2.0) == 12.0
    assert max([x, b]) is x

    assert str(list(forward_steps(loss))[-1])
    assert str(next(iter(backward_steps(loss)))) == "∂L/∂L = 1"
    assert "finite difference" in str(explain(w, loss))
    assert "tanh" in str(to_latex(loss))
    program = {}
    exec(to_python(loss), program)

    drawing = draw(loss)
    assert "digraph" in drawing.source
    assert "<svg" in drawing.pipe("svg").decode("utf-8")
    stepper = step_through(loss, what_if=[w])
    assert "∂L/∂w" in str(stepper)
    with tempfile.TemporaryDirectory() as folder:
        for name in ("page.html", "drawing.svg"):
            stepper.save(Path(folder) / name)
            assert (Path(folder) / name).stat().st_size > 1000
    assert sys.modules.get("numpy") is None, "NumPy was imported"
    print("it runs without NumPy")


if __name__ == "__main__":
    main()
