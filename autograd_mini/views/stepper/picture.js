// The drawing: it was laid out once; a step changes texts, classes and fills of what is there.

const ROOM_PER_SIGN = 6.7;

// When each thing happens, in steps counted from 1: `steps` lists them in one of the two grains.
function timeline(graph, grain) {
  const steps = [], count = graph.nodes.length, root = count - 1, never = () => Array(count).fill(Infinity);
  const time = { steps, valued: Array(count).fill(0), started: never(), final: never(), made: graph.nodes.map(() => []) };
  const skipped = k => graph.nodes[k].kind === "constant" && k !== root;  // a bare 2 is given, and its gradient isn't needed
  graph.nodes.forEach((_, k) => {
    if (!skipped(k)) time.valued[k] = steps.push({ pass: "forward", node: k, edges: [] });
  });
  for (const [u, edges] of graph.backward) {
    if (skipped(u)) continue;
    const parts = u === root || grain === "node" ? [edges] : edges.map(edge => [edge]);
    parts.forEach((part, i) => {
      const now = steps.push({ pass: u === root ? "seed" : "backward", node: u, edges: part, all: edges, index: i });
      for (const [v, slot] of part) time.made[v][slot] = now;
      if (i === 0) time.started[u] = now;
      if (i === parts.length - 1) time.final[u] = now;
    });
  }
  time.seed = time.final[root];
  return time;
}

// An edge as it is read aloud, without its numbers.
const nameOfEdge = ({ nodes }, { uses: [[u, v]] }) => `edge from ${nodes[u].name} to ${nodes[v].name}`;

class Picture {
  constructor(svg, graph, view) {
    Object.assign(this, { svg, graph, top: svg.querySelector("g") });
    this.boxOf = new Map();
    this.boxes = view.boxes.map((box, i) => {
      for (const k of box.nodes) this.boxOf.set(k, `scope-${i}`);
      return { ...box, inside: new Set(box.nodes), computed: box.nodes.filter(k => graph.nodes[k].rule) };
    });
    this.uses = this._uses();
    this.parts = [...svg.querySelectorAll("[data-id]")].map(element => this._part(element));
    this.byId = new Map(this.parts.map(part => [part.id, part]));
    this.edges = this.parts.filter(({ what, asked }) => what === "edge" && asked.length)
      .sort((a, b) => a.uses[0][0] - b.uses[0][0] || a.uses[0][1] - b.uses[0][1] || a.uses[0][2] - b.uses[0][2]);
    for (const { path, element } of this.edges) {
      element.classList.add("am-asked");
      element.prepend(h("path", { class: "am-hit", d: path.getAttribute("d") }));  // to be hit beside the line, too
    }
    this.ring = h("rect", { class: "am-ring", rx: 9, visibility: "hidden" });
    this.pills = h("g", { class: "am-pills" });
    this.top.append(this.ring, this.pills);
  }

  unit(k) { return this.boxOf.get(k) || `node-${k}`; }

  // Which uses [u, v, slot] each edge stands for.
  _uses() {
    const uses = new Map(), add = (id, use) => uses.set(id, [...(uses.get(id) || []), use]);
    this.graph.nodes.forEach((node, v) => (node.parents || []).forEach((u, slot) => {
      const box = this.boxOf.get(v), source = this.unit(u);
      if (!box) add(`edge-${u}-${v}-${slot}`, [u, v, slot]);
      else if (source !== box) add(`edge-${source}-${box}`, [u, v, slot]);
    }));
    return uses;
  }

  _part(element) {
    const id = element.dataset.id, [what, place] = id.split(/-(.*)/), texts = [...element.querySelectorAll("text")];
    const shape = element.querySelector("rect:last-of-type"), part = { id, what, k: Number(place), element, texts, shape };
    element.classList.add("am-" + (what === "out" ? "edge" : what));
    if (shape) part.room = Math.floor((Number(shape.getAttribute("width")) - 14) / ROOM_PER_SIGN);
    if (what === "scope") this._prepareBox(part, this.boxes[part.k]);
    if (what === "edge") {
      Object.assign(part, { uses: this.uses.get(id) || [], path: element.querySelector("path"), text: texts[0] });
      part.asked = part.uses.filter(([u]) => this.graph.nodes[u].kind !== "constant");
      part.unknown = Boolean(part.text) && part.text.textContent === "–" && part.asked.length > 0;
    }
    return part;
  }

  _prepareBox(part, box) {
    const root = this.graph.nodes.length - 1, outside = new Set([root]);
    this.graph.nodes.forEach((node, v) => { if (!box.inside.has(v)) (node.parents || []).forEach(u => outside.add(u)); });
    const end = part.texts.length - (part.texts[part.texts.length - 1].textContent[0] === "…" ? 1 : 0);
    const lines = part.texts.slice(end - box.listed.length, end);
    Object.assign(part, { box, leaving: box.nodes.filter(k => outside.has(k)), lines: lines.map((text, i) =>
      ({ text, k: box.listed[i], name: text.textContent.replace(/ \S+, grad \S+$/, "") })) });
  }

  // Show a moment: { at, time, run, step, asking, backward, largest, widest }.
  show(moment) {
    this.moment = moment;
    this.active = moment.step && this.unit(moment.step.node);
    this.pills.replaceChildren();
    for (const part of this.parts) {
      if (part.what === "node") this._showNode(part);
      else if (part.what === "scope") this._showBox(part);
      else if (part.what === "edge") this._showEdge(part);
      else this._showOperation(part);
    }
    const shape = this.active && this.byId.get(this.active).shape;
    this.ring.setAttribute("visibility", shape ? "visible" : "hidden");
    if (!shape) return;
    this.ring.setAttribute("transform", shape.parentNode.getAttribute("transform"));
    for (const [name, more] of [["x", -8], ["y", -8], ["width", 16], ["height", 16]])
      this.ring.setAttribute(name, Number(shape.getAttribute(name)) + more);
  }

  // Change an element only where something changed; `key` says all that it shows.
  _set(part, status, key, change) {
    if (part.key === status + key && part.run === this.moment.run) return;
    Object.assign(part, { key: status + key, run: this.moment.run });
    part.element.classList.remove("am-pending", "am-active", "am-done");
    part.element.classList.add("am-" + status);
    if (change) change();
  }

  _status(k) {
    const { at, time, step, backward } = this.moment, node = this.graph.nodes[k];
    if (step && step.node === k) return "active";
    if (node.kind === "constant" && k !== this.graph.nodes.length - 1) return "done";
    return (backward ? time.final : time.valued)[k] <= at ? "done" : "pending";
  }

  _showOperation(part) {
    const { at, time, step } = this.moment, computed = step && step.pass === "forward" && step.node === part.k;
    this._set(part, computed ? "active" : time.valued[part.k] <= at ? "done" : "pending", "");
  }

  // The gradient of a node as far as it has been summed up; undefined where it hasn't begun.
  gradient(k) {
    const { at, time, run } = this.moment;
    if (time.final[k] <= at) return run.gradients[k];
    if (!(time.started[k] <= at)) return undefined;
    const made = this.graph.edgesOf[k].filter(([v, slot]) => time.made[v][slot] <= at);
    return made.reduce((sum, [v, slot]) => sum + run.products[v][slot], 0);
  }

  // A node as it is read aloud: its name, and as much of its numbers as is known.
  _inWords(name, k) {
    const { at, time, run, backward } = this.moment, gradient = this.gradient(k);
    const data = time.valued[k] <= at ? `data ${format(run.values[k])}` : "not computed yet";
    if (this.graph.nodes[k].kind === "constant") return `${name}: ${data}`;
    const sum = gradient === undefined ? backward ? ", gradient not known yet" : ""
      : `, gradient ${time.final[k] <= at ? "" : "so far "}${format(gradient)}`;
    return `${name}: ${data}${sum}`;
  }

  _fill(part, gradient, known) {
    const colour = known ? diverging(gradient, this.moment.largest) : null;
    part.shape.style.fill = colour || "";
    for (const text of part.texts) text.style.fill = colour ? inkOn(colour) : "";
  }

  // Write into a node; what is wider than it, as a number may be when a leaf is moved, is squeezed, never cut.
  _write({ room }, text, content) {
    text.textContent = content;
    const squeezed = content.length > room ? { textLength: room * ROOM_PER_SIGN, lengthAdjust: "spacingAndGlyphs" } : {};
    for (const name of ["textLength", "lengthAdjust"])
      name in squeezed ? text.setAttribute(name, squeezed[name]) : text.removeAttribute(name);
  }

  _showNode(part) {
    const { at, time, run, backward } = this.moment, { k, texts } = part, node = this.graph.nodes[k];
    const valued = time.valued[k] <= at, known = time.final[k] <= at, gradient = this.gradient(k);
    this._set(part, this._status(k), `${valued}|${known}|${gradient}|${backward}`, () => {
      const constant = node.kind === "constant";
      part.element.setAttribute("aria-label", this._inWords(`node ${node.name}`, k));
      const data = valued ? format(run.values[k]) : "?";
      const grad = gradient !== undefined ? format(gradient) : backward ? "?" : "";
      this._write(part, texts[texts.length - (constant ? 1 : 2)], node.bare ? data : `data ${data}`);
      if (constant) return;
      this._write(part, texts[texts.length - 1], grad && `grad ${grad}`);
      this._fill(part, gradient, known);
    });
  }

  _showBox(part) {
    const { at, time, run, backward, step } = this.moment, { box, leaving, lines } = part;
    const when = backward ? time.final : time.valued;
    const done = box.computed.every(k => when[k] <= at);
    const status = step && box.inside.has(step.node) ? "active" : done ? "done" : "pending";
    const known = leaving.length === 1 && time.final[leaving[0]] <= at, gradient = run.gradients[leaving[0]];
    this._set(part, status, `${backward}|${lines.map(({ k }) => [time.valued[k] <= at, this.gradient(k)])}`, () => {
      const inside = lines.map(({ k, name }) => this._inWords(name, k)).join("; ");
      part.element.setAttribute("aria-label", `box ${box.scope}${inside && ": "}${inside}`);
      for (const { text, k, name } of lines) {
        const sum = this.gradient(k), grad = sum === undefined ? backward ? ", grad ?" : "" : `, grad ${format(sum)}`;
        text.textContent = `${name} ${time.valued[k] <= at ? format(run.values[k]) : "?"}${grad}`;
      }
      this._fill(part, gradient, known);
    });
  }

  _showEdge(part) {
    const { at, time, run, step, asking, widest } = this.moment, { uses, asked, text } = part, boxed = !text;
    const made = asked.filter(([, v, slot]) => time.made[v][slot] <= at);
    const sum = made.reduce((total, [, v, slot]) => total + run.products[v][slot], 0);
    const active = Boolean(step) && (step.pass === "forward"
      ? uses.some(([, v]) => boxed ? this.unit(v) === this.active : v === step.node)
      : asked.some(([u, v, slot]) => this.boxOf.has(u) ? this.unit(u) === this.active
        : step.edges.some(([to, place]) => u === step.node && to === v && place === slot)));
    const whole = made.length > 0 && made.length === asked.length;  // not so where all of them are of constants
    const share = !whole ? 0 : isFinite(sum) ? Math.min(Math.abs(sum) / (widest || 1), 1) : 1;
    const [, v, slot] = uses[0], valued = time.valued[v] <= at;
    const status = active ? "active" : whole || valued && !(this.moment.backward && asked.length) ? "done" : "pending";
    this._set(part, status, `${valued}|${whole}|${share}`, () => {
      const local = text && valued && !part.unknown ? `: local derivative ${format(run.locals[v][slot])}` : "";
      if (asked.length) part.element.setAttribute("aria-label", nameOfEdge(this.graph, part) + local + (whole ? `, contribution ${format(sum)}` : ""));
      part.path.style.strokeWidth = whole ? 1 + 3.5 * share : "";
      if (text) text.textContent = !valued || !asked.length ? "" : part.unknown ? "–" : format(run.locals[v][slot]);
    });
    if (active && step.pass === "backward" && whole && !asking) this._addPill(part, format(sum));
  }

  // The contribution, on its edge.
  _addPill(part, text) {
    let x, y;
    if (part.text) [x, y] = ["x", "y"].map(name => Number(part.text.getAttribute(name)));
    else ({ x, y } = part.path.getPointAtLength(part.path.getTotalLength() / 2));
    const width = text.length * 6.6 + 10;
    this.pills.append(h("g", { class: "am-pill" },
      h("rect", { x: x - width / 2, y: y - 11, width, height: 14.5, rx: 7 }), h("text", { x, y }, text)));
  }

  // Of the edges under the pointer, whose places to be hit overlap, the one that is nearest; else the part itself.
  nearest({ clientX, clientY }, part) {
    const at = { x: clientX, y: clientY }, distance = ({ path }) => {
      const length = path.getTotalLength(), matrix = path.getScreenCTM();
      return Math.min(...Array.from({ length: 41 }, (_, i) => {
        const { x, y } = path.getPointAtLength(length * i / 40).matrixTransform(matrix);
        return Math.hypot(x - at.x, y - at.y);
      }));
    };
    const under = this.svg.getRootNode().elementsFromPoint(at.x, at.y).map(element => element.parentNode);
    const [nearest] = this.edges.filter(({ element, text }) => under.includes(element)).map(edge => [distance(edge), edge])
      .sort(([a], [b]) => a - b);
    return nearest ? nearest[1] : part;
  }

  // Dim all but the nodes of a set, or nothing.
  highlight(found) {
    const lit = found && new Set([...found].map(k => this.unit(k)));
    const isLit = ({ what, id, k, uses }) => {
      if (what === "edge") return uses.some(([u, v]) => found.has(u) && found.has(v));
      if (what === "node" || what === "scope") return lit.has(id);
      // An operation is on a path if one of its operands is: not so for that of the node the paths begin at.
      return this.graph.nodes[k].parents.some(u => found.has(u));
    };
    for (const part of this.parts) part.element.classList.toggle("am-dim", Boolean(lit) && !isLit(part));
  }
}
