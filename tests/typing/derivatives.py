"""Derivatives of functions, of any order."""

from autograd_mini import Value, check_gradients, exp, grad, hessian, jacobian, sin, value_and_grad


def f(x: Value) -> Value:
    return exp(x) * sin(x)


def area(width: Value, height: Value) -> Value:
    return width * height


def slope_at(x: float) -> float:
    return grad(f)(x)


def by_hand(x: float) -> float:
    leaf = Value(x)
    f(leaf).backward()
    return leaf.grad


def newton(x: float) -> float:
    value, gradient = value_and_grad(f)(x)
    return x - value / gradient


def both(width: float, height: float) -> tuple[float, float]:
    return value_and_grad(area)(width, height)


slope: float = grad(f)(0.5)
curvature: float = grad(grad(f))(0.5)
value, (by_width, by_height) = value_and_grad(area, argnums=(0, 1))(2.0, 3.0)
check_gradients(f, 0.5)
print(
    slope_at(0.5),
    by_hand(0.5),
    newton(0.5),
    both(2.0, 3.0),
    slope,
    curvature,
    value + by_width + by_height,
    hessian(lambda z: z[0] * z[1])([1.0, 2.0]),
)
print(jacobian(lambda z: [z[0] * z[1], z[0]])([1.0, 2.0]))
