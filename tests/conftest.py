"""Fixtures that several test files share: the distance to the optimum, the folder of real data, options."""

import os
import pathlib

# one core per worker; set before NumPy is imported, and inherited by workers
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pytest
from browsing import chromium
from reference import softmax_objective, softmax_optimum


@pytest.fixture(scope="session")
def distance_left():
    """(F - F*) / (F(0) - F*) of a fitted `SoftmaxClassifier`: 0 at the optimum, 1 without training."""

    def measure(model, X, y):
        Y, ones = np.eye(len(model.classes_))[np.searchsorted(model.classes_, y)], np.ones(len(y))
        least = softmax_objective(*softmax_optimum(X, Y, ones, model.alpha), X, Y, ones, model.alpha)
        reached = softmax_objective(model.coef_, model.intercept_, X, Y, ones, model.alpha)
        return (reached - least) / (np.log(len(model.classes_)) - least)

    return measure


@pytest.fixture(scope="session")
def data_folder():
    """The folder of real data: LINCLF_DATA, or shared/data beside the repository."""
    here = pathlib.Path(__file__).resolve().parent
    folder = pathlib.Path(os.environ.get("LINCLF_DATA") or here.parent.parent / "shared" / "data")
    if not (folder / "load.py").is_file():
        pytest.skip(f"no real data in {folder}; LINCLF_DATA says where it is")
    return folder.resolve()


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    driven = chromium(tmp_path_factory.mktemp("profile"))
    yield driven
    driven.quit()


def pytest_addoption(parser):
    parser.addoption(
        "--no-skips",
        action="store_true",
        help="a skipped test that needs data, an oracle, a browser or Jupyter fails: what is here must run",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    needs = any(map(item.get_closest_marker, ("data", "oracle", "browser", "notebook")))
    if report.skipped and needs and item.config.getoption("--no-skips"):
        report.outcome = "failed"
        report.longrepr = f"skipped although --no-skips is given: {report.longrepr}"
    return report
