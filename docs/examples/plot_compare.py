"""
Which loss is best for my table?
================================

``linclf.compare`` fits all losses, each with its own penalty chosen inside the training part, and
scikit-learn's classifiers, and says which differences are more than chance.
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
# The last line says which to use and why:

print(comparison.verdict)
