// What a click on a node tells: the whole chain rule for it, a finite difference, and why its gradient is zero.

const MOST_PATHS = 6;

// The paths from u to the root, up to a few, and how many there are in all.
function pathsToRoot(graph, u) {
  const root = graph.nodes.length - 1, count = Array(root + 1).fill(0), found = [];
  count[root] = 1;
  for (const [k, edges] of graph.backward) for (const [v] of edges) count[k] += count[v];
  const walk = (k, trail) => {
    if (found.length >= MOST_PATHS) return;
    if (k === root) found.push(trail);
    else for (const [v, slot] of graph.edgesOf[k]) walk(v, [...trail, [k, v, slot]]);
  };
  walk(u, []);
  return { found, count: count[u] };
}

// Why a local derivative is zero, or nearly so.
function whyFlat(graph, run, names, v, slot) {
  const node = graph.nodes[v], name = node.rule.split("/")[0], u = node.parents[slot];
  const [input, half] = [`${names[u]} = ${format(run.values[u])}`, Math.floor(node.parents.length / 2)];
  const other = name === "dot" ? node.parents[slot < half ? slot + half : slot - half] : node.parents[1 - slot];
  const reasons = {
    relu: `dead ReLU: its input ${input} isn't positive, so ${names[v]} stays 0 when it moves a little`,
    tanh: `saturated tanh: at ${input} the curve is flat`,
    sigmoid: `saturated sigmoid: at ${input} the curve is flat`,
    sign: "the sign is flat everywhere but at 0", step: "the step is flat everywhere but at 0",
    maximum: `${input} isn't the largest, so ${names[v]} doesn't depend on it`,
    minimum: `${input} isn't the smallest, so ${names[v]} doesn't depend on it`,
    where: slot ? `the other branch was chosen, so ${names[v]} doesn't depend on ${names[u]}`
      : `a condition only chooses; ${names[v]} doesn't change with it`,
  };
  if (name in reasons) return reasons[name];
  if (name === "mul" || name === "dot") return `zero factor: ${names[u]} is multiplied by ${names[other]} = 0`;
  return `∂${names[v]}/∂${names[u]} = 0 at ${input}`;
}

// Why the gradient of u is zero: a few sentences.
function whyZero(graph, run, names, u) {
  const root = graph.nodes.length - 1, reasons = new Set(), seen = new Set();
  if (u !== root && !graph.edgesOf[u].length) return [`no path leads from ${names[u]} to ${names[root]}`];
  const stack = [u];
  while (stack.length) {
    const k = stack.pop();
    if (seen.has(k)) continue;
    seen.add(k);
    for (const [v, slot] of graph.edgesOf[k]) {
      if (run.locals[v][slot] === 0) reasons.add(whyFlat(graph, run, names, v, slot));
      else if (run.gradients[v] === 0) stack.push(v);
      else if (run.products[v][slot] === 0)
        reasons.add(`the contribution of ${names[v]} to ${names[k]} is too small for a float`);
      else reasons.add(`the contributions to ${names[k]} cancel out`);
    }
  }
  return [...reasons].slice(0, 4);
}

// Saturated activations on the way from u to the root, where its gradient is small for that reason.
function whySmall(graph, run, names, u) {
  const reasons = [];
  for (const v of reached(graph, u)) {
    const { rule, parents } = graph.nodes[v], local = run.locals[v][0];
    if (v !== u && ["tanh/1", "sigmoid/1"].includes(rule) && Math.abs(local) < 0.02)
      reasons.push(`${whyFlat(graph, run, names, v, 0)}: ∂${names[v]}/∂${names[parents[0]]} = ${format(local, 3)}`);
  }
  return reasons.slice(0, 3);
}

function nodeDetails(graph, run, formulas, u, largest) {
  const node = graph.nodes[u], gradient = run.gradients[u], names = formulas.names, lines = [];
  const made = node.rule ? ` computed by ${node.rule.split("/")[0]}` : "";
  lines.push(h("p", {}, h("b", {}, node.full || node.name), ` · ${node.kind}${made}, data ${run.values[u]}`,
    node.kind === "constant" ? "" : `, grad ${gradient}`));
  if (node.kind === "constant" && gradient !== gradient) {
    lines.push(h("p", {}, "It is a constant: its gradient is not taken."));
    return lines;
  }
  const { found, count } = pathsToRoot(graph, u);
  if (found.length && found[0].length) {
    lines.push(h("p", {}, count === 1 ? "One path leads from it to the root:"
      : `${format(count)} paths lead from it to the root; each is a product, and their sum is the gradient:`));
    lines.push(h("div", { class: "am-paths" }, found.map((edges, i) =>
      h("div", {}, i ? "+ " : [formulas.gradientOf(u), " = "], formulas.path(run, edges)))));
    if (count > found.length)
      lines.push(h("p", {}, `… and ${format(count - found.length)} more paths. `,
        "The backward pass walks none of them twice: it multiplies once for each edge."));
    if (count > 1) lines.push(h("p", {}, "Sum: ", formulas.gradientOf(u), ` = ${format(gradient)}`));
  }
  const difference = finiteDifference(graph, run, u);
  lines.push(h("p", { class: "am-difference" }, "Finite difference (L(u+h) − L(u−h)) / 2h ≈ ",
    h("b", {}, format(difference, 9)), `; gradient ${format(gradient, 9)}`));
  const small = gradient !== 0 && Math.abs(gradient) < 0.02 * largest ? whySmall(graph, run, names, u) : [];
  const reasons = gradient === 0 ? whyZero(graph, run, names, u) : small;
  if (reasons.length)
    lines.push(h("div", { class: "am-why" }, h("b", {}, gradient === 0 ? "Why zero? " : "Why so small? "),
      h("ul", {}, reasons.map(reason => h("li", {}, reason)))));
  return lines;
}

// A folded box: its values, and what flows back through it into each of its inputs.
function boxDetails(graph, run, formulas, box) {
  const inputs = new Map();
  for (const v of box.nodes) (graph.nodes[v].parents || []).forEach((u, slot) => {
    if (!box.inside.has(u)) inputs.set(u, [...(inputs.get(u) || []), run.products[v][slot]]);
  });
  const sum = terms => format(terms.reduce((a, b) => a + b, 0)), asked = k => graph.nodes[k].kind !== "constant";
  const row = k => [formulas.names[k], format(run.values[k]), format(run.gradients[k])];
  const sums = [...inputs].filter(([u]) => asked(u)).map(([u, terms]) => [formulas.names[u], sum(terms)]);
  return [
    h("p", {}, h("b", {}, box.scope), ` · ${box.nodes.length} nodes folded into a box`),
    h("div", { class: "am-tables" },
      table(["node", "data", "grad"], box.nodes.filter(asked).slice(0, 60).map(row)),
      sums.length ? table(["into", "Σ of contributions"], sums) : null),
  ];
}
