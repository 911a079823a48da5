"""Without Matplotlib the plots can be imported, and say what to install when they are used."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

from autograd_mini import MissingDependencyError
from autograd_mini.views import plots

CALLS = {
    "plot_activation": ("tanh",),
    "plot_decision_boundary": (lambda Z: Z[:, 0], [[0.0, 1.0]], [1]),
    "plot_descent_path": (lambda a, b: a + b, [[0.0, 0.0]]),
    "plot_gradient_norm_by_layer": ({"layers.0": 1.0},),
    "plot_loss": (SimpleNamespace(loss=[1.0]),),
    "plot_saturation": ({"tanh": [1.0]}, [1.0]),
    "plot_vanishing_gradients": ({"tanh": [1.0]},),
    "plot_weight_histogram": ([[1.0, 2.0]],),
}


def test_every_plot_is_in_this_test():
    assert sorted(CALLS) == sorted(plots.__all__)


@pytest.mark.parametrize("name", CALLS)
def test_it_says_what_to_install(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)  # what an import finds where it isn't installed
    monkeypatch.delitem(sys.modules, "matplotlib.axes", raising=False)
    with pytest.raises(MissingDependencyError, match=r'need Matplotlib; run: pip install "autograd-mini\[plot\]"'):
        getattr(plots, name)(*CALLS[name])


def test_a_matplotlib_that_is_broken_is_not_called_missing(monkeypatch):
    class Broken:
        def find_spec(self, name, path=None, target=None):
            if name == "matplotlib":
                raise ModuleNotFoundError("No module named 'kiwisolver'", name="kiwisolver")

    for module in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    with pytest.raises(ModuleNotFoundError, match="kiwisolver"):
        plots.plot_activation("tanh")


def test_importing_the_plots_does_not_import_matplotlib():
    code = "import sys, autograd_mini.views.plots; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
