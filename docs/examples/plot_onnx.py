"""
How do I use the classifier without Python?
===========================================

``linclf.to_onnx`` makes a graph of standard operators that includes the calibration. onnxruntime runs it
in Python too, which shows that nothing is lost.
"""

import matplotlib.pyplot as plt
import numpy as np
from onnxruntime import InferenceSession
from sklearn.datasets import load_digits

import linclf

X, y = load_digits(return_X_y=True)
X = X.astype(np.float32)
clf = linclf.SVMClassifier(early_stopping=True, calibration="vector", random_state=0).fit(X, y)
graph = linclf.to_onnx(clf)
print(f"{len(graph.graph.node)} nodes, {len(graph.SerializeToString()) / 1024:.0f} KiB")
p = InferenceSession(graph.SerializeToString()).run(["probabilities"], {"X": X})[0]
difference = np.abs(p - clf.predict_proba(X)).max(axis=1)

fig, ax = plt.subplots(figsize=(6.5, 4))
ax.hist(np.log10(difference + 1e-18), bins=30)
ax.set(xlabel="log10 of the largest difference of a probability", ylabel="rows")
