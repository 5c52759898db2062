"""
How do I hand over a model without pickle?
==========================================

Loading a pickle runs any code that its author put in it. skops stores models with scikit-learn's API in a
file that names every type it contains, and ``linclf.save`` writes only arrays and JSON.
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
# A few lines show what is wrong with pickle.


class Trap:
    def __reduce__(self):
        return print, ("this was run by pickle.loads",)

    def __repr__(self):
        return "Trap()"


pickle.loads(pickle.dumps(Trap()))

# %%
# Save a pipeline in three ways.

X, y = load_breast_cancer(return_X_y=True)
model = make_pipeline(StandardScaler(), SelectKBest(k=20), linclf.SoftmaxClassifier(alpha=1e-2)).fit(X, y)
folder = Path(tempfile.mkdtemp())
(folder / "model.pickle").write_bytes(pickle.dumps(model))
skops.io.dump(model, folder / "model.skops")
linclf.save(model, folder / "model.linclf")

# %%
# skops loads only the types that it knows, unless you name others as trusted. Review these names before you
# trust them. The types are imported, so you trust the installed code, not the file.

unknown = skops.io.get_untrusted_types(file=folder / "model.skops")
print("\n".join(unknown))

# %%
# All three loaded models predict the same probabilities, bit for bit. ``linclf.load`` has a fixed list of
# classes, so you need not trust anything; ``linclf.save`` refuses all other classes.

loaded = {
    "pickle": pickle.loads((folder / "model.pickle").read_bytes()),
    "skops": skops.io.load(folder / "model.skops", trusted=unknown),
    "linclf": linclf.load(folder / "model.linclf"),
}
for name, each in loaded.items():
    same = np.array_equal(each.predict_proba(X), model.predict_proba(X))
    size = (folder / f"model.{name}").stat().st_size / 1024
    print(f"{name:7s} {size:4.0f} KiB, same probabilities: {same}")

try:
    linclf.save(make_pipeline(Trap(), linclf.SoftmaxClassifier()), folder / "trap.linclf")
except TypeError as error:
    print(error)
