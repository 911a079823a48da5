// The page where one types a formula: each change of it is asked of Python, each moved leaf is computed by the stepper.
(() => {
"use strict";
const { mount, h, format, followTheme } = globalThis.amStepper;
const SLOW = 1500, TOO_LONG = 30_000, IDLE = 300;  // milliseconds: when to offer a stop, when to stop, when texts are made
const MOST_CHARACTERS = 20_000;  // of a formula that is sent to Python at all, and of a link
const EXAMPLES = [
  ["a neuron", "tanh(w*x + b)", {}],
  ["a neuron's loss", "log(1+exp(-y*(w1*x1+w2*x2+b)))", { y: 1, w1: 0.5, x1: 2, w2: -1, x2: 1, b: 0.1 }],
  ["a squared error", "(sigmoid(w*x + b) - t)**2", { w: 0.5, x: 2, b: 0.1, t: 1 }],
  ["one leaf, two ways", "√(x²+1) + x", { x: 0.75 }],
  ["a product and its logarithm", "log(a*b) - log(a) - log(b)", { a: 2, b: 3 }],
  ["a kink", "relu(w*x) + |b|", { w: 0.5, x: 2, b: -0.1 }],
  ["a choice", "where(x > 0, x*y, -y)", { x: 0.5, y: 2 }],
];
const place = id => document.getElementById(id);
const field = place("formula"), examples = place("example"), hide = place("hide"), progress = place("progress");

let numbers = {};  // of all names that there were, also those that are in the formula no more
let current = null;  // what is shown: the formula, its leaves, the stepper
let unread = [];  // what of the link couldn't be used, in words, until it has been said
let asked = 0, working = false, timers = [], textTimer = 0;

followTheme(document.querySelector(".am-site"));
examples.append(h("option", { value: "" }, "choose"), ...EXAMPLES.map(([name], i) => h("option", { value: i }, name)));

const say = text => { place("state").textContent = text; };
const wanted = () => ({ formula: field.value, leaves: numbers, hide: hide.value });

// ------------------------------------------------------------------------------------------------------ Python

const python = new Python({
  modules: ["_web/try_formula.py"],
  onstate({ stage, text, fetched, total }) {
    progress.hidden = stage !== "fetching";
    if (total) progress.value = fetched / total;
    if (stage === "ready") return working && say("Drawing…");
    say(stage === "failed" ? text : `${text}…`);
    if (stage === "failed") place("stop").hidden = true;
  },
});

// While Python works: after a while a button to stop it, and in the end it is stopped.
function watch() {
  timers.forEach(clearTimeout);
  timers = [
    setTimeout(() => { place("stop").hidden = false; say("Still working on it…"); }, SLOW),
    setTimeout(() => stop(`Stopped after ${TOO_LONG / 1000} seconds: this formula takes too long here. Make it shorter.`), TOO_LONG),
  ];
}

function rest() {
  timers.forEach(clearTimeout);
  place("stop").hidden = true;
}

function stop(words) {
  rest();
  python.stop(words);
  problem([words]);
}

place("stop").addEventListener("click", () => stop("Stopped. Change the formula to go on."));

// ----------------------------------------------------------------------------------------------- the stepper

// One request at a time; while it runs only the newest wish is kept.
async function change() {
  asked += 1;
  clearTimeout(textTimer);
  if (current) keepLink();  // before that the link is what it was opened by
  if (working) return;
  working = true;
  place("stepper").setAttribute("aria-busy", "true");
  for (let latest = -1; latest !== asked;) {
    latest = asked;
    const wish = wanted();
    if (wish.formula.length > MOST_CHARACTERS) {
      problem([`This formula has ${wish.formula.length.toLocaleString("en")} characters, which is too long for a page.`]);
      continue;
    }
    if (python.stage === "ready") watch();  // loading says itself how far it is
    try {
      await python.ready;
      watch();
      const answer = await python.ask("try_formula.shown", wish);
      if (answer.problem) problem(answer.problem);
      else show(wish, answer);
    } catch (error) {
      if (python.stage === "failed") break;
      if (!(error instanceof PythonStopped)) problem([`This formula can't be shown: ${error.message}`]);
    } finally {
      rest();
    }
  }
  working = false;
  place("stepper").removeAttribute("aria-busy");
  if (python.stage !== "ready") return;
  say((current ? `Shown: ${brief(current.formula)}` : "Ready") + (unread.length ? `. Not used of the link: ${unread.join("; ")}.` : ""));
  unread = [];
}

const brief = text => text.length > 60 ? `${text.slice(0, 60)}…` : text;

// What is wrong with a formula: in words, and below that the formula with the place marked.
function problem(lines) {
  const [words, source, pointer] = lines, shown = [h("p", {}, words)];
  if (source) {
    const text = source.slice(2), at = pointer ? pointer.indexOf("^") - 2 : -1;
    shown.push(h("pre", {}, at < 0 ? text : [text.slice(0, at), h("mark", {}, text[at] ?? "\u00a0"), text.slice(at + 1)]));
  }
  if (current && current.formula !== field.value) shown.push(h("p", {}, `Below is still ${brief(current.formula)}.`));
  place("problem").replaceChildren(...shown);
  place("problem").hidden = false;
  field.setAttribute("aria-invalid", "true");
}

function show(wish, { payload, leaves, moved, root }) {
  place("problem").hidden = true;
  place("problem").replaceChildren();
  field.removeAttribute("aria-invalid");
  const before = current?.handle, atEnd = before && before.step > 0 && before.step === before.count;
  before?.destroy();
  const element = h("div");
  place("stepper").replaceChildren(element);
  numbers = { ...numbers, ...leaves };
  const handle = mount(element, payload), whatIf = payload.whatIf ?? [];
  current = { ...wish, leaves, root: Number(root), handle, names: Object.keys(leaves) };
  if (atEnd && !wish.hide) handle.goTo(handle.count);
  if (!wish.hide) handle.onmove(() => moveTo(handle, whatIf, moved));
  showConditions(current.names.filter(name => !moved.includes(name)));
  keepLink();
  if (wish.hide) place("below").hidden = true;  // it would tell what an exercise asks
  else laterTexts();
}

// The stepper has computed itself what a moved leaf changes; the rest of the page follows.
function moveTo(handle, whatIf, moved) {
  const { values } = handle;
  whatIf.forEach((k, i) => { if (isFinite(values[k])) numbers[moved[i]] = current.leaves[moved[i]] = values[k]; });
  current.root = values[values.length - 1];
  keepLink();
  laterTexts();
}

// A name that stands in a condition alone isn't a part of the graph: it has no slider there, so it has a field here.
function showConditions(names) {
  const fields = names.map(name => h("label", {}, `${name} `, h("input", { type: "number", step: "any", value: numbers[name],
    onchange: event => { if (event.target.value !== "") { numbers[name] = event.target.valueAsNumber; change(); } } })));
  place("conditions").hidden = !names.length;
  if (!place("conditions").contains(document.activeElement))
    place("conditions").replaceChildren(...(names.length ? ["in a condition: ", ...fields] : []));
}

// ---------------------------------------------------------------------------------------------- what stands below

function laterTexts() {
  clearTimeout(textTimer);
  textTimer = setTimeout(showTexts, IDLE);
}

async function showTexts() {
  const { formula, leaves } = current, mine = asked;
  let texts;
  try {
    texts = await python.ask("try_formula.texts", { formula, leaves });
  } catch (error) {
    if (!(error instanceof PythonStopped)) say(`The derivation can't be shown: ${error.message}`);
    return;
  }
  if (mine !== asked) return;
  // Where a moved leaf leads into another branch of the formula, the graph is another one.
  if (!sameNumber(Number(texts.root), current.root)) {
    if (sameLeaves(leaves, current.leaves)) change();
    return;
  }
  place("below").hidden = false;
  place("drawing").replaceChildren(h("img", { alt: texts.title, onload: reach, src: addressOf(texts.drawing, "image/svg+xml") }));
  place("latex").textContent = texts.latex;
  place("python").textContent = texts.python;
  typeset(texts.typeset);
  showCheck(texts.check);
  reach();
}

const sameNumber = (a, b) => Object.is(a, b) || Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));
const sameLeaves = (a, b) => Object.keys(a).every(name => a[name] === b[name]);

let picture = "";
function addressOf(text, type) {
  URL.revokeObjectURL(picture);
  return picture = URL.createObjectURL(new Blob([text], { type }));
}

function typeset(source) {
  const element = place("typeset");
  if (!source || !globalThis.katex) {
    element.textContent = source ? "It can't be typeset here; its LaTeX is below." : "It is too long to be typeset here; its LaTeX is below.";
    return;
  }
  katex.render(source, element, { displayMode: true, throwOnError: false, strict: "ignore", maxExpand: 1e5 });
}

function showCheck(rows) {
  const head = ["", "value", "gradient", "finite difference", "difference", ""].map(text =>
    h("th", { scope: "col" }, text || h("span", { class: "am-unseen" }, "node or verdict")));
  const VERDICTS = { agrees: "✓ agrees", differs: "✗ differs: a kink, a jump, or rounding", infinite: "no finite number to compare",
    rounding: "lost in rounding: the value at the top is too large for this difference" };
  place("check").replaceChildren(h("table", {}, h("tr", {}, head), rows.map(row => h("tr", {}, h("th", { scope: "row" }, row.name),
    [row.data, row.gradient, row.measured].map(x => h("td", {}, format(Number(x), 6))), h("td", {}, format(Number(row.difference), 1)),
    h("td", { class: row.verdict === "differs" ? "am-disagrees" : "" }, VERDICTS[row.verdict])))));
}

// What scrolls is reached by Tab.
function reach() {
  for (const part of document.querySelectorAll(".am-scrolls")) {
    const scrolls = part.scrollWidth > part.clientWidth || part.scrollHeight > part.clientHeight;
    if (scrolls) Object.assign(part, { tabIndex: 0 }).setAttribute("role", "group");
    else part.removeAttribute("tabindex"), part.removeAttribute("role");
    if (scrolls) part.setAttribute("aria-label", part.closest("section").querySelector("h2").textContent);
    else part.removeAttribute("aria-label");
  }
}
addEventListener("resize", reach);
document.querySelector("details").addEventListener("toggle", reach);

// ------------------------------------------------------------------------------------------ files, copies, links

function download(blob, name) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  say(`Saved ${name}`);
}

async function asPng(svg) {
  const image = new Image(), scale = 2;
  image.src = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  await image.decode();
  const canvas = h("canvas", { width: image.naturalWidth * scale, height: image.naturalHeight * scale }), paint = canvas.getContext("2d");
  paint.fillStyle = "#fff";
  paint.fillRect(0, 0, canvas.width, canvas.height);
  paint.drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(image.src);
  const blob = await new Promise(done => canvas.toBlob(done, "image/png"));
  if (!blob) throw new Error("this picture is too large for a PNG; take the SVG");
  return blob;
}

const TYPES = { svg: "image/svg+xml", tex: "application/x-tex", html: "text/html" };

for (const part of document.querySelectorAll("[data-file]")) part.addEventListener("click", async () => {
  const kind = part.dataset.file, { formula, leaves } = current;
  try {
    const text = await python.ask("try_formula.file", { formula, leaves, format: kind === "png" ? "svg" : kind });
    download(kind === "png" ? await asPng(text) : new Blob([text], { type: TYPES[kind] }), `formula.${kind}`);
  } catch (error) {
    say(`Nothing was saved: ${error.message}`);
  }
});

async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    say(`Copied ${what}`);
  } catch {  // without a permission, or on a page that isn't secure
    const area = h("textarea", { "aria-label": what }, text);
    document.querySelector(".am-site").append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    say(done ? `Copied ${what}` : `This browser lets nothing be copied; select ${what} and copy it by hand`);
  }
}

for (const part of document.querySelectorAll("[data-copy]"))
  part.addEventListener("click", () => copy(place(part.dataset.copy).textContent, part.textContent.replace("Copy ", "the ")));
place("link").addEventListener("click", () => copy(address(), "the link"));

// The address carries the formula, the numbers of its leaves and what is asked.
function address() {
  const said = new URLSearchParams({ formula: field.value.slice(0, MOST_CHARACTERS) });
  for (const name of current?.names ?? []) said.set(`leaf.${name}`, numbers[name]);
  if (hide.value) said.set("hide", hide.value);
  return `${location.href.split("#")[0]}#${said}`;
}

// Browsers allow about a hundred changes of the address in half a minute; so it waits until nothing changes any more.
let linkTimer = 0;
function keepLink() {
  clearTimeout(linkTimer);
  linkTimer = setTimeout(() => history.replaceState(null, "", address()), IDLE);
}

function readLink(link) {
  const said = new URLSearchParams(new URL(link).hash.slice(1)), formula = said.get("formula"), asks = said.get("hide") ?? "";
  unread = [];
  if (formula === null) return;
  clearTimeout(linkTimer);
  field.value = formula;
  for (const [key, text] of said) {
    const number = text.trim() === "" ? NaN : Number(text);
    if (!key.startsWith("leaf.")) continue;
    const name = key.slice(5).replace(/[₀-₉]/g, digit => "₀₁₂₃₄₅₆₇₈₉".indexOf(digit));  // as Python reads names
    if (isFinite(number)) numbers[name] = number;
    else unread.push(`${brief(name)} = ${brief(text) || "nothing"}, which is no finite number`);
  }
  const isKnown = [...hide.options].some(({ value }) => value === asks);
  if (!isKnown) unread.push(`hide=${brief(asks)}, which this page doesn't have`);
  hide.value = isKnown ? asks : "";
}

// ------------------------------------------------------------------------------------------------------- begin

field.addEventListener("input", () => { examples.value = ""; change(); });
hide.addEventListener("change", change);
place("asking").addEventListener("submit", event => { event.preventDefault(); change(); });
examples.addEventListener("change", () => {
  if (examples.value === "") return;
  const [, formula, leaves] = EXAMPLES[examples.value];
  field.value = formula;
  Object.assign(numbers, leaves);
  change();
});
addEventListener("hashchange", event => { readLink(event.newURL); change(); });
readLink(location.href);
change();
})();
