// Runs Python files in Pyodide, in node, without a network: node pyodide.mjs FOLDER FILE...
import { readFileSync, readdirSync } from "node:fs";
import { basename } from "node:path";
import { pathToFileURL } from "node:url";

globalThis.fetch = () => { throw new Error("the network was asked for something"); };
const [folder, ...files] = process.argv.slice(2);
try {
  const { loadPyodide } = await import(pathToFileURL(`${folder}/pyodide.mjs`).href);
  const python = await loadPyodide({ indexURL: folder });
  for (const name of readdirSync(folder).filter(name => name.endsWith(".whl")))
    python.unpackArchive(new Uint8Array(readFileSync(`${folder}/${name}`)), "wheel");
  for (const file of files) {
    const name = basename(file, ".py");
    python.FS.writeFile(`/home/pyodide/${name}.py`, readFileSync(file, "utf8"));
    python.pyimport(name).main();
  }
} catch (error) {
  console.error(String(error.message ?? error).slice(-3000));  // the rest would be Pyodide's own source
  process.exit(1);
}
