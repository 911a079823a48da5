// Python in a worker: it fetches Pyodide and the wheels, says how far it is, and then answers what python.js asks.

const home = new URL("../_pyodide/", import.meta.url);
let python = null, fetched = 0, total = 0;

const say = (stage, text) => postMessage({ state: { stage, text, fetched, total } });
const fail = words => postMessage({ failure: String(words).slice(-500) });
const megabytes = bytes => (bytes / 1e6).toFixed(1);

// Every file is fetched through this one, so that what has come can be counted while it comes.
const plainFetch = self.fetch.bind(self);
self.fetch = async (address, options) => {
  const name = new URL(address.url ?? address, home).pathname.split("/").pop();
  let response;
  try {
    response = await plainFetch(address, options);
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
  } catch (error) {
    fail(`${name}: ${error.message}`);  // Pyodide wouldn't tell
    throw error;
  }
  const counted = response.body.pipeThrough(new TransformStream({
    transform(chunk, to) {
      fetched += chunk.byteLength;
      if (total && fetched < total) say("fetching", `Downloading Python: ${megabytes(fetched)} of ${megabytes(total)} MB`);
      else if (total && !python) say("starting", "Starting Python");
      to.enqueue(chunk);
    },
  }));
  return new Response(counted, { headers: response.headers });
};

const bytesOf = async address => new Uint8Array(await (await fetch(address)).arrayBuffer());

async function start({ modules }) {
  say("fetching", "Downloading Python");
  const { files, wheels } = await (await fetch(new URL("files.json", home))).json();
  total = Object.entries(files).reduce((sum, [name, size]) => name.endsWith("mjs") ? sum : sum + size, 0);
  const { loadPyodide } = await import(new URL("pyodide.mjs", home).href);
  const archives = Promise.all(wheels.map(name => bytesOf(new URL(name, home))));
  const sources = Promise.all(modules.map(address => fetch(address).then(response => response.text())));
  archives.catch(() => {}), sources.catch(() => {});  // they are waited for below; a failure is told there
  python = await loadPyodide({
    indexURL: home.href,
    env: { AUTOGRAD_MINI_RENDERER: "builtin", HOME: "/home/pyodide" },
  });
  say("loading", "Loading autograd_mini");
  for (const archive of await archives) python.unpackArchive(archive, "wheel");
  const texts = await sources;
  modules.forEach((address, i) => {
    const name = new URL(address).pathname.split("/").pop();
    python.FS.writeFile(`/lib/python3.14/site-packages/${name}`, texts[i]);
    python.pyimport(name.replace(/\.py$/, ""));
  });
}

// A function of Python's takes JSON and returns JSON; what it raises is told in words.
function answer({ id, name, given }) {
  const [module, called] = name.split(".");
  try {
    const answered = python.pyimport(module)[called](JSON.stringify(given));
    postMessage({ id, answer: JSON.parse(answered) });
  } catch (error) {
    const isPythons = error.constructor.name === "PythonError";
    const words = String(error.message).trim().split("\n").pop();
    postMessage({ id, failure: words, dead: !isPythons });
  }
}

self.onunhandledrejection = event => {
  event.preventDefault();
  if (!python) fail(event.reason?.message ?? event.reason);
};

self.onmessage = async ({ data }) => {
  if (!data.start) return answer(data);
  try {
    await start(data.start);
    postMessage({ ready: true });
  } catch (error) {
    fail(error.message ?? error);
  }
};
