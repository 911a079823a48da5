// The stepper: it moves through the records of both passes, and shows each moment in the drawing and as a formula.

const SECONDS = 1.4;  // a step, at speed 1
const VIEW_NAMES = { null: "nothing", neuron: "neurons", layer: "layers" };

const KINDS = { parameter: "a parameter", input: "an input", constant: "a constant", value: "a leaf" };

class Stepper {
  constructor(element, payload) {
    this.element = element;
    this.payload = payload;
    this.graph = { ...payload, edgesOf: Array.from(payload.nodes, () => []) };
    for (const [u, edges] of payload.backward) this.graph.edgesOf[u] = edges;
    this.formulas = new Formulas(this.graph);
    this.root = payload.nodes.length - 1;
    this.recorded = this.base = recorded(this.graph);
    this.listeners = new Set();
    this.grain = payload.grain;
    this.pictures = new Map();
    this.views = [...payload.views, ...payload.opened];
    this.times = { node: timeline(this.graph, "node"), edge: timeline(this.graph, "edge") };
    this._build();
    this.setRun(this.recorded, false);
    this.setView(payload.view);
    this.goTo(payload.step || 0);
  }

  get time() { return this.times[this.grain]; }
  get asking() { return this.prediction.next; }
  get count() { return this.time.steps.length; }

  // ------------------------------------------------------------------------------------------ building

  _build() {
    const { payload } = this;
    this.player = new Player(this, { noun: "step", seconds: SECONDS });
    this.counter = h("output", { class: "am-count" });
    this.player.element.append(this.counter);
    const grains = [["node", "by node"], ["edge", "by edge"]];
    const folds = this.views.map(({ fold, opened }, i) => [i, VIEW_NAMES[fold] + (opened ? ` but ${opened}` : "")]);
    this.grainChoice = choice("grain", grains, this.grain, grain => this.setGrain(grain));
    this.foldChoice = choice("fold", folds, payload.view, i => this.setView(Number(i)));
    this.foldChoice.hidden = folds.length < 2;
    this.prediction = new Prediction(this);
    this.scroller = h("div", { class: "am-graph" });
    this.caption = h("p", { class: "am-caption" });
    this.formula = h("div", { class: "am-formula" });
    this.details = h("div", { class: "am-details", hidden: true });
    this.live = h("div", { class: "am-unseen", "aria-live": "polite", "aria-atomic": "true" });
    const { button, score, form, verdict } = this.prediction;
    this.whatIf = payload.whatIf.length || payload.sgd.length ? new WhatIf(this) : null;
    asPage(this.element, "am-stepper", `Backpropagation, step by step: ${this.formulas.root}`);
    this.element.replaceChildren(
      this.player.element,
      h("div", { class: "am-bar am-options" }, this.grainChoice, this.player.speed, this.foldChoice, button, score),
      this.scroller, h("div", { class: "am-panel" }, this.caption, this.formula, form, verdict),
      this.whatIf ? this.whatIf.element : "", this.details, legend(LEGEND), this.live);
    this._keydown = event => this._onKey(event);
    this.element.addEventListener("keydown", this._keydown);
    this.observer = new ResizeObserver(() => this._reserve());
    this.observer.observe(this.scroller);
  }

  // Room for the longest formula, so that what stands below it keeps its place.
  _reserve() {
    const { steps } = this.time, parents = node => (this.graph.nodes[node].parents || []).length;
    const length = ({ pass, node, edges }) => pass === "forward" ? 1 + parents(node) : 2.5 * edges.length;
    const longest = pass => steps.filter(s => s.pass === pass).reduce((a, b) => length(b) > length(a) ? b : a, steps[0]);
    const shown = [...this.formula.childNodes];
    this.formula.style.minHeight = "";
    const heights = ["forward", "backward"].map(pass => {
      this.formula.replaceChildren(...this._formula(longest(pass)));
      return this.formula.getBoundingClientRect().height;
    });
    this.formula.replaceChildren(...shown);
    this.formula.style.minHeight = Math.ceil(Math.max(...heights)) + "px";
  }

  // -------------------------------------------------------------------------------------------- moving

  back() { this.goTo(this.asking ? this.step : this._stop(this.step - 1, -1)); }

  forward() {
    if (this.asking) this.prediction.input.focus();
    if (this.asking || this.step >= this.end) return;
    const next = this._stop(this.step + 1, 1), step = this.time.steps[next - 1];
    const guessed = this.prediction.on && step.pass === "backward" && !this.picture.boxOf.has(step.node);
    if (guessed) this.prediction.ask(next);
    else this.goTo(next);
  }

  slideTo(k) { this.goTo(this._stop(k, k < this.step ? -1 : 1)); }

  // What happens inside of a folded box is one stop: its last computed node; its leaves pass by unseen.
  _noteStops() {
    const { boxOf } = this.picture, last = new Map(), { steps } = this.time;
    const key = ({ pass, node }) => boxOf.has(node) && pass.slice(0, 1) + boxOf.get(node);
    steps.forEach((step, i) => { if (this.graph.nodes[step.node].rule) last.set(key(step), i); });
    this.stops = [0, ...steps.flatMap((step, i) => !key(step) || last.get(key(step)) === i ? [i + 1] : [])];
  }

  // The stop nearest to a step, from it on in a direction.
  _stop(k, direction) {
    if (direction > 0) return this.stops.find(stop => stop >= k) ?? this.end;
    return this.stops.filter(stop => stop <= k).pop() ?? 0;
  }

  get end() { return this.stops[this.stops.length - 1]; }

  goTo(k) {
    const before = this.step;
    this.step = Math.max(0, Math.min(Math.round(k) || 0, this.count));
    this.prediction.leave();
    this.show();
    if (before !== undefined && before !== this.step) this.tell();
  }

  tell() { for (const listener of [...this.listeners]) listener(this.step); }

  setGrain(grain) {
    const { node, pass } = this.step ? this.time.steps[this.step - 1] : {};
    this.grain = grain;
    this._noteStops();
    this._reserve();
    const { valued, final } = this.time;
    this.goTo(pass === undefined ? 0 : (pass === "forward" ? valued : final)[node]);
    this.grainChoice.querySelector("select").value = grain;
    this.tell();
  }

  setView(i) {
    const view = this.views[i];
    if (!this.pictures.has(i)) {
      const { svg, width, height } = drawn(view.svg);
      svg.querySelector("style").remove();  // it is for viewers that run no scripts, and would reach all of the page
      svg.style.cssText = `max-width:${width * 1.6}px;min-width:${width * 0.62}px;max-height:max(70vh,${height * 0.7}px)`;
      svg.setAttribute("role", "group");
      svg.setAttribute("aria-label", "the computational graph");
      this.pictures.set(i, new Picture(svg, this.graph, view));
      this._listenTo(this.pictures.get(i));
    }
    this.view = i;
    this.picture = this.pictures.get(i);
    this.scroller.replaceChildren(this.picture.svg);
    this.foldChoice.querySelector("select").value = i;
    this._noteStops();
    this.select(null);
    if (this.step !== undefined) this.goTo(this._stop(this.step, 1));
  }

  setRun(run, show = true) {
    this.run = run;
    const asked = k => this.graph.nodes[k].kind !== "constant";
    const toAsked = (terms, v) => terms.filter((_, slot) => asked(this.graph.nodes[v].parents[slot]));
    this.largest = largestFinite(run.gradients.filter((_, k) => asked(k)));
    this.widest = largestFinite(run.products.flatMap(toAsked));
    if (!show) return;
    this.show();
    if (this.selected) this.select(this.selected);
  }

  // ------------------------------------------------------------------------------------------- showing

  show() {
    const { step: at, time, run, asking, largest, widest } = this, step = time.steps[(asking || at) - 1];
    this.picture.show({ at, time, run, step, asking, backward: at >= time.seed, largest, widest });
    this.player.show(at, this.count);
    this.counter.textContent = `step ${at} of ${this.count}`;
    this.element.dataset.step = at;
    this.caption.textContent = this._caption(step);
    this.formula.replaceChildren(...this._formula(step));
    this.live.textContent = `Step ${at} of ${this.count}. ${this.caption.textContent} ${this.formula.textContent}`;
    if (step) this._bringIntoView(step.node);
  }

  _caption(step) {
    if (!step) return "Nothing is computed yet. Step forward with → or play; click a node to ask about its gradient.";
    const { node: k, pass } = step, name = this.formulas.names[k], node = this.graph.nodes[k];
    const box = this.picture.boxOf.get(k);
    if (box) {
      const what = pass === "forward" ? "Forward pass: the values" : "Backward pass: the gradients";
      return `${what} inside of ${this.picture.byId.get(box).box.scope}, a folded box. Click it to see them all.`;
    }
    if (pass === "forward") {
      const how = node.rule ? "computed, and its local derivatives with it" : `given, ${KINDS[node.kind]}`;
      return `Forward pass: ${name} is ${how}.`;
    }
    if (pass === "seed") return `Backward pass, base case: ${name} changes with itself one to one.`;
    const uses = step.all.length, times = ["never", "once", "twice"][uses] || uses + " times";
    const used = `${name} is used ${times}`;
    if (this.grain === "edge") return `Backward pass: ${used}; contribution ${step.index + 1} of ${uses}.`;
    const sum = uses === 1 ? "one product" : `a sum of ${uses} products`;
    return `Backward pass: ${used}, so its gradient is ${sum}.`;
  }

  _formula(step) {
    if (!step) return [];
    const { run, formulas, asking } = this, u = step.node, box = this.picture.boxOf.get(u);
    if (box) return [formulaRows(this._boxRows(this.picture.byId.get(box).box, step.pass))];
    if (step.pass === "forward") return [formulaRows(formulas.forward(run, u))];
    if (step.pass === "seed") return [formulaRows([[formulas.gradientOf(u), "1"]])];
    if (this.grain === "node") return [formulaRows(formulas.backward(run, u, step.edges, asking))];
    const before = step.all.slice(0, step.index).reduce((sum, [v, slot]) => sum + run.products[v][slot], 0);
    return [h("div", { class: "am-line" }, formulas.edge(run, u, step.edges[0], before, asking))];
  }

  // What is known of the nodes that a box lists.
  _boxRows(box, pass) {
    const { time, step, run, formulas } = this, forward = pass === "forward";
    return box.listed.filter(k => (forward ? time.valued : time.final)[k] <= step).map(k => forward
      ? [formulas.names[k], format(run.values[k])] : [formulas.gradientOf(k), format(run.gradients[k])]);
  }

  // Scroll the drawing, never the page.
  _bringIntoView(k) {
    const { scroller } = this;
    if (scroller.scrollWidth <= scroller.clientWidth && scroller.scrollHeight <= scroller.clientHeight) return;
    const seen = scroller.getBoundingClientRect();
    const part = this.picture.byId.get(this.picture.unit(k)).element.getBoundingClientRect();
    const [right, down] = [["left", "right"], ["top", "bottom"]].map(([start, end]) =>
      part[start] < seen[start] || part[end] > seen[end] ? (part[start] + part[end] - seen[start] - seen[end]) / 2 : 0);
    scroller.scrollLeft += right;
    scroller.scrollTop += down;
  }

  // ----------------------------------------------------------------------------------------- selecting

  _listenTo(picture) {
    const chosen = picture.parts.filter(part => part.what === "node" || part.what === "scope");
    chosen.forEach((part, i) => {
      part.element.setAttribute("tabindex", i ? -1 : 0);
      part.element.setAttribute("role", "button");
      const name = part.box ? `box ${part.box.scope}` : `node ${this.graph.nodes[part.k].name}`;
      const toggle = () => this.select(this.selected === part.id ? null : part.id);
      part.element.setAttribute("aria-label", name);
      part.element.addEventListener("click", toggle);
      part.element.addEventListener("keydown", event => {
        const other = { ArrowDown: chosen[i + 1], ArrowUp: chosen[i - 1] }[event.key];
        if (event.key === "Enter") toggle();
        else if (other) {
          part.element.setAttribute("tabindex", -1);
          other.element.setAttribute("tabindex", 0);
          other.element.focus();
        } else return;
        event.preventDefault();
        event.stopPropagation();
      });
    });
  }

  select(id) {
    const part = id && this.picture.byId.get(id);
    for (const other of this.picture.parts) other.element.classList.toggle("am-selected", other === part);
    this.selected = part ? id : null;
    this.details.hidden = !part;
    this.picture.highlight(part ? this._reachedFrom(part) : null);
    if (!part) return;
    const { graph, run, formulas } = this;
    const close = { class: "am-close", "aria-label": "close", onclick: () => this.select(null) };
    this.details.replaceChildren(button("✕", close), ...(part.box
      ? [...boxDetails(graph, run, formulas, part.box), ...this._unfold(part.box)]
      : nodeDetails(graph, run, formulas, part.k, this.largest)), this._fold(part.box ? part.box.nodes[0] : part.k));
  }

  _reachedFrom(part) {
    if (!part.box) return reached(this.graph, part.k);
    return new Set([...part.box.nodes, ...part.leaving.flatMap(k => [...reached(this.graph, k)])]);
  }

  _toView(text, i) { return i < 0 ? "" : button(text, { onclick: () => this.setView(i) }); }

  // The view as it is with all boxes folded.
  _whole() { return this.views.findIndex(({ fold }) => fold === this.views[this.view].fold); }

  // Buttons that open a box, where it can be opened by itself, and all of them.
  _unfold({ scope }) {
    return [this._toView("Unfold", this.views.findIndex(({ opened }) => opened === scope)), " ",
      this._toView("Unfold all", this._whole() - 1)];
  }

  // A button that folds the open box a node is in.
  _fold(k) {
    const { opened } = this.views[this.view], whole = this._whole();
    const box = this.views[whole].boxes.find(({ scope }) => scope === opened);
    return box && box.nodes.includes(k) ? this._toView(`Fold ${opened}`, whole) : "";
  }

  // ---------------------------------------------------------------------------------------------- keys

  _onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    this.player.onKey(event);
    event.stopPropagation();  // the notebook around has keys of its own
    if (event.key !== "Escape") return;
    this.asking ? this.goTo(this.step) : this.select(null);
    event.preventDefault();
  }

  destroy() {
    this.player.pause();
    this.listeners.clear();
    this.observer.disconnect();
    this.element.removeEventListener("keydown", this._keydown);
    this.element.replaceChildren();
  }
}

const LEGEND = [
  "Dotted outline: still to come. Ring: this step. Full outline: done.",
  "Thick outline: parameter; double: input; dashed: constant.",
  "Fill: the gradient, orange below zero, blue above, strongest at the largest.",
  "On an edge: the local derivative; in a pill: the contribution; the wider the edge, the larger it is.",
  "Keys: ← → step, Home, End, space plays; Tab and ↑ ↓ reach the nodes, Enter asks, Escape closes.",
];

// Put a stepper into an element. `payload` is what Python made, the step to begin at with it. The handle has `step`,
// `count`, `grain`, `goTo(k)`, `onstep(callback)`, which returns a function that ends it, and `destroy()`.
function mount(element, payload) {
  const stepper = new Stepper(element, payload);
  const handle = {
    get step() { return stepper.step; },
    get count() { return stepper.count; },
    get grain() { return stepper.grain; },
    goTo: k => stepper.goTo(k),
    onstep: callback => { stepper.listeners.add(callback); return () => stepper.listeners.delete(callback); },
    destroy: () => stepper.destroy(),
  };
  if (payload.joined) joinPage(payload.joined, handle);
  return handle;
}
