
"use strict";
(() => {
  const NOT_FINITE = -32768, MOST = 32767, SHADES = 127;

  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

  /** The numbers of every frame, from 16 bits each. */
  function unpacked({ bits, largest }) {
    const raw = bytes(bits), view = new DataView(raw.buffer), count = raw.length / 2 / largest.length;
    return (frame) => Array.from({ length: count }, (_, i) => {
      const share = view.getInt16(2 * (frame * count + i), true);
      return share === NOT_FINITE ? NaN : (share * largest[frame]) / MOST;
    });
  }

  /** A number in at most six characters, as in the picture that Python draws. */
  function short(number) {
    const size = Math.abs(number);
    if (!Number.isFinite(number) || number === 0) return number === 0 ? "0" : "nan";
    if (size < 0.01 || size >= 1000) return number.toExponential(0).replace("+", "");
    return number.toFixed(size < 10 ? 2 : size < 100 ? 1 : 0);
  }

  const full = (number) => (Number.isFinite(number) ? String(Number(number.toPrecision(4))) : "nan");

  function made(tag, attributes = {}, text = "") {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.textContent = text;
    return element;
  }

  /** Where a surface of triangles, two in each square of the grid, has the height 0: as a path. */
  function zeroLine(heights, side, [left, width, height]) {
    const last = side + 1, place = (i) => i - 0.5;
    // One step outside of the grid the surface goes on as straight as it came, so that the path reaches the frame.
    const inner = (i) => (i === 0 ? [[0, 2], [1, -1]] : i === last ? [[side - 1, 2], [side - 2, -1]] : [[i - 1, 1]]);
    const at = ([row, column]) => {
      let height = 0;
      for (const [r, a] of inner(row)) for (const [c, b] of inner(column)) height += a * b * heights[r * side + c];
      return height;
    };
    const path = [];
    for (let row = 0; row < last; row++) {
      for (let column = 0; column < last; column++) {
        const far = [row + 1, column + 1];
        for (const third of [[row + 1, column], [row, column + 1]]) {
          const corners = [[row, column], third, far], ends = [];
          corners.forEach((a, i) => {
            const b = corners[(i + 1) % 3], p = at(a), q = at(b);
            if (p >= 0 === q >= 0) return;
            const share = p / (p - q);
            const [y, x] = [0, 1].map((k) => place(a[k]) + share * (place(b[k]) - place(a[k])));
            ends.push(`${(left + (x * width) / side).toFixed(1)} ${(height - (y * height) / side).toFixed(1)}`);
          });
          if (ends.length) path.push(`M${ends[0]}L${ends[1]}`);
        }
      }
    }
    return path.join("");
  }

  /** The network twice, weights and gradients: `show` puts a frame's numbers in, `describe` names what is near. */
  function network(svg, data) {
    const { sizes, look, reaches } = data.network;
    const names = ["weights", "biases", "weightGradients", "biasGradients", "activations"];
    const read = Object.fromEntries(names.map((name) => [name, unpacked(data.network[name])]));
    const groups = ["ag-weights", "ag-gradients"].map((name) => svg.querySelector(`.${name}`)).filter(Boolean);
    const parts = groups.map((group) => ({
      lines: [...group.querySelectorAll("line")],
      labels: [...group.querySelectorAll(".ag-label")],
      circles: [...group.querySelectorAll("circle")],
    }));
    const columnOf = sizes.flatMap((size, column) => Array(size).fill(column));
    const ends = [];
    for (let layer = 1; layer < sizes.length; layer++)
      for (let j = 0; j < sizes[layer]; j++) for (let i = 0; i < sizes[layer - 1]; i++) ends.push([layer, j, i]);
    const widest = svg.querySelector(".ag-widest");
    let now = {};

    function paintLine(line, number, largest) {
      const share = !Number.isFinite(number) ? 1 : largest ? Math.min(Math.abs(number) / largest, 1) : 0;
      const colour = data.lineColours[Number.isNaN(number) ? 3 : Math.sign(number) + 1];
      line.setAttribute("stroke", colour);
      line.setAttribute("stroke-width", (look.thinnest + (look.widest - look.thinnest) * share).toFixed(2));
      line.setAttribute("stroke-opacity", (look.faintest + (1 - look.faintest) * share).toFixed(2));
      if (number < 0) line.setAttribute("stroke-dasharray", look.dashes);
      else line.removeAttribute("stroke-dasharray");
    }

    function paintCircle(circle, number, reach) {
      const share = number === 0 ? 0 : reach ? Math.max(-1, Math.min(1, number / reach)) : Math.sign(number);
      const shade = Number.isNaN(number) ? 0 : Math.round(share * SHADES) + SHADES + 1;
      circle.setAttribute("fill", data.palette[shade]);
      const words = circle.nextElementSibling;
      if (words?.classList.contains("ag-number")) {
        words.textContent = short(number);
        words.setAttribute("fill", data.inks[shade]);
      }
    }

    function paint(part, lines, largest, circles, reach) {
      part.lines.forEach((line, k) => paintLine(line, lines[k], largest));
      part.labels.forEach((label, k) => { label.textContent = short(lines[k]); });
      part.circles.forEach((circle, k) => { if (circles[k] !== undefined) paintCircle(circle, circles[k], reach(k)); });
    }

    function show(frame) {
      now = Object.fromEntries(names.map((name) => [name, read[name](frame)]));
      paint(parts[0], now.weights, reaches.weight, now.activations, (k) => reaches.activations[columnOf[k]]);
      if (parts.length === 1) return;
      const [weightReach, biasReach] = data.network.gradientReaches[frame];
      const circles = [...Array(sizes[0]).fill(undefined), ...now.biasGradients];
      paint(parts[1], now.weightGradients, weightReach, circles, () => biasReach);
      widest.textContent = `widest line: |∂L/∂w| = ${Number(weightReach.toPrecision(3))}`;
    }

    const unit = (column, k) => (column === 0 ? `x${k + 1}` : `neuron ${k} of layer ${column - 1}`);
    const withGradient = (name, value, gradient) =>
      `${name} = ${full(value)}${gradient === undefined ? "" : `, gradient ${full(gradient)}`}`;

    function describeLine(k) {
      const [layer, j, i] = ends[k];
      return withGradient(`weight ${unit(layer - 1, i)} → ${unit(layer, j)}`, now.weights[k], now.weightGradients[k]);
    }

    function describeCircle(k) {
      const column = columnOf[k], first = columnOf.indexOf(column), bias = k - sizes[0];
      const words = now.activations.length ? [`activation ${full(now.activations[k])}`] : [];
      if (column) words.push(withGradient("bias", now.biases[bias], now.biasGradients[bias]));
      return `${unit(column, k - first)}${words.length ? ": " : ""}${words.join("; ")}`;
    }

    /** What is near a point of the figure: its elements in both pictures, and its numbers in words. */
    function near(x, y) {
      for (const [g, group] of groups.entries()) {
        const { e: dx, f: dy } = group.parentNode.transform.baseVal.consolidate().matrix;
        const [px, py] = [x - dx, y - dy];
        const of = (element, name) => element[name].baseVal.value;
        const inside = (c) => Math.hypot(px - of(c, "cx"), py - of(c, "cy")) <= of(c, "r") + 1.5;
        const hit = parts[g].circles.findIndex(inside);
        if (hit >= 0) return { elements: parts.map((part) => part.circles[hit]), words: describeCircle(hit) };
        let best = 5, found = -1;
        parts[g].lines.forEach((line, k) => {
          const [x1, y1, x2, y2] = ["x1", "y1", "x2", "y2"].map((name) => of(line, name));
          const length = (x2 - x1) ** 2 + (y2 - y1) ** 2;
          const t = Math.max(0, Math.min(1, ((px - x1) * (x2 - x1) + (py - y1) * (y2 - y1)) / length));
          const away = Math.hypot(px - x1 - t * (x2 - x1), py - y1 - t * (y2 - y1));
          if (away < best) [best, found] = [away, k];
        });
        if (found >= 0) return { elements: parts.map((part) => part.lines[found]), words: describeLine(found) };
      }
      return null;
    }

    function table() {
      const circles = columnOf.map((column, k) => [column, k]).filter(([column]) => column);
      const head = made("tr");
      for (const name of ["", "value", "gradient"]) head.append(made("th", { scope: "col" }, name));
      const body = made("table");
      body.append(head);
      const add = (...cells) => {
        const row = made("tr");
        cells.forEach((cell, i) => row.append(made(i ? "td" : "th", i ? {} : { scope: "row" }, cell)));
        body.append(row);
      };
      const given = (number) => (number === undefined ? "" : full(number));
      ends.forEach(([layer, j, i], k) =>
        add(`weight ${unit(layer - 1, i)} → ${unit(layer, j)}`, full(now.weights[k]), given(now.weightGradients[k])));
      circles.forEach(([column, k], b) =>
        add(`bias of ${unit(column, k - columnOf.indexOf(column))}`, full(now.biases[b]), given(now.biasGradients[b])));
      now.activations.forEach((a, k) =>
        add(`activation of ${unit(columnOf[k], k - columnOf.indexOf(columnOf[k]))}`, full(a), ""));
      return body;
    }

    return { show, near, table };
  }

  /** The regions and the boundary over two features, or the curves over one. */
  function surface(svg, data) {
    const { kind, side, box, ranges, palette, score, isDecision } = data.surface;
    const [left, width, height] = box, [[xLow, xHigh], [yLow, yHigh]] = ranges;
    if (kind === "curve") {
      const read = unpacked(data.surface.curves), curves = [...svg.querySelectorAll(".ag-curve")];
      return {
        near: () => null,
        show(frame) {
          const numbers = read(frame);
          curves.forEach((curve, k) => {
            let pen = "M";
            curve.setAttribute("d", numbers.slice(k * side, (k + 1) * side).map((number, i) => {
              if (!Number.isFinite(number)) { pen = "M"; return ""; }
              const y = Math.max(-1e4, Math.min(1e4, (height * (yHigh - number)) / (yHigh - yLow)));
              const step = `${pen}${(left + (width * i) / (side - 1)).toFixed(1)} ${y.toFixed(1)}`;
              pen = "L";
              return step;
            }).join(""));
          });
        },
      };
    }
    const shades = bytes(data.surface.shades), image = svg.querySelector(".ag-regions");
    const boundary = svg.querySelector(".ag-boundary"), group = svg.querySelector(".ag-surface").parentNode;
    const colours = palette.map((c) => [1, 3, 5].map((i) => parseInt(c.slice(i, i + 2), 16)));
    const canvas = made("canvas", { width: side, height: side }), context = canvas.getContext("2d");
    let now = shades;

    function show(frame) {
      now = shades.subarray(frame * side * side, (frame + 1) * side * side);
      const pixels = context.createImageData(side, side);
      now.forEach((shade, k) => {
        const up = (side - 1 - Math.floor(k / side)) * side + (k % side); // the first row is the lowest
        pixels.data.set([...colours[shade], 255], 4 * up);
      });
      context.putImageData(pixels, 0, 0);
      image.setAttribute("href", canvas.toDataURL());
      const heights = Array.from(now, (shade) => shade - SHADES - 1);
      boundary.setAttribute("d", isDecision ? zeroLine(heights, side, box) : "");
    }

    function near(x, y) {
      const { e: dx, f: dy } = group.transform.baseVal.consolidate().matrix;
      const [right, up] = [(x - dx - left) / width, 1 - (y - dy) / height];
      if (right < 0 || right >= 1 || up < 0 || up >= 1) return null;
      const shade = now[Math.floor(up * side) * side + Math.floor(right * side)], level = shade - SHADES - 1;
      const where = `x1 = ${full(xLow + right * (xHigh - xLow))}, x2 = ${full(yLow + up * (yHigh - yLow))}`;
      if (shade === 0) return { elements: [], words: `${where}: the output isn't finite` };
      if (kind === "classes") return { elements: [], words: `${where}: class ${shade - 1}` };
      const bound = level === SHADES ? "at least " : level === -SHADES ? "at most " : "about ";
      const output = Number((score[0] + (score[1] * level) / SHADES).toPrecision(2));
      return { elements: [], words: `${where}: output ${bound}${output}` };
    }

    return { show, near };
  }

  function mount(root) {
    root.dataset.agMounted = "";
    const data = JSON.parse(root.querySelector('script[type="application/json"]').textContent);
    const picture = root.querySelector("img"), last = data.words.length - 1;
    const source = new TextDecoder().decode(bytes(picture.src.slice(picture.src.indexOf(",") + 1)));
    const svg = document.importNode(new DOMParser().parseFromString(source, "image/svg+xml").documentElement, true);
    const title = svg.querySelector("text");
    title.remove(); // the words above the picture say it
    svg.setAttribute("viewBox", svg.getAttribute("viewBox").replace("0 0", "0 24").replace(/[\d.]+$/, (h) => h - 24));
    for (const name of ["width", "height"]) svg.removeAttribute(name);
    svg.setAttribute("role", "img");
    picture.replaceWith(svg);
    root.tabIndex = 0;
    root.setAttribute("role", "group");
    root.setAttribute("aria-label", "A training, epoch by epoch. Arrows, Home, End and space move through it.");
    root.dataset.lmSuppressShortcuts = "true";

    const controls = made("div", { class: "ag-controls" });
    const button = (name, sign, action) => {
      const element = made("button", { type: "button", "aria-label": name, title: name }, sign);
      element.addEventListener("click", action);
      controls.append(element);
      return element;
    };
    button("first epoch", "|◀", () => go(0));
    button("previous frame", "◀", () => go(now - 1));
    const playing = button("play", "▶ play", () => play(timer === null));
    button("next frame", "▶", () => go(now + 1));
    button("last epoch", "▶|", () => go(last));
    const slider = made("input", { type: "range", min: 0, max: last, step: 1, "aria-label": "epoch" });
    slider.addEventListener("input", () => go(Number(slider.value)));
    controls.append(slider);
    const speed = made("select", { "aria-label": "speed" });
    const waits = { slow: 400, normal: 120, fast: 40 };
    for (const [name, wait] of Object.entries(waits)) speed.append(made("option", { value: wait }, name));
    speed.value = waits.normal;
    speed.addEventListener("change", () => { if (timer !== null) { play(false); play(true); } });
    const label = made("label", { class: "ag-speed" }, "speed");
    label.append(speed);
    controls.append(label);
    const words = made("p", { class: "ag-words", "aria-live": "polite" });
    const example = made("p", { class: "ag-readout ag-example" }), readout = made("p", { class: "ag-readout ag-near" });
    svg.before(controls, words);
    svg.after(example, readout);

    const net = data.network ? network(svg, data) : null, field = data.surface ? surface(svg, data) : null;
    const outputs = data.example ? unpacked(data.outputs) : null;
    const cursor = svg.querySelector(".ag-now");
    const dots = ["training", "validation"].map((name) => svg.querySelector(`.ag-dot-${name}`));
    let now = 0, timer = null, details = null;

    function go(frame) {
      now = Math.max(0, Math.min(last, frame));
      if (now === last && timer !== null) play(false);
      slider.value = now;
      slider.setAttribute("aria-valuetext", data.words[now]);
      words.textContent = data.words[now];
      svg.setAttribute("aria-label", data.words[now]);
      for (const end of ["x1", "x2"]) cursor.setAttribute(end, data.x[now]);
      dots.forEach((dot, i) => {
        if (!dot) return;
        const y = data.y[now][i];
        dot.setAttribute("visibility", y === null ? "hidden" : "visible");
        dot.setAttribute("cx", data.x[now]);
        dot.setAttribute("cy", y ?? 0);
      });
      net?.show(now);
      field?.show(now);
      if (outputs) {
        const { number, features, more, target } = data.example, list = (numbers) => numbers.map(full).join(", ");
        const others = more ? ` and ${more} more` : "", found = list(outputs(now));
        example.textContent =
          `example ${number}: features ${list(features)}${others}; target ${list(target)}; output ${found}`;
      }
      fill();
    }

    function play(on) {
      clearInterval(timer);
      timer = on ? setInterval(() => (root.isConnected ? go(now + 1) : play(false)), Number(speed.value)) : null;
      playing.textContent = on ? "‖ pause" : "▶ play";
      playing.setAttribute("aria-label", on ? "pause" : "play");
      words.setAttribute("aria-live", on ? "off" : "polite"); // nobody can listen to ten epochs a second
      if (on && now === last) go(0);
    }

    root.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey || event.target === speed) return;
      const isButton = event.target.closest("button, summary") !== null;
      const jumps = {
        ArrowRight: now + 1, ArrowUp: now + 1, ArrowLeft: now - 1, ArrowDown: now - 1,
        PageUp: now + 10, PageDown: now - 10, Home: 0, End: last,
      };
      if (event.key in jumps) go(jumps[event.key]);
      else if (event.key === " " && !isButton) play(timer === null);
      else return;
      event.preventDefault();
      event.stopPropagation();
    });

    function name(found) {
      for (const hot of svg.querySelectorAll(".ag-hot")) hot.classList.remove("ag-hot");
      for (const element of found?.elements ?? []) element.classList.add("ag-hot");
      readout.textContent = found?.words ?? "";
    }
    svg.addEventListener("pointermove", (event) => {
      const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      name(net?.near(point.x, point.y) ?? field?.near(point.x, point.y));
    });
    svg.addEventListener("pointerleave", () => name(null));

    function fill() {
      if (details?.open) details.querySelector(".ag-table").replaceChildren(net.table());
    }
    if (net) {
      details = made("details");
      details.append(made("summary", {}, "all numbers of this epoch"), made("div", { class: "ag-table" }));
      details.addEventListener("toggle", fill);
      root.append(details);
    }
    go(last);
  }

  // The page may have several; the one around this script may not be in the document yet, or in a shadow tree.
  const all = new Set([document.currentScript?.closest("[data-ag-watch]"), ...document.querySelectorAll("[data-ag-watch]")]);
  for (const root of all) if (root && !("agMounted" in root.dataset)) mount(root);
})();
