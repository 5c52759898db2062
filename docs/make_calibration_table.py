"""Makes the table of few rows in docs/calibration.md: ``PYTHONPATH=. python docs/make_calibration_table.py``.

Needs ``pip install ".[bench]"`` and the outputs of networks in the folder ``LINCLF_DATA``. It takes about
half an hour on two cores. Each split halves the rows: calibrators are fitted to the first rows of one half
and tested on the other.
"""

import os
import pathlib

import numpy as np
from joblib import Parallel, delayed

from benchmarks.peers import calibrators as calibrators_of_peers
from linclf.calibration import CALIBRATORS, AutomaticCalibration, PlattScaling
from linclf.functional import softmax
from linclf.metrics import log_loss

PAGE = pathlib.Path(__file__).resolve().parent / "calibration.md"
BEGIN, END = "<!-- made by docs/make_calibration_table.py -->", "<!-- end -->"
NETWORKS = (
    "lenet-5-cifar-10",
    "wideresnet-16-4-cifar-10",
    "lenet-5-cifar-100",
    "wideresnet-16-4-cifar-100",
    "densenet-bc-100-cifar-100",
)
SIZES, N_SPLITS = (100, 300, 1_000, 5_000), 10
PEERS = calibrators_of_peers.NAMES
METHODS = ("nothing", *CALIBRATORS, *PEERS)


def probabilities(network):
    """The probabilities of the network for 10,000 test images, and their classes."""
    folder = pathlib.Path(os.environ["LINCLF_DATA"])
    archive = np.load(folder / "calib_netcal" / f"{network}.npz")
    return archive["predictions"].astype(float), archive["ground_truth"].ravel().astype(int)


def measured(network, n_rows, split):
    """The log loss of each method on the other half of the rows."""
    p, y = probabilities(network)
    f = np.log(np.maximum(p, 1e-30))
    rows = np.random.default_rng(split).permutation(len(y))
    fit, test = rows[:n_rows], rows[len(rows) // 2 :]
    found = {"nothing": softmax(f[test])}
    calibrators = {name: cls() for name, cls in CALIBRATORS.items()}
    calibrators |= {"platt": PlattScaling(input="logits"), "auto": AutomaticCalibration(input="logits")}
    for name, calibrator in calibrators.items():
        found[name] = calibrator.fit(f[fit], y[fit]).predict_proba(f[test])
    found |= {name: calibrators_of_peers.calibrated(name, p[fit], y[fit], p[test]) for name in PEERS}
    return {name: log_loss(y[test], q, labels=np.arange(p.shape[1])) for name, q in found.items()}


def table(losses):
    """Markdown table of mean log losses; ``losses[network, n_rows]`` is a list of dicts, one per split."""
    lines = [["network", "rows", *METHODS]]
    for (network, n_rows), splits in losses.items():
        means = {name: np.mean([each[name] for each in splits]) for name in METHODS}
        least = min(means.values())
        cells = [f"**{mean:.4f}**" if mean == least else f"{mean:.4f}" for mean in means.values()]
        lines.append([network, f"{n_rows:,}", *cells])
    lines.insert(1, ["---", *["---:"] * (len(lines[0]) - 1)])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def written(text):
    """Put the table into the page."""
    page = PAGE.read_text()
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")


if __name__ == "__main__":
    cases = [(network, n_rows) for network in NETWORKS for n_rows in SIZES]
    tasks = [delayed(measured)(*case, split) for case in cases for split in range(N_SPLITS)]
    found = Parallel(os.cpu_count())(tasks)
    written(table({case: found[i * N_SPLITS : (i + 1) * N_SPLITS] for i, case in enumerate(cases)}))
