"""The page of a watched training in a real browser: what the script shows is what Python draws, frame by frame."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from autograd_mini import Trainer, datasets, nn, step_through, watch
from autograd_mini.optim import SGD
from autograd_mini.views import page as pages
from autograd_mini.views.colours import contrast
from autograd_mini.views.live.figure import Scales, summary

SVG = "{http://www.w3.org/2000/svg}"


def watched(model, loss, features, targets, epochs=6, **options):
    optimizer = SGD(model.parameters(), lr=0.1)
    trainer = Trainer(model, loss, optimizer, batch_size=8, epochs=epochs, progress=False, **options)
    watcher = watch(trainer, features, targets, example=1)
    trainer.fit(features, targets)
    return watcher


@pytest.fixture(scope="module")
def moons():
    X, y = datasets.moons(60, seed=0)
    y = 2 * np.asarray(y) - 1
    return watched(nn.MLP(2, [8, 8, 1], rng=0), "hinge", X, y, validation=(X[:20], y[:20]))


@pytest.fixture(scope="module")
def xor():
    X, y = datasets.xor()
    return watched(nn.MLP(2, [2, 1], "tanh", output="sigmoid", rng=1), "binary_cross_entropy", X, y)


@pytest.fixture(scope="module")
def line():
    X, y = datasets.linear(20, seed=0)
    return watched(nn.MLP(1, [1], rng=0), "squared_error", X, y)


@pytest.fixture(scope="module")
def classes():
    X, y = datasets.moons(30, seed=0)
    return watched(nn.MLP(2, [4, 3], "tanh", rng=0), "cross_entropy", X, (np.asarray(y) + (X[:, 0] > 1)).astype(int))


WATCHED = ["moons", "xor", "line", "classes"]
# What of every element a script may change; numbers are compared as such.
CHANGING = [
    "stroke",
    "stroke-width",
    "stroke-opacity",
    "stroke-dasharray",
    "fill",
    "cx",
    "cy",
    "x1",
    "x2",
    "visibility",
]


def document(watcher):
    return pages.document("", watcher._html())


def drawn_by_python(watcher):
    """For each frame the attributes and texts of the elements that Python draws."""
    frames = watcher.frames
    figure, scales = watcher._figure(frames[-1].epoch), Scales.of(frames)
    for frame in frames:
        root = ET.fromstring(figure.svg(frame, scales))
        root.remove(next(iter(root.iter(f"{SVG}text"))))  # the title, which the page has above the figure
        elements = [e for e in root.iter() if e.tag.removeprefix(SVG) in ("line", "circle", "text")]
        paths = [e.get("d") for e in root.iter(f"{SVG}path") if e.get("class") in ("am-curve", "am-boundary")]
        yield [([e.get(name) for name in CHANGING], e.text) for e in elements], paths


DRAWN = """([names]) => {
  const svg = document.querySelector('.am-figure > svg');
  return [
    [...svg.querySelectorAll('line, circle, text')].map((e) => [names.map((n) => e.getAttribute(n)), e.textContent]),
    [...svg.querySelectorAll('path.am-curve, path.am-boundary')].map((e) => e.getAttribute('d')),
  ];
}"""


def go(page, frame):
    page.locator(".am-watch input").evaluate(
        "(slider, frame) => { slider.value = frame; slider.dispatchEvent(new Event('input')); }", frame
    )


def numbers(path):
    return [float(number) for number in re.findall(r"-?\d+\.?\d*", path)]


def is_number(text):
    return re.fullmatch(r"-?\d+(\.\d+)?(e-?\d+)?", text or "") is not None


def assert_same(found, expected):
    assert len(found) == len(expected)
    circle = "#ffffff"
    for (attributes, text), (wanted, wanted_text) in zip(found, expected, strict=True):
        for name, a, b in zip(CHANGING, attributes, wanted, strict=True):
            if is_number(a) and is_number(b):
                assert float(a) == pytest.approx(float(b), abs=0.11 if name in ("cx", "cy", "x1", "x2") else 0.021)
            elif name == "visibility":
                assert (a == "hidden") == (b == "hidden")
            elif name == "fill" and {a, b} == {"#000000", "#ffffff"}:  # on a fill where either ink can be read
                assert contrast(a, circle) == pytest.approx(contrast(b, circle), rel=0.05)
            elif name == "fill" and a != b:  # one shade of 127 apart, by rounding
                assert all(abs(int(a[i : i + 2], 16) - int(b[i : i + 2], 16)) <= 2 for i in (1, 3, 5)), (a, b)
            else:
                assert a == b, name
        circle = wanted[CHANGING.index("fill")] or circle
        if is_number(text) and is_number(wanted_text):
            assert float(text) == pytest.approx(float(wanted_text), rel=0.02, abs=0.0101)
        else:
            assert text.split("=")[0] == (wanted_text or "").split("=")[0]


@pytest.mark.parametrize("name", WATCHED)
def test_every_frame_is_what_python_draws(open_page, request, name):
    watcher = request.getfixturevalue(name)
    page = open_page(document(watcher))
    for frame, (elements, paths) in enumerate(drawn_by_python(watcher)):
        go(page, frame)
        found, found_paths = page.evaluate(DRAWN, [CHANGING])
        assert_same(found, elements)
        for path, wanted in zip(found_paths, paths, strict=True):
            assert path.count("M") == wanted.count("M")
            assert numbers(path) == pytest.approx(numbers(wanted), abs=0.3)
    page.locator(".am-watch").press("Home")
    assert page.locator(".am-words").text_content() == summary(watcher.frames[0], watcher.frames[-1].epoch)


def test_negative_weights_are_dashed(open_page, moons):
    page = open_page(document(moons))
    for frame in (0, 3, 6):
        go(page, frame)
        for group, arrays in (
            ("am-weights", moons.frames[frame].weights),
            ("am-gradients", moons.frames[frame].weight_gradients),
        ):
            found = page.eval_on_selector_all(
                f".{group} line", "lines => lines.map(l => !!l.getAttribute('stroke-dasharray'))"
            )
            values = np.concatenate([array.ravel() for array in arrays])
            # A gradient that 16 bits can't tell from 0 has no sign.
            clear = np.abs(values) > np.abs(values).max() / 32767
            assert (np.array(found) == (values < 0))[clear].all()


def pixels(page):
    return page.evaluate("""async () => {
      const image = new Image();
      image.src = document.querySelector('.am-regions').getAttribute('href');
      await image.decode();
      const canvas = document.createElement('canvas');
      [canvas.width, canvas.height] = [image.width, image.height];
      const context = canvas.getContext('2d');
      context.drawImage(image, 0, 0);
      return [image.width, image.height, [...context.getImageData(0, 0, image.width, image.height).data]];
    }""")


@pytest.mark.parametrize("name", ["moons", "classes"])
def test_the_regions_are_those_of_the_model(open_page, request, name):
    watcher = request.getfixturevalue(name)
    page, surface = open_page(document(watcher)), watcher._surface
    for frame in (0, len(watcher.frames) - 1):
        go(page, frame)
        width, height, data = pixels(page)
        assert (width, height) == (40, 40)
        shades = surface.shades(watcher.frames[frame].surface).reshape(40, 40)[::-1].ravel()
        colours = [[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in surface.palette]
        assert np.array(data).reshape(-1, 4)[:, :3].tolist() == [colours[shade] for shade in shades]


# ---------------------------------------------------------------------------------------------------- controls


def words(page):
    return page.locator(".am-words").text_content()


def test_buttons_and_keys_move_through_the_epochs(open_page, moons):
    page = open_page(document(moons))
    last = summary(moons.frames[-1], 6)
    assert words(page) == last
    for name, expected in [
        ("first", "before the training"),
        ("forward", "epoch 1 of 6"),
        ("forward", "epoch 2 of 6"),
        ("back", "epoch 1 of 6"),
        ("last", last),
        ("forward", last),
    ]:
        page.click(f"[data-do={name}]")
        assert words(page).startswith(expected)
    root = page.locator(".am-watch")
    root.focus()
    for key, expected in [
        ("Home", "before the training"),
        ("ArrowLeft", "before the training"),
        ("ArrowRight", "epoch 1 of 6"),
        ("PageUp", "epoch 6 of 6"),
        ("ArrowLeft", "epoch 5 of 6"),
        ("ArrowDown", "epoch 4 of 6"),
        ("ArrowUp", "epoch 5 of 6"),
        ("PageDown", "before the training"),
        ("End", "epoch 6 of 6"),
    ]:
        root.press(key)
        assert words(page).startswith(expected), key
    assert page.locator(".am-watch input").input_value() == "6"


def is_playing(page):
    return page.locator("[data-do=play]").get_attribute("aria-pressed") == "true"


def slowed(page):
    """A page that plays so slowly that it isn't over before it is looked at."""
    page.evaluate("""() => { const { setTimeout } = window;
        window.setTimeout = (call, wait) => setTimeout(call, wait * window.slower); window.slower = 20; }""")
    return page


def test_play_goes_to_the_last_epoch_and_stops(open_page, xor):
    page = slowed(open_page(document(xor)))
    page.locator(".am-watch").press(" ")
    assert is_playing(page)
    assert page.locator(".am-words").get_attribute("aria-live") == "off"
    page.locator(".am-watch").press(" ")
    assert not is_playing(page), "space pauses, too"
    page.evaluate("window.slower = 1")
    page.get_by_label("speed").select_option("4")
    page.locator(".am-watch").press(" ")
    page.locator("[data-do=play][aria-pressed=false]").wait_for()
    assert words(page).startswith("epoch 6 of 6")
    assert page.locator(".am-words").get_attribute("aria-live") == "polite"


def test_play_can_be_paused(open_page, moons):
    page = slowed(open_page(document(moons)))
    page.click("[data-do=play]")
    assert is_playing(page)
    page.click("[data-do=play]")
    assert not is_playing(page)
    assert words(page).startswith(("before", "epoch 1 "))


def test_a_step_by_hand_ends_the_play(open_page, moons):
    page = slowed(open_page(document(moons)))
    page.click("[data-do=play]")
    page.click("[data-do=forward]")
    assert not is_playing(page)


def test_keys_of_the_page_around_are_left_alone(open_page, xor):
    page = open_page(document(xor))
    page.evaluate("window.heard = []; document.addEventListener('keydown', (e) => window.heard.push(e.key))")
    root = page.locator(".am-watch")
    for key in ("ArrowRight", "a", "Home"):
        root.press(key)
    assert page.evaluate("window.heard") == ["a"]
    assert root.get_attribute("data-lm-suppress-shortcuts") == "true"


# --------------------------------------------------------------------------------------------- numbers in words


def hover(page, x, y):
    """Move the mouse to a point of the figure."""
    at = page.evaluate(
        """([x, y]) => {
          const svg = document.querySelector('.am-figure > svg');
          const point = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM());
          return [point.x, point.y];
        }""",
        [x, y],
    )
    page.mouse.move(*at)


def test_what_is_under_the_mouse_is_named_with_its_numbers(open_page, xor):
    page, frame = open_page(document(xor)), xor.frames[-1]
    near = page.locator(".am-near")
    panel = xor._figure(6).network
    (x0, (_, y_low), _), (x1, (_, y_neuron), _) = panel._columns[:2]
    hover(page, x1, 54 + y_neuron)
    text = near.text_content()
    assert text.startswith("neuron 2 of layer 1: activation ")
    assert float(re.search(r"activation (\S+);", text)[1]) == pytest.approx(frame.activations[1][1], rel=1e-3)
    assert float(text.split()[-1]) == pytest.approx(frame.bias_gradients[0][1], rel=1e-3)
    hover(page, (x0 + x1) / 2, 54 + y_low)
    text = near.text_content()
    assert text.startswith("w¹₂₂ (x2 → neuron 2 of layer 1) = ")
    assert float(re.search(r"= (\S+),", text)[1]) == pytest.approx(frame.weights[0][1, 1], rel=1e-3)
    assert float(text.split()[-1]) == pytest.approx(frame.weight_gradients[0][1, 1], rel=1e-3)
    assert page.locator(".am-hot").count() == 2
    hover(page, 5, 260)
    assert near.text_content() == ""
    hover(page, (x0 + x1) / 2, 54 + y_low)
    page.mouse.move(0, 0)
    assert near.text_content() == ""
    assert page.locator(".am-hot").count() == 0


def test_the_output_under_the_mouse_is_named(open_page, moons):
    page = open_page(document(moons))
    box = page.locator(".am-regions").bounding_box()
    # The middle of one of 40 · 40 pixels.
    page.mouse.move(box["x"] + box["width"] * 12.5 / 40, box["y"] + box["height"] * 27.5 / 40)
    text = page.locator(".am-near").text_content()
    found = re.fullmatch(r"x1 = (\S+), x2 = (\S+): output (at least|at most|about) (\S+)", text)
    output = moons.trainer.predict([[float(found[1]), float(found[2])]])[0]
    if found[3] == "about":
        assert float(found[4]) == pytest.approx(output, abs=0.25)
    else:
        assert abs(output) > 0.9
        assert float(found[4]) * output > 0


def test_all_numbers_are_in_a_table(open_page, xor):
    page, frame = open_page(document(xor)), xor.frames[2]
    page.get_by_text("all numbers of this epoch").click()
    go(page, 2)
    rows = page.eval_on_selector_all(
        ".am-table tr", "rows => rows.map(r => [...r.children].map(c => c.textContent)).slice(1)"
    )
    assert len(rows) == 6 + 3 + 5
    assert [float(row[1]) for row in rows[:4]] == pytest.approx(frame.weights[0].ravel(), rel=1e-3)
    assert [float(row[2]) for row in rows[:4]] == pytest.approx(frame.weight_gradients[0].ravel(), rel=2e-3, abs=1e-6)
    assert rows[6][0] == "b¹₁ (bias of neuron 1 of layer 1)"


def test_the_example_is_told_in_words(open_page, xor):
    page = open_page(document(xor))
    text = page.locator(".am-example").text_content()
    start = "example 1: features " + ", ".join(f"{x:g}" for x in xor._subject.example[1])
    assert text.startswith(start)
    assert float(text.split()[-1]) == pytest.approx(xor.frames[-1].output[0], rel=1e-3)


def test_it_can_be_used_without_seeing_it(open_page, moons):
    page = open_page(document(moons))
    root = page.locator(".am-watch")
    assert root.get_attribute("tabindex") == "0"
    assert "Arrows" in root.get_attribute("aria-label")
    assert page.locator(".am-words").get_attribute("aria-live") == "polite"
    slider = page.get_by_role("slider", name="epoch")
    assert slider.get_attribute("aria-valuetext") == summary(moons.frames[-1], 6)
    assert page.locator(".am-figure > svg").get_attribute("aria-label") == summary(moons.frames[-1], 6)
    names = page.eval_on_selector_all(".am-watch button", "all => all.map(b => b.getAttribute('aria-label'))")
    assert names == [
        *("to the start (Home)", "one step back (←)", "play or pause (space)"),
        *("one step forward (→)", "to the end (End)"),
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_can_be_read_in_light_and_dark(open_page, moons, scheme):
    page = open_page(document(moons), color_scheme=scheme)
    colours = page.evaluate("""() => [
      getComputedStyle(document.querySelector('.am-ink')).fill,
      getComputedStyle(document.querySelector('.am-words')).color,
      getComputedStyle(document.querySelector('.am-watch button')).color,
    ]""")
    for colour in colours:
        red = int(re.search(r"\d+", colour)[0])
        assert red < 60 if scheme == "light" else red > 200


# ------------------------------------------------------------------------------------------------ in other pages


def test_two_trainings_in_one_page_are_apart(open_page, moons, xor):
    page = open_page(pages.document("", moons._html(), xor._html()))
    first, second = (page.locator(".am-watch").nth(i) for i in (0, 1))
    assert (first.locator("svg .am-weights").count(), second.locator("svg .am-weights").count()) == (1, 1)
    first.press("Home")
    assert first.locator(".am-words").text_content() == "before the training"
    assert second.locator(".am-words").text_content().startswith("epoch 6 of 6")
    ids = page.evaluate("[...document.querySelectorAll('[id]')].length")
    assert ids == 0


def test_a_stepper_and_a_training_in_one_page_are_apart(open_page, xor, square):
    page = open_page(pages.document("", xor._html(), step_through(square).html(), xor._html()))
    page.locator(".am-stepper").press("End")
    page.locator(".am-watch").nth(1).press("Home")
    assert page.locator(".am-stepper").get_attribute("data-step") == "4"
    first, second = page.locator(".am-words").all_text_contents()
    assert first.startswith("epoch 6 of 6")
    assert second == "before the training"


def test_a_saved_page_fetches_nothing(open_page, xor, tmp_path):
    html = xor.save(tmp_path / "training.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in html
    page = open_page(html)
    page.locator(".am-watch").press("Home")
    assert words(page) == "before the training"


def test_a_viewer_that_runs_no_scripts_of_ours_gets_a_frame(open_page, xor):
    kind, html = xor._mime_()
    assert kind == "text/html"
    frame = open_page(html).frame_locator("iframe")
    frame.locator(".am-watch").press("Home")
    assert frame.locator(".am-words").text_content() == "before the training"


@pytest.mark.parametrize("around", ['data-jp-theme-light="false"', 'class="vscode-dark"', 'data-theme="dark"'])
def test_it_is_as_dark_as_the_page_around(open_page, xor, around):
    page = open_page(f"<body {around}>{xor._html()}</body>", color_scheme="light")
    background = "() => getComputedStyle(document.querySelector('.am-watch')).backgroundColor"
    assert page.evaluate(background) == "rgb(21, 24, 28)"


def test_without_its_script_the_page_has_the_last_picture(open_page, xor):
    page = open_page(document(xor), java_script_enabled=False)
    image = page.locator(".am-watch img")
    assert image.get_attribute("alt") == summary(xor.frames[-1], 6)
    assert image.bounding_box()["width"] == 880


def test_a_live_picture_is_an_image_that_the_browser_draws(open_page, moons):
    page = open_page(pages.image(moons._still(), ""))
    assert page.locator("img").evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 880


def test_a_model_that_is_no_network_has_its_page(open_page):
    class Product(nn.Module):
        def __init__(self):
            self.w = nn.Parameter(0.5)

        def forward(self, x):
            return self.w * x[0] * x[1]

    X, y = datasets.xor()
    page = open_page(document(watched(Product(), "squared_error", X, y)))
    assert page.locator("line").count() == 1
    assert "not for this Product" in page.locator(".am-figure > svg").text_content()
    assert page.get_by_text("all numbers of this epoch").count() == 0
    page.locator(".am-watch").press("Home")
    assert words(page) == "before the training"


def test_a_step_is_quick_even_in_a_large_network(open_page):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 64))
    watcher = watched(nn.MLP(64, [16, 10], rng=0), "cross_entropy", X, rng.integers(0, 10, 20), epochs=5)
    page = open_page(document(watcher))
    assert page.locator(".am-weights line").count() == 64 * 16 + 16 * 10
    assert page.locator(".am-label").count() == 0
    milliseconds = page.locator(".am-watch input").evaluate("""(slider) => {
      const start = performance.now();
      for (let k = 0; k < 20; k++) { slider.value = k % 6; slider.dispatchEvent(new Event('input')); }
      return (performance.now() - start) / 20;
    }""")
    # It takes about 6; the bound leaves room for a machine that is busy with something else.
    assert milliseconds < 50
