// What load.js finds when the scripts of a page have run: it puts the page into a place, where its picture was.
globalThis.amShowPage = (place, data, picture) => {
  place.before(h("style", {}, STYLE));
  mount(place, data, picture);
};
