// Elements: how the scripts make them, and what all pages have in common.

const SVG = "http://www.w3.org/2000/svg", SVG_TAGS = new Set(["svg", "g", "rect", "path", "text"]);

// An element with attributes, listeners (`onclick: …`) and children.
function h(tag, attributes = {}, ...children) {
  const element = SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  element.append(...children.flat(Infinity).filter(child => child != null));
  return element;
}

// What is read aloud and copied, but not seen.
const unseen = text => h("span", { class: "am-unseen" }, text);

const button = (text, attributes) => h("button", { type: "button", ...attributes }, text);

function choice(title, options, chosen, change) {
  const select = h("select", { "aria-label": title, onchange: () => change(select.value) },
    options.map(([value, text]) => h("option", { value, selected: value === chosen }, text)));
  return h("label", {}, title + " ", select);
}

function table(head, rows) {
  const named = text => h("th", { scope: "col" }, text || unseen("name"));
  return h("table", {}, h("tr", {}, head.map(named)), rows.map(([name, ...cells]) =>
    h("tr", {}, h("th", { scope: "row" }, name), cells.map(cell => h("td", {}, cell)))));
}

const legend = lines => h("details", { class: "am-legend" }, h("summary", {}, "Legend and keys"),
  h("ul", {}, lines.map(line => h("li", {}, line))));

// A drawing of Python's as an element that takes the width of the page, and its own width and height.
function drawn(text) {
  const svg = document.importNode(new DOMParser().parseFromString(text, "image/svg+xml").documentElement, true);
  const [width, height] = ["width", "height"].map(side => Number(svg.getAttribute(side)));
  for (const side of ["width", "height"]) svg.removeAttribute(side);
  return { svg, width, height };
}

// Whether there is more in an element than can be seen at once.
const scrolls = part => /auto|scroll/.test(getComputedStyle(part).overflow)
  && (part.scrollHeight > part.clientHeight || part.scrollWidth > part.clientWidth);

// What scrolls is reached by Tab, so that keys can scroll it.
function reachScrolling(element) {
  for (const part of element.querySelectorAll("div")) {
    if (scrolls(part)) Object.assign(part, { tabIndex: 0 }).dataset.scrolls = "";
    else if (part.dataset.scrolls === "") for (const set of ["tabindex", "data-scrolls"]) part.removeAttribute(set);
  }
}

// Make the element a page that is reached by Tab, has a name, keeps the notebook around from taking its keys, and is
// as light or dark as what is around it, until the function is called that it returns.
function asPage(element, kind, name) {
  element.classList.add("am-page", kind);
  const attributes = { "data-lm-suppress-shortcuts": "true", tabindex: 0, role: "group", "aria-label": name };
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  let waiting = 0;  // once a frame, when all is placed anyway
  const look = () => { cancelAnimationFrame(waiting); waiting = requestAnimationFrame(() => reachScrolling(element)); };
  const observers = [new MutationObserver(look), new ResizeObserver(look)];
  for (const observer of observers) observer.observe(element, { childList: true, subtree: true });
  const leave = followTheme(element);
  return () => {
    for (const observer of observers) observer.disconnect();
    leave();
  };
}
