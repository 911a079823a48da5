// Formulas as the lecture writes them, in plain elements: fractions are two spans, one above the other.

// A long name takes no more than a line's part; the details panel has all of it.
function brief(name, most = 26) {
  const signs = Array.from(name);
  return signs.length > most ? signs.slice(0, most - 1).join("") + "…" : name;
}

const fraction = (above, below) =>
  h("span", { class: "am-frac" }, h("span", {}, above), unseen("/"), h("span", {}, below));

// Python's formulas have marks in the place of the operands, and one more for the result.
const MARK = 0xE000, MARKED = /(\^?[\uE000-\uF8FF])/, QUOTIENT = /^([\uE000-\uF8FF])\/([\uE000-\uF8FF])$/;
// After these signs a negative number is put into brackets; the base of a power is, too, and a name that ends high.
const SIGNS = /[-·+/^<>=≥]/, POWER = /^[\^⁻⁰¹²³⁴-⁹]/, SMALL = /[⁰¹²³⁴-⁹⁽⁾₀-₉₍₎]$/;
const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹", MOST_LINES = 8;

// Which of the places of one node a place is: x①·x②.
const circled = k => k <= 20 ? String.fromCharCode(0x245F + k) : `(${k})`;

// An exponent: a whole number in raised digits, all else in a raised part.
const raised = (text, isFormula) => /^-?\d+$/.test(text) ? text.replace("-", "⁻").replace(/\d/g, digit => RAISED[digit])
  : [unseen("^"), h("sup", {}, isFormula || /^-[\di]/.test(text) ? [unseen("("), text, unseen(")")] : text)];

class Formulas {
  constructor(graph) {
    const short = graph.nodes.map(node => brief(node.name)), last = new Map(short.map((name, k) => [name, k]));
    this.graph = graph;
    // Two long names that begin alike are written out: a symbol is one node.
    const alike = new Set(short.filter((name, k) => last.get(name) !== k && !graph.nodes[k].bare));
    this.names = graph.nodes.map((node, k) => alike.has(short[k]) ? node.name : short[k]);
    this.root = this.names[graph.nodes.length - 1];
    // Names that read as formulas, y-t, stand in brackets in other ones.
    this.inBrackets = new Set(this.names.filter((_, k) => graph.nodes[k].isFormula));
    this.asOne = this.names.map(name => this.inBrackets.has(name) ? `(${name})` : name);
  }

  gradientOf(u) { return fraction("∂" + this.asOne[this.asOne.length - 1], "∂" + this.asOne[u]); }

  // A formula of Python's with what is `shown` at each of its marks.
  _filled(template, shown) {
    const parts = template.split(MARKED).filter(Boolean), placeOf = part => part.charCodeAt(part.length - 1) - MARK;
    return parts.map((part, i) => {
      if (!MARKED.test(part)) return part;
      const text = shown(placeOf(part)), isNegative = typeof text === "number" && text < 0;
      const written = typeof text === "number" ? format(text) : text;
      if (part[0] === "^") return raised(written, this.inBrackets.has(text) || SMALL.test(written));
      const before = (parts[i - 1] || "").trim().slice(-1), after = (parts[i + 1] || "").trim();
      const isBase = POWER.test(after) && (isNegative || SMALL.test(written));
      if (this.inBrackets.has(text) && (/[-·+/^<>=≥∂]/.test(before) || SIGNS.test(after[0] || "") || POWER.test(after)))
        return `(${text})`;
      return isBase || isNegative && (SIGNS.test(before) || after[0] === "·") ? `(${written})` : written;
    });
  }

  // What stands at the marks of a node's formulas: names, each of them with its place where a node has several; numbers.
  _named(k, areMarked) {
    const { parents } = this.graph.nodes[k];
    return place => {
      const u = place < parents.length ? parents[place] : k, places = parents.flatMap((p, i) => p === u ? [i] : []);
      return areMarked && places.length > 1 ? this.asOne[u] + circled(places.indexOf(place) + 1) : this.names[u];
    };
  }

  _numbers(k, run) {
    const { parents } = this.graph.nodes[k];
    return place => run.values[place < parents.length ? parents[place] : k];
  }

  _formulaOf(k) { return this.graph.formulas[this.graph.nodes[k].formula]; }

  // An operation applied to its operands, by name or by number.
  _applied(k, shown) {
    const { applied } = this._formulaOf(k), divided = applied.match(QUOTIENT);
    if (!divided) return this._filled(applied, shown);
    const [above, below] = [divided[1], divided[2]].map(mark => this._filled(mark, shown)[0]);
    const inBrackets = (part, are) => are ? [unseen("("), part, unseen(")")] : part;
    const [isSum, areBelow] = [this.inBrackets.has(above), below[0] === "-" || this.inBrackets.has(below)];
    return [fraction(inBrackets(above, isSum), inBrackets(below, areBelow))];
  }

  // The local derivative of an operation by one of its operands: tanh′(z), ∂(w·x)/∂w; of x·x by the one and the other x.
  local(v, slot) {
    const [name] = this._formulaOf(v).locals[slot], cut = name.lastIndexOf("/∂");
    const filled = template => this._filled(template, this._named(v, true));
    return cut < 0 ? filled(name) : [fraction(filled(name.slice(0, cut)), filled(name.slice(cut + 1)))];
  }

  // How it comes by its number: tanh′(z) = 1 - a², then in numbers. A form that doesn't give the number is left out,
  // as at the kink of a maximum.
  localLine(run, v, slot, hidden) {
    const [, form] = this._formulaOf(v).locals[slot], local = run.locals[v][slot], numbers = this._numbers(v, run);
    const { rule, parents } = this.graph.nodes[v], { textbook, forms } = this.graph.rules[rule];
    const found = read => execute(textbook, [...parents, v].map((_, place) => read(numbers(place))))[forms[slot]];
    const exact = form ? found(x => x) : NaN, isTrue = form && !run.isOld(v, slot) && (agree(exact, local, 1e-3) || Math.abs(exact - local) < 1e-12);
    const parts = isTrue ? [this.local(v, slot), this._filled(form, this._named(v))] : [this.local(v, slot)];
    if (hidden) return equation(parts);
    if (isTrue && !form.includes("…") && agree(found(rounded), local)) parts.push(this._filled(form, numbers));
    return equation([...parts, format(local)]);
  }

  // These lines for the edges [v, slot]; of many edges the first ones.
  localLines(run, edges, { hidden = false, most = MOST_LINES } = {}) {
    const lines = distinct(edges.slice(0, most).map(([v, slot]) => this.localLine(run, v, slot, hidden)));
    const more = edges.length > most ? [`… and ${edges.length - most} more: click an edge`] : [];
    return h("div", { class: "am-locals" }, [...lines, ...more].map(line => h("div", {}, line)));
  }

  // z = w·x + b = 0.5·2 + 0.1 = 1.1, as the parts between the signs.
  _computed(run, k) {
    const value = run.values[k], { rule, parents } = this.graph.nodes[k], parts = [];
    if (run.isOld(k)) return [format(value)];
    if (rule) parts.push(this._applied(k, this._named(k)));
    if (rule && agree(valueOf(this.graph.rules[rule], parents.map(u => rounded(run.values[u]))), value))
      parts.push(this._applied(k, this._numbers(k, run)));
    return distinct([...parts, format(value)]);
  }

  // The same, as rows: what stands left of the sign, and what stands right of it.
  forward(run, k) { return this._computed(run, k).map((part, i) => [i ? "" : this.names[k], part]); }

  forwardLine(run, k) { return equation([this.names[k], ...this._computed(run, k)]); }

  // ∂L/∂u = Σ ∂L/∂v · ∂v/∂u, in names, in numbers, and their sum.
  backward(run, u, edges, hidden) {
    const sum = terms => terms.flatMap((term, i) => i ? [h("span", { class: "am-plus" }, " + "), term] : [term]);
    const term = parts => h("span", { class: "am-term" }, parts);
    const rows = [
      [this.gradientOf(u), sum(edges.map(([v, slot]) => term(this.term(v, slot))))],
    ];
    if (hidden) return [...rows, ["", "?"]];
    const found = edges.reduce((all, [v, slot]) => all + rounded(run.gradients[v]) * rounded(run.locals[v][slot]), 0);
    if (agree(found, run.gradients[u])) rows.push(["", sum(edges.map(([v, slot]) => term(factors(run, v, slot))))]);
    return distinct([...rows, ["", format(run.gradients[u])]], row => textOf(row[1]));
  }

  // One contribution, in names: ∂L/∂c·∂(a·b)/∂a; and as a line: … = 1·(-3) = -3.
  term(v, slot) { return [this.gradientOf(v), "·", this.local(v, slot)]; }

  contribution(run, v, slot, hidden) {
    return [...this.term(v, slot), " = ", hidden ? "?" : `${factors(run, v, slot)} = ${format(run.products[v][slot])}`];
  }

  // The same, as it is added: a.grad += ∂L/∂c·∂(a·b)/∂a = 1·(-3) = -3   [0 → -3]
  edge(run, u, [v, slot], before, hidden) {
    const became = hidden ? "" : h("span", { class: "am-became" },
      `   [${format(before)} → ${format(before + run.products[v][slot])}]`);
    return [this.names[u], ".grad += ", this.contribution(run, v, slot, hidden), became];
  }

  // One path from u to the root: tanh′(z)·∂(w·x)/∂w = 0.5·2 = 1.
  path(run, edges) {
    const back = edges.slice().reverse().map(([, v, slot]) => [v, slot]);
    const names = back.flatMap(([v, slot], i) => i ? ["·", this.local(v, slot)] : [this.local(v, slot)]);
    const numbers = back.map(([v, slot]) => run.locals[v][slot]), product = along(run, edges);
    const isTrue = numbers.length > 1 && agree(numbers.reduce((all, x) => all * rounded(x), 1), product);
    return equation([names, ...isTrue ? [numbers.map((x, i) => i ? [h("wbr"), "·", bracketed(x)] : bracketed(x))] : [], format(product)]);
  }
}

// Numbers in the middle of a line stand there only where they give its result, in the digits in which they are printed, but
// for its last ones: never 1 - 1² = 1e-09.
const rounded = x => isFinite(x) ? Number(format(x)) : x;
const agree = (found, value, tolerance = 1e-2) =>
  found === value || found !== found && value !== value
    || isFinite(value) && Math.abs(found - value) <= tolerance * Math.abs(value);

const along = (run, edges) => edges.reduceRight((product, [, v, slot]) => product * run.locals[v][slot], 1);
const factors = (run, v, slot) => `${bracketed(run.gradients[v])}·${bracketed(run.locals[v][slot])}`;

// What parts of a formula, be they texts or elements, read as.
const textOf = part => [part].flat(Infinity).map(p => p.nodeType ? p.textContent : p).join("");

// Parts without those that read as the one before.
const distinct = (parts, read = textOf) => parts.filter((part, i) => i === 0 || read(part) !== read(parts[i - 1]));
const equation = parts => distinct(parts).flatMap((part, i) => i ? [" = ", part] : [part]);

const formulaRows = rows => h("div", { class: "am-rows" }, rows.map(([left, right]) =>
  [h("span", {}, left), h("span", {}, "="), h("span", { class: "am-right" }, right)]));
