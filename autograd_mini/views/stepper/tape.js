// Numbers and the tape: what the reader moves is computed again here, by the programs that Python made from its table of
// primitives.

const number = x => typeof x === "string" ? Number(x) : x;  // NaN and the infinities travel as strings

function erf(x) {
  if (!(Math.abs(x) < 6)) return Math.sign(x);
  let term = x, sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) sum += term *= 2 * x * x / (2 * n + 1);
  return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
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

// The namespace over which the rules are written.
const FUNCTIONS = {
  "+": (a, b) => a + b, "-": (a, b) => a - b, "*": (a, b) => a * b, "/": (a, b) => a / b, neg: a => -a,
  "**": (a, b) => a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : Math.pow(a, b),
  "=": (a, b) => a === b, "<": (a, b) => a < b, ">": (a, b) => a > b, ">=": (a, b) => a >= b,
  "&": (a, b) => a && b, "|": (a, b) => a || b, where: (condition, a, b) => condition ? a : b,
  maximum: Math.max, minimum: Math.min, erf, logsumexp,
  sigmoid: a => { const e = Math.exp(-Math.abs(a)); return (a >= 0 ? 1 : e) / (1 + e); },
  softmax: (...x) => { const [shares, sum] = softmaxShares(x); return shares[0] / sum; },
};
for (const name of ("abs sign exp expm1 log log1p sqrt sin cos tan asin acos atan sinh cosh tanh").split(" "))
  FUNCTIONS[name] = Math[name];

function execute(calls, slots) {
  for (const [name, ...places] of calls)
    slots.push(name === "#" ? number(places[0]) : FUNCTIONS[name](...places.map(i => slots[i])));
  return slots;
}

const operands = (node, values) => node.parents.map(u => values[u]);
const valueOf = (rule, inputs) => execute(rule.forward, inputs.slice())[rule.value];

// The records of both passes as Python made them: values, gradients, local derivatives and contributions.
function recorded(graph) {
  return {
    values: graph.nodes.map(n => number(n.value)),
    gradients: graph.nodes.map(n => number(n.gradient)),
    locals: graph.nodes.map(n => (n.locals || []).map(number)),
    products: graph.nodes.map(n => (n.products || []).map(number)),
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
  return { values, gradients, locals, products };
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
  for (let k = 0; k + 1 < steps.length; k++) {
    const noise = 2e-15 * Math.abs(run.values[root]) / steps[k + 1];
    if (Math.abs(found[k] - found[k + 1]) <= 1e-6 * Math.abs(found[k]) + noise) return found[k];
  }
  return found[0];
}

// A number to so many significant digits, as Python's format "g" writes it; exact ties go to the even digit.
function format(x, digits = 6) {
  if (x !== x) return "nan";
  if (!isFinite(x)) return x < 0 ? "-inf" : "inf";
  if (x === 0) return "0";
  let [mantissa, exponent] = Math.abs(x).toExponential(digits - 1).split("e");
  const [exact, exactExponent] = Math.abs(x).toExponential(60).split("e"), all = exact.replace(".", "");
  let kept = mantissa.replace(".", "");
  if (/^50*$/.test(all.slice(digits)) && all[digits - 1] % 2 === 0) {
    kept = all.slice(0, digits);
    exponent = exactExponent;
  }
  const e = Number(exponent), sign = x < 0 ? "-" : "";
  kept = kept.replace(/0+$/, "");
  const point = (text, i) => text.length > i ? text.slice(0, i) + "." + text.slice(i) : text.padEnd(i, "0");
  if (e < -4 || e >= digits)
    return sign + point(kept, 1) + "e" + (e < 0 ? "-" : "+") + String(Math.abs(e)).padStart(2, "0");
  return sign + (e < 0 ? "0." + "0".repeat(-e - 1) + kept : point(kept, e + 1));
}

// The same, as Python prints a float: 1.0, not 1.
const asFloat = x => { const text = format(x); return /^-?\d+$/.test(text) ? text + ".0" : text; };
