// What is chosen in the page, how it is checked, and how it travels: in a link, in a file.

const ACTIVATIONS = ["tanh", "relu", "sigmoid", "leaky_relu", "elu", "softplus", "silu", "gelu", "identity"];
const BATCHES = [1, 5, 10, 32, 0], PENALTIES = ["", "L1", "L2", "elimination"];
const MOST_LAYERS = 5, MOST_NEURONS = 16, MOST_IN_LINK = 6000, MOST_IN_FILE = 5e6;
const FORMAT = "autograd_mini playground", OWN = "own";

const START = { data: "moons", hidden: [6, 4], activation: "tanh", optimizer: "Adam", lr: 0.03, batch: 10, penalty: "", lambda: 0.001, seed: 1, example: 0, axes: [0, 1] };

const isWithin = (x, low, high) => typeof x === "number" && x >= low && x <= high;
const isWhole = (x, low, high) => Number.isInteger(x) && x >= low && x <= high;

// What each setting may be: returns what is wrong in words, or "".
const RULES_OF = {
  data: x => x === OWN || typeof x === "string" && Object.hasOwn(DATA, x) ? "" : `there is no data set ${x}`,
  hidden: x => Array.isArray(x) && x.length <= MOST_LAYERS && x.every(n => isWhole(n, 1, MOST_NEURONS)) ? ""
    : `hidden layers are up to ${MOST_LAYERS} whole numbers from 1 to ${MOST_NEURONS} with commas between, such as 8, 8; nothing for none`,
  activation: x => ACTIVATIONS.includes(x) ? "" : `there is no activation ${x}`,
  optimizer: x => typeof x === "string" && Object.hasOwn(RULES, x) ? "" : `there is no optimizer ${x}`,
  lr: x => isWithin(x, Number.MIN_VALUE, 100) ? "" : "the learning rate is a number above 0, up to 100",
  batch: x => BATCHES.includes(x) ? "" : `a batch has ${BATCHES.slice(0, -1).join(", ")} or all examples`,
  penalty: x => PENALTIES.includes(x) ? "" : `there is no penalty ${x}`,
  lambda: x => isWithin(x, 0, 10) ? "" : "λ is a number from 0 to 10",
  seed: x => isWhole(x, 0, 4294967295) ? "" : "the seed is a whole number from 0 to 4294967295",
  example: x => isWhole(x, 0, 1e6) ? "" : "the example is a whole number",
  axes: x => Array.isArray(x) && x.length === 2 && x.every(n => isWhole(n, 0, 100)) ? "" : "the axes are two numbers of columns",
};

// Settings from elsewhere: what is right of them, over what there was; and in words what isn't.
function checkedSettings(said, before) {
  const settings = { ...before }, problems = [];
  for (const [name, rule] of Object.entries(RULES_OF)) {
    if (said[name] === undefined) continue;
    const problem = rule(said[name]);
    if (problem) problems.push(problem);
    else settings[name] = said[name];
  }
  return { settings, problems };
}

const bytesAsText = bytes => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

function textAsBytes(text) {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), sign => sign.charCodeAt(0));
}

// The link's part behind #, and in words what doesn't fit in.
function asLink(settings, own, theta, epoch) {
  const said = new URLSearchParams(), left = [];
  for (const name of Object.keys(RULES_OF)) said.set(name, String(settings[name]));
  if (settings.data === OWN) {
    if (own.text.length <= MOST_IN_LINK) said.set("csv", JSON.stringify(own));
    else left.push(`your table has ${own.text.length.toLocaleString("en")} characters, which is too long for a link; save a file instead`);
  }
  if (!left.length) {
    said.set("epoch", epoch);
    said.set("w", bytesAsText(new Uint8Array(Float64Array.from(theta).buffer)));
  }
  return [said.toString(), left];
}

// What a link carries: { settings, own, theta, epoch }, each as far as it is there.
function fromLink(text) {
  const said = new URLSearchParams(text), found = { settings: {} }, list = x => x === "" ? [] : x.split(",").map(Number);
  const read = { hidden: list, axes: list, lr: Number, batch: Number, lambda: Number, seed: Number, example: Number };
  for (const name of Object.keys(RULES_OF)) if (said.has(name)) found.settings[name] = (read[name] ?? String)(said.get(name));
  if (said.has("csv")) found.own = JSON.parse(said.get("csv"));
  if (said.has("w")) found.theta = [...new Float64Array(textAsBytes(said.get("w")).buffer)];
  if (said.has("epoch")) found.epoch = Number(said.get("epoch"));
  return found;
}

const asFile = (settings, own, theta, epoch) =>
  JSON.stringify({ format: FORMAT, version: 1, settings, own: settings.data === OWN ? own : undefined, theta: [...theta], epoch }, null, 1);

function fromFile(text) {
  let said;
  try { said = JSON.parse(text); } catch { throw new Error("this file is no JSON; expected one that this page has saved"); }
  if (said?.format !== FORMAT || said.version !== 1 || typeof said.settings !== "object" || !said.settings)
    throw new Error("this file wasn't saved by this page, or by a newer one");
  return said;
}

// Weights from elsewhere fit or are refused.
function checkedWeights(theta, count) {
  if (!Array.isArray(theta) || theta.length !== count) throw new Error(`the network has ${count} weights and biases, not ${theta?.length ?? "these"}`);
  if (!theta.every(x => typeof x === "number" && isFinite(x))) throw new Error("a weight isn't a finite number");
  return theta;
}

function checkedOwn(own) {
  if (!own || typeof own.text !== "string" || own.text.length > MOST_IN_FILE) throw new Error("the table in it is no text, or too long");
  const header = [null, true, false].includes(own.header) ? own.header : null;
  const task = ["classification", "regression"].includes(own.task) ? own.task : "";
  return { text: own.text, header, task, target: typeof own.target === "string" ? own.target : "" };
}
