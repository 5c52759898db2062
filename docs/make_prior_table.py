"""Makes the table in docs/offsets-and-priors.md: ``PYTHONPATH=. python docs/make_prior_table.py``.

Needs 20 Newsgroups and MNIST in the folder ``LINCLF_DATA``. It takes about five minutes on two cores. The old
model is fitted to half of the training rows, as they were in the old domain, and 1,000 others choose its
penalty. The new rows are drawn from the other half, as they are in the new domain, and 1,000 more of them
choose the penalty of each model.
"""

import importlib.util
import os
import pathlib
import warnings
from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer

from linclf import SoftmaxClassifier
from linclf.metrics import log_loss

PAGE = pathlib.Path(__file__).resolve().parent / "offsets-and-priors.md"
BEGIN, END = "<!-- made by docs/make_prior_table.py -->", "<!-- end -->"
ALPHAS = 10.0 ** np.arange(-6, 0)
SIZES, N_DRAWS, N_CHOOSING = (200, 500, 2_000), 3, 1_000
MODELS = ("new rows only", "old model", "prior", "prior, its intercepts kept", "old and new rows")


class Domains(NamedTuple):
    """Rows of the old domain, and training and test rows of the new one."""

    name: str
    old: tuple
    old_choosing: tuple
    new: tuple
    test: tuple


def loaders():
    """The module that reads the data."""
    path = pathlib.Path(os.environ["LINCLF_DATA"]) / "load.py"
    spec = importlib.util.spec_from_file_location("load", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def newsgroups():
    """Messages with their headers, then without."""
    train, y, test, y_test = loaders().newsgroups()
    words = TfidfVectorizer(sublinear_tf=True, min_df=3, dtype=np.float32)
    X = words.fit_transform(train)
    new, X_test = (words.transform([text.partition("\n\n")[2] for text in texts]) for texts in (train, test))
    first, second = halves(len(y))
    name = "20 Newsgroups, without headers"
    choosing = second[:N_CHOOSING]
    old = (X[first], y[first]), (X[choosing], y[choosing])
    return Domains(name, *old, (new[second], y[second]), (X_test, y_test))


def mnist(name, change):
    """Digits, then changed ones."""
    X, y, X_test, y_test = loaders().mnist()
    X, y = X[:20_000], y[:20_000]
    first, second = halves(len(y))
    choosing = second[:N_CHOOSING]
    old = (X[first], y[first]), (X[choosing], y[choosing])
    return Domains(name, *old, (change(X)[second], y[second]), (change(X_test), y_test))


def shifted(X):
    return np.roll(X.reshape(-1, 28, 28), 2, axis=2).reshape(-1, 784)


def upside_down(X):
    return np.ascontiguousarray(X[:, ::-1])


def halves(n):
    return np.array_split(np.random.default_rng(0).permutation(n), 2)


def judged(model, rows):
    X, y = rows
    return model.score(X, y), log_loss(y, model.predict_proba(X), labels=model.classes_)


def fitted(rows, prior=None, **parameters):
    """A model for each penalty."""
    return [SoftmaxClassifier(alpha=alpha, **parameters).fit(*rows, prior=prior) for alpha in ALPHAS]


def best(fits, choosing):
    """The model with the highest accuracy on the rows that choose."""
    return max(fits, key=lambda model: model.score(*choosing))


def joined(one, other):
    stack = sparse.vstack if sparse.issparse(one[0]) else np.vstack
    return stack([one[0], other[0]]), np.append(one[1], other[1])


def measured(domains):
    """Accuracy and log loss of each model, for each number of new rows and draw."""
    known, (X, y), found = fitted(domains.old), domains.new, {}
    old = best(known, domains.old_choosing)
    for draw in range(N_DRAWS):
        order = np.random.default_rng(draw).permutation(len(y))
        choosing, order = order[:N_CHOOSING], order[N_CHOOSING:]
        choosing = X[choosing], y[choosing]
        for n in SIZES:
            rows = X[order[:n]], y[order[:n]]
            models = {
                "old model": old,
                "new rows only": best(fitted(rows), choosing),
                "prior": best(fitted(rows, prior=old), choosing),
                "prior, its intercepts kept": best(fitted(rows, prior=old, fit_intercept=False), choosing),
                "old and new rows": SoftmaxClassifier(alpha=old.alpha).fit(*joined(domains.old, rows)),
            }
            for name, model in models.items():
                found.setdefault((n, name), []).append(judged(model, domains.test))
    return found


def cell(means):
    return f"{means[0]:.3f} ({means[1]:.2f})"


def main():
    warnings.simplefilter("ignore", ConvergenceWarning)
    lines = [["new domain", "number", *MODELS]]
    for domains in (
        newsgroups(),
        mnist("MNIST, two pixels to the right", shifted),
        mnist("MNIST, upside down", upside_down),
    ):
        found = measured(domains)
        for n in SIZES:
            cells = [cell(np.mean(found[n, name], axis=0)) for name in MODELS]
            lines.append([domains.name, f"{n:,}", *cells])
            print(lines[-1], flush=True)
    lines.insert(1, ["---", *["---:"] * (len(lines[0]) - 1)])
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    page = PAGE.read_text(encoding="utf-8")
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
