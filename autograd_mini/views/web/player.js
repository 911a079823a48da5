// The controls that move through what is shown, the same in every page: buttons, slider, speed and keys.

const ICONS = {
  first: "M3 2h2v12H3zM14 2v12L6 8z", last: "M11 2h2v12h-2zM2 2v12l8-6z",
  back: "M10.5 2 12 3.5 7.5 8l4.5 4.5-1.5 1.5-6-6z", forward: "M5.5 2 4 3.5 8.5 8 4 12.5 5.5 14l6-6z",
  play: "M4 2v12l9-6z", pause: "M3 2h4v12H3zM9 2h4v12H9z",
};
const TITLES = {
  first: "to the start (Home)", back: "one step back (←)", play: "play or pause (space)",
  forward: "one step forward (→)", last: "to the end (End)",
};
const KEYS = { ArrowRight: "forward", ArrowLeft: "back", Home: "first", End: "last", " ": "play" };
const SPEEDS = [[0.5, "½×"], [1, "1×"], [2, "2×"], [4, "4×"]];

const icon = name =>
  h("svg", { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" }, h("path", { d: ICONS[name] }));

class Player {
  // `shown` is what is moved: it has `step` and `end`, `goTo(k)`, `slideTo(k)`, `forward()` and `back()`; while it is
  // `asking` it waits for the reader, and it may want to hear whether it is `playing`. A step lasts so many `seconds` at
  // speed 1; `keys` are further keys, each with how many steps it goes.
  constructor(shown, { noun, seconds, keys = {} }) {
    Object.assign(this, { shown, seconds, keys: { ...KEYS, ...keys }, timer: null });
    this.slider = h("input", { type: "range", min: 0, step: 1, class: "am-slider", "aria-label": noun,
      oninput: () => shown.slideTo(Number(this.slider.value)) });
    const buttons = Object.entries(TITLES).map(([name, title]) =>
      button(icon(name), { title, "aria-label": title, "data-do": name, onclick: () => this.act(name) }));
    this.playButton = buttons[2];
    this.playButton.setAttribute("aria-pressed", "false");
    this.speed = choice("speed", SPEEDS, 1, () => {});
    this.element = h("div", { class: "am-bar" }, h("span", { class: "am-group" }, buttons), this.slider);
  }

  act(name) {
    const { shown, timer } = this;
    this.pause();
    if (name === "play") timer || this.play();
    else if (name === "first") shown.goTo(0);
    else if (name === "last") shown.goTo(shown.end);
    else if (name === "forward" || name === "back") shown[name]();
    else shown.goTo(shown.step + name);
  }

  play() {
    const { shown } = this;
    if (shown.step >= shown.end) shown.goTo(0);
    const wait = () => {
      this.timer = setTimeout(tick, 1000 * this.seconds / Number(this.speed.querySelector("select").value));
    };
    const tick = () => {
      if (this.element.isConnected) shown.forward();
      if (!this.element.isConnected || shown.asking || shown.step >= shown.end) this.pause();
      else wait();
    };
    if (!shown.asking) wait();
    this._showPlaying();
  }

  pause() {
    clearTimeout(this.timer);
    this.timer = null;
    this._showPlaying();
  }

  _showPlaying() {
    this.playButton.replaceChildren(icon(this.timer ? "pause" : "play"));
    this.playButton.setAttribute("aria-pressed", String(Boolean(this.timer)));
    this.shown.playing?.(Boolean(this.timer));
  }

  // Say where we are: `words` is what the slider reads aloud.
  show(step, count, words) {
    Object.assign(this.slider, { max: count, value: step });
    if (words) this.slider.setAttribute("aria-valuetext", words);
  }

  // Do what a key stands for, and keep it from the page around; a field, a menu, a button or what scrolls has its own
  // use of it.
  onKey(event) {
    const [target] = event.composedPath(), tag = target.tagName, action = this.keys[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey || action === undefined) return;
    event.stopPropagation();
    if (tag === "SELECT" || tag === "INPUT" || event.key === " " && (tag === "BUTTON" || tag === "SUMMARY")
      || /Up|Down/.test(event.key) && tag === "DIV" && scrolls(target)) return;
    this.act(action);
    event.preventDefault();
  }
}
