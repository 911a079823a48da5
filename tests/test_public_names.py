"""What a user may import stays importable: the public names, and the module paths that README, docs, lessons use."""

import ast
import json
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PUBLIC = {
    "autograd_mini": (
        "AnomalyError Constant GradientCheckError LoadError MissingDependencyError Parameter TraceError Trainer Value "
        "atan2 cbrt clip erfc gelu hypot log10 log2 log_sigmoid log_softmax mean prod reciprocal silu square "
        "acos asin atan backward_steps check_gradients cos cosh datasets derivative_table detect_anomaly dot draw elu "
        "enable_grad erf exp explain expm1 finite_difference forward_steps grad graph greater greater_equal hessian "
        "identity jacobian leaky_relu load log log1p logsumexp maximum minimum nn no_grad optim pick relu save scope "
        "sigmoid sign sin sinh softmax softplus sqrt step step_through tan tanh to_latex to_python value_and_grad "
        "vectorize watch where"
    ),
    "autograd_mini.derivatives": ("check_gradients grad hessian jacobian value_and_grad"),
    "autograd_mini.engine": ("Value"),
    "autograd_mini.functions": (
        "atan2 cbrt clip erfc gelu hypot log10 log2 log_sigmoid log_softmax mean prod reciprocal silu square "
        "abs acos asin atan cos cosh dot elu erf exp expm1 greater greater_equal identity leaky_relu log log1p "
        "logsumexp maximum minimum pick pow relu sigmoid sign sin sinh softmax softplus sqrt step sum tan tanh "
        "where"
    ),
    "autograd_mini.nn": (
        "Activation BatchNorm Conv1d Conv2d Dropout Embedding Flatten L1 L2 Layer LayerNorm MLP Module Neuron "
        "Parameter RNN RNNCell Reshape Residual Sequential WeightElimination absolute_error activations batch "
        "binary_cross_entropy binary_cross_entropy_with_logits cross_entropy freeze gaussian_nll "
        "half_squared_error hinge huber initializers is_frozen losses mixes_examples squared_error unfreeze"
    ),
    "autograd_mini.optim": (
        "Adagrad Adam AdamW Optimizer RMSprop SGD clip_grad_norm clip_grad_value grad_norm schedules"
    ),
    "autograd_mini.training": (
        "EarlyStopping GradientNorm History LossTolerance NonFiniteLossError StoppingRule Trainer metrics"
    ),
    "autograd_mini.vectorizer": ("Program vectorize"),
    "autograd_mini.views": ("Stepper draw step_through"),
    "autograd_mini.views.live": ("Frame Watcher watch"),
    "autograd_mini.views.plots": (
        "plot_activation plot_decision_boundary plot_descent_path plot_gradient_norm_by_layer plot_loss "
        "plot_saturation plot_vanishing_gradients plot_weight_histogram"
    ),
    "autograd_mini.views.stepper": ("Stepper step_through"),
}
# Modules whose public names are reached from the package: `from autograd_mini import functions`.
FROM_THE_PACKAGE = ("autograd_mini.derivatives", "autograd_mini.functions", "autograd_mini.lectures")
MODULES = (
    "datasets engine graph lectures nn optim optim.schedules serialization training training.data training.metrics"
)
MODULES = [
    f"autograd_mini.{name}"
    for name in [*MODULES.split(), "training.metrics", "vectorizer", "views", "views.live", "views.plots"]
]


def entered(name):
    package, _, attribute = name.rpartition(".")
    return getattr(import_module(package), attribute) if name in FROM_THE_PACKAGE else import_module(name)


@pytest.mark.parametrize("module", PUBLIC)
def test_public_names_stay(module):
    place = entered(module)
    assert [name for name in PUBLIC[module].split() if not hasattr(place, name)] == []


@pytest.mark.parametrize("module", MODULES)
def test_public_modules_stay(module):
    assert import_module(module).__doc__


def imports_of_the_documents():
    """The import statements of README, of the pages in docs and of the lessons, each once."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs/howto").glob("*.md"))]
    texts = [text for page in pages for text in page.read_text(encoding="utf-8").split("```")[1::2]]
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        texts += ["python\n" + "".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    code = [text.removeprefix("python\n") for text in texts if text.startswith("python\n")]
    found = {}
    for text in code:
        plain = "\n".join("pass" if line.lstrip().startswith(("%", "!")) else line for line in text.splitlines())
        for node in ast.walk(ast.parse(plain)):
            names = [getattr(node, "module", None), *[alias.name for alias in getattr(node, "names", [])]]
            if isinstance(node, ast.Import | ast.ImportFrom) and any(f"{n}".startswith("autograd_mini") for n in names):
                found[ast.unparse(node)] = node
    extra = [pytest.mark.needs("scikit-learn")]
    return [pytest.param(text, marks=extra if "autograd_mini.estimators" in text else []) for text in found]


@pytest.mark.parametrize("statement", imports_of_the_documents())
def test_what_readme_docs_and_the_lessons_import_is_there(statement):
    exec(statement, {})
