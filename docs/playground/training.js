// A training: epochs of batches, in slices short enough for the page to stay alive.

const SLICE = 12;  // milliseconds

class Training {
  // `settings`: activation, optimizer, lr, batch (0: all at once), penalty, lambda, seed. Those but the activation and the
  // seed may change while it goes on.
  constructor(network, data, settings) {
    Object.assign(this, { network, data, settings, model: new Model(network, data) });
    this.reset();
  }

  reset() {
    const { network: { sizes, activation }, data, settings: { seed } } = this;
    this.theta = firstWeights(sizes, activation, seed);
    this.random = generator(seed + 1);
    this.order = Uint32Array.from(data.rows, (_, i) => i);
    this._forget();
    this.epoch = this.steps = this.at = 0;
    this.losses = [];
  }

  // What belongs to the weights that were: after some are given by hand, or the rule is another one.
  _forget() {
    this.optimizer = new Optimizer(this.settings.optimizer, this.theta.length);
    this.failed = "";
    this.sum = 0;
  }

  setParameters(theta) {
    this.theta = Float64Array.from(theta);
    this._forget();
  }

  setOptimizer(rule) {
    this.settings.optimizer = rule;
    this.optimizer = new Optimizer(rule, this.theta.length);
  }

  get options() { return { penalty: this.settings.penalty, lambda: this.settings.lambda }; }

  // One batch; returns whether it went.
  batch() {
    if (this.failed) return false;
    const { order, settings: { batch, lr }, model, theta } = this, m = order.length;
    if (this.at === 0 && batch && batch < m) shuffle(order, this.random);
    const end = Math.min(this.at + (batch || m), m);
    const loss = model.loss(theta, { order, start: this.at, end, ...this.options });
    if (!isFinite(loss) || !model.gradient.every(isFinite)) {
      this.failed = isFinite(loss) ? "the gradient became infinite or nan" : `the loss became ${loss !== loss ? "nan" : "infinite"}`;
      return false;
    }
    this.optimizer.step(theta, model.gradient, lr);
    this.sum += loss * (end - this.at);
    this.steps += 1;
    this.at = end;
    if (end < m) return true;
    this.epoch += 1;
    this.losses.push(this.sum / m);
    this.at = this.sum = 0;
    return true;
  }

  // The batches up to the end of the epoch; returns whether they went.
  runEpoch() {
    do { if (!this.batch()) return false; } while (this.at);
    return true;
  }

  // As many epochs as there is time for, and `most`; returns whether it goes on.
  slice(most, milliseconds = SLICE) {
    const until = performance.now() + milliseconds;
    for (let k = 0; k < most; k++) {
      if (!this.runEpoch()) return false;
      if (performance.now() > until) break;
    }
    return true;
  }
}
