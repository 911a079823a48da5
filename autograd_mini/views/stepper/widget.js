// The stepper as an anywidget: it shows the page, and joins it to its own model.
export default {
  initialize: ({ model }) => joinModel(model),
  async render({ model, el }) {
    const element = document.createElement("div"), joined = model.get("name");
    el.append(element);
    const data = JSON.parse(await unpacked(model.get("data")));
    const handle = mount(element, { ...data, step: model.get("step"), joined });
    return () => { meetingPlace(joined).handles.delete(handle); handle.destroy(); };
  },
};
