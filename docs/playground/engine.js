// The engine: both passes over one example's graph, as Python wrote them down, run over many examples at once.
//
// A tape is a list of calls over numbered places: the inputs come first, each call's result takes the next place. A place
// is a column here, with a number for each example of a block; a call goes along its columns. No formula of a network
// stands in these files: which calls there are comes from the table of primitives, and what they compute is FUNCTIONS.

const BLOCK = 64;  // examples: so that the columns of a small network stay in the processor's cache

// The calls that a training mostly consists of, each a loop of its own; the others go by FUNCTIONS.
const LOOPS = {
  "+": (out, a, b) => n => { for (let i = 0; i < n; i++) out[i] = a[i] + b[i]; },
  "-": (out, a, b) => n => { for (let i = 0; i < n; i++) out[i] = a[i] - b[i]; },
  "*": (out, a, b) => n => { for (let i = 0; i < n; i++) out[i] = a[i] * b[i]; },
  "/": (out, a, b) => n => { for (let i = 0; i < n; i++) out[i] = a[i] / b[i]; },
  neg: (out, a) => n => { for (let i = 0; i < n; i++) out[i] = -a[i]; },
};
const BY_COUNT = [
  null,
  (f, out, a) => n => { for (let i = 0; i < n; i++) out[i] = f(a[i]); },
  (f, out, a, b) => n => { for (let i = 0; i < n; i++) out[i] = f(a[i], b[i]); },
  (f, out, a, b, c) => n => { for (let i = 0; i < n; i++) out[i] = f(a[i], b[i], c[i]); },
];
const byAny = (f, out, ...columns) => n => { for (let i = 0; i < n; i++) out[i] = f(...columns.map(column => column[i])); };

class Tape {
  constructor({ inputs, calls, forward, value, more, gradients }, block = BLOCK) {
    const memory = new Float64Array((inputs + calls.length) * block);
    this.block = block;
    this.columns = Array.from({ length: inputs + calls.length }, (_, k) => memory.subarray(k * block, (k + 1) * block));
    const made = calls.map(([name, ...places], k) => {
      const out = this.columns[inputs + k];
      if (name === "#") { out.fill(number(places[0])); return null; }
      const columns = places.map(i => this.columns[i]), f = FUNCTIONS[name];
      if (!f) throw new Error(`the page knows no function ${name}`);
      return LOOPS[name] ? LOOPS[name](out, ...columns) : (BY_COUNT[columns.length] ?? byAny)(f, out, ...columns);
    });
    this.forwardCalls = made.slice(0, forward).filter(Boolean);
    this.backwardCalls = made.slice(forward).filter(Boolean);
    this.value = this.columns[value];
    this.more = more.map(k => this.columns[k]);
    this.gradients = gradients.map(k => this.columns[k]);
  }

  forward(n) { for (const call of this.forwardCalls) call(n); }
  backward(n) { for (const call of this.backwardCalls) call(n); }
}

// A network with its examples: the mean loss over some of them, with the penalty, and its gradient.
class Model {
  constructor({ sizes, isWeight, example, penalties }, { rows, targets }) {
    this.sizes = sizes;
    this.tape = new Tape(example);
    this.count = isWeight.length;
    this.features = Array.from({ length: sizes[0] }, (_, j) => Float64Array.from(rows, row => row[j]));
    this.targets = Float64Array.from(targets);
    this.weights = isWeight.flatMap((is, k) => is ? [k] : []);
    this.penalties = Object.fromEntries(Object.entries(penalties).map(([kind, tape]) => [kind, new Tape(tape, 1)]));
    this.gradient = new Float64Array(this.count);
    this.all = Uint32Array.from(rows, (_, i) => i);
  }

  _setParameters(theta) { for (let k = 0; k < this.count; k++) this.tape.columns[k].fill(theta[k]); }

  // The mean loss of the examples that `order` has from `start` to `end`, penalty and all; its gradient goes to
  // `this.gradient` unless it isn't wanted.
  loss(theta, { order = this.all, start = 0, end = order.length, penalty = "", lambda = 0, wanted = true } = {}) {
    const { tape, features, targets, gradient, count } = this, { columns } = tape, inputs = features.length;
    this._setParameters(theta);
    gradient.fill(0);
    let sum = 0;
    for (let first = start; first < end; first += tape.block) {
      const n = Math.min(tape.block, end - first);
      for (let j = 0; j < inputs; j++) for (let i = 0; i < n; i++) columns[count + j][i] = features[j][order[first + i]];
      for (let i = 0; i < n; i++) columns[count + inputs][i] = targets[order[first + i]];
      tape.forward(n);
      for (let i = 0; i < n; i++) sum += tape.value[i];
      if (!wanted) continue;
      tape.backward(n);
      for (let k = 0; k < count; k++) {
        const column = tape.gradients[k];
        for (let i = 0; i < n; i++) gradient[k] += column[i];
      }
    }
    const m = end - start;
    for (let k = 0; k < count; k++) gradient[k] /= m;
    return sum / m + this._penalty(theta, penalty, lambda);
  }

  _penalty(theta, kind, lambda) {
    if (!kind || !lambda) return 0;
    const tape = this.penalties[kind], { weights, gradient } = this;
    weights.forEach((k, i) => { tape.columns[i][0] = theta[k]; });
    tape.forward(1);
    tape.backward(1);
    weights.forEach((k, i) => { gradient[k] += lambda * tape.gradients[i][0]; });
    return lambda * tape.value[0];
  }

  // What each circle but the inputs' holds, for each of some rows: an array for each row.
  activations(theta, rows) {
    const { tape, count } = this, found = [];
    this._setParameters(theta);
    for (let first = 0; first < rows.length; first += tape.block) {
      const n = Math.min(tape.block, rows.length - first);
      for (let j = 0; j < this.sizes[0]; j++) for (let i = 0; i < n; i++) tape.columns[count + j][i] = rows[first + i][j];
      tape.columns[count + this.sizes[0]].fill(0);
      tape.forward(n);
      for (let i = 0; i < n; i++) found.push(tape.more.map(column => column[i]));
    }
    return found;
  }

  outputs(theta, rows) { return this.activations(theta, rows).map(row => row.slice(-this.sizes.at(-1))); }

  // (L(w + h) - L(w - h)) / 2h for one parameter.
  finiteDifference(theta, k, options) {
    const h = 6e-6 * Math.max(1, Math.abs(theta[k])), moved = Float64Array.from(theta);
    const at = x => { moved[k] = x; return this.loss(moved, { ...options, wanted: false }); };
    return (at(theta[k] + h) - at(theta[k] - h)) / (2 * h);
  }
}
