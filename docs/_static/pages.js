// What the theme leaves out for keyboards and screen readers.
addEventListener("load", () => {
  for (const caption of document.querySelectorAll("p.caption[role=heading]")) caption.ariaLevel = 2;
  for (const [part, label] of [[".sidebar-drawer", "Pages"], [".toc-drawer", "On this page"]])
    document.querySelector(part)?.setAttribute("aria-label", label);
  const boxes = "article pre, article table, article .output, article .math, article .table-wrapper";
  for (const box of document.querySelectorAll(boxes))
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;  // what scrolls sideways can be reached by keyboard
});
