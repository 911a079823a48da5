// The stepper: it moves through the records of both passes, and shows each moment in the drawing and as a formula.

const ICONS = {
  first: "M3 2h2v12H3zM14 2v12L6 8z", last: "M11 2h2v12h-2zM2 2v12l8-6z",
  back: "M10.5 2 12 3.5 7.5 8l4.5 4.5-1.5 1.5-6-6z", forward: "M5.5 2 4 3.5 8.5 8 4 12.5 5.5 14l6-6z",
  play: "M4 2v12l9-6z", pause: "M3 2h4v12H3zM9 2h4v12H9z",
};
const SECONDS = 1.4;  // a step, at speed 1
const KEYS = { ArrowRight: "forward", ArrowLeft: "back", Home: "first", End: "last", " ": "play" };
const VIEW_NAMES = { null: "nothing", neuron: "neurons", layer: "layers" };

const KINDS = { parameter: "a parameter", input: "an input", constant: "a constant", value: "a leaf" };

const icon = name =>
  h("svg", { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" }, h("path", { d: ICONS[name] }));

const decoded = text => Uint8Array.from(atob(text), sign => sign.charCodeAt(0));

// A text that Python has compressed.
const unpacked = text =>
  new Response(new Blob([decoded(text)]).stream().pipeThrough(new DecompressionStream("gzip"))).text();

class Stepper {
  constructor(element, payload, options) {
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
    this.svgs = payload.views.map(view => view.svg);
    if (options.svg) this.svgs[payload.view] = options.svg;
    this.times = { node: timeline(this.graph, "node"), edge: timeline(this.graph, "edge") };
    this._build();
    this.setRun(this.recorded, false);
    this.setView(payload.view);
    this.goTo(options.step || 0);
  }

  get time() { return this.times[this.grain]; }
  get asking() { return this.prediction.next; }
  get count() { return this.time.steps.length; }

  // ------------------------------------------------------------------------------------------ building

  _button(name, title) {
    return h("button", { type: "button", title, "aria-label": title, "data-do": name, onclick: () => this.act(name) },
      icon(name));
  }

  _choice(title, options, chosen, change) {
    const select = h("select", { "aria-label": title, onchange: () => change(select.value) },
      options.map(([value, text]) => h("option", { value, selected: value === chosen }, text)));
    return h("label", {}, title + " ", select);
  }

  _build() {
    const { payload } = this;
    this.slider = h("input", { type: "range", min: 0, step: 1, class: "am-slider", "aria-label": "step",
      oninput: () => this.goTo(this._stop(Number(this.slider.value), 1)) });
    this.counter = h("output", { class: "am-count" });
    this.play = this._button("play", "play or pause (space)");
    const buttons = [this._button("first", "to the start (Home)"), this._button("back", "one step back (←)"),
      this.play, this._button("forward", "one step forward (→)"), this._button("last", "to the end (End)")];
    const grains = [["node", "by node"], ["edge", "by edge"]];
    const folds = this.views.map(({ fold, opened }, i) => [i, VIEW_NAMES[fold] + (opened ? ` but ${opened}` : "")]);
    this.grainChoice = this._choice("grain", grains, this.grain, grain => this.setGrain(grain));
    this.speed = this._choice("speed", [[0.5, "½×"], [1, "1×"], [2, "2×"], [4, "4×"]], 1, () => {});
    this.foldChoice = this._choice("fold", folds, payload.view, i => this.setView(Number(i)));
    this.foldChoice.hidden = folds.length < 2;
    this.prediction = new Prediction(this);
    this.scroller = h("div", { class: "am-graph" });
    this.caption = h("p", { class: "am-caption" });
    this.formula = h("div", { class: "am-formula" });
    this.details = h("div", { class: "am-details", hidden: true });
    this.live = h("div", { class: "am-unseen", "aria-live": "polite", "aria-atomic": "true" });
    const { button, score, form, verdict } = this.prediction;
    this.whatIf = payload.whatIf.length || payload.sgd.length ? new WhatIf(this) : null;
    this.element.classList.add("am-stepper");
    this.element.setAttribute("data-lm-suppress-shortcuts", "true");
    this.element.setAttribute("tabindex", 0);
    this.element.setAttribute("role", "group");
    this.element.setAttribute("aria-label", `Backpropagation, step by step: ${this.formulas.root}`);
    this.element.replaceChildren(
      h("div", { class: "am-bar" }, h("span", { class: "am-group" }, buttons), this.slider, this.counter),
      h("div", { class: "am-bar am-options" }, this.grainChoice, this.speed, this.foldChoice, button, score),
      this.scroller, h("div", { class: "am-panel" }, this.caption, this.formula, form, verdict),
      this.whatIf ? this.whatIf.element : "", this.details, legend(), this.live);
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

  act(name) {
    if (name !== "play") this.pause();
    if (name === "play") this.timer ? this.pause() : this._play();
    else if (name === "first") this.goTo(0);
    else if (name === "last") this.goTo(this.end);
    else if (name === "back") this.goTo(this.asking ? this.step : this._stop(this.step - 1, -1));
    else if (!this.asking) this._forward();
    else this.prediction.input.focus();
  }

  _forward() {
    if (this.step >= this.end) return;
    const next = this._stop(this.step + 1, 1), step = this.time.steps[next - 1];
    const guessed = this.prediction.on && step.pass === "backward" && !this.picture.boxOf.has(step.node);
    if (guessed) this.prediction.ask(next);
    else this.goTo(next);
  }

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

  pause() {
    clearTimeout(this.timer);
    this.timer = null;
    this._showPlaying();
  }

  _play() {
    if (this.step >= this.end) this.goTo(0);
    const tick = () => {
      this._forward();
      if (this.asking || this.step >= this.end) this.pause();
      else wait();
    };
    const wait = () => {
      this.timer = setTimeout(tick, 1000 * SECONDS / Number(this.speed.querySelector("select").value));
    };
    if (!this.asking) wait();
    this._showPlaying();
  }

  _showPlaying() {
    this.play.replaceChildren(icon(this.timer ? "pause" : "play"));
    this.play.setAttribute("aria-pressed", String(Boolean(this.timer)));
  }

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

  async setView(i) {
    const view = this.views[i];
    if (view.opened && !this.svgs[i]) this.svgs.push(...JSON.parse(await unpacked(this.payload.packed)));
    if (!this.pictures.has(i)) {
      const parsed = new DOMParser().parseFromString(this.svgs[i], "image/svg+xml").documentElement;
      const svg = document.importNode(parsed, true);
      const [width, height] = ["width", "height"].map(side => Number(svg.getAttribute(side)));
      svg.querySelector("style").remove();  // it is for viewers that run no scripts, and would reach all of the page
      for (const side of ["width", "height"]) svg.removeAttribute(side);
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
    const sizes = numbers => numbers.filter(isFinite).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    const asked = k => this.graph.nodes[k].kind !== "constant";
    const toAsked = (terms, v) => terms.filter((_, slot) => asked(this.graph.nodes[v].parents[slot]));
    this.largest = sizes(run.gradients.filter((_, k) => asked(k)));
    this.widest = sizes(run.products.flatMap(toAsked));
    if (!show) return;
    this.show();
    if (this.selected) this.select(this.selected);
  }

  // ------------------------------------------------------------------------------------------- showing

  show() {
    const { step: at, time, run, asking, largest, widest } = this, step = time.steps[(asking || at) - 1];
    this.picture.show({ at, time, run, step, asking, backward: at >= time.seed, largest, widest });
    Object.assign(this.slider, { max: this.count, value: at });
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
    const close = { type: "button", class: "am-close", "aria-label": "close", onclick: () => this.select(null) };
    this.details.replaceChildren(h("button", close, "✕"), ...(part.box
      ? [...boxDetails(graph, run, formulas, part.box), ...this._unfold(part.box)]
      : nodeDetails(graph, run, formulas, part.k, this.largest)), this._fold(part.box ? part.box.nodes[0] : part.k));
  }

  _reachedFrom(part) {
    if (!part.box) return reached(this.graph, part.k);
    return new Set([...part.box.nodes, ...part.leaving.flatMap(k => [...reached(this.graph, k)])]);
  }

  _toView(text, i) { return i < 0 ? "" : h("button", { type: "button", onclick: () => this.setView(i) }, text); }

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
    event.stopPropagation();  // the notebook around has keys of its own
    const target = event.composedPath()[0], tag = target.tagName, key = event.key;
    if (key === "Escape") this.asking ? this.goTo(this.step) : this.select(null);
    else if (tag === "SELECT" || tag === "INPUT" || !(key in KEYS) || (tag === "BUTTON" && key === " ")) return;
    else this.act(KEYS[key]);
    event.preventDefault();
  }

  destroy() {
    this.pause();
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

const legend = () => h("details", { class: "am-legend" }, h("summary", {}, "Legend and keys"),
  h("ul", {}, LEGEND.map(line => h("li", {}, line))));

// Put a stepper into an element. `payload` is what Python made; `options.svg` is the first drawing where the payload
// has it not, `options.step` the step to begin at. The handle has `step`, `count`, `grain`, `goTo(k)`,
// `onstep(callback)`, which returns a function that ends it, and `destroy()`.
function mount(element, payload, options = {}) {
  const stepper = new Stepper(element, payload, options);
  return {
    get step() { return stepper.step; },
    get count() { return stepper.count; },
    get grain() { return stepper.grain; },
    goTo: k => stepper.goTo(k),
    onstep: callback => { stepper.listeners.add(callback); return () => stepper.listeners.delete(callback); },
    destroy: () => stepper.destroy(),
  };
}
