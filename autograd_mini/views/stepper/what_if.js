// What if a leaf were other: sliders that compute the graph again, and one step of gradient descent.

class WhatIf {
  constructor(stepper) {
    const { payload, graph, formulas, recorded: { values } } = stepper;
    this.stepper = stepper;
    this.updates = 0;
    const heads = ["leaf", "", "value", "Δ", `∂${formulas.root}/∂leaf · Δ`];
    this.rows = payload.whatIf.map(k => {
      const middle = isFinite(values[k]) ? Math.max(-1e300, Math.min(values[k], 1e300)) : 0;
      const span = Math.max(1, 2 * Math.abs(middle)), name = formulas.names[k], called = `value of ${name}`;
      const slider = h("input", { type: "range", min: middle - span, max: middle + span, step: "any", value: middle,
        "aria-label": called, oninput: () => this._move(k, Number(slider.value)) });
      const field = h("input", { type: "number", step: "any", "aria-label": called + ", typed",
        onchange: () => { const typed = typedNumber(field.value); if (typed !== undefined) this._move(k, typed); } });
      const [change, linear] = heads.slice(3).map(text => h("td", { "data-head": text }));
      const element = h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, slider), h("td", {}, field), change, linear);
      return { k, slider, field, change, linear, element };
    });
    this.result = h("p", { class: "am-result" });
    const head = heads.map(text => h("th", { scope: "col" }, text || unseen("slider")));
    this.rate = h("input", { type: "number", step: "any", min: 0, value: payload.lr, "aria-label": "learning rate η" });
    const thetas = payload.sgd.map(k => formulas.names[k]);
    this.element = h("div", { class: "am-what-if" },
      this.rows.length ? h("table", {}, h("tr", {}, head), this.rows.map(row => row.element)) : null,
      h("div", { class: "am-always" }, this.result, h("div", { class: "am-bar" },
        button(`θ ← θ − η ∇${formulas.root}`, { "data-do": "sgd", title: thetas.join(", "), onclick: () => this._descend() }),
        h("label", {}, " η ", this.rate), button("Reset", { "data-do": "reset", onclick: () => this._reset() }),
        h("span", { class: "am-thetas" }, ` θ: ${brief(thetas.join(", "), 60)}`))));
    this._show();
  }

  // What the sliders start from: of a graph that is older than its leaves, what it is when it is computed again.
  get run() {
    const { run, recorded, start } = this.stepper;
    return !run || run === recorded ? start : run;
  }

  _move(k, value) {
    if (this.descended) this._rebase();
    this._compute(new Map([[k, value]]));
  }

  // From here on, changes are counted from where the graph is now.
  _rebase() {
    this.stepper.base = this.run;
    this.descended = false;
  }

  _compute(leaves) {
    this.stepper.setRun(evaluate(this.stepper.graph, this.run, leaves));
    this._show();
  }

  _descend() {
    const { payload } = this.stepper, rate = Number(this.rate.value), { values, gradients } = this.run;
    this._rebase();
    this.descended = true;
    this.updates += 1;
    this._compute(new Map(payload.sgd.map(k => [k, values[k] - rate * gradients[k]])));
  }

  _reset() {
    Object.assign(this, { updates: 0, descended: false });
    this.stepper.base = this.stepper.start;
    this.stepper.setRun(this.stepper.recorded);
    this._show();
  }

  _show() {
    const { base, root, graph, formulas } = this.stepper, { run } = this;
    for (const { k, slider, field, change, linear } of this.rows) {
      const value = run.values[k], delta = Object.is(value, base.values[k]) ? 0 : value - base.values[k];
      if (value < Number(slider.min)) slider.min = value;
      if (value > Number(slider.max)) slider.max = value;
      slider.value = value;
      if (document.activeElement !== field) field.value = isFinite(value) ? format(value) : "";
      change.textContent = format(delta, 4);
      const slope = base.gradients[k], product = `${bracketed(slope, 4)}·${bracketed(delta, 4)} = ${format(slope * delta, 4)}`;
      linear.textContent = delta === 0 ? "0" : product;
    }
    const moved = graph.nodes.map((_, k) => k).filter(k => !graph.nodes[k].rule && !Object.is(run.values[k], base.values[k]));
    const predicted = moved.reduce((sum, k) => sum + base.gradients[k] * (run.values[k] - base.values[k]), 0);
    const [before, after] = [base.values[root], run.values[root]];
    const { start, recorded } = this.stepper, again = run === start && recorded.note ? ", computed again" : "";
    if (run === base) this.result.replaceChildren(`${formulas.root} = ${format(before)}${again}`);
    else this.result.replaceChildren(
      h("span", {}, `${formulas.root}: ${format(before)} → `, h("b", {}, format(after))),
      h("span", {}, `grad·Δ = ${format(predicted)}`), h("span", {}, `true change = ${format(after - before)}`),
      h("span", {}, this.updates ? `${this.updates} update${this.updates === 1 ? "" : "s"}` : ""));
  }
}
