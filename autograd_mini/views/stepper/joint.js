// The model of a stepper in a kernel joins itself to the pages of its name: the step is common to them. Whichever is
// there first waits for the other in `amSteppers`, where a page puts its handle (see `fragment` in `page.py`).

function joinModel(model) {
  const place = meetingPlace(model.get("name")), ends = [];
  let following = false;
  const follow = () => {
    following = true;
    for (const handle of place.handles) handle.goTo(model.get("step"));
    following = false;
  };
  const tell = handle => {
    if (following) return;  // another page's move, or the kernel's: it has been told already
    model.set("step", handle.step);
    model.set("grain", handle.grain);
    model.save_changes();
  };
  place.join = handle => {
    ends.push(handle.onstep(() => tell(handle)));
    follow();
  };
  for (const handle of place.handles) place.join(handle);
  model.on("change:step", follow);
  return () => {
    model.off("change:step", follow);
    place.join = null;
    for (const end of ends) end();
  };
}
