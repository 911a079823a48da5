// What the theme leaves out for keyboards and screen readers.
addEventListener("load", () => {
  for (const caption of document.querySelectorAll("p.caption[role=heading]")) caption.ariaLevel = 2;
  for (const [part, label] of [[".sidebar-drawer", "Pages"], [".toc-drawer", "On this page"]])
    document.querySelector(part)?.setAttribute("aria-label", label);
  if (!document.querySelector("h1")) {  // the page of a search
    const heading = document.createElement("h1");
    heading.textContent = document.title.split(" - ")[0];
    document.querySelector("article")?.prepend(heading);
  }
  const boxes = "article pre, article table, article .output, article .math, article .table-wrapper";
  for (const box of document.querySelectorAll(boxes))
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;  // what scrolls sideways can be reached by keyboard
});
