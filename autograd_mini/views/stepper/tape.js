// The tape: when the reader moves a leaf, both passes are computed again here, by the programs that Python made from its
// table of primitives.

function erf(x) {
  if (!(Math.abs(x) < 6)) return Math.sign(x);
  let term = x, sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) sum += term *= 2 * x * x / (2 * n + 1);
  return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
}

// 1 - erf, for large x by its continued fraction, as the difference has no digit left there.
function erfc(x) {
  if (x < 1) return 1 - erf(x);
  let tail = 0;
  for (let k = 200; k > 0; k--) tail = k / 2 / (x + tail);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + tail);
}

function softmaxShares(numbers) {
  const peak = Math.max(...numbers), shares = numbers.map(x => Math.exp(x - peak));
  return [shares, shares.reduce((a, b) => a + b, 0)];
}

function logsumexp(...numbers) {
  const peak = Math.max(...numbers);
  if (!isFinite(peak)) return peak;
  const others = numbers.slice();
  others.splice(others.indexOf(peak), 1);
  return peak + Math.log1p(others.reduce((sum, x) => sum + Math.exp(x - peak), 0));
}

// The functions that the programs call: the namespace `xp` of the table's rules, in JavaScript.
const FUNCTIONS = {
  "+": (a, b) => a + b, "-": (a, b) => a - b, "*": (a, b) => a * b, "/": (a, b) => a / b, neg: a => -a,
  "**": (a, b) => a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : Math.pow(a, b),
  "=": (a, b) => a === b, "<": (a, b) => a < b, ">": (a, b) => a > b, ">=": (a, b) => a >= b,
  "&": (a, b) => a && b, "|": (a, b) => a || b, where: (condition, a, b) => condition ? a : b,
  maximum: Math.max, minimum: Math.min, pick: (index, ...items) => index in items ? items[index] : 0, erf, erfc, logsumexp,
  sigmoid: a => { const e = Math.exp(-Math.abs(a)); return (a >= 0 ? 1 : e) / (1 + e); },
  minus_log_softmax: (index, ...z) => {
    if (!Number.isInteger(index) || index < 0 || index >= z.length) return z.length ? logsumexp(...z) : 0;
    const peak = Math.max(...z), others = z.reduce((sum, x, k) => k === index ? sum : sum + Math.exp(x - peak), 0);
    return peak - z[index] + (isFinite(peak) ? Math.log1p(others + Math.expm1(z[index] - peak)) : 0);
  },
  softmax: (...x) => { const [shares, sum] = softmaxShares(x); return shares[0] / sum; },
};
for (const name of ("abs sign exp expm1 log log1p log2 log10 sqrt cbrt hypot sin cos tan asin acos atan atan2 " +
  "sinh cosh tanh").split(" "))
  FUNCTIONS[name] = Math[name];

function execute(calls, slots) {
  for (const [name, ...places] of calls)
    slots.push(name === "#" ? number(places[0]) : FUNCTIONS[name](...places.map(i => slots[i])));
  return slots;
}

const operands = (node, values) => node.parents.map(u => values[u]);
const valueOf = (rule, inputs) => execute(rule.forward, inputs.slice())[rule.value];

// Of an operation that is known by its ``_backward`` alone, the program is a nan.
const isUnknown = ({ forward: [call, ...more] }) => !more.length && Boolean(call) && call[0] === "#" && call[1] === "NaN";

// The records of both passes as Python made them: values, gradients, local derivatives and contributions.
function recorded(graph) {
  return {
    values: graph.nodes.map(n => number(n.value)),
    gradients: graph.nodes.map(n => number(n.gradient)),
    locals: graph.nodes.map(n => (n.locals || []).map(number)),
    products: graph.nodes.map(n => (n.products || []).map(number)),
    note: graph.note,  // what has changed since; then some results and local derivatives are older than the data beside them
    isOld: (k, slot) => Boolean(slot === undefined ? graph.nodes[k].old : (graph.nodes[k].oldLocals || []).includes(slot)),
  };
}

// Both passes again, with other numbers on the leaves: `leaves` has a number for each leaf that differs from `run`.
function evaluate(graph, run, leaves) {
  const values = run.values.slice(), locals = [], products = [], gradients = values.map(() => 0);
  graph.nodes.forEach((node, k) => {
    locals[k] = [];
    products[k] = [];
    if (!node.rule) {
      if (leaves.has(k)) values[k] = leaves.get(k);
      return;
    }
    const rule = graph.rules[node.rule], inputs = operands(node, values);
    values[k] = valueOf(rule, inputs);
    const slots = execute(rule.derivatives, [...inputs, values[k]]);
    locals[k] = rule.locals.map(i => slots[i]);
  });
  gradients[values.length - 1] = 1;
  for (const [u, edges] of graph.backward)
    for (const [v, slot] of edges) gradients[u] += products[v][slot] = gradients[v] * locals[v][slot];
  return { values, gradients, locals, products, note: "", isOld: () => false };
}

// The nodes that a change of node u reaches.
function reached(graph, u) {
  const found = new Set([u]);
  graph.nodes.forEach((node, k) => { if ((node.parents || []).some(p => found.has(p))) found.add(k); });
  return found;
}

// (L(u+h) - L(u-h)) / 2h, with the step chosen as finite_difference in Python does.
function finiteDifference(graph, run, u) {
  const downstream = [...reached(graph, u)].filter(k => k !== u), root = run.values.length - 1, at = run.values[u];
  const rootAt = data => {
    const values = run.values.slice();
    values[u] = data;
    for (const k of downstream) values[k] = valueOf(graph.rules[graph.nodes[k].rule], operands(graph.nodes[k], values));
    return values[root];
  };
  const steps = Array.from({ length: 9 }, (_, k) => 6e-6 * Math.max(1, Math.abs(at)) * 10 ** -k);
  const found = steps.map(h => (rootAt(at + h) - rootAt(at - h)) / (2 * h));
  const isKnown = Math.abs(found[0] - found[1]) <= 1e-2 * Math.abs(found[0]);  // then 0 was too narrow a step
  for (let k = 0; k + 1 < steps.length; k++) {
    const noise = 2e-15 * Math.abs(run.values[root]) / steps[k + 1];
    const agree = Math.abs(found[k] - found[k + 1]) <= 1e-6 * Math.abs(found[k]) + noise;
    if (agree && !(isKnown && found[k] === 0)) return found[k];
  }
  return found[0];
}
