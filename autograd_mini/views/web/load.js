// What a page brings along is compressed: JSON or scripts, by gzip, written in base64.
const decoded = text => Uint8Array.from(atob(text), sign => sign.charCodeAt(0));
const unpacked = text =>
  new Response(new Blob([decoded(text)]).stream().pipeThrough(new DecompressionStream("gzip"))).text();

// Let the page take the place of its picture. The script is run as an inline one, as this one is: it needs no `eval`.
async function load(name, packedScript, packedData) {
  const places = [...document.querySelectorAll(`[data-page="${name}"]:not([data-mounted])`)];
  for (const place of places) place.dataset.mounted = "";
  const [source, data] = await Promise.all([unpacked(packedScript), unpacked(packedData)]);
  const script = document.createElement("script");
  script.textContent = source;
  document.head.append(script);
  script.remove();
  const showPage = globalThis.amShowPage;  // which the script has left there
  for (const place of places) {
    const picture = new TextDecoder().decode(decoded(place.querySelector("img").src.split(",")[1]));
    showPage(place, JSON.parse(data), picture);
  }
}
