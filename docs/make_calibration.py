"""Makes the pictures of docs/calibration.md: ``python docs/make_calibration.py``.

Needs ``pip install ".[docs]"``.
"""

import pathlib

import matplotlib

matplotlib.use("agg")  # no window is opened
import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB

from linclf import SoftmaxClassifier, SoftmaxClassifierCV
from linclf.calibration import CalibratedClassifier
from linclf.display import HistoryDisplay, PathDisplay, ReliabilityDisplay, RiskCoverageDisplay

DOCS = pathlib.Path(__file__).resolve().parent


def digits():
    X, y = load_digits(return_X_y=True)
    return train_test_split(X, y, test_size=0.5, random_state=0, stratify=y)


def reliability(figure, ax):
    """Naive Bayes on digits, before and after one temperature."""
    X, X_test, y, y_test = digits()
    naive = GaussianNB(var_smoothing=1e-3)
    first = ReliabilityDisplay.from_estimator(
        naive.fit(X, y), X_test, y_test, ax=ax, name="naive Bayes", n_bins=10
    )
    calibrated = CalibratedClassifier(naive).fit(X, y)
    ReliabilityDisplay.from_estimator(
        calibrated,
        *(X_test, y_test),
        ax=first.ax_,
        histogram=first.ax_histogram_,
        name="with a temperature",
        n_bins=10,
    )


def risk_coverage(figure, ax):
    """The scores of doubt, for softmax on digits."""
    X, X_test, y, y_test = digits()
    model = SoftmaxClassifier(alpha=1e-2, random_state=0).fit(X, y)
    RiskCoverageDisplay.from_estimator(model, X_test, y_test, ax=ax, name="softmax on digits")


def history(figure, ax):
    """Losses by epoch, on so few training rows that the model soon overfits."""
    X, X_test, y, y_test = digits()
    model = SoftmaxClassifier(batch_size=8, max_iter=60, alpha=1e-6, tol=None, random_state=0)
    HistoryDisplay.from_estimator(model.fit(X[:150], y[:150], X_val=X_test, y_val=y_test), ax=ax)


def path(figure, ax):
    """Breast cancer: the score by penalty, and the largest coefficients in standard units."""
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    model = SoftmaxClassifierCV(standardize=True, rule="1se", store_coef_path=True, random_state=0)
    PathDisplay.from_estimator(model.fit(X, y), feature_scale=X.std(), top=6, ax=ax)


PICTURES = {
    "reliability": (reliability, (5.2, 5.6)),
    "risk_coverage": (risk_coverage, (5.6, 4.2)),
    "history": (history, (6.4, 4.0)),
    "path": (path, (6.6, 5.8)),
}


def draw_all(folder):
    """Write all pictures into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (draw, size) in PICTURES.items():
        with plt.rc_context({"svg.hashsalt": "linclf", "svg.fonttype": "none", "font.size": 10}):
            figure, ax = plt.subplots(figsize=size, layout="constrained")
            draw(figure, ax)
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None}, facecolor="white")
            plt.close(figure)


if __name__ == "__main__":
    draw_all(DOCS / "images")
