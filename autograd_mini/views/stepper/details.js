// What a click tells: of a node the whole chain rule for it, a finite difference, and why its gradient is zero; of an edge
// its local derivative and its contribution.

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
function whyFlat(graph, run, formulas, v, slot) {
  const node = graph.nodes[v], name = node.rule.split("/")[0], u = node.parents[slot], { names } = formulas;
  const said = k => graph.nodes[k].bare ? names[k] : `${names[k]} = ${format(run.values[k])}`;
  const [input, half] = [said(u), Math.floor(node.parents.length / 2)];
  const other = name === "dot" ? node.parents[slot < half ? slot + half : slot - half] : node.parents[1 - slot];
  if (run.isOld(v, slot)) return [formulas.local(v, slot), " was 0 when the graph was computed"];
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
  if (name === "mul" || name === "dot") return `zero factor: ${names[u]} is multiplied by ${said(other)}`;
  return [formulas.local(v, slot), ` = 0 at ${input}`];
}

// Why the gradient of u is zero: a few sentences.
function whyZero(graph, run, formulas, u) {
  const root = graph.nodes.length - 1, reasons = new Map(), seen = new Set(), { names } = formulas;
  const add = reason => reasons.set(textOf(reason), reason);
  if (u !== root && !graph.edgesOf[u].length) return [`no path leads from ${names[u]} to ${names[root]}`];
  const stack = [u];
  while (stack.length) {
    const k = stack.pop();
    if (seen.has(k)) continue;
    seen.add(k);
    for (const [v, slot] of graph.edgesOf[k]) {
      if (run.locals[v][slot] === 0) add(whyFlat(graph, run, formulas, v, slot));
      else if (run.gradients[v] === 0) stack.push(v);
      else if (run.products[v][slot] === 0)
        add(`the contribution of ${names[v]} to ${names[k]} is too small for a float`);
      else add(`the contributions to ${names[k]} cancel out`);
    }
  }
  return [...reasons.values()].slice(0, 4);
}

// Saturated activations on the way from u to the root, where its gradient is small for that reason.
function whySmall(graph, run, formulas, u) {
  const reasons = [];
  for (const v of reached(graph, u)) {
    const local = run.locals[v][0];
    if (v !== u && !run.isOld(v, 0) && ["tanh/1", "sigmoid/1"].includes(graph.nodes[v].rule) && Math.abs(local) < 0.02)
      reasons.push([whyFlat(graph, run, formulas, v, 0), ": ", formulas.local(v, 0), ` = ${format(local)}`]);
  }
  return reasons.slice(0, 3);
}

const reasonsWhy = (question, reasons) => !reasons.length ? []
  : [h("div", { class: "am-why" }, h("b", {}, question), h("ul", {}, reasons.map(reason => h("li", {}, reason))))];

// Numbers to their last digit, where that is more than is written elsewhere.
const inFull = numbers => Object.entries(numbers).filter(([, x]) => isFinite(x) && Number(format(x)) !== x)
  .map(([name, x]) => `${name} ${x}`).join(", ");

// `openEdge` makes of a line a button that opens the edge [v, slot].
function nodeDetails(graph, run, formulas, u, largest, openEdge) {
  const node = graph.nodes[u], gradient = run.gradients[u], value = run.values[u], root = graph.nodes.length - 1;
  const isConstant = node.kind === "constant" && u !== root, name = formulas.names[u], lines = [];
  lines.push(h("p", {}, h("b", {}, node.name), node.full ? ` (${node.full})` : "", ` · ${node.kind}, data ${format(value)}`,
    isConstant ? "" : `, grad ${format(gradient)}`));
  const full = inFull(isConstant ? { data: value } : { data: value, grad: gradient });
  if (full) lines.push(h("p", { class: "am-full" }, `to the last digit: ${full}`));
  if (node.rule) lines.push(h("p", {}, "Computed as ", h("span", { class: "am-math" }, formulas.forwardLine(run, u))));
  if (isConstant) return [...lines, h("p", {}, "It is a constant: nobody asks for its gradient.")];
  if (u === root) return [...lines, h("p", {}, `It is the root. The backward pass begins here, as ${name} changes with itself one to one: `,
    h("span", { class: "am-math" }, formulas.gradientOf(u), " = 1"))];
  const { found, count } = pathsToRoot(graph, u), edges = graph.edgesOf[u], only = count === 1;
  if (found.length) {
    lines.push(h("p", {}, only ? "One path leads from it to the root:"
      : `${format(count, 6)} paths lead from it to the root; each is a product, and their sum is the gradient:`));
    lines.push(h("div", { class: "am-paths am-math" }, found.map((path, i) =>
      h("div", {}, i ? "+ " : only ? [formulas.gradientOf(u), " = "] : "", formulas.path(run, path)))));
    if (count > found.length)
      lines.push(h("p", {}, `… and ${format(count - found.length, 6)} more paths. `,
        "The backward pass walks none of them twice: it multiplies once for each edge."));
    const terms = found.map(path => along(run, path));
    const isSum = count === found.length && agree(terms.reduce((sum, x) => sum + rounded(x), 0), gradient);
    if (!only) lines.push(h("p", {}, "Sum: ", h("span", { class: "am-math" }, formulas.gradientOf(u), " = ",
      isSum ? `${terms.map((x, i) => i ? bracketed(x) : format(x)).join(" + ")} = ` : "", format(gradient))));
    lines.push(h("p", {}, "Its local derivatives, one on each edge that leaves it:"),
      h("ul", { class: "am-math" }, edges.slice(0, MOST_LINES).map(edge => h("li", {}, openEdge(edge, formulas.localLine(run, ...edge))))));
  }
  const isKnown = [...reached(graph, u)].every(k => k === u || !isUnknown(graph.rules[graph.nodes[k].rule]));
  lines.push(h("p", { class: "am-difference" }, `Finite difference (${formulas.root}(${name}+h) − ${formulas.root}(${name}−h)) / 2h`,
    isKnown ? [" ≈ ", h("b", {}, format(finiteDifference(graph, run, u), 9)), `; gradient ${format(gradient, 9)}`]
      : ": none, as an operation on the way has no formula to compute it anew"));
  if (run.note) lines.push(h("p", { class: "am-note" },
    `The gradient is of the numbers before, the finite difference of those of now: ${run.note}.`));
  if (gradient === 0) return [...lines, ...reasonsWhy("Why zero? ", whyZero(graph, run, formulas, u))];
  return Math.abs(gradient) < 0.02 * largest ? [...lines, ...reasonsWhy("Why so small? ", whySmall(graph, run, formulas, u))] : lines;
}

// An edge: for each of its uses [u, v, slot] the local derivative, and what it brings to the gradient of u.
function edgeDetails(graph, run, formulas, uses) {
  const { names } = formulas, [[from, to]] = uses;
  const lines = uses.slice(0, MOST_LINES).map(([u, v, slot]) => {
    const all = graph.edgesOf[u].length, gradient = [formulas.gradientOf(u), ` = ${format(run.gradients[u])}`];
    return [
      h("p", { class: "am-math" }, formulas.localLine(run, v, slot)),
      h("p", {}, "Contribution: ", h("span", { class: "am-math" }, formulas.contribution(run, v, slot)),
        all === 1 ? ", the whole gradient of " : `, one of the ${all} to the gradient of `, names[u],
        all === 1 ? "." : [": ", h("span", { class: "am-math" }, gradient), "."]),
      run.locals[v][slot] === 0 ? reasonsWhy("Why zero? ", [whyFlat(graph, run, formulas, v, slot)]) : "",
    ];
  });
  const more = uses.length - MOST_LINES;
  return [
    h("p", {}, h("b", {}, uses.length === 1 ? `${names[from]} → ${names[to]}` : `${uses.length} edges into a box`),
      " · the local derivative looks at one operation alone, everything else in it held fixed"),
    lines, more > 0 ? h("p", {}, `… and ${more} more`) : "",
  ];
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
