"""The package in a Jupyter notebook: tables, pictures and progress are shown, not only printed."""

import pytest

pytestmark = pytest.mark.notebook

CELLS = (
    "%matplotlib inline\n"
    "from sklearn.callback import ProgressBar\n"
    "from sklearn.datasets import load_iris\n"
    "from linclf import SoftmaxClassifier, compare\n"
    "from linclf.display import ReliabilityDisplay\n"
    "X, y = load_iris(return_X_y=True, as_frame=True)",
    "compare(X, y, models=['softmax', 'sparsemax'], repeats=2)",
    "clf = SoftmaxClassifier(solver='adam', max_iter=3, tol=None).set_callbacks(ProgressBar()).fit(X, y)",
    "ReliabilityDisplay.from_estimator(clf, X, y)",
    "clf",
)


@pytest.fixture(scope="module")
def outputs():
    """What each cell shows: a list of {mime type: content}."""
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    pytest.importorskip("ipywidgets")
    cells = [nbformat.v4.new_code_cell(cell) for cell in CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    shown = [[output for output in cell.outputs if "data" in output] for cell in notebook.cells]
    streams = ["".join(o.text for o in cell.outputs if o.output_type == "stream") for cell in notebook.cells]
    assert not any("Warning" in text for text in streams), streams
    return [[output.data for output in cell] for cell in shown]


def test_a_comparison_is_a_table(outputs):
    (table,) = [data["text/html"] for data in outputs[1] if "<table" in data.get("text/html", "")]
    assert "sparsemax" in table


@pytest.mark.parametrize("cell", [1, 2], ids=["compare", "fit"])
def test_progress_redraws_in_one_place(outputs, cell):
    widgets = [data for data in outputs[cell] if "application/vnd.jupyter.widget-view+json" in data]
    assert len(widgets) == 1


def test_a_display_is_a_picture_and_its_numbers(outputs):
    kinds = [kind for data in outputs[3] for kind in data]
    assert "image/png" in kinds
    (text,) = [data["text/plain"] for data in outputs[3] if "image/png" not in data]
    assert text.startswith("<ReliabilityDisplay of SoftmaxClassifier: ECE ")


def test_a_classifier_is_scikit_learns_diagram(outputs):
    assert "sk-top-container" in outputs[4][-1]["text/html"]
