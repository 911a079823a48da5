// The stepper: it moves through the records of both passes, and shows each moment in the drawing and as a formula.

const SECONDS = 1.4;  // a step, at speed 1
const VIEW_NAMES = { null: "nothing", neuron: "neurons", layer: "layers" };

const NARROW = 700, SIDE = 400, GAP = 10;  // in pixels, as in page.css
const LOWEST_STAGE = 420, HIGHEST_STAGE = 900, BELOW_STAGE = 46;
const LOWEST_PICTURE = 200, CARD = 330;  // the room of most cards
const LONGEST = 4;  // the number of steps that are measured: how long they are is known only roughly
const CAPTION = 100, OTHERS = 225;  // above and below a formula; a card and what-if at their lowest

// How high a page may be for all of it to be seen. A notebook has bars of its own; a frame is as high as what is in it.
function roomFor(element) {
  if (window.parent !== window) return 640;
  return innerHeight - (element.parentElement.matches("body, body > main") ? 32 : 150);
}

const KINDS = { parameter: "a parameter", input: "an input", constant: "a constant", value: "a leaf" };

class Stepper {
  constructor(element, payload) {
    this.element = element;
    this.payload = payload;
    this.graph = { ...payload, edgesOf: Array.from(payload.nodes, () => []) };
    for (const [u, edges] of payload.backward) this.graph.edgesOf[u] = edges;
    this.formulas = new Formulas(this.graph);
    this.root = payload.nodes.length - 1;
    this.recorded = recorded(this.graph);
    this.start = payload.note ? evaluate(this.graph, this.recorded, new Map()) : this.recorded;  // where what-if begins
    this.base = this.start;
    this.listeners = new Set();
    this.watchers = new Set();  // of the numbers
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
    this.prediction = this._asking();
    this.zoom = new Zoom();
    this.note = h("p", { class: "am-note", hidden: !payload.note }, payload.note);
    this.caption = h("p", { class: "am-caption" });
    this.formula = h("div", { class: "am-formula" });
    this.details = h("div", { class: "am-details", hidden: true });
    this.live = h("div", { class: "am-unseen", "aria-live": "polite", "aria-atomic": "true" });
    const { button, score, form, verdict } = this.prediction;
    this.whatIf = payload.whatIf.length || payload.sgd.length ? new WhatIf(this) : null;
    this.leave = asPage(this.element, "am-stepper", `Backpropagation, step by step: ${this.formulas.root}`);
    this.panel = h("div", { class: "am-panel" }, this.caption, this.formula, form, verdict);
    this.side = h("div", { class: "am-side" }, this.panel, this.details, this.whatIf?.element);
    this.stage = h("div", { class: "am-stage" }, this.zoom.element, this.side);
    this.element.replaceChildren(
      h("div", { class: "am-top" }, this.player.element, h("div", { class: "am-bar am-options" },
        this.grainChoice, this.player.speed, this.foldChoice, this.zoom.buttons, button, score), this.note),
      this.stage, legend(LEGEND), this.live);
    this._keydown = event => this._onKey(event);
    this.element.addEventListener("keydown", this._keydown);
    this._resized = () => this._arrange();
    this.observer = new ResizeObserver(this._resized);
    this.observer.observe(this.element);
    window.addEventListener("resize", this._resized);
  }

  _asking() { return new Prediction(this); }

  // A page is no higher than its window, so that a step is seen without scrolling: the picture above the text or beside
  // it, whichever shows more of it. In a narrow page all stands in a column.
  _arrange() {
    const { element, stage, side, zoom } = this;
    const width = element.clientWidth - 2 * parseFloat(getComputedStyle(element).paddingLeft);
    const situation = [width, roomFor(element), this.view, this.grain].join();
    if (!this.picture || width <= 0 || situation === this.situation) return;
    this.situation = situation;
    const top = stage.getBoundingClientRect().top - element.getBoundingClientRect().top;
    const height = Math.max(LOWEST_STAGE, Math.min(roomFor(element) - top - BELOW_STAGE, HIGHEST_STAGE));
    const arrange = name => {
      for (const other of ["am-stacked", "am-below", "am-beside"]) element.classList.toggle(other, other === name);
      return this._reserve();
    };
    side.style.height = side.style.maxHeight = "";
    side.style.setProperty("--room", "none");
    if (width < NARROW) {
      arrange("am-stacked");
      zoom.resize(width, Math.max(LOWEST_PICTURE, 0.42 * roomFor(element)));
    } else {
      // The step is seen whole; so is a card, where only the enlargement of the picture makes room for it.
      const needed = Math.max(arrange("am-below"), Math.min(this.whatIf?.element.scrollHeight ?? 0, CARD)), most = height - GAP;
      const text = Math.min(Math.max(needed, Math.min(CARD, most - zoom.height * LEGIBLE)), most - LOWEST_PICTURE);
      const below = [width, most - text];
      const beside = [width - Math.max(SIDE, width / 3) - GAP, height];
      const seen = ([wide, high]) => {
        const scale = zoom.legible(wide, high);
        return scale * Math.min(1, wide / zoom.width / scale) * Math.min(1, high / zoom.height / scale);
      };
      let isBeside = seen(beside) > 1.1 * seen(below);
      if (isBeside && arrange("am-beside") > height - OTHERS && needed <= text) {  // the step is whole only below
        isBeside = false;
        arrange("am-below");
      }
      side.style.setProperty("--room", isBeside ? height - CAPTION - OTHERS + "px" : "none");
      zoom.resize(...(isBeside ? beside : below));
      if (isBeside) side.style.maxHeight = height + "px";
      else side.style.height = Math.min(Math.max(text, 1.4 * CARD), most - zoom.windowHeight) + "px";
    }
    this._follow();
  }

  // Room for the longest formula, also where a card is beside it, so that what stands below it keeps its place.
  _reserve() {
    const { boxOf, byId } = this.picture, steps = this.stops.slice(1).map(stop => this.time.steps[stop - 1]);
    const parents = node => (this.graph.nodes[node].parents || []).length;
    const length = ({ pass, node, edges }) => boxOf.has(node) ? byId.get(boxOf.get(node)).box.listed.length
      : pass === "forward" ? 1 + parents(node) : 2.5 * edges.length;
    const longest = pass => steps.filter(s => s.pass === pass).sort((a, b) => length(b) - length(a)).slice(0, LONGEST);
    const { caption, formula, panel, details } = this, shown = [caption.textContent, ...formula.childNodes];
    const isClosed = details.hidden;
    details.hidden = false;
    Object.assign(panel.style, { minHeight: "", flexBasis: "", height: 0 });
    const heights = ["forward", "backward"].flatMap(longest).map(step => {
      caption.textContent = this._caption(step);
      formula.replaceChildren(...this._formula(step));
      return panel.scrollHeight;
    });
    details.hidden = isClosed;
    caption.textContent = shown.shift();
    formula.replaceChildren(...shown);
    const height = Math.max(...heights, 0), { classList } = this.element, room = height + "px";
    const isBeside = classList.contains("am-beside");  // there a card may take what this step doesn't need
    Object.assign(panel.style, { height: "", flexBasis: isBeside ? room : "", minHeight: classList.contains("am-stacked") ? room : "" });
    return height;
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
    this._arrange();
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
      svg.setAttribute("role", "group");
      svg.setAttribute("aria-label", "the computational graph");
      this.pictures.set(i, Object.assign(new Picture(svg, this.graph, view), { width, height }));
      this._listenTo(this.pictures.get(i));
    }
    this.view = i;
    this.picture = this.pictures.get(i);
    this.zoom.show(this.picture.svg, this.picture.width, this.picture.height);
    this.foldChoice.querySelector("select").value = i;
    this._noteStops();
    this.select(null);
    this._arrange();
    if (this.step !== undefined) this.goTo(this._stop(this.step, 1));
  }

  setRun(run, show = true) {
    this.run = run;
    const asked = k => this.graph.nodes[k].kind !== "constant";
    const toAsked = (terms, v) => terms.filter((_, slot) => asked(this.graph.nodes[v].parents[slot]));
    this.note.style.visibility = run.note ? "" : "hidden";  // its room stays, so that nothing jumps
    this.largest = largestFinite(run.gradients.filter((_, k) => asked(k)));
    this.widest = largestFinite(run.products.flatMap(toAsked));
    if (!show) return;
    this.show();
    if (this.selected) this.select(this.selected);
    for (const watcher of [...this.watchers]) watcher();
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
    this._follow();
  }

  _caption(step) {
    if (!step) return "Nothing is computed yet. Step forward with → or play; click a node or an edge to ask about it.";
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
    if (step.pass === "forward")
      return [formulaRows(formulas.forward(run, u)), formulas.localLines(run, this._asked(u), { most: 4 })];
    if (step.pass === "seed") return [formulaRows([[formulas.gradientOf(u), "1"]])];
    const locals = formulas.localLines(run, step.edges, { hidden: asking });
    if (this.grain === "node") return [formulaRows(formulas.backward(run, u, step.edges, asking)), locals];
    const before = step.all.slice(0, step.index).reduce((sum, [v, slot]) => sum + run.products[v][slot], 0);
    return [h("div", { class: "am-line" }, formulas.edge(run, u, step.edges[0], before, asking)), locals];
  }

  // The edges into a node, [v, slot], along which a gradient is asked for.
  _asked(v) {
    const { nodes } = this.graph;
    return (nodes[v].parents || []).flatMap((u, slot) => nodes[u].kind === "constant" ? [] : [[v, slot]]);
  }

  // What is known of the nodes that a box lists.
  _boxRows(box, pass) {
    const { time, step, run, formulas } = this, forward = pass === "forward";
    return box.listed.filter(k => (forward ? time.valued : time.final)[k] <= step).map(k => forward
      ? [formulas.names[k], format(run.values[k])] : [formulas.gradientOf(k), format(run.gradients[k])]);
  }

  // Where not all of the picture is seen, let what the step is about be: its node, and the nodes that it computes with.
  _follow() {
    const { picture, time } = this, step = time.steps[(this.asking || this.step || 0) - 1];
    if (!step) return;
    const others = step.pass === "forward" ? this.graph.nodes[step.node].parents || [] : step.edges.map(([v]) => v);
    this.zoom.bringIntoView([step.node, ...others].map(k => picture.byId.get(picture.unit(k)).element));
  }

  // ----------------------------------------------------------------------------------------- selecting

  // Two stops of Tab: one for the nodes and boxes, one for the edges; ↑ and ↓ go from one to the next.
  _listenTo(picture) {
    const nodes = picture.parts.filter(({ what }) => what === "node" || what === "scope");
    for (const chosen of [nodes, picture.edges]) chosen.forEach((part, i) => {
      const { element } = part, first = picture.edges.find(({ id, uses: [[u]] }) => picture.unit(u) === part.id);
      element.setAttribute("tabindex", i ? -1 : 0);
      element.setAttribute("role", "button");
      element.setAttribute("aria-label", this._nameOf(part));
      element.addEventListener("click", event => {
        const { id } = part.what === "edge" ? picture.nearest(event, part) : part;
        this.select(this.selected === id ? null : id);
      });
      element.addEventListener("focus", () => {
        stopAt(chosen, part);
        if (first) stopAt(picture.edges, first);  // Tab goes on from a node to the edge that leaves it
      });
      element.addEventListener("keydown", event => {
        const other = { ArrowDown: chosen[i + 1], ArrowUp: chosen[i - 1] }[event.key];
        if (event.key === "Enter") this.select(this.selected === part.id ? null : part.id);
        else if (other) other.element.focus();
        else return;
        event.preventDefault();
        event.stopPropagation();
      });
    });
  }

  _nameOf(part) {
    if (part.what === "edge") return nameOfEdge(this.graph, part);
    return part.box ? `box ${part.box.scope}` : `node ${this.graph.nodes[part.k].name}`;
  }

  select(id) {
    const part = id && this.picture.byId.get(id), before = this.selected;
    for (const other of this.picture.parts) other.element.classList.toggle("am-selected", other === part);
    this.selected = part ? id : null;
    if (!part && this.details.contains(document.activeElement)) this.picture.byId.get(before)?.element.focus();
    this.details.hidden = !part;
    this.picture.highlight(part && part.what !== "edge" ? this._reachedFrom(part) : null);
    if (!part) return;
    const close = { class: "am-close", "aria-label": "close", onclick: () => this.select(null) };
    this.details.replaceChildren(button("✕", close), ...this._detailsOf(part).flat(Infinity));
  }

  _detailsOf(part) {
    const { graph, run, formulas } = this;
    if (part.what === "edge") return edgeDetails(graph, run, formulas, part.asked);
    if (part.box) return [boxDetails(graph, run, formulas, part.box), this._unfold(part.box), this._fold(part.box.nodes[0])];
    const openEdge = ([v, slot], line) => {
      const id = this.picture.edges.find(({ asked }) => asked.some(use => use[0] === part.k && use[1] === v && use[2] === slot))?.id;
      return id ? button(line, { class: "am-link", onclick: () => this.select(id) }) : line;
    };
    return [nodeDetails(graph, run, formulas, part.k, this.largest, openEdge), this._fold(part.k)];
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
    if (!this.zoom.onKey(event)) this.player.onKey(event);
    event.stopPropagation();  // the notebook around has keys of its own
    if (event.key !== "Escape") return;
    this.asking ? this.goTo(this.step) : this.select(null);
    event.preventDefault();
  }

  destroy() {
    this.player.pause();
    this.listeners.clear();
    this.watchers.clear();
    this.observer.disconnect();
    window.removeEventListener("resize", this._resized);
    this.leave();
    this.element.removeEventListener("keydown", this._keydown);
    this.element.replaceChildren();
  }
}

const LEGEND = [
  "Dotted outline: still to come. Ring: this step. Full outline: done.",
  "Thick outline: parameter; double: input; dashed: constant.",
  "Fill: the gradient, orange below zero, blue above, strongest at the largest.",
  "On an edge: the local derivative; in a pill: the contribution; the wider the edge, the larger it is.",
  "∂v/∂u, the local derivative, looks at one operation alone; so it is written with that operation's formula: tanh′(z), "
    + "∂(w·x)/∂w. Of a node in two places, as in x·x, it is by one of them: ∂(x①·x②)/∂x①.",
  "A click on a node asks about its gradient, a click on an edge about its local derivative.",
  "Drag to move the picture; ctrl and the wheel, or two fingers, zoom. Keys: + − zoom, 0 undoes it, shift and arrows move.",
  "Keys: ← → step, Home, End, space plays; Tab reaches the edges and the nodes, ↑ ↓ go through them, Enter asks, Escape closes.",
];

// Of these parts, the one that Tab stops at.
function stopAt(parts, part) {
  for (const { element } of parts) element.setAttribute("tabindex", element === part.element ? 0 : -1);
}

// Put a stepper into an element. `payload` is what Python made, the step to begin at with it. The handle has `step`,
// `count`, `grain`, `goTo(k)`, `onstep(callback)`, which returns a function that ends it, and `destroy()`; `values`, the
// number of each node at present, and `onmove(callback)` for when one of them is moved.
function mount(element, payload) {
  const stepper = payload.masked ? exerciseOf(element, payload) : new Stepper(element, payload);
  const handle = {
    get step() { return stepper.step; },
    get count() { return stepper.count; },
    get grain() { return stepper.grain; },
    goTo: k => stepper.goTo(k),
    get values() { return [...stepper.run.values]; },
    onmove: callback => { stepper.watchers.add(callback); return () => stepper.watchers.delete(callback); },
    onstep: callback => { stepper.listeners.add(callback); return () => stepper.listeners.delete(callback); },
    destroy: () => stepper.destroy(),
  };
  if (payload.joined) joinPage(payload.joined, handle);
  return handle;
}
