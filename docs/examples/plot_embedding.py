"""
Can the classes be seen in a plane?
===================================

PCA keeps what varies most, with or without a connection to the classes. `LinearEmbedding` looks for the plane
in which they are apart, and its loss says what that means. The numbers are the accuracy of five neighbours in
the plane, on the other half of the rows. Pixels have one unit, so they are not standardised: a pixel that is
hardly ever inked would get a weight that throws single rows far out.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

from linclf import LinearEmbedding
from linclf.embedding import Center
from linclf.losses import CosFace

X, X_test, y, y_test = train_test_split(*load_digits(return_X_y=True), test_size=0.5, random_state=0)
settings = {"standardize": False, "random_state": 0}
maps = {
    "PCA": PCA(n_components=2),
    "softmax": LinearEmbedding(loss="softmax", **settings),
    "center loss": LinearEmbedding(loss=Center(weight=1.0), **settings),
    "CosFace": LinearEmbedding(loss=CosFace(scale=8, margin=0.1), **settings),
}
fig, axes = plt.subplots(2, 2, figsize=(10, 9), layout="constrained")
for ax, (name, learnt) in zip(axes.flat, maps.items(), strict=True):
    Z, Z_test = learnt.fit_transform(X, y), learnt.transform(X_test)
    accuracy = KNeighborsClassifier().fit(Z, y).score(Z_test, y_test)
    for digit in range(10):
        ax.scatter(*Z_test[y_test == digit].T, s=12, color=f"C{digit}", label=digit)
    ax.set(title=f"{name}: {accuracy:.2f}", xticks=[], yticks=[])
axes[0, 1].legend(title="digit", bbox_to_anchor=(1, 1))

# %%
# The softmax sends classes out in different directions, the center loss makes each of them compact, and for
# CosFace only the direction counts: it needs three components or more to have room for ten classes.
