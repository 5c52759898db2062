"""
How do I hand over a model without pickle?
==========================================

A pickle runs whatever its author wants when it is loaded. skops reads models of scikit-learn's API from a
file that names every type in it, and ``linclf.save`` writes arrays and JSON.
"""

import pickle
import tempfile
from pathlib import Path

import numpy as np
import skops.io
from sklearn.datasets import load_breast_cancer
from sklearn.feature_selection import SelectKBest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import linclf

# %%
# What is wrong with pickle, in a few lines.


class Trap:
    def __reduce__(self):
        return print, ("this was run by pickle.loads",)

    def __repr__(self):
        return "Trap()"


pickle.loads(pickle.dumps(Trap()))

# %%
# A pipeline, written and read in three ways.

X, y = load_breast_cancer(return_X_y=True)
model = make_pipeline(StandardScaler(), SelectKBest(k=20), linclf.SoftmaxClassifier(alpha=1e-2)).fit(X, y)
folder = Path(tempfile.mkdtemp())
(folder / "model.pickle").write_bytes(pickle.dumps(model))
skops.io.dump(model, folder / "model.skops")
linclf.save(model, folder / "model.linclf")

# %%
# skops loads nothing that is not on its list unless it is told to. These are the names to look at before they
# are trusted. Types are imported, so the trust is in the code that is installed, not in the file.

unknown = skops.io.get_untrusted_types(file=folder / "model.skops")
print("\n".join(unknown))

# %%
# All three predict the same, bit for bit. ``linclf.load`` has a closed list of classes, so nothing has to be
# trusted; what is not on it is refused when it is saved.

read = {
    "pickle": pickle.loads((folder / "model.pickle").read_bytes()),
    "skops": skops.io.load(folder / "model.skops", trusted=unknown),
    "linclf": linclf.load(folder / "model.linclf"),
}
for name, each in read.items():
    same = np.array_equal(each.predict_proba(X), model.predict_proba(X))
    size = (folder / f"model.{name}").stat().st_size / 1024
    print(f"{name:7s} {size:4.0f} KiB, the same probabilities: {same}")

try:
    linclf.save(make_pipeline(Trap(), linclf.SoftmaxClassifier()), folder / "trap.linclf")
except TypeError as fault:
    print(fault)
