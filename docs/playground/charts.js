// The two panels that depend on the data: the loss by epoch, and the boundary or the curve with the examples. They have
// the classes that watch.js looks for, and look as those that Python draws for `watch`.

const [WIDTH, CURVES_HEIGHT, SURFACE_WIDTH] = [880, 200, 290], SIDE = 40, CURVE = 80, MOST_POINTS = 300;
const ON_REGIONS = "#111111", CURVE_DASHES = [null, "6 3", "2 2", "8 3 2 3"];
const SHAPES = ["M-4 0A4 4 0 1 1 4 0A4 4 0 1 1 -4 0Z", "M-3.6 -3.6H3.6V3.6H-3.6Z", "M0 -5L4.6 3.4H-4.6Z", "M0 -5L5 0L0 5L-5 0Z",
  "M0 5L4.6 -3.4H-4.6Z", "M-1.6 -4.6H1.6V-1.6H4.6V1.6H1.6V4.6H-1.6V1.6H-4.6V-1.6H-1.6Z"];

// An element of a drawing.
function s(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) if (value != null) element.setAttribute(name, value);
  element.append(...children.flat(Infinity));
  return element;
}

const place = x => String(Math.round(10 * x) / 10);
const words = (text, x, y, anchor = "start", size = 11, more = {}) =>
  s("text", { x: place(x), y: place(y), "font-size": size, "text-anchor": anchor, class: "am-ink", ...more }, text);

// Round numbers inside an interval.
function ticks(low, high, most = 5) {
  const rough = (high - low) / most, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(f => f * power).find(f => f >= rough * 0.999);
  const first = Math.ceil(low / step - 1e-9), last = Math.floor(high / step + 1e-9), found = [];
  for (let i = first; i <= last; i++) found.push(Number((i * step).toPrecision(12)));
  return found;
}

function spread(count, most) {
  if (count <= most) return Array.from({ length: count }, (_, i) => i);
  return Array.from({ length: most }, (_, i) => Math.round(i * (count - 1) / (most - 1)));
}

function padded(numbers, share = 0.12) {
  let [low, high] = [Infinity, -Infinity];
  for (const x of numbers) { low = Math.min(low, x); high = Math.max(high, x); }
  const room = share * (high - low) || 1;
  return [low - room, high + room];
}

const panel = (title, at, [width, height], kind, ...inside) =>
  s("g", { class: `am-part ${kind}`, transform: `translate(${at})`, "data-width": width, "data-height": height },
    words(title, 0, -12, "start", 12, { "font-weight": "bold" }), ...inside);

// The loss by epoch; its axes follow what there is.
class LossPanel {
  constructor(width) {
    Object.assign(this, { left: 52, right: width - 12, inside: s("g") });
    this.element = panel("mean loss of an epoch's batches, penalty and all", "0 0", [width, CURVES_HEIGHT + 32], "am-stretched", this.inside);
  }

  show(losses, epoch) {
    const { left, right } = this, height = CURVES_HEIGHT, finite = losses.filter(isFinite), last = Math.max(epoch, 10);
    let low = Math.min(...spread(finite.length, 2000).map(i => finite[i])), high = Math.max(...spread(finite.length, 2000).map(i => finite[i]));
    if (!finite.length) [low, high] = [0, 1];
    const isLog = low > 0 && high / low > 50;
    if (isLog) [low, high] = [Math.log10(low), Math.log10(high)];
    else if (low > 0) low = 0;
    const span = high - low || Math.abs(high) || 1;
    if (low !== 0) low -= 0.04 * span;
    high += 0.06 * span;
    const x = e => left + (right - left) * e / last;
    const y = loss => height * (high - (isLog ? Math.log10(loss) : loss)) / (high - low);
    const levels = !isLog ? ticks(low, high) : ticks(low, high).filter(Number.isInteger).map(e => 10 ** e);
    const parts = [s("path", { d: `M${left} 0V${height}H${right}`, fill: "none", stroke: COLOURS.LINE })];
    for (const level of levels.length > 1 || !isLog ? levels : [10 ** low, 10 ** high].map(l => Number(l.toPrecision(1)))) {
      const up = y(level);
      if (!(up >= 0 && up <= height)) continue;
      parts.push(s("path", { d: `M${left} ${place(up)}H${right}`, stroke: COLOURS.LINE, "stroke-opacity": 0.3 }),
        words(format(level, 3), left - 6, up + 3.5, "end"));
    }
    for (const e of ticks(0, last, 6)) if (Number.isInteger(e)) parts.push(words(e.toLocaleString("en"), x(e), height + 14, "middle"));
    parts.push(words("epoch", (left + right) / 2, height + 29, "middle"));
    const points = spread(losses.length, 400).filter(i => isFinite(losses[i]) && (!isLog || losses[i] > 0))
      .map(i => `${place(x(i + 1))},${place(y(losses[i]))}`);
    parts.push(s("polyline", { points: points.join(" "), fill: "none", stroke: COLOURS.POSITIVE, "stroke-width": 2 }));
    if (points.length) {
      const [cx, cy] = points.at(-1).split(",");
      parts.push(s("circle", { cx, cy, r: 4, fill: COLOURS.POSITIVE }));
    }
    this.inside.replaceChildren(...parts);
  }
}

// What the model says over two of the features, the others at their means; over one feature its curve.
class SurfacePanel {
  // `axes`: which features are on the axes.
  constructor(data, sizes, axes) {
    const isCurve = sizes[0] === 1, several = sizes.at(-1) > 1;
    const { rows, targets, task } = data, [across, up] = axes;
    Object.assign(this, { data, axes, isCurve, several, left: 44, right: SURFACE_WIDTH - 6, height: CURVES_HEIGHT });
    this.xs = padded(rows.map(row => row[across]));
    this.ys = padded(isCurve ? targets : rows.map(row => row[up]));
    const means = rows[0].map((_, j) => rows.reduce((sum, row) => sum + row[j], 0) / rows.length);
    const [low, high] = padded(targets, 0);
    [this.middle, this.reach] = task === "numbers" ? [(low + high) / 2, (high - low) / 2 || 1] : [0, 3];
    this.isDecision = task === "two classes";
    const steps = isCurve ? CURVE : SIDE;
    const at = ([from, to], k) => isCurve ? from + (to - from) * k / (CURVE - 1) : from + (to - from) * (k + 0.5) / SIDE;
    const point = (x, y) => means.map((mean, j) => j === across ? x : j === up ? y : mean);
    this.grid = Array.from({ length: isCurve ? CURVE : SIDE * SIDE }, (_, k) => isCurve ? [at(this.xs, k)]
      : point(at(this.xs, k % steps), at(this.ys, Math.floor(k / steps))));
    this.shown = { kind: isCurve ? "curve" : several ? "classes" : "score", side: SIDE, ranges: [this.xs, this.ys],
      palette: several ? [COLOURS.NOT_A_NUMBER, ...AREAS] : PALETTE, middle: this.middle, reach: this.reach, paths: [], shades: [] };
    this.element = this._drawn();
  }

  x(feature) { return this.left + (this.right - this.left) * (feature - this.xs[0]) / (this.xs[1] - this.xs[0]); }
  y(number) { return this.height * (this.ys[1] - number) / (this.ys[1] - this.ys[0]); }

  _drawn() {
    const { data, left, right, height, isCurve, isDecision, several, axes } = this, room = { x: left, y: 0, width: right - left, height };
    const title = isCurve ? "the model's curve, with the examples" : isDecision || several ? data.names.length > 2 ? "decision boundary" : "decision boundary, with the examples"
      : `output from ${format(this.middle - this.reach, 3)} (orange) to ${format(this.middle + this.reach, 3)} (blue)`;
    const held = data.names.length > 2 ? "; other inputs at their means" : "";
    const line = { stroke: ON_REGIONS, "stroke-width": 1.6, fill: "none" };
    const what = isCurve ? Array.from({ length: several ? data.classes.length : 1 }, (_, k) => s("path", { class: "am-curve", fill: "none",
      stroke: COLOURS.NEGATIVE, "stroke-width": 2.5, "stroke-dasharray": CURVE_DASHES[k % 4] }))
      : [s("image", { class: "am-regions", ...room, preserveAspectRatio: "none", opacity: 0.6, "image-rendering": several ? "pixelated" : "auto" }),
        s("path", { class: "am-boundary", ...line })];
    this.ring = s("circle", { r: 8, fill: "none", "stroke-width": 2, ...(isCurve ? { class: "am-chosen" } : { stroke: ON_REGIONS }) });
    const box = s("g", { class: "am-surface" }, s("rect", { ...room, fill: isCurve ? "none" : COLOURS.ZERO, stroke: COLOURS.LINE }),
      s("svg", { ...room, viewBox: `${left} 0 ${right - left} ${height}` },
        isCurve ? [...this._points(), ...what] : [...what, ...this._points()], this.ring));
    const names = [data.names[axes[0]], isCurve ? data.target ?? "y" : data.names[axes[1]]];
    const named = [words(names[0], left + (right - left) / 2, height + 29, "middle"),
      words(names[1], left - 36, height / 2, "middle", 11, { transform: `rotate(-90 ${left - 36} ${height / 2})` })];
    const marks = [...ticks(...this.xs, 4).map(x => words(format(x, 3), this.x(x), height + 14, "middle")),
      ...ticks(...this.ys, 4).map(y => words(format(y, 3), left - 6, this.y(y) + 3.5, "end"))];
    return panel(title + held, "0 0", [SURFACE_WIDTH, height + 32], "", box, marks, named);
  }

  placeOf(i) {
    const { data, axes, isCurve } = this;
    return [this.x(data.rows[i][axes[0]]), this.y(isCurve ? data.targets[i] : data.rows[i][axes[1]])];
  }

  _points() {
    const { data, isCurve, several, isDecision } = this;
    this.drawnPoints = spread(data.rows.length, MOST_POINTS);
    return this.drawnPoints.map(i => {
      const target = data.targets[i], isClass = several || isDecision;
      const colour = isCurve && !isClass ? COLOURS.POSITIVE : isClass ? AREAS[target % AREAS.length] : diverging(target - this.middle, this.reach);
      return s("path", { d: SHAPES[isClass ? target % SHAPES.length : 0], transform: `translate(${this.placeOf(i).map(place).join(" ")})`,
        fill: colour, stroke: "#fff", "stroke-width": 1.2 });
    });
  }

  choose(i) {
    const [cx, cy] = this.placeOf(i);
    this.ring.setAttribute("cx", place(cx));
    this.ring.setAttribute("cy", place(cy));
  }

  // The number of the example that is drawn nearest to a place, no farther than a finger is wide.
  near(x, y) {
    let best = 14, found = -1;
    for (const i of this.drawnPoints) {
      const [px, py] = this.placeOf(i), away = Math.hypot(px - x, py - y);
      if (away < best) [best, found] = [away, i];
    }
    return found;
  }

  // The outputs over the grid as watch.js's Surface takes them.
  frame(outputs) {
    const { shown, several, middle, reach } = this;
    if (this.isCurve) {
      const columns = outputs[0].map((_, k) => outputs.map(row => row[k]));
      shown.paths = [columns.map(column => this._curve(column))];
      return;
    }
    const shades = outputs.map(row => !row.every(isFinite) ? 0 : several ? 1 + row.indexOf(Math.max(...row)) % AREAS.length
      : SHADES + 1 + Math.round(SHADES * Math.max(-1, Math.min(1, (row[0] - middle) / reach))));
    shown.shades = [shades];
    const heights = outputs.map(row => isFinite(row[0]) ? row[0] : -1);
    shown.paths = [[this.isDecision ? this._boundary(heights) : ""]];
  }

  _curve(column) {
    let path = "", pen = "M";
    column.forEach((output, k) => {
      if (isFinite(output)) path += `${pen}${place(this.x(this.grid[k][0]))} ${place(Math.min(Math.max(this.y(output), -1e4), 1e4))}`;
      pen = isFinite(output) ? "L" : "M";
    });
    return path;
  }

  // Where a surface of triangles, two in each square of the grid, has the height 0.
  _boundary(heights) {
    const [wide, high] = [(this.right - this.left) / SIDE, this.height / SIDE], parts = [];
    const at = (column, row) => [this.left + wide * (column + 0.5), this.height - high * (row + 0.5), heights[row * SIDE + column]];
    for (let row = 0; row + 1 < SIDE; row++) for (let column = 0; column + 1 < SIDE; column++)
      for (const third of [[1, 0], [0, 1]]) {
        const corners = [at(column, row), at(column + third[0], row + third[1]), at(column + 1, row + 1)], ends = [];
        corners.forEach(([x1, y1, p], k) => {
          const [x2, y2, q] = corners[(k + 1) % 3];
          if ((p >= 0) !== (q >= 0)) ends.push(`${place(x1 + p / (p - q) * (x2 - x1))} ${place(y1 + p / (p - q) * (y2 - y1))}`);
        });
        if (ends.length === 2) parts.push(`M${ends[0]}L${ends[1]}`);
      }
    return parts.join("");
  }
}
