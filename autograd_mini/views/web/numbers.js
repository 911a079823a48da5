// Numbers, written as Python writes them.

const number = x => typeof x === "string" ? Number(x) : x;  // NaN and the infinities travel as strings

// A number to so many significant digits, as Python's format "g" writes it; exact ties go to the even digit.
function format(x, digits = DIGITS) {
  if (x !== x) return "nan";
  if (!isFinite(x)) return x < 0 ? "-inf" : "inf";
  if (x === 0) return "0";
  let [mantissa, exponent] = Math.abs(x).toExponential(digits - 1).split("e");
  const [exact, exactExponent] = Math.abs(x).toExponential(60).split("e"), all = exact.replace(".", "");
  let kept = mantissa.replace(".", "");
  if (/^50*$/.test(all.slice(digits)) && all[digits - 1] % 2 === 0) {
    kept = all.slice(0, digits);
    exponent = exactExponent;
  }
  const e = Number(exponent), sign = x < 0 ? "-" : "";
  kept = kept.replace(/0+$/, "");
  const point = (text, i) => text.length > i ? text.slice(0, i) + "." + text.slice(i) : text.padEnd(i, "0");
  if (e < -4 || e >= digits)
    return sign + point(kept, 1) + "e" + (e < 0 ? "-" : "+") + String(Math.abs(e)).padStart(2, "0");
  return sign + (e < 0 ? "0." + "0".repeat(-e - 1) + kept : point(kept, e + 1));
}

// A number in at most six signs, for a circle or a line.
function short(x) {
  const size = Math.abs(x);
  if (!isFinite(x) || x === 0) return format(x);
  if (size < 0.01 || size >= 1000) return x.toExponential(0).replace("+", "");
  return x.toFixed(size < 10 ? 2 : size < 100 ? 1 : 0);
}

const bracketed = (x, digits) => x < 0 ? `(${format(x, digits)})` : format(x, digits);

// The largest magnitude among the finite numbers.
const largestFinite = numbers => numbers.filter(isFinite).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
