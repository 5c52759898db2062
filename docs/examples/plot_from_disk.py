"""
My table does not fit into memory: how do I train on it?
========================================================

``Batches`` reads files again for each pass, a few rows at a time. The model is the same as with all rows in
memory.
"""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from linclf import Batches, SoftmaxClassifier

folder = Path(tempfile.mkdtemp())
rng = np.random.default_rng(0)
weights = rng.normal(size=(20, 3))
parts = []
for k in range(4):
    X = rng.normal(size=(5_000, 20))
    table = pd.DataFrame(X, columns=[f"x{j}" for j in range(20)])
    table["label"] = np.array(["low", "middle", "high"])[
        (X @ weights + rng.gumbel(size=(5_000, 3))).argmax(axis=1)
    ]
    table.to_parquet(folder / f"part{k}.parquet")
    parts.append(table)

# %%
# ``memory`` is what reading may use, even for a hundred million rows.

from_disk = SoftmaxClassifier().fit(Batches(str(folder / "*.parquet"), target="label", memory="256MiB"))
whole = pd.concat(parts)
from_memory = SoftmaxClassifier().fit(whole.drop(columns="label"), whole["label"])
print(f"largest difference of a coefficient: {abs(from_disk.coef_ - from_memory.coef_).max():.0e}")
print(f"accuracy {from_disk.score(whole.drop(columns='label'), whole['label']):.3f}")
