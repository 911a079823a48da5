// The step that the pages of a stepper share with its model in a kernel. Page and model find each other, whichever comes
// first, in `amSteppers`: a page puts its handle there, under the model's name.

const meetingPlace = name => (globalThis.amSteppers ||= {})[name] ||= { handles: new Set() };

function joinPage(name, handle) {
  meetingPlace(name).handles.add(handle);
  meetingPlace(name).join?.(handle);
}

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
