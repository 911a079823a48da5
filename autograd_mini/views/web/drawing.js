// Drawings of `draw` in a notebook that is trusted: each image becomes the drawing itself, so that its parts have their
// tooltips, with a link to it in a tab of its own.
for (const place of document.querySelectorAll(".am-drawing:not([data-mounted])")) {
  place.dataset.mounted = "";
  const image = place.querySelector("img"), bytes = Uint8Array.from(atob(image.src.split(",")[1]), c => c.charCodeAt(0));
  const text = new TextDecoder().decode(bytes), parsed = new DOMParser().parseFromString(text, "image/svg+xml");
  const svg = document.importNode(parsed.documentElement, true), link = document.createElement("a");
  for (const part of svg.querySelectorAll("[id]")) part.removeAttribute("id");  // there may be several drawings
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", image.alt);
  svg.style.cssText = "max-width:100%;height:auto";
  const address = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  Object.assign(link, { href: address, target: "_blank", textContent: "full size", className: "am-full-size" });
  image.replaceWith(svg);
  place.append(document.createElement("br"), link);
}
