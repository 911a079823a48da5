// Python for a page: it runs in a worker, so that the page stays alive, and can be stopped.
//
//   const python = new Python({ modules: ["_web/try_formula.py"], onstate: ({ stage, text, fetched, total }) => … });
//   const answered = await python.ask("try_formula.shown", { formula: "x*x" });   // JSON in, JSON out
//   python.stop();   // ends whatever runs, and starts anew; who waits for an answer gets a PythonStopped
//
// The stages are "fetching", "starting", "loading", "ready" and "failed", whose text says what is wrong and what to do.

class PythonStopped extends Error {}

class Python {
  constructor({ modules = [], onstate = () => {} }) {
    this.modules = modules.map(path => new URL(path, document.baseURI).href);
    this.onstate = onstate;
    this.waiting = new Map();
    this.count = 0;
    this.start();
  }

  start() {
    this.stage = "fetching";
    const reason = whyNoPython();
    if (reason) return this._fail(reason);
    this.ready = new Promise((resolve, reject) => { this._started = resolve; this._notStarted = reject; });
    this.ready.catch(() => {});  // it is told by the state, too
    // A worker made of a blob keeps to the policy of its page, which lets nothing be fetched from elsewhere.
    const script = URL.createObjectURL(new Blob([`import ${JSON.stringify(Python.worker)};`], { type: "text/javascript" }));
    this.worker = new Worker(script, { type: "module" });
    this.worker.onmessage = ({ data }) => this._hear(data);
    this.worker.onerror = event => this._fail(`Python could not be loaded: ${event.message || Python.worker}. Reload the page to try again.`);
    this.worker.postMessage({ start: { modules: this.modules } });
  }

  // What a function of a module answers: it takes one thing that is JSON, and returns JSON as a text.
  async ask(name, given) {
    await this.ready;
    return new Promise((resolve, reject) => {
      const id = ++this.count;
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ id, name, given });
    });
  }

  get busy() { return this.waiting.size > 0; }

  stop(words = "stopped") {
    this.worker?.terminate();
    this._refuse(new PythonStopped(words));
    this.start();
  }

  _refuse(error) {
    const waiting = [...this.waiting.values()];
    this.waiting.clear();
    this._notStarted?.(error);
    for (const { reject } of waiting) reject(error);
  }

  _hear({ state, ready, id, answer, failure, dead }) {
    if (state) this._say(state);
    else if (ready) {
      this._say({ stage: "ready", text: "Python is ready" });
      this._started();
    } else if (id === undefined) this._fail(`Python could not be started: ${failure}. Reload the page to try again.`);
    else {
      const { resolve, reject } = this.waiting.get(id);
      this.waiting.delete(id);
      if (failure === undefined) resolve(answer);
      else reject(new Error(failure));
      if (dead) this.stop(failure);  // of a Python that has crashed nothing more can be expected
    }
  }

  _say(state) {
    this.stage = state.stage;
    this.onstate(state);
  }

  _fail(text) {
    if (this.stage === "failed") return;  // what came first says what is wrong
    this.worker?.terminate();
    this.ready ??= Promise.reject(new Error(text));
    this.ready.catch(() => {});
    this._refuse(new Error(text));
    this._say({ stage: "failed", text });
  }
}

Python.worker = new URL("python_worker.js", document.currentScript.src).href;

// Why there can be no Python here, in words, or "".
function whyNoPython() {
  if (location.protocol === "file:") return "A browser doesn't let a page that is opened as a file read others, and Python is in"
    + " others. Serve the folder instead, for example by: python -m http.server --directory site; then open the address that it prints.";
  if (!window.WebAssembly || !window.Worker) return "This browser has no WebAssembly, or no workers, which Python needs here. Try another browser.";
  return "";
}
