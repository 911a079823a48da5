"""What the tests of the plots share: the pixels that a reader would see, and what is refused."""

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

pytestmark = pytest.mark.needs("matplotlib")

matplotlib.use("Agg")


def blank_axes():
    """Axes of a figure that pyplot knows nothing of."""
    return Figure(figsize=(6.4, 4.8), dpi=100).subplots()


def image(ax):
    """The figure as it is seen: an array of rows of red, green and blue, from 0 to 255."""
    canvas = FigureCanvasAgg(ax.figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[:, :, :3].astype(int)


def colour_at(ax, x, y):
    """The colour of the pixel at a point of the data, were there no legend."""
    box = ax.get_legend()
    if box is not None:
        box.set_visible(False)
    pixels = image(ax)
    if box is not None:
        box.set_visible(True)
    column, row = ax.transData.transform((x, y))
    return pixels[pixels.shape[0] - 1 - int(row), int(column)]


def assert_colour(ax, x, y, expected, tolerance=6):
    seen = colour_at(ax, x, y)
    assert np.abs(seen - rgb(expected)).max() <= tolerance, f"{seen} at ({x}, {y}), expected {rgb(expected)}"


def rgb(colour):
    return np.rint(np.array(to_rgb(colour)) * 255).astype(int)


def pixels_of(ax, colour, tolerance=6):
    """How many pixels have a colour."""
    return int((np.abs(image(ax) - rgb(colour)).max(axis=2) <= tolerance).sum())


def recorded_contours(ax):
    """Lists of the contours that will be drawn, filled and as lines; how the Axes keep them depends on the version."""
    found = []
    for name in ("contourf", "contour"):
        drawn, draw = [], getattr(ax, name)

        def recorded(*arguments, drawn=drawn, draw=draw, **keywords):
            drawn.append(draw(*arguments, **keywords))
            return drawn[-1]

        setattr(ax, name, recorded)
        found.append(drawn)
    return found


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def refused(error, message, function, *arguments, **keywords):
    """Hold that the input is refused, before a figure is made."""
    before = plt.get_fignums()
    with pytest.raises(error, match=message):
        function(*arguments, **keywords)
    assert plt.get_fignums() == before
