"""
My network is too sure: can its probabilities be mended?
========================================================

A temperature is one number, learned from a few hundred rows, by which all logits are divided. It changes no
decision, and takes two lines: ``fit(logits, y)`` and ``predict_proba(logits)``.
"""

import matplotlib.pyplot as plt
import numpy as np

from linclf.calibration import TemperatureScaling
from linclf.display import ReliabilityDisplay
from linclf.functional import softmax
from linclf.metrics import expected_calibration_error

# %%
# Logits like those of a network that was trained too long: three times too large.

rng = np.random.default_rng(0)
right = 1.5 * rng.normal(size=(6_000, 10))
y = (right + rng.gumbel(size=right.shape)).argmax(axis=1)
logits = 3 * right
few, rest = slice(500), slice(500, None)

scaling = TemperatureScaling().fit(logits[few], y[few])
print(f"temperature {scaling.temperature_:.2f}")
fig, axes = plt.subplots(1, 2, figsize=(10, 4.8), sharey=True, layout="constrained")
shown = {"as it is": softmax(logits[rest]), "tempered": scaling.predict_proba(logits[rest])}
for ax, (name, p) in zip(axes, shown.items(), strict=True):
    ReliabilityDisplay.from_predictions(y[rest], p, ax=ax, name=name)
    print(f"{name}: ECE {expected_calibration_error(y[rest], p):.1%}")
