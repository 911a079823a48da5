// The figure of a training: watch.js's network and surface, with the numbers of now as their only frame.

class TrainingFigure {
  constructor(host, training, axes, find) {
    const { network, data } = training, { sizes } = network;
    Object.assign(this, { training, network });
    this.surface = data.names.length ? new SurfacePanel(data, sizes, axes) : null;
    this.loss = new LossPanel(WIDTH - SURFACE_WIDTH - 20);
    const { svg } = drawn(`<svg xmlns="${SVG}" viewBox="0 0 ${WIDTH} 660" width="${WIDTH}" height="660"><text/>${network.panels}</svg>`);
    for (const [{ element }, x] of [[this.loss, 0], [this.surface, WIDTH - SURFACE_WIDTH]]) {
      element.setAttribute("transform", `translate(${x} 420)`);
      svg.append(element);
    }
    this.svg = svg;
    svg.setAttribute("role", "img");
    svg.setAttribute("font-family", "Helvetica, Arial, sans-serif");
    this.panels = new Panels(svg);
    host.replaceChildren(svg);
    this.resized = new ResizeObserver(() => this.panels.fit(Math.floor(host.clientWidth)));
    this.resized.observe(host);
    this.shown = { sizes, look: network.look, reaches: {} };
    this.lines = new Network(svg, this.shown);
    this.regions = new Surface(svg, this.surface.shown);
    this.reach = svg.querySelector(".am-reach");
    this.ofWeight = network.isWeight.flatMap((is, k) => is ? [k] : []);
    this.ofBias = network.isWeight.flatMap((is, k) => is ? [] : [k]);
    const seen = event => {
      const placeIn = element => new DOMPoint(event.clientX, event.clientY).matrixTransform(element.getScreenCTM().inverse());
      const touch = event.pointerType === "touch" ? 12 : 5, found = this.lines.near(placeIn, touch);
      return found ? { ...found, part: this._partOf(found) } : { ...this.regions.near(placeIn), example: this._exampleAt(placeIn) };
    };
    svg.addEventListener("pointermove", event => find(seen(event), false));
    svg.addEventListener("pointerleave", () => find({}, false));
    svg.addEventListener("click", event => find(seen(event), true));
  }

  destroy() { this.resized.disconnect(); }

  _exampleAt(placeIn) {
    const { x, y } = placeIn(this.surface.element);
    return this.surface.near(x, y);
  }

  // The parameter behind a line, or behind a circle its bias: the k-th of theta; of an input nothing.
  _partOf({ elements: [first] }) {
    for (const { lines, circles } of this.lines.pictures) {
      const line = lines.indexOf(first), circle = circles.indexOf(first);
      if (line >= 0) return { k: this.ofWeight[line] };
      if (circle >= 0) return circle < this.network.sizes[0] ? null : { k: this.ofBias[circle - this.network.sizes[0]], isNeuron: true };
    }
    return null;
  }

  // Both pictures' elements of a parameter are marked.
  mark(k) {
    for (const hot of this.svg.querySelectorAll(".am-hot")) hot.classList.remove("am-hot");
    const line = this.ofWeight.indexOf(k), circle = this.ofBias.indexOf(k) + this.network.sizes[0];
    for (const { lines, circles } of this.lines.pictures) (line >= 0 ? lines[line] : circles[circle])?.classList.add("am-hot");
  }

  show(example) {
    const { training: { model, theta, data, options, losses, epoch }, shown, network: { sizes } } = this;
    this.value = model.loss(theta, options);
    this.gradient = Float64Array.from(model.gradient);
    this.activations = model.activations(theta, [data.rows[example]])[0];
    const of = (numbers, places) => [places.map(k => numbers[k])];
    Object.assign(shown, {
      weights: of(theta, this.ofWeight), biases: of(theta, this.ofBias), weight_gradients: of(this.gradient, this.ofWeight),
      bias_gradients: of(this.gradient, this.ofBias), activations: [[...data.rows[example], ...this.activations]],
    });
    let at = 0;
    shown.reaches = { weight: largestFinite(shown.weights[0]),
      activations: sizes.map(size => largestFinite(shown.activations[0].slice(at, at += size))) };
    this.lines.show(0);
    this.reach.textContent = shown.weights[0].some(isFinite) ? `widest line: |w| = ${format(shown.reaches.weight, 3)}`
      : "no w is a finite number";
    this.loss.show(losses, epoch);
    this.surface.frame(model.outputs(theta, this.surface.grid));
    this.regions.show(0);
    this.surface.choose(example);
  }
}

// What a reader should know of a training: how good it is, and what goes wrong, in words.
function inShort(training, figure) {
  const { data, model, theta, epoch, at, failed, settings } = training, said = [];
  if (failed) said.push(`Stopped in epoch ${epoch + 1}: ${failed}. The learning rate (${settings.lr}) is probably too large: make it smaller and press Reset.`);
  else said.push(`${epoch === 0 && at === 0 ? "Before the training" : `Epoch ${epoch.toLocaleString("en")}${at ? ` and ${at} examples` : ""}`}: loss ${format(figure.value, 4)}`);
  if (data.task !== "numbers" && !failed) {
    const right = model.outputs(theta, data.rows).reduce((sum, row, i) =>
      sum + ((row.length > 1 ? row.indexOf(Math.max(...row)) : Number(row[0] > 0)) === data.targets[i]), 0);
    said.push(`${right} of ${data.rows.length} examples right`);
  }
  return said.join(", ");
}

// Gradients that fade on their way back, or a loss that grows, in words; else "".
function warning({ network: { sizes, names }, losses, failed }, { gradient }) {
  if (failed) return "";
  if (losses.length > 2 && losses.at(-1) > 10 * losses[0])
    return `The loss has grown from ${format(losses[0], 3)} to ${format(losses.at(-1), 3)}: the steps are too long. A smaller learning rate helps.`;
  const largest = Array(sizes.length - 1).fill(0);
  let k = 0;
  for (let layer = 1; layer < sizes.length; layer++)
    for (const end = k + (sizes[layer - 1] + 1) * sizes[layer]; k < end; k++) largest[layer - 1] = Math.max(largest[layer - 1], Math.abs(gradient[k]));
  const last = largest.at(-1);
  if (largest.length > 1 && last > 1e-3 && largest[0] < 1e-3 * last)
    return `Vanishing gradients: at most ${format(largest[0], 2)} in layer 1, up to ${format(last, 2)} in the last one. Layer 1 hardly learns; another activation or fewer layers help.`;
  return "";
}
