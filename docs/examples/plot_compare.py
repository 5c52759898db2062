"""
Which loss is best for my table?
================================

``linclf.compare`` fits them all, each with its own penalty chosen inside the training part, beside
scikit-learn's classifiers, and says which differences can be told from chance.
"""

from sklearn.datasets import load_breast_cancer

from linclf import compare

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
comparison = compare(
    X,
    y,
    models=["softmax", "sparsemax", "squared-one-vs-rest", "sklearn:LogisticRegression", "sklearn:Dummy*"],
    repeats=3,
)
comparison  # noqa: B018

# %%
# The last line says which to take, and why:

print(comparison.verdict)
