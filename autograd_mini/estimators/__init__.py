"""Networks as scikit-learn's estimators: `MLPClassifier` and `MLPRegressor`, for pipelines, grids and frames.

They need scikit-learn, ``pip install "autograd-mini[sklearn]"``, and may use everything up to `training`.

Searches run on several machines as scikit-learn's do, on a cluster of Dask's through joblib: ``with Client(address),
joblib.parallel_config("dask"): GridSearchCV(MLPClassifier(), grid).fit(X, y)``.
"""

from autograd_mini.checks import needed

# First, as the files below import it, with a message that doesn't say what to install.
needed("sklearn", 'the estimators need scikit-learn; run: pip install "autograd-mini[sklearn]"')

from autograd_mini.estimators.mlp import MLPClassifier, MLPRegressor  # noqa: E402

__all__ = ["MLPClassifier", "MLPRegressor"]
