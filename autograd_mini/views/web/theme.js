// Light or dark: a page is as what it stands in, and as the system where that says nothing.

// What is written on the elements around it by JupyterLab, VS Code, Colab, Sphinx's themes (and many other pages),
// MkDocs Material, Quarto and Bootstrap.
const MARKS = {
  dark: `[data-jp-theme-light="false"], .vscode-dark, .vscode-high-contrast:not(.vscode-high-contrast-light),
    [data-vscode-theme-kind="vscode-dark"], [data-vscode-theme-kind="vscode-high-contrast"], html[theme="dark"],
    [data-theme="dark"], [data-md-color-scheme="slate"], .quarto-dark, [data-bs-theme="dark"]`,
  light: `[data-jp-theme-light="true"], .vscode-light, .vscode-high-contrast-light,
    [data-vscode-theme-kind="vscode-light"], [data-vscode-theme-kind="vscode-high-contrast-light"], html[theme="light"],
    [data-theme="light"], [data-md-color-scheme="default"], .quarto-light, [data-bs-theme="light"]`,
};
const SYSTEM = matchMedia("(prefers-color-scheme: dark)");

// An element and all that it stands in, also outside of a shadow root, or of a frame that may look out.
function surroundings(element) {
  const found = [], outside = here => here.getRootNode().host ?? here.ownerDocument.defaultView?.frameElement;
  for (let here = element; here; here = here.parentElement ?? outside(here)) found.push(here);
  return found;
}

function isDark(element) {
  const all = surroundings(element), marked = all.find(here => here.matches(`${MARKS.dark}, ${MARKS.light}`));
  if (marked) return marked.matches(MARKS.dark);
  // The colour behind it: all backgrounds around it, one on top of the other, on what a browser begins with.
  const around = all.slice(1), scheme = around.length ? getComputedStyle(around[0]).colorScheme : "";
  const begin = /dark/.test(scheme) !== /light/.test(scheme) ? /dark/.test(scheme) : SYSTEM.matches;
  const paint = h("canvas", { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  const backgrounds = around.map(here => getComputedStyle(here).backgroundColor).reverse();
  for (const colour of [begin ? "#000" : "#fff", ...backgrounds]) {
    paint.fillStyle = colour;
    paint.fillRect(0, 0, 1, 1);
  }
  return luminance(paint.getImageData(0, 0, 1, 1).data) < MIDDLE;
}

// Keep an element as light or dark as what it stands in; returns a function that ends it.
function followTheme(element) {
  const sources = [[SYSTEM, "change"], [document, "load"], [document, "transitionend"]];
  const changes = new MutationObserver(() => show());
  const stop = () => {
    changes.disconnect();
    for (const [source, event] of sources) source.removeEventListener(event, show, true);
  };
  const start = () => {
    stop();
    const [, ...around] = surroundings(element);
    changes.observe(element, { attributeFilter: ["data-theme"] });  // what else changes on it are its own steps
    for (const here of around) changes.observe(here, { attributes: true });
    changes.observe(document.head, { attributes: true, childList: true, subtree: true });  // style sheets
    for (const [source, event] of sources) source.addEventListener(event, show, true);
    show();
  };
  const show = () => {
    if (element.isConnected) element.classList.toggle("am-dark", isDark(element));
    else stop();  // or what it stood in would keep it
  };
  const placed = new ResizeObserver(start);  // it gets a size where it is put into a page, or into another place
  placed.observe(element);
  start();
  return () => { placed.disconnect(); stop(); };
}
