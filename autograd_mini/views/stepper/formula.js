// Formulas as the lecture writes them, in plain elements: fractions are two spans, one above the other.

// A long name takes no more than a line's part; the details panel has all of it.
function brief(name, most = 26) {
  const signs = Array.from(name);
  return signs.length > most ? signs.slice(0, most - 1).join("") + "…" : name;
}

const fraction = (above, below) =>
  h("span", { class: "am-frac" }, h("span", {}, above), unseen("/"), h("span", {}, below));
const derivative = (of, by) => fraction("∂" + of, "∂" + by);

class Formulas {
  constructor(graph) {
    this.graph = graph;
    this.names = graph.nodes.map(node => brief(node.name));
    this.root = this.names[graph.nodes.length - 1];
  }

  by(of, u) { return derivative(of, this.names[u]); }
  gradientOf(u) { return this.by(this.root, u); }

  // An operation applied to its operands, by name or by number.
  applied(node, operand) {
    const marks = this.graph.formulas[node.rule], shown = node.parents.map(operand);
    const divided = marks.match(/^([\uE000-\uF8FF])\/([\uE000-\uF8FF])$/);
    if (divided) return [fraction(shown[0], shown[1][0] === "-" ? [unseen("("), shown[1], unseen(")")] : shown[1])];
    return marks.split(/(\^?[\uE000-\uF8FF])/).filter(Boolean).map((part, i, all) => {
      const place = part.charCodeAt(part.length - 1) - 0xE000;
      if (!(place >= 0 && place < shown.length)) return part;
      if (part[0] === "^") return [unseen("^"), h("sup", {}, shown[place])];
      const before = (all[i - 1] || "").trim().slice(-1), after = (all[i + 1] || "").trim()[0];
      const tight = /[-·+/]/.test(before) || /[·^]/.test(after || "");
      return shown[place][0] === "-" && tight ? `(${shown[place]})` : shown[place];
    });
  }

  // z = w·x + b = 0.5·2 + 0.1 = 1.1, as rows: what stands left of the sign, and what stands right of it.
  forward(run, k) {
    const node = this.graph.nodes[k], value = format(run.values[k]);
    if (!node.rule) return [[this.names[k], value]];
    const named = u => this.graph.nodes[u].bare ? format(run.values[u]) : this.names[u];
    return distinct([
      [this.names[k], this.applied(node, named)],
      ["", this.applied(node, u => format(run.values[u]))],
      ["", value],
    ]);
  }

  // ∂L/∂u = Σ ∂L/∂v · ∂v/∂u, in names, in numbers, and their sum.
  backward(run, u, edges, hidden) {
    const sum = terms => terms.flatMap((term, i) => i ? [h("span", { class: "am-plus" }, " + "), term] : [term]);
    const term = (...parts) => h("span", { class: "am-term" }, ...parts);
    const rows = [
      [this.gradientOf(u), sum(edges.map(([v]) => term(this.gradientOf(v), "·", this.by(this.names[v], u))))],
    ];
    if (hidden) return [...rows, ["", "?"]];
    rows.push(["", sum(edges.map(([v, slot]) =>
      term(bracketed(run.gradients[v]), "·", bracketed(run.locals[v][slot]))))]);
    return distinct([...rows, ["", format(run.gradients[u])]]);
  }

  // One contribution: a.grad += ∂L/∂c · ∂c/∂a = 1.0 · -3.0 = -3.0   [0.0 → -3.0]
  edge(run, u, [v, slot], before, hidden) {
    const product = run.products[v][slot], formula = [this.names[u], ".grad += ", this.gradientOf(v), " · ",
      this.by(this.names[v], u), " = "];
    if (hidden) return [...formula, "?"];
    return [...formula, `${asFloat(run.gradients[v])} · ${asFloat(run.locals[v][slot])} = ${asFloat(product)}   `,
      h("span", { class: "am-became" }, `[${asFloat(before)} → ${asFloat(before + product)}]`)];
  }

  // One path from u to the root: ∂L/∂z · ∂z/∂u = 0.5 · 2 = 1.
  path(run, edges) {
    const root = this.graph.nodes.length - 1, back = edges.slice().reverse();
    const [names, numbers, product] = [[], [], back.reduce((p, [, v, slot]) => p * run.locals[v][slot], 1)];
    for (const [u, v, slot] of back) {
      names.push(names.length ? "·" : "", this.by(v === root ? this.root : this.names[v], u));
      numbers.push(bracketed(run.locals[v][slot]));
    }
    return [...names, ` = ${numbers.join("·")}`, back.length > 1 ? ` = ${format(product)}` : ""];
  }
}

// Rows without the ones that read as the row before.
function distinct(rows) {
  const read = part => h("span", {}, part).textContent;
  const texts = rows.map(([, right]) => read([right].flat(Infinity).map(p => p.cloneNode ? p.cloneNode(true) : p)));
  return rows.filter((_, i) => i === 0 || texts[i] !== texts[i - 1]);
}

const formulaRows = rows => h("div", { class: "am-rows" }, rows.map(([left, right]) =>
  [h("span", {}, left), h("span", {}, "="), h("span", { class: "am-right" }, right)]));
