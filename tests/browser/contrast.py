"""How well texts stand out in a page: the colour they are written in against the colour that is seen around them."""

from __future__ import annotations

import base64

from autograd_mini.views.colours import contrast

# Texts of SVG that are seen: no pill covers them.
TEXTS = """selector => [...document.querySelectorAll(selector)].filter(text => text.textContent.trim()).map(text => {
    const { x, y, width, height } = text.getBoundingClientRect();
    const [middle, centre] = [x + width / 2, y + height / 2];
    let opacity = 1;
    for (let part = text; part; part = part.parentElement) opacity *= getComputedStyle(part).opacity;
    const colour = getComputedStyle(text).fill.match(/[\\d.]+/g).map(Number);
    const covered = [...document.querySelectorAll(".am-pill rect")].some(pill => {
        const { left, right, top, bottom } = pill.getBoundingClientRect(), inside = pill.parentNode === text.parentNode;
        return !inside && left < middle && middle < right && top < centre && centre < bottom;
    });
    return { text: text.textContent, box: [x, y, width, height], colour, opacity, covered };
}).filter(({ covered, box: [x, y, width, height] }) =>
    !covered && x >= 0 && y >= 0 && x + width <= innerWidth && y + height <= innerHeight)"""
# The colour that most of the pixels of each box have.
GROUNDS = """async ([png, boxes, scale]) => {
    const bytes = Uint8Array.from(atob(png), sign => sign.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const paint = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d", { willReadFrequently: true });
    paint.drawImage(bitmap, 0, 0);
    return boxes.map(box => {
        const { data } = paint.getImageData(...box.map(side => Math.max(1, Math.round(side * scale))));
        const counts = new Map();
        for (let i = 0; i < data.length; i += 4) {
            const colour = data[i] * 65536 + data[i + 1] * 256 + data[i + 2];
            counts.set(colour, (counts.get(colour) ?? 0) + 1);
        }
        return [...counts].reduce((most, other) => other[1] > most[1] ? other : most)[0];
    });
}"""


def contrasts(page, selector):
    """The texts of SVG that are seen, each with its contrast with the colour behind it."""
    found = page.evaluate(TEXTS, selector)
    png = base64.b64encode(page.screenshot()).decode()
    boxes = [text["box"] for text in found]
    grounds = page.evaluate(GROUNDS, [png, boxes, page.evaluate("devicePixelRatio")])
    return [(text["text"], ratio(text, ground)) for text, ground in zip(found, grounds, strict=True)]


def ratio(text, ground):
    behind = ground.to_bytes(3, "big")
    ink = [round(b + (c - b) * text["opacity"]) for b, c in zip(behind, text["colour"], strict=False)]
    return contrast("#" + bytes(ink).hex(), "#" + behind.hex())
