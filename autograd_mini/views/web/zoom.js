// A drawing in a window: as large as fits, but its text no smaller than can be read; then the window shows a part of it.
//
// It is handled like a map in a page: the wheel scrolls the page, with ctrl it zooms, as two fingers do; a drag moves
// the drawing, and so does one finger from side to side.

const LEGIBLE = 1;  // the scale at which the smallest text has 11 pixels
const LARGEST = 1.6, CLOSEST = 4;  // what fits is shown no larger than the first, and magnified no more than to the second
const FACTOR = 1.25, SHIFT = 60, STILL = 4;  // of a key's zoom; pixels of a key's move; pixels that are no drag yet
const SCROLLBAR = 16;
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

class Zoom {
  constructor() {
    this.element = h("div", { class: "am-graph" });
    this.pointers = new Map();  // where those are that are down
    const by = factor => () => this.zoomTo(this.scale * factor);
    this.actions = { "+": by(FACTOR), "=": by(FACTOR), "-": by(1 / FACTOR), "0": () => this.choose(null) };
    const labelled = (text, title, onclick) => button(text, { title, "aria-label": title, onclick });
    this.buttons = h("span", { class: "am-group" },
      labelled("−", "zoom out (−)", this.actions["-"]), labelled("+", "zoom in (+; or ctrl and the wheel)", this.actions["+"]),
      labelled("Fit", "fit the whole picture into its window (0: as large as can be read)", () => this.choose(this.whole)));
    const listen = (name, method, options) => this.element.addEventListener(name, event => this[method](event), options);
    listen("wheel", "_wheel", { passive: false });
    for (const name of ["touchstart", "touchmove"]) listen(name, "_touch", { passive: false });
    listen("pointerdown", "_down");
    listen("pointermove", "_move");
    for (const name of ["pointerup", "pointercancel"]) listen(name, "_up");
    listen("click", "_click", true);
  }

  // Show another drawing, of this size.
  show(svg, width, height) {
    Object.assign(this, { svg, width, height, chosen: null });
    this.element.replaceChildren(svg);
  }

  // The scale at which all of the drawing fits into some room, and that at which it is shown there.
  fitting(width, height) { return Math.min(width / this.width, height / this.height, LARGEST); }
  legible(width, height) { return Math.max(this.fitting(width, height), LEGIBLE); }

  get whole() { return this.fitting(this.room[0], this.room[1]); }

  // Have so much room at the most. The window is as high as the drawing, and not higher when that is magnified.
  resize(width, height) {
    this.room = [width, height];
    const scale = this.legible(width, height), bar = this.width * scale > width ? SCROLLBAR : 0;
    this.windowHeight = Math.min(Math.ceil(this.height * scale) + bar, height);
    this.element.style.height = this.windowHeight + "px";
    this.choose(this.chosen);
  }

  // The reader's scale; null for that which suits the window.
  choose(scale) {
    this.zoomTo(scale ?? this.legible(...this.room));
    this.chosen = scale;
  }

  // Change the scale, and keep what is at a point of the screen, or in the middle, where it is.
  zoomTo(scale, x, y) {
    const { element, svg } = this, frame = element.getBoundingClientRect(), before = svg.getBoundingClientRect();
    x ??= (frame.left + frame.right) / 2;
    y ??= (frame.top + frame.bottom) / 2;
    this.scale = this.chosen = Math.min(Math.max(scale, Math.min(this.whole, LEGIBLE)), CLOSEST);
    svg.style.width = this.width * this.scale + "px";
    svg.style.height = this.height * this.scale + "px";
    const after = svg.getBoundingClientRect();
    if (before.width) this.moveBy(after.left - x + after.width * (x - before.left) / before.width,
      after.top - y + after.height * (y - before.top) / before.height);
    element.classList.toggle("am-movable",
      element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 1);
  }

  moveBy(right, down) {
    this.element.scrollLeft += right;
    this.element.scrollTop += down;
  }

  // Move the drawing, never the page, until these of its parts are seen: as many as there is room for, the first surely.
  bringIntoView(parts) {
    const frame = this.element.getBoundingClientRect(), gap = 12;
    const bottom = frame.top + this.element.clientHeight, [width, height] = [frame.width - 2 * gap, bottom - frame.top - 2 * gap];
    let seen;
    for (const { left, right, top, bottom: low } of parts.map(part => part.getBoundingClientRect())) {
      const all = seen ? { left: Math.min(left, seen.left), right: Math.max(right, seen.right),
        top: Math.min(top, seen.top), low: Math.max(low, seen.low) } : { left, right, top, low };
      if (!seen || all.right - all.left <= width && all.low - all.top <= height) seen = all;
    }
    const within = (start, end, first, last) =>
      start < first + gap || end > last - gap ? (start + end - first - last) / 2 : 0;
    this.moveBy(within(seen.left, seen.right, frame.left, frame.right), within(seen.top, seen.low, frame.top, bottom));
  }

  // Whether a key was one to zoom by, or with shift to move by.
  onKey(event) {
    const { tagName, type } = event.composedPath()[0];
    if (tagName === "SELECT" || tagName === "INPUT" && type !== "range") return false;
    const move = event.shiftKey && MOVES[event.key], act = this.actions[event.key];
    if (move) this.moveBy(...move.map(way => way * SHIFT));
    else if (act) act();
    else return false;
    event.preventDefault();
    return true;
  }

  _wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const turned = Math.max(-40, Math.min(40, event.deltaY * (event.deltaMode ? 16 : 1)));
    this.zoomTo(this.scale * Math.exp(-turned / 120), event.clientX, event.clientY);
  }

  // Two fingers are ours, one is the browser's: it scrolls.
  _touch(event) { if (event.touches.length > 1) event.preventDefault(); }

  _down(event) {
    if (event.button > 0) return;
    if (event.isPrimary) this.pointers.clear();
    if (!this.pointers.size) this.dragged = false;
    this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
  }

  _move(event) {
    const { pointerId, pointerType, clientX: x, clientY: y } = event, before = this.pointers.get(pointerId);
    if (!before) return;
    if (pointerType === "mouse" && !event.buttons) {  // it was let go outside
      this._up(event);
      return;
    }
    const other = [...this.pointers].find(([id]) => id !== pointerId)?.[1];
    if (other) {
      const far = ([a, b]) => Math.hypot(a - other[0], b - other[1]) || 1;
      this.dragged = true;
      this.moveBy((before[0] - x) / 2, (before[1] - y) / 2);
      this.zoomTo(this.scale * far([x, y]) / far(before), (x + other[0]) / 2, (y + other[1]) / 2);
    } else if (pointerType !== "touch") {
      if (!this.dragged && Math.hypot(x - before[0], y - before[1]) < STILL) return;
      if (!this.dragged) this.element.setPointerCapture(pointerId);
      this.dragged = true;
      this.moveBy(before[0] - x, before[1] - y);
    }
    this.pointers.set(pointerId, [x, y]);
  }

  _up(event) { this.pointers.delete(event.pointerId); }

  // The end of a drag is no click on what is below.
  _click(event) {
    if (!this.dragged) return;
    this.dragged = false;
    event.stopPropagation();
    event.preventDefault();
  }
}
