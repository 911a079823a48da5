// A watched training: the figure that Python drew. A frame changes colours, widths and texts of what is there.

const SECONDS = 0.12;  // a frame, at speed 1
const MORE_KEYS = { ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10 };
const TWO_COLUMNS = 640, BETWEEN = 20, TITLE = 26, BELOW = 24, ROOM_FOR_LABELS = 0.95;  // in pixels; a share
const SHADES = 127;  // on each side of the boundary

const LEGEND = [
  "Lines: weights, and on the right the gradient on each of them. The wider, the larger; orange and dashed below zero, blue above.",
  "Circles: the activations of one example, and on the right the gradient on each neuron's bias.",
  "Under the mouse: what is there, with its numbers.",
  "Keys: ← → or ↓ ↑ step, PageUp and PageDown ten frames, Home, End, space plays.",
];

const inWords = numbers => numbers.map(x => format(number(x), 4)).join(", ");

// The network twice, with weights and with gradients.
class Network {
  constructor(svg, data) {
    this.data = data;
    this.pictures = [...svg.querySelectorAll(".am-weights, .am-gradients")].map(group => ({
      group, lines: [...group.querySelectorAll("line")],
      labels: [...group.querySelectorAll(".am-label")], circles: [...group.querySelectorAll("circle")],
    }));
    this.widest = svg.querySelector(".am-widest");
    const { sizes } = data;
    this.columnOf = sizes.flatMap((size, column) => Array(size).fill(column));
    this.ends = [];
    for (let layer = 1; layer < sizes.length; layer++)
      for (let j = 0; j < sizes[layer]; j++) for (let i = 0; i < sizes[layer - 1]; i++) this.ends.push([layer, j, i]);
  }

  show(frame) {
    const { reaches, sizes } = this.data, [left, right] = this.pictures;
    const read = name => this.data[name][frame].map(number);
    Object.assign(this, { weights: read("weights"), biases: read("biases"), activations: read("activations"),
      weightGradients: read("weight_gradients"), biasGradients: read("bias_gradients") });
    this._paint(left, this.weights, reaches.weight, this.activations, k => reaches.activations[this.columnOf[k]]);
    if (!right) return;
    const widest = largestFinite(this.weightGradients), fullest = largestFinite(this.biasGradients);
    this._paint(right, this.weightGradients, widest, [...Array(sizes[0]), ...this.biasGradients], () => fullest);
    this.widest.textContent = this.weightGradients.some(isFinite) ? `widest line: |∂L/∂w| = ${format(widest, 3)}`
      : "no ∂L/∂w is a finite number";
  }

  _paint({ lines, labels, circles }, numbers, widest, fillings, reach) {
    lines.forEach((line, k) => this._paintLine(line, numbers[k], widest));
    labels.forEach((label, k) => { label.textContent = short(numbers[k]); });
    circles.forEach((circle, k) => {
      if (fillings[k] === undefined) return;
      const colour = diverging(fillings[k], reach(k)), words = circle.nextElementSibling;
      circle.setAttribute("fill", colour);
      if (!words?.classList.contains("am-number")) return;
      words.textContent = short(fillings[k]);
      words.setAttribute("fill", inkOn(colour));
    });
  }

  _paintLine(line, x, largest) {
    const { thinnest, widest, faintest, dashes } = this.data.look;
    const share = !isFinite(x) ? 1 : largest ? Math.min(Math.abs(x) / largest, 1) : 0;
    const { NOT_A_NUMBER, LINE, NEGATIVE, POSITIVE } = COLOURS;
    line.setAttribute("stroke", x !== x ? NOT_A_NUMBER : x < 0 ? NEGATIVE : x > 0 ? POSITIVE : LINE);
    line.setAttribute("stroke-width", (thinnest + (widest - thinnest) * share).toFixed(2));
    line.setAttribute("stroke-opacity", (faintest + (1 - faintest) * share).toFixed(2));
    if (x < 0) line.setAttribute("stroke-dasharray", dashes);
    else line.removeAttribute("stroke-dasharray");
  }

  // -------------------------------------------------------------------------------------------- in words

  // Counted from 1, as everywhere: layer above, neuron and input below.
  unit(column, k) { return column === 0 ? `x${k + 1}` : `neuron ${k + 1} of layer ${column}`; }
  place(k) { return [this.columnOf[k], k - this.columnOf.indexOf(this.columnOf[k])]; }
  circle(k) { return this.unit(...this.place(k)); }

  line(k) {
    const [layer, j, i] = this.ends[k];
    return `${scripted("w", layer, j + 1, i + 1)} (${this.unit(layer - 1, i)} → ${this.unit(layer, j)})`;
  }

  _lineInWords(k) { return withGradient(this.line(k), this.weights[k], this.weightGradients[k]); }

  _circleInWords(k) {
    const bias = k - this.data.sizes[0], words = [];
    if (this.activations.length) words.push(`activation ${format(this.activations[k], 4)}`);
    if (bias >= 0) words.push(withGradient("bias", this.biases[bias], this.biasGradients[bias]));
    return this.circle(k) + (words.length ? ": " : "") + words.join("; ");
  }

  // What is near a point, given by its place in any element, and no farther than `reach` from the middle of a line: its
  // elements in both pictures, and its numbers in words.
  near(placeIn, reach) {
    for (const { group, lines, circles } of this.pictures) {
      const { x: px, y: py } = placeIn(group), stretch = stretchOf(group.parentNode);
      // Lengths are those that are seen: the panel may be stretched from left to right.
      const of = (element, names) => names.map(name => element[name].baseVal.value * (/y|r/.test(name) ? 1 : stretch));
      const hit = circles.findIndex(circle => {
        const [cx, cy, r] = of(circle, ["cx", "cy", "r"]);
        return Math.hypot(px * stretch - cx, py - cy) <= r + 1.5;
      });
      if (hit >= 0) return { elements: this.pictures.map(p => p.circles[hit]), words: this._circleInWords(hit) };
      let best = reach, found = -1;
      lines.forEach((line, k) => {
        const [x1, y1, x2, y2] = of(line, ["x1", "y1", "x2", "y2"]), length = (x2 - x1) ** 2 + (y2 - y1) ** 2;
        const along = px * stretch - x1, t = Math.max(0, Math.min(1, (along * (x2 - x1) + (py - y1) * (y2 - y1)) / length));
        const away = Math.hypot(along - t * (x2 - x1), py - y1 - t * (y2 - y1));
        if (away < best) [best, found] = [away, k];
      });
      if (found >= 0) return { elements: this.pictures.map(p => p.lines[found]), words: this._lineInWords(found) };
    }
    return null;
  }

  // All numbers of the frame.
  table() {
    const written = x => x === undefined ? "" : format(x, 4), row = (name, x, gradient) => [name, written(x), written(gradient)];
    const called = (letter, what, k) => {
      const [column, j] = this.place(k), name = column ? `${scripted(letter, column, j + 1)} (${what} of ` : `${what} of `;
      return name + this.circle(k) + (column ? ")" : "");
    };
    return table(["", "value", "gradient"], [
      ...this.weights.map((x, k) => row(this.line(k), x, this.weightGradients[k])),
      ...this.biases.map((x, k) => row(called("b", "bias", k + this.data.sizes[0]), x, this.biasGradients[k])),
      ...this.activations.map((x, k) => row(called("a", "activation", k), x)),
    ]);
  }
}

const small = (numbers, signs) =>
  numbers.join(numbers.some(number => number > 9) ? "," : "").replace(/\d/g, digit => signs[digit]);
const scripted = (letter, above, ...below) => letter + small([above], "⁰¹²³⁴⁵⁶⁷⁸⁹") + small(below, "₀₁₂₃₄₅₆₇₈₉");

const withGradient = (name, x, gradient) =>
  `${name} = ${format(x, 4)}${gradient === undefined ? "" : `, gradient ${format(gradient, 4)}`}`;

// The regions and the boundary over two features, or the curves over one.
class Surface {
  constructor(svg, data) {
    this.data = data;
    this.paths = [...svg.querySelectorAll(".am-curve, .am-boundary")];
    this.regions = svg.querySelector(".am-regions");
    if (!this.regions) return;
    this.colours = data.palette.map(channels);
    this.canvas = h("canvas", { width: data.side, height: data.side });
  }

  show(frame) {
    const { paths, shades, side } = this.data;
    this.paths.forEach((path, k) => path.setAttribute("d", paths[frame][k]));
    if (!this.regions) return;
    this.shades = shades[frame];
    const context = this.canvas.getContext("2d"), pixels = context.createImageData(side, side);
    this.shades.forEach((shade, k) => {
      const up = (side - 1 - Math.floor(k / side)) * side + k % side;  // the first row is the lowest
      pixels.data.set([...this.colours[shade], 255], 4 * up);
    });
    context.putImageData(pixels, 0, 0);
    this.regions.setAttribute("href", this.canvas.toDataURL());
  }

  near(placeIn) {
    if (!this.regions) return null;
    const { x, y } = placeIn(this.regions);
    const { kind, side, ranges: [[xLow, xHigh], [yLow, yHigh]], middle, reach } = this.data;
    const [left, top, width, height] = ["x", "y", "width", "height"].map(name => this.regions[name].baseVal.value);
    const [right, up] = [(x - left) / width, 1 - (y - top) / height];
    if (right < 0 || right >= 1 || up < 0 || up >= 1) return null;
    const shade = this.shades[Math.floor(up * side) * side + Math.floor(right * side)], level = shade - SHADES - 1;
    const where = `x1 = ${format(xLow + right * (xHigh - xLow), 4)}, x2 = ${format(yLow + up * (yHigh - yLow), 4)}`;
    if (shade === 0) return { elements: [], words: `${where}: the output isn't finite` };
    if (kind === "classes") return { elements: [], words: `${where}: class ${shade - 1}` };
    const bound = level === SHADES ? "at least" : level === -SHADES ? "at most" : "about";
    return { elements: [], words: `${where}: output ${bound} ${format(middle + reach * level / SHADES, 2)}` };
  }
}

const stretchOf = part => Number(part.style.getPropertyValue("--stretch") || 1);

// The panels of the figure: as Python drew them where there is room for that, else one or two in a row. Their text stays
// as large as it is; a panel is stretched from left to right, or as a whole where that would change what it shows.
class Panels {
  constructor(svg) {
    const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
    svg.querySelector("text").remove();  // the words above the figure say it
    Object.assign(this, { svg, width, asDrawn: `0 24 ${width} ${height - 24}` });
    this.note = svg.querySelector(":scope > text");
    this.paragraph = h("p", { class: "am-note" });  // it says the note where there is no room for it in one line
    this.parts = [...svg.querySelectorAll(".am-part")].map(part => ({ part, drawn: part.getAttribute("transform"),
      width: Number(part.dataset.width), height: Number(part.dataset.height) }));
    this.fit(width);
  }

  fit(available) {
    const isDrawn = available >= this.width, columns = available >= TWO_COLUMNS ? 2 : 1;
    const room = (available - (columns - 1) * BETWEEN) / columns;
    let bottom = 0, row = 0;
    this.note?.classList.toggle("am-moved", !isDrawn);
    this.paragraph.textContent = this.note && !isDrawn ? this.note.textContent : "";
    this.parts.forEach(({ part, drawn, width, height }, i) => {
      const column = i % columns, stretched = part.classList.contains("am-stretched");
      const stretch = isDrawn || !stretched ? 1 : room / width, scale = isDrawn || stretched ? 1 : Math.min(room / width, 1.4);
      if (!column) row = bottom;
      part.classList.toggle("am-moved", !isDrawn);
      part.classList.toggle("am-tight", stretch < ROOM_FOR_LABELS);
      part.style.setProperty("--stretch", stretch);
      part.setAttribute("transform", isDrawn ? drawn
        : `translate(${column * (room + BETWEEN)} ${row + TITLE * scale}) scale(${stretch * scale} ${scale})`);
      bottom = Math.max(bottom, row + (TITLE + height + BELOW) * scale);
    });
    this.svg.setAttribute("viewBox", isDrawn ? this.asDrawn : `0 0 ${available} ${bottom}`);
  }
}

class Watch {
  constructor(element, data, picture) {
    const { svg } = drawn(picture);
    this.panels = new Panels(svg);
    svg.setAttribute("role", "img");
    Object.assign(this, { element, data, svg, end: data.words.length - 1 });
    this.network = data.network && new Network(svg, data.network);
    this.surface = data.surface && new Surface(svg, data.surface);
    this.cursor = svg.querySelector(".am-now");
    this.dots = ["training", "validation"].map(name => svg.querySelector(`.am-dot-${name}`));
    this.player = new Player(this, { noun: "epoch", seconds: SECONDS, keys: MORE_KEYS });
    this.words = h("p", { class: "am-words", "aria-live": "polite" });
    this.example = h("p", { class: "am-readout am-example" });
    this.readout = h("p", { class: "am-readout am-near" });
    this.table = h("div", { class: "am-table" });
    this.details = h("details", { ontoggle: () => this._fillTable() },
      h("summary", {}, "all numbers of this epoch"), this.table);
    this.figure = h("div", { class: "am-figure" }, this.panels.paragraph, svg);
    this.player.element.append(this.player.speed);
    asPage(element, "am-watch", "A training, epoch by epoch. Arrows, Home, End and space move through it.");
    const key = legend(LEGEND);
    element.replaceChildren(h("div", { class: "am-top" }, this.player.element, this.words),
      h("div", { class: "am-stage" }, this.figure, h("div", { class: "am-side" },
        this.example, this.network ? this.details : null, key)), this.readout);
    key.open = this.figure.offsetTop === this.example.offsetTop;  // where it has room beside the figure
    new ResizeObserver(() => this.panels.fit(Math.floor(this.figure.clientWidth))).observe(this.figure);
    element.addEventListener("keydown", event => this.player.onKey(event));
    for (const name of ["pointermove", "pointerdown"]) svg.addEventListener(name, event => this._point(event));
    svg.addEventListener("pointerleave", ({ pointerType }) => { if (pointerType !== "touch") this._name(null); });
    this.goTo(this.end);
  }

  forward() { this.goTo(this.step + 1); }
  back() { this.goTo(this.step - 1); }
  slideTo(k) { this.goTo(k); }

  goTo(k) {
    const { data, svg } = this, now = this.step = Math.max(0, Math.min(this.end, k)), [x, ...ys] = data.places[now];
    this.player.show(now, this.end, data.words[now]);
    this.words.textContent = data.words[now];
    svg.setAttribute("aria-label", data.words[now]);
    for (const end of ["x1", "x2"]) this.cursor.setAttribute(end, x);
    this.dots.forEach((dot, i) => {
      dot.setAttribute("visibility", ys[i] === null ? "hidden" : "visible");
      dot.setAttribute("cx", x);
      dot.setAttribute("cy", ys[i] ?? 0);
    });
    this.network?.show(now);
    this.surface?.show(now);
    if (data.example) {
      const { number, features, more, target, outputs } = data.example, others = more ? ` and ${more} more` : "";
      this.example.textContent = `example ${number}: features ${inWords(features)}${others}; ` +
        `target ${inWords(target)}; output ${inWords(outputs[now])}`;
    }
    this._fillTable();
  }

  // While it plays, a screen reader isn't told of each epoch: there may be ten in a second.
  playing(on) { this.words.setAttribute("aria-live", on ? "off" : "polite"); }

  _point({ clientX, clientY, pointerType }) {
    const placeIn = element => new DOMPoint(clientX, clientY).matrixTransform(element.getScreenCTM().inverse());
    this._name(this.network?.near(placeIn, pointerType === "touch" ? 12 : 5) ?? this.surface?.near(placeIn));
  }

  _name(found) {
    for (const hot of this.svg.querySelectorAll(".am-hot")) hot.classList.remove("am-hot");
    for (const element of found?.elements ?? []) element.classList.add("am-hot");
    this.readout.textContent = found?.words ?? "";
  }

  _fillTable() {
    if (this.details.open) this.table.replaceChildren(this.network.table());
  }
}

// Put a training into an element: its numbers, and the picture of its last frame as an SVG text.
function mount(element, data, picture) { return new Watch(element, data, picture); }
