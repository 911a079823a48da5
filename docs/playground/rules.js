// The rules by which optimizers step, as autograd_mini.optim has them: one function a rule, on one parameter's state.
// A rule takes η, and for each parameter θ, g and its state s, which begins with zeros; t counts the steps from 1.

const RULES = {
  SGD: { lr: 0.1, python: "SGD(model.parameters(), lr={lr})", step: (lr, theta, g) => theta - lr * g },
  momentum: {
    lr: 0.03, python: "SGD(model.parameters(), lr={lr}, momentum=0.9)",
    step: (lr, theta, g, s) => theta - lr * (s[0] = 0.9 * s[0] + g),
  },
  RMSprop: {
    lr: 0.01, python: "RMSprop(model.parameters(), lr={lr})",
    step: (lr, theta, g, s) => theta - lr * (g / (Math.sqrt(s[0] = 0.99 * s[0] + (1 - 0.99) * g * g) + 1e-8)),
  },
  Adam: {
    lr: 0.01, python: "Adam(model.parameters(), lr={lr})",
    step: (lr, theta, g, s, t) => {
      s[0] = 0.9 * s[0] + (1 - 0.9) * g;
      s[1] = 0.999 * s[1] + (1 - 0.999) * g * g;
      return theta - lr / (1 - 0.9 ** t) * s[0] / (Math.sqrt(s[1]) / Math.sqrt(1 - 0.999 ** t) + 1e-8);
    },
  },
};

class Optimizer {
  constructor(rule, count) {
    Object.assign(this, { rule, t: 0, states: Array.from({ length: count }, () => [0, 0]) });
  }

  step(theta, gradient, lr) {
    this.t += 1;
    const { step } = RULES[this.rule];
    for (let k = 0; k < theta.length; k++) theta[k] = step(lr, theta[k], gradient[k], this.states[k], this.t);
  }
}
