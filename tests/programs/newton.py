"""Newton's method in several variables, with the library's gradient and Hessian, as one writes it with JAX."""

from autograd_mini import cos, exp, grad, hessian


def rosenbrock(x):
    return sum(100.0 * (b - a**2) ** 2 + (1.0 - a) ** 2 for a, b in zip(x, x[1:]))


def wavy(x):
    a, b, c = x
    return exp(0.5 * a * a) + (b - cos(a)) ** 2 + exp(c - b) + exp(b - c) + 0.1 * c**4


def solve(A, b):
    """Solve Ax = b by elimination with pivoting."""
    n = len(b)
    rows = [[*row, right] for row, right in zip(A, b)]
    for k in range(n):
        pivot = max(range(k, n), key=lambda i: abs(rows[i][k]))
        rows[k], rows[pivot] = rows[pivot], rows[k]
        for i in range(k + 1, n):
            factor = rows[i][k] / rows[k][k]
            rows[i] = [x - factor * y for x, y in zip(rows[i], rows[k])]
    x = [0.0] * n
    for k in reversed(range(n)):
        x[k] = (rows[k][n] - sum(rows[k][j] * x[j] for j in range(k + 1, n))) / rows[k][k]
    return x


def newton(f, x, steps):
    path = [*x]
    for _ in range(steps):
        x = [a - d for a, d in zip(x, solve(hessian(f)(x), grad(f)(x)))]
        path += x
    return path


def run():
    return {
        "rosenbrock": newton(rosenbrock, [-1.2, 1.0], 6),
        "wavy": newton(wavy, [1.0, -0.5, 0.3], 6),
        "hessian": [h for row in hessian(wavy)([0.3, 0.2, -0.4]) for h in row],
    }
