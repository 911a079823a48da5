"""What a `_backward` may do beside the chain rule: pass through, turn round, clip, look on."""

import math

from autograd_mini.micrograd.engine import Value


def rounded(x):
    out = Value(float(round(x.data)), (x,), "round")

    def _backward():
        x.grad += out.grad

    out._backward = _backward
    return out


def turned_round(x):
    out = Value(x.data, (x,), "turn")
    out._backward = lambda: setattr(x, "grad", x.grad - 0.5 * out.grad)
    return out


def hooked(v, hook):
    before = v._backward

    def _backward():
        v.grad = hook(v.grad)
        before()

    v._backward = _backward
    return v


def largest(*values):
    first = max(values, key=lambda v: v.data)
    out = Value(first.data, values, "max")

    def _backward():
        first.grad += out.grad

    out._backward = _backward
    return out


def softmax(logits):
    top = max(v.data for v in logits)
    exps = [math.exp(v.data - top) for v in logits]
    shares = [e / sum(exps) for e in exps]
    outs = []
    for i, share in enumerate(shares):
        out = Value(share, tuple(logits), "softmax")

        def _backward(out=out, i=i):
            for j, v in enumerate(logits):
                v.grad += out.grad * shares[i] * ((i == j) - shares[j])

        out._backward = _backward
        outs.append(out)
    return outs


def figures():
    x, w = Value(1.3), Value(0.7)
    (rounded(x * w) * w + rounded(x) + turned_round(w) * x).backward()
    found = {"through": [x.grad, w.grad]}

    seen = []
    a, b = Value(3.0), Value(2.0)
    y = hooked(a * b, lambda grad: max(-1.0, min(1.0, grad)))
    z = hooked(10 * y, lambda grad: seen.append(grad) or grad)
    z.backward()
    found["hooks"] = [a.grad, b.grad, *seen]

    values = [Value(3.0), Value(7.0), Value(5.0)]
    (largest(*values) * 2 + values[0]).backward()
    found["largest"] = [v.grad for v in values]

    logits = [Value(0.5), Value(-1.0), Value(2.0)]
    chosen = softmax(logits)[1]
    loss = Value(-math.log(chosen.data), (chosen,), "nll")
    loss._backward = lambda: setattr(chosen, "grad", chosen.grad - loss.grad / chosen.data)
    loss.backward()
    found["softmax"] = [v.grad for v in logits]

    leaf, silent = Value(2.0), Value(5.0, (values[0],), "silent")
    leaf._backward = lambda: None
    (leaf * silent + leaf).backward()
    found["silent"] = [leaf.grad, silent.grad, silent._op, len(silent._prev)]
    return found
