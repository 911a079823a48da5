// Colours: orange below zero, blue above, and a text colour that can be read on them. `COLOURS` are Python's.

const channels = colour => [1, 3, 5].map(i => parseInt(colour.slice(i, i + 2), 16));

function diverging(value, largest) {
  if (value !== value) return COLOURS.NOT_A_NUMBER;
  const share = value === 0 ? 0 : !isFinite(value) || !largest ? 1 : Math.min(Math.abs(value) / largest, 1);
  const zero = channels(COLOURS.ZERO), end = channels(value < 0 ? COLOURS.NEGATIVE : COLOURS.POSITIVE);
  return "#" + zero.map((c, i) => Math.round(c + (end[i] - c) * share).toString(16).padStart(2, "0")).join("");
}

// How bright a colour is, by the formula of the WCAG; below the middle, white stands out more than black.
const MIDDLE = 0.179;

function luminance(levels) {
  const [r, g, b] = [...levels].map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

// Black or white, whichever has the greater contrast on a colour.
const inkOn = colour => luminance(channels(colour)) > MIDDLE ? "#000000" : "#ffffff";
