// Predicting: the reader works out the next gradient before it is shown, and is told right or wrong.

const TOLERANCE = 1e-2;
const SPECIAL = { nan: NaN, inf: Infinity, "-inf": -Infinity };

// A typed number: a decimal point or comma, a fraction such as 1/3, a proper minus sign; undefined if it is none.
function typedNumber(text) {
  const tidy = text.trim().replace(/[−–]/g, "-").replace(",", ".").toLowerCase();
  if (tidy in SPECIAL) return SPECIAL[tidy];
  const match = tidy.match(/^([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)(?:\s*\/\s*([-+]?(?:\d+\.?\d*|\.\d+)))?$/);
  return match ? Number(match[1]) / (match[2] === undefined ? 1 : Number(match[2])) : undefined;
}

const isRight = (answer, truth) => Object.is(answer, truth)
  || isFinite(truth) && Math.abs(answer - truth) <= TOLERANCE * Math.abs(truth) + 1e-12;

class Prediction {
  constructor(stepper) {
    this.stepper = stepper;
    this.right = this.asked = this.next = 0;  // `next` is the step that is asked for; 0 while none is
    this.button = button("Predict", { "aria-pressed": "false", "data-do": "predict",
      title: "work out each gradient before it is shown", onclick: () => this.turn(!this.on) });
    this.score = h("output", { class: "am-score" });
    this.form = h("form", {
      class: "am-question", hidden: true,
      onsubmit: event => { event.preventDefault(); this._judge(); },
    });
    this.verdict = h("p", { class: "am-verdict" });
  }

  turn(on) {
    this.on = on;
    this.button.setAttribute("aria-pressed", String(on));
    this._showScore();
    this.stepper.player.pause();
    if (this.next) this.stepper.goTo(this.stepper.step);
  }

  _showScore() {
    this.score.textContent = this.on || this.asked ? `${this.right} of ${this.asked} right` : "";
  }

  ask(next) {
    const { stepper } = this, { formulas } = stepper, { node, edges } = stepper.time.steps[next - 1];
    this.next = next;
    this.verdict.textContent = "";
    this.input = h("input", { type: "text", autocomplete: "off", size: 10, "aria-label": "your answer" });
    const asked = stepper.grain === "node" ? formulas.gradientOf(node) : formulas.term(...edges[0]);
    this.form.replaceChildren(
      h("label", {}, "Your turn: ", asked, " = ", this.input), button("Check", { type: "submit" }),
      button("Show me", { onclick: () => stepper.goTo(next) }));
    this.form.hidden = false;
    stepper.show();
    this.input.focus({ preventScroll: true });
  }

  leave() {
    this.next = 0;
    this.form.hidden = true;
    this.verdict.textContent = "";
  }

  _judge() {
    const { stepper, next } = this, answer = typedNumber(this.input.value);
    if (answer === undefined) {
      this._say("am-hint", "Type a number, such as -0.5 or 1/3.");
      return;
    }
    const { node, edges } = stepper.time.steps[next - 1], [v, slot] = edges[0], { run } = stepper;
    const truth = stepper.grain === "node" ? run.gradients[node] : run.products[v][slot];
    const right = isRight(answer, truth), is = `it is ${format(truth)}.`;
    this.asked += 1;
    this.right += right;
    this._showScore();
    stepper.goTo(next);
    if (right) this._say("am-right-answer", `✓ Right: ${is}`);
    else this._say("am-wrong-answer", `✗ Not quite: you said ${format(answer)}, ${is}`);
    stepper.element.focus({ preventScroll: true });
  }

  _say(kind, text) {
    this.verdict.className = `am-verdict ${kind}`;
    this.verdict.textContent = text;
    this.stepper.live.textContent = `${text} ${this.stepper.live.textContent}`;
  }
}
