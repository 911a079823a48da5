// An exercise: the stepper stops at what is asked until the reader has filled it in, or has no try left.

// What Python's `masked` made, given back.
function unmasked({ key, masked }) {
  const bytes = Uint8Array.from(atob(masked), sign => sign.charCodeAt(0));
  let state = key;
  for (let k = 0; k < bytes.length; k++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[k] ^= state >>> 8 & 255;
  }
  return JSON.parse(new TextDecoder().decode(bytes));
}

// The grammar of mistakes.py: a number, or an expression made of numbers.
const SPELLINGS = { "−": "-", "–": "-", "‐": "-", "·": "*", "×": "*", "⋅": "*", "÷": "/", ":": "/", ",": ".", "²": "^2",
  "³": "^3", "π": "pi", "σ": "sigmoid", "√": "sqrt", "[": "(", "]": ")", "′": "'" };
const TOKEN = /[ \t\n\r\u00a0\u202f]*((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[-+]?[0-9]+)?|\*\*|[-+*/^()]|[a-z]+)/y;
const NAMED_NUMBERS = { pi: Math.PI, e: Math.E }, OF_ONE = "exp log sqrt sin cos tan sinh cosh tanh sigmoid abs".split(" ");
const LONGEST_ANSWER = 200;

class AnswerError extends Error {}

function numberOf(text) {
  const tidy = [...text.toLowerCase()].map(sign => SPELLINGS[sign] ?? sign).join("").trim(), tokens = [];
  const fail = words => { throw new AnswerError(words); };
  if (!tidy) fail("type a number, such as -0.5 or 1/3");
  if (tidy.length > LONGEST_ANSWER) fail(`an answer has at most ${LONGEST_ANSWER} characters`);
  for (TOKEN.lastIndex = 0; TOKEN.lastIndex < tidy.length;) {
    const at = TOKEN.lastIndex, found = TOKEN.exec(tidy);
    if (!found) fail(`can't read '${tidy.slice(at).trim().slice(0, 20)}'; type a number, or as 3*2 or 1/3`);
    tokens.unshift(found[1]);
  }
  const next = (...wanted) => wanted.includes(tokens[tokens.length - 1]) ? tokens.pop() : "";
  const sum = () => {
    let found = product(), sign;
    while (sign = next("+", "-")) found = sign === "+" ? found + product() : found - product();
    return found;
  };
  const product = () => {
    let found = signed(), sign;
    while (sign = next("*", "/")) found = sign === "*" ? found * signed() : found / signed();
    return found;
  };
  const signed = () => {
    const sign = next("+", "-");
    if (sign) return sign === "+" ? signed() : -signed();
    const base = atom();
    return next("^", "**") ? base ** signed() : base;
  };
  const atom = () => {
    const token = tokens.pop() || "", name = token === "ln" ? "log" : token;
    if (/^[0-9.]/.test(token)) return Number(token);
    if (Object.hasOwn(NAMED_NUMBERS, token)) return NAMED_NUMBERS[token];
    if (OF_ONE.includes(name) || token === "(") {
      if (token !== "(" && !next("(")) fail(`${token} needs brackets, as in ${token}(0.5)`);
      const found = sum();
      if (!next(")")) fail("a bracket isn't closed");
      return token === "(" ? found : FUNCTIONS[name](found);
    }
    if (/^[a-z]/.test(token)) fail(`unknown name '${token}': put in its number`);
    return fail(token ? `a number is missing before '${token}'` : "a number is missing at the end");
  };
  const found = sum();
  if (tokens.length) fail(`can't read '${tokens.pop()}' after a number; write a product with *, as in 3*2`);
  if (!isFinite(found)) fail(`${text.trim()} isn't a finite number`);
  return found;
}

class Questions extends Prediction {
  constructor(stepper) {
    super(stepper);
    const { steps } = stepper.times.node, { exercise } = stepper.payload;
    Object.assign(this, exercise);
    this.button.hidden = true;
    this.score.classList.add("am-code");
    for (const asked of this.questions) {
      const pass = asked.slot === null ? "backward" : "forward";
      Object.assign(asked, { step: 1 + steps.findIndex(step => step.pass === pass && step.node === asked.node), used: 0, isDone: false });
    }
    this._showScore();
  }

  get open() { return this.questions.filter(asked => !asked.isDone); }
  get limit() { return Math.min(...this.open.map(asked => asked.step)) - 1; }
  isOpen(v, slot) { return this.open.some(asked => asked.node === v && asked.slot === slot); }

  _showScore() {
    if (!this.questions) return;
    const all = this.questions.length, done = all - this.open.length, score = `${this.right} of ${all} right`;
    this.score.textContent = done < all ? `${score}, ${all - done} to come` : `Finished: ${score}. Code: ${this.codes[this.right]}`;
  }

  ask(next) {
    const { stepper } = this, { formulas } = stepper, now = this.open.find(asked => asked.step === next);
    Object.assign(this, { next, now });
    this.verdict.textContent = "";
    const { node, slot, used } = now, symbol = slot === null ? formulas.gradientOf(node) : formulas.local(node, slot);
    const left = h("span", { class: "am-full" });
    this.left = left;
    this._showTries();
    const name = `question ${1 + this.questions.indexOf(now)} of ${this.questions.length}: ${textOf(symbol)}`;
    this.input = h("input", { type: "text", autocomplete: "off", spellcheck: "false", size: 14, "aria-label": name });
    this.form.replaceChildren(h("label", {}, "Your turn: ", symbol, " = ", this.input), button("Check", { type: "submit" }),
      button("Give up", { "data-do": "give-up", onclick: () => this._close(false, "") }), left);
    this.form.hidden = false;
    stepper.show();
    this.input.focus({ preventScroll: true });
  }

  _showTries() { this.left.textContent = `try ${this.now.used + 1} of ${this.tries}`; }

  _judge() {
    const { now } = this;
    let answer;
    try {
      answer = numberOf(this.input.value);
    } catch (error) {
      if (!(error instanceof AnswerError)) throw error;
      this._complain("am-hint", `${error.message[0].toUpperCase()}${error.message.slice(1)}.`);
      return;
    }
    if (Math.abs(answer - now.number) <= now.margin) {
      this._close(true, "");
      return;
    }
    const cause = now.mistakes.find(([wrong]) => Math.abs(answer - wrong) <= this.tolerance * Math.abs(wrong));
    const sentence = cause ? cause[1] : this.unknown;
    now.used += 1;
    if (now.used >= this.tries) {
      this._close(false, sentence + " ");
      return;
    }
    this._showTries();
    this._complain("am-wrong-answer", `✗ ${sentence}`);
  }

  // Say something about what was typed, and let it be typed again.
  _complain(kind, text) {
    this._say(kind, text);
    this.input.select();
    this.input.focus({ preventScroll: true });
  }

  // A question is done: the number is known from now on.
  _close(isRight, sentence) {
    const { now, next, stepper } = this;
    now.isDone = true;
    this.right += isRight;
    this._showScore();
    const again = this.open.some(asked => asked.step === next);
    if (again) this.ask(next);
    else stepper.goTo(next);
    const is = `it is ${format(now.number)}.`;
    if (isRight) this._say("am-right-answer", `✓ Right: ${is}`);
    else this._say("am-wrong-answer", `✗ ${sentence}${is[0].toUpperCase()}${is.slice(1)}`);
    if (!this.open.length) stepper.finish();
    if (!again) stepper.element.focus({ preventScroll: true });
  }
}

class ExerciseStepper extends Stepper {
  _build() {
    super._build();
    this.grainChoice.hidden = true;
    if (this.whatIf) this.whatIf.element.hidden = true;
  }

  _asking() { return new Questions(this); }

  // When all is filled in, the page is as any other.
  finish() {
    if (this.whatIf) this.whatIf.element.hidden = false;
    this.situation = "";
    this._arrange();
    this.live.textContent = `${this.prediction.score.textContent} ${this.live.textContent}`;
  }

  forward() {
    if (this.asking) this.prediction.input.focus();
    else if (this.step >= this.prediction.limit) this.prediction.open.length && this.prediction.ask(this.prediction.limit + 1);
    else super.forward();
  }

  goTo(k) {
    const { limit } = this.prediction;
    super.goTo(Math.min(k, limit));
    if (k > limit && this.element.contains(document.activeElement)) this.prediction.ask(limit + 1);
  }

  // A card would tell what is asked; there are none until all is filled in.
  select(id) {
    if (!id || !this.prediction.open.length) super.select(id);
    else this.prediction._say("am-hint", "Cards open when all is filled in. Step on with →.");
  }

  _formula(step) {
    if (!step || !this.asking) return super._formula(step);
    const { run, formulas } = this, { node } = step, known = this._asked(node).filter(edge => !this.prediction.isOpen(...edge));
    if (step.pass === "forward") return [formulaRows(formulas.forward(run, node)), formulas.localLines(run, known, { most: 4 })];
    return [formulaRows(formulas.backward(run, node, step.edges, true)), formulas.localLines(run, step.edges)];
  }

  _caption(step) {
    if (!step) return "Step forward with →. Where a number is asked for, type it, or an expression such as 3*2 or 1-0.6^2; Enter checks it.";
    if (!this.asking || step.pass !== "forward") return super._caption(step);
    return `Forward pass: ${this.formulas.names[step.node]} is computed. Its local derivatives are asked for.`;
  }
}

const exerciseOf = (element, data) =>
  new ExerciseStepper(element, { ...unmasked(data), step: data.step, joined: data.joined });
