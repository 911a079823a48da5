// The page: its fields, the training that goes on, and what is asked of Python.

const at = id => document.getElementById(id);
const FIELDS = ["data", "hidden", "activation", "optimizer", "lr", "batch", "penalty", "lambda", "seed"];
const NEW_NETWORK = new Set(["data", "hidden", "activation"]), PYTHONS = ["_web/playground_model.py"];


class Playground {
  constructor() {
    Object.assign(this, { settings: { ...START }, own: { text: "", header: null, target: "", task: "" }, tables: new Map(), networks: new Map(PREBUILT),
      playing: false, chosen: 0, wish: 0, stepper: null });
    followTheme(document.querySelector("main"));
    this._fillChoices();
    this.python = new Python({ modules: PYTHONS, onstate: state => this._hear(state) });
    this._listen();
  }

  async begin() {
    const said = location.hash.slice(1);
    if (said) await this._restore(() => fromLink(said), "the link");
    else await this.build();
  }

  // ------------------------------------------------------------------------------------------------ words

  say(text) { at("state").textContent = text; }

  problem(text, field = null, box = "problem") {
    at(box).hidden = !text;
    at(box).textContent = text;
    if (box !== "problem") return;
    for (const name of FIELDS) {
      if (name !== field && at(name).hasAttribute("aria-invalid")) at(name).value = this._written(name);  // what is in force, once no words say otherwise
      at(name).toggleAttribute("aria-invalid", false);
    }
    if (field) at(field).setAttribute("aria-invalid", "true");
  }

  _hear({ stage, text, fetched, total }) {
    at("progress").hidden = stage !== "fetching";
    if (total) at("progress").value = fetched / total;
    this.say(stage === "failed" ? `${text} What is here trains without it; other networks, steppers and tables need it.`
      : stage === "ready" ? "Python is ready: for any network, for steppers, and for tables of your own." : `${text}… (this network trains already)`);
  }

  async ask(name, given) {
    try {
      return await this.python.ask(`playground_model.${name}`, given);
    } catch (error) {
      throw new Error(error.message.replace(/^[\w.]*(?:Refused|Error): /, ""));
    }
  }

  // --------------------------------------------------------------------------------------------- the fields

  _fillChoices() {
    const fill = (id, options) => at(id).replaceChildren(...options.map(([value, text]) => h("option", { value }, text)));
    fill("data", [...Object.entries(DATA).map(([name, { title }]) => [name, title]), [OWN, "your own table"]]);
    fill("activation", ACTIVATIONS.map(name => [name, name]));
    fill("optimizer", Object.keys(RULES).map(name => [name, name === "momentum" ? "SGD, momentum 0.9" : name]));
    fill("batch", BATCHES.map(m => [m, m ? `${m} example${m > 1 ? "s" : ""}` : "all examples"]));
    fill("penalty", [["", "none"], ["L1", "L1: λ Σ |w|"], ["L2", "L2: λ Σ w²"], ["elimination", "weight elimination"]]);
    this._showSettings();
  }

  _showSettings() {
    for (const name of FIELDS) at(name).value = this._written(name);
    at("lambda").disabled = !this.settings.penalty;
  }

  _written(name) { return name === "hidden" ? this.settings.hidden.join(", ") : String(this.settings[name]); }

  _read(name) {
    const text = at(name).value.trim();
    if (name === "hidden") return text === "" ? [] : text.split(/[\s,;]+/).filter(Boolean).map(Number);
    return ["lr", "batch", "lambda", "seed"].includes(name) ? text === "" ? NaN : Number(text) : text;
  }

  _change(name) {
    const found = this._read(name), wrong = RULES_OF[name](found);
    if (!wrong) this.settings[name] = found;
    this.problem(wrong ? `${wrong[0].toUpperCase()}${wrong.slice(1)}.` : "", wrong ? name : null);
    if (wrong) return;
    at("lambda").disabled = !this.settings.penalty;
    if (name === "optimizer") {
      this.settings.lr = RULES[found].lr;
      at("lr").value = this.settings.lr;
      this.training?.setOptimizer(found);
    }
    if (name === "data") {
      Object.assign(this.settings, { example: 0, axes: DATA[found]?.axes ?? [0, 1] });
      if (found === OWN) {
        at("own").open = true;
        at("csv").focus();
        if (!this.tables.has(JSON.stringify(this.own))) { this.say("Paste a table or open a file, then press “Use this table”."); return; }
      }
    }
    if (NEW_NETWORK.has(name)) this.build();
    else if (name === "seed") this.reset();
    else this.draw();
  }

  // ------------------------------------------------------------------------------------- data and network

  async _data() {
    if (this.settings.data !== OWN) return DATA[this.settings.data];
    const key = JSON.stringify(this.own);
    if (!this.tables.has(key)) {
      const table = await this.ask("table", this.own);
      if (table.problem) throw new Error(table.problem);
      this.tables.set(key, table);
    }
    return this.tables.get(key);
  }

  async _network(data) {
    const outputs = data.task === "classes" ? data.classes.length : 1;
    const asked = { sizes: [data.names.length, ...this.settings.hidden, outputs], activation: this.settings.activation, task: data.task };
    const key = JSON.stringify(asked);
    if (!this.networks.has(key)) this.networks.set(key, await this.ask("network", asked));
    return this.networks.get(key);
  }

  // Make the training that the settings ask for; of several wishes the last one counts. Returns whether it is there.
  async build() {
    const mine = ++this.wish;
    this.pause();
    if (this.python.stage !== "ready") this.problem("");
    let data, network;
    try {
      data = await this._data();
      network = await this._network(data);
    } catch (error) {
      if (mine === this.wish) this.problem(`This can't be built: ${error.message}`);
      return false;
    }
    if (mine !== this.wish) return false;
    this.problem("");
    this._closeStepper();
    const last = data.rows.length - 1, most = data.names.length - 1;
    if (this.settings.example > last) this.settings.example = 0;
    if (this.settings.axes.some(axis => axis > most)) this.settings.axes = [0, Math.min(1, most)];
    this.training = new Training(network, data, this.settings);
    this._newFigure();
    this._newParts();
    this.draw();
    return true;
  }

  _newFigure() {
    const { training, settings } = this;
    this.figure?.destroy();
    this.figure = new TrainingFigure(at("figure"), training, settings.axes, (found, isClick) => this._found(found, isClick));
    const { names } = training.data;
    at("axes").hidden = names.length < 3;
    [["across", 0], ["upwards", 1]].forEach(([id, which]) => {
      at(id).replaceChildren(...names.map((name, j) => h("option", { value: j, selected: j === settings.axes[which] }, name)));
    });
    at("example").max = training.data.rows.length;
    at("example").value = settings.example + 1;
  }

  _newParts() {
    const { network: { names, isWeight } } = this.training;
    at("part").replaceChildren(...names.map((name, k) => h("option", { value: k }, isWeight[k] ? name : `${name} (${this._inWords(k)})`)));
    this.choose(Math.max(0, isWeight.indexOf(false)));
  }

  // --------------------------------------------------------------------------------------------- the training

  reset() {
    if (!this.training) return;
    this.pause();
    this.training.settings = this.settings;
    this.training.reset();
    this.draw();
  }

  play() {
    if (!this.training || this.training.failed) { this.draw(); return; }
    this.playing = true;
    at("words").setAttribute("aria-live", "off");  // while it plays there are too many words to be read aloud
    this._showPlaying();
    let last = performance.now(), due = 0, since = last, epochs = this.training.epoch;
    const tick = now => {
      if (!this.playing) return;
      const wanted = Number(at("speed").value);
      due = wanted ? Math.min(due + wanted * (now - last) / 1000, 10) : Infinity;
      last = now;
      const before = this.training.epoch;
      if (due >= 1 && !this.training.slice(Math.floor(due))) this.pause();
      due -= this.training.epoch - before;
      if (this.training.epoch !== before || this.training.failed) this.draw();
      if (now - since > 1000) {
        at("rate").textContent = `${Math.round(1000 * (this.training.epoch - epochs) / (now - since)).toLocaleString("en")} epochs a second`;
        [since, epochs] = [now, this.training.epoch];
      }
      if (this.playing) requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  pause() {
    const was = this.playing;
    this.playing = false;
    at("words").setAttribute("aria-live", "polite");
    at("rate").textContent = "";
    this._showPlaying();
    if (was && this.figure) this.draw();
  }

  _showPlaying() {
    at("play").textContent = this.playing ? "Pause" : "Train";
    at("play").setAttribute("aria-pressed", String(this.playing));
  }

  draw() {
    const { training, figure, settings } = this;
    if (!training) return;
    figure.show(settings.example);
    at("words").textContent = inShort(training, figure);
    const warned = warning(training, figure);
    if (at("warning").textContent !== warned) at("warning").textContent = warned;
    figure.svg.setAttribute("aria-label", `The network, its gradients, the loss and what the model says. ${at("words").textContent}`);
    this._showExample();
    this._showPart();
    if (!this.playing) this._showBelow();
  }

  // ------------------------------------------------------------------------------- what is chosen, and its words

  _showExample() {
    const { training: { data, network: { sizes } }, settings: { example }, figure } = this, outputs = figure.activations.slice(-sizes.at(-1));
    const named = data.rows[example].map((x, j) => `${data.names[j]} = ${format(x, 4)}`).join(", "), target = data.targets[example];
    const share = z => z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z));
    const said = data.task === "numbers" ? `output ${format(outputs[0], 4)}`
      : data.task === "classes" ? `outputs ${outputs.map(z => format(z, 3)).join(", ")}: ${data.classes[outputs.indexOf(Math.max(...outputs))] ?? "none"}`
      : `output ${format(outputs[0], 4)}, which is a probability of ${format(share(outputs[0]), 3)} for ${data.classes[1]}`;
    at("example-words").textContent = `${named}; target ${data.task === "numbers" ? format(target, 4) : data.classes[target]}; ${said}`;
  }

  choose(k) {
    this.chosen = k;
    at("part").value = k;
    this.figure.mark(k);
    at("step-neuron").disabled = false;
    if (this.figure.gradient) this._showPart();
  }

  _showPart() {
    const { training, figure, chosen } = this, x = training.theta[chosen], gradient = figure.gradient[chosen];
    if (document.activeElement !== at("value")) at("value").value = Number(x.toPrecision(5));
    const check = this.playing ? "" : `; by a finite difference ${format(training.model.finiteDifference(training.theta, chosen, training.options), 4)}`;
    const name = training.network.names[chosen];
    at("part-words").textContent = `${name} = ${format(x, 4)}, ∂L/∂${name} = ${format(gradient, 4)}${check}`;
  }

  _setValue() {
    const x = at("value").valueAsNumber;
    if (!isFinite(x)) { this.problem("A weight is a finite number.", null); return; }
    this.pause();
    const theta = Float64Array.from(this.training.theta);
    theta[this.chosen] = x;
    this.training.setParameters(theta);
    this.say(`${this.training.network.names[this.chosen]} is ${format(x, 6)} now. The optimizer begins anew.`);
    this.problem("");
    this.draw();
  }

  _setExample(i) {
    const count = this.training.data.rows.length;
    if (!isWhole(i, 0, count - 1)) { this.problem(`The example is a whole number from 1 to ${count}.`); return; }
    this.settings.example = i;
    at("example").value = i + 1;
    this.problem("");
    this.draw();
  }

  _found({ words: said = "", part, example = -1 }, isClick) {
    at("near").textContent = said;
    if (!isClick) return;
    if (part) this.choose(part.k);
    if (part?.isNeuron) this.step(true);
    else if (part) at("value").select();
    if (example >= 0) this._setExample(example);
  }

  _inWords(k) {
    const [layer, j] = this._neuron(k);
    return `neuron ${j + 1} of layer ${layer}`;
  }

  // The neuron that a parameter belongs to: its layer, counted from 1, and its number, from 0.
  _neuron(k = this.chosen) {
    const { sizes } = this.training.network;
    for (let layer = 1; layer < sizes.length; layer++) {
      const width = sizes[layer - 1] + 1;
      if (k < width * sizes[layer]) return [layer, Math.floor(k / width)];
      k -= width * sizes[layer];
    }
    return null;
  }

  async step(isNeuron) {
    this.pause();
    const { training: { network: { sizes, activation, task }, data, theta }, settings } = this, { example } = settings, neuron = isNeuron ? this._neuron() : null;
    if (!isNeuron && theta.length > 120) { this.problem(`The whole network has ${theta.length} weights and biases, too many for a stepper that can be read; up to 120 are. Step through a neuron.`); return; }
    if (this.python.stage !== "ready" && this.python.stage !== "failed") this.problem("Python isn't there yet; the stepper opens when it is.");
    const { wish } = this;
    try {
      const { payload } = await this.ask("step", { sizes, activation, task, numbers: [...theta], x: data.rows[example], target: data.targets[example], neuron });
      if (wish !== this.wish) return;  // another network has come meanwhile
      this.problem("");
      this._closeStepper();
      const element = h("div");
      at("stepping").hidden = false;
      at("stepper").replaceChildren(element);
      this.stepper = globalThis.amStepper.mount(element, payload);
      const isLast = neuron?.[0] === sizes.length - 1;
      at("stepper-words").textContent = (!neuron ? "The loss of the whole network" : isLast ? `The output and the loss` : `N${this._inWords(this.chosen).slice(1)}`)
        + ` for example ${example + 1}, with the weights of now${settings.penalty && (!neuron || isLast) ? ", without the penalty" : ""}. ${neuron && neuron[0] > 1 ? "Its inputs are the activations of the layer before. " : ""}Move a number to see what it changes.`;
      at("h-stepper").scrollIntoView({ block: "nearest" });
      at("h-stepper").focus({ preventScroll: true });
    } catch (error) {
      this.problem(`There is no stepper: ${error.message}`);
    }
  }

  _closeStepper() {
    this.stepper?.destroy();
    this.stepper = null;
    at("stepping").hidden = true;
    at("stepper").replaceChildren();
  }

  // ---------------------------------------------------------------------------------------- what stands below

  _showBelow() {
    if (at("code").open) at("python").textContent = pythonOf(this.training);
    if (at("numbers").open) this._showCheck();
    reach();
  }

  _showCheck() {
    const { training, figure: { gradient } } = this, { theta, model, options, network: { names } } = training;
    const noise = 1e-8 * Math.max(1, Math.abs(this.figure.value));
    const rows = names.map((name, k) => {
      const measured = model.finiteDifference(theta, k, options), agrees = Math.abs(measured - gradient[k]) <= 1e-4 * Math.max(Math.abs(measured), Math.abs(gradient[k])) + noise;
      return [name, format(theta[k], 6), format(gradient[k], 6), format(measured, 6), agrees ? "✓ agrees" : "✗ differs: a kink, or rounding"];
    });
    at("check").replaceChildren(table(["", "value", "gradient", "finite difference", "verdict"], rows));
  }

  // ------------------------------------------------------------------------------------------- own data

  async _useTable() {
    const header = { "": null, yes: true, no: false }[at("csv-header").value];
    const own = { text: at("csv").value, header, target: at("csv-target").value, task: at("csv-task").value };
    this.problem("", null, "csv-problem");
    at("csv-notes").replaceChildren();
    if (!own.text.trim()) { this.problem("There is no table yet: paste one, or open a file.", null, "csv-problem"); return; }
    if (own.text.length > MOST_IN_FILE) { this.problem("This table has more than 5 million characters; the page takes up to 5,000 rows.", null, "csv-problem"); return; }
    if (this.python.stage !== "ready" && this.python.stage !== "failed") this.problem("Python, which reads the table, isn't there yet; it is read when it is.", null, "csv-problem");
    try {
      let table = await this.ask("table", own);
      if (table.problem && own.target && /has no column/.test(table.problem)) {
        own.target = "";
        table = await this.ask("table", own);
      }
      if (table.problem) { this.problem(table.problem, null, "csv-problem"); return; }
      this.problem("", null, "csv-problem");
      this.tables.set(JSON.stringify(own), table);
      this.own = own;
      Object.assign(this.settings, { data: OWN, example: 0, axes: [0, 1] });
      this._showTable(table);
      this._showSettings();
      await this.build();
    } catch (error) {
      this.problem(`The table can't be read: ${error.message}`, null, "csv-problem");
    }
  }

  _showTable({ columns, rows, names, target, classes, notes }) {
    at("csv-target").replaceChildren(h("option", { value: "" }, "the last column"),
      ...columns.map(name => h("option", { value: name, selected: name === this.own.target }, name)));
    const what = classes.length ? `the classes ${classes.join(", ")}` : "a number";
    at("csv-notes").replaceChildren(...[`${rows.length} rows; inputs ${names.join(", ")}; target ${target}: ${what}`, ...notes].map(text => h("li", {}, text)));
  }

  // ------------------------------------------------------------------------------------- links and files

  async _restore(read, what) {
    const ignored = [];
    try {
      const said = read(), { settings, problems } = checkedSettings(said.settings, START);
      ignored.push(...problems);
      this.settings = settings;
      if (said.own !== undefined) {
        this.own = checkedOwn(said.own);
        at("csv").value = this.own.text;
        at("csv-task").value = this.own.task;
        at("csv-header").value = this.own.header === null ? "" : this.own.header ? "yes" : "no";
      }
      if (settings.data === OWN && !this.own.text) {
        ignored.push("the table isn't in it");
        settings.data = START.data;
      }
      this._showSettings();
      const isBuilt = await this.build();
      if (isBuilt && settings.data === OWN) this._showTable(this.training.data);
      if (isBuilt && said.theta !== undefined) {
        this.training.setParameters(checkedWeights(said.theta, this.training.theta.length));
        if (isWhole(said.epoch, 0, 1e9)) this.training.epoch = said.epoch;
        this.draw();
        this.say(`Opened ${what}: its settings and weights. The optimizer's averages and the order of the examples begin anew.`);
      }
    } catch (error) {
      ignored.push(error instanceof SyntaxError || error.name === "InvalidCharacterError" || error instanceof RangeError ? "a part of it is damaged" : error.message);
      if (!this.training) await this.build();
    }
    if (ignored.length) this.problem(`Not all of ${what} could be used: ${ignored.join("; ")}.`);
  }

  _keep() {
    const [text, left] = asLink(this.settings, this.own, this.training.theta, this.training.epoch);
    history.replaceState(null, "", `#${text}`);
    return left;
  }

  _listen() {
    const on = (id, event, react) => at(id).addEventListener(event, react);
    for (const name of FIELDS) on(name, "change", () => this._change(name));
    on("choices", "submit", event => event.preventDefault());
    on("play", "click", () => this.playing ? this.pause() : this.play());
    on("one-step", "click", () => { this.pause(); this.training?.batch(); this.draw(); });
    on("one-epoch", "click", () => { this.pause(); this.training?.runEpoch(); this.draw(); });
    on("reset", "click", () => this.reset());
    on("part", "change", () => this.choose(Number(at("part").value)));
    on("value", "change", () => this._setValue());
    on("example", "change", () => this._setExample(at("example").valueAsNumber - 1));
    for (const id of ["across", "upwards"]) on(id, "change", () => {
      this.settings.axes = [Number(at("across").value), Number(at("upwards").value)];
      this._newFigure();
      this.draw();
      this.figure.mark(this.chosen);
    });
    on("step-neuron", "click", () => this.step(true));
    on("step-all", "click", () => this.step(false));
    on("code", "toggle", () => this._showBelow());
    on("numbers", "toggle", () => this._showBelow());
    on("copy-code", "click", () => copy(at("python").textContent, "the Python", text => this.say(text)));
    on("csv-use", "click", () => this._useTable());
    on("csv-file", "change", async () => {
      const [file] = at("csv-file").files;
      if (!file) return;
      if (file.size > MOST_IN_FILE) { this.problem(`${file.name} has ${(file.size / 1e6).toFixed(1)} MB; the page takes up to 5.`, null, "csv-problem"); return; }
      at("csv").value = await file.text();
      await this._useTable();
    });
    on("link", "click", () => {
      const left = this._keep();
      copy(location.href, "the link", text => this.say([text, ...left].join("; ")));
    });
    on("save", "click", () => {
      const text = asFile(this.settings, this.own, this.training.theta, this.training.epoch);
      const link = h("a", { href: URL.createObjectURL(new Blob([text], { type: "application/json" })), download: "playground.json" });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
      this.say("Saved playground.json: settings, weights, and a table of your own.");
    });
    on("load", "change", async () => {
      const [file] = at("load").files;
      if (!file) return;
      if (file.size > MOST_IN_FILE) { this.problem(`${file.name} is too large to be one that this page has saved.`); return; }
      const text = await file.text();
      await this._restore(() => fromFile(text), file.name);
      at("load").value = "";
    });
    addEventListener("hashchange", () => this._restore(() => fromLink(location.hash.slice(1)), "the link"));
    addEventListener("resize", reach);
  }
}

async function copy(text, what, say) {
  try {
    await navigator.clipboard.writeText(text);
    say(`Copied ${what}`);
  } catch {  // without a permission, or on a page that isn't secure
    say(`This browser lets nothing be copied; ${what} can be copied by hand${what === "the link" ? " from the address" : ""}`);
  }
}

// What scrolls is reached by Tab.
function reach() {
  for (const part of document.querySelectorAll(".am-scrolls")) {
    const scrolls = part.scrollWidth > part.clientWidth || part.scrollHeight > part.clientHeight;
    if (scrolls) for (const [name, value] of [["tabindex", 0], ["role", "group"], ["aria-label", part.closest("details").querySelector("summary").textContent]]) part.setAttribute(name, value);
    else for (const name of ["tabindex", "role", "aria-label"]) part.removeAttribute(name);
  }
}

const playground = new Playground();
playground.begin();
globalThis.amPlayground = playground;
