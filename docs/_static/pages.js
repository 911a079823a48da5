// What scrolls sideways can be reached by keyboard.
addEventListener("load", () => {
  for (const box of document.querySelectorAll("article pre, article table, article .output, article .math"))
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
});
