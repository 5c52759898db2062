"""
How do I go from a table with text columns and gaps to a model that I can trust?
================================================================================

Real tables have categories, missing values and columns in different units. A scikit-learn pipeline prepares
the columns, linclf chooses the penalty, held-out rows check the probabilities, and one file holds it all.
"""

import tempfile

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import linclf
from linclf import SoftmaxClassifierCV
from linclf.display import CoefficientsDisplay, ReliabilityDisplay

# %%
# Customers who renew a contract or do not: a table made on the spot.

rng = np.random.default_rng(0)
n = 4_000
table = pd.DataFrame(
    {
        "plan": rng.choice(["basic", "family", "business"], n, p=[0.6, 0.3, 0.1]),
        "payment": rng.choice(["card", "invoice", "transfer"], n),
        "age": rng.normal(45, 15, n).round(),
        "monthly fee": rng.lognormal(3, 0.5, n).round(2),
        "calls to support": rng.poisson(1.5, n),
    }
)
score = 1 + 1.5 * (table["plan"] == "family") + 0.05 * (table["age"] - 45) - 0.9 * table["calls to support"]
renewed = np.where(rng.random(n) < 1 / (1 + np.exp(-score)), "renewed", "left")
table.loc[rng.random(n) < 0.1, "age"] = np.nan
table.loc[rng.random(n) < 0.05, "payment"] = None
print(table.head(3).to_string())

# %%
# ``standardize=True`` puts the penalty on standardised columns, so the pipeline needs no scaler. The encoder
# treats a missing category as one more category.

numbers = ["age", "monthly fee", "calls to support"]
columns = make_column_transformer(
    (SimpleImputer(strategy="median"), numbers),
    (OneHotEncoder(drop="if_binary", handle_unknown="ignore"), ["plan", "payment"]),
    verbose_feature_names_out=False,
)
X_train, X_test, y_train, y_test = train_test_split(table, renewed, test_size=0.25, random_state=0)
model = make_pipeline(columns, SoftmaxClassifierCV(standardize=True)).fit(X_train, y_train)
print(f"accuracy {model.score(X_test, y_test):.3f}, alpha {model[-1].alpha_:.2g}")

# %%
# Do the probabilities hold? Points on the diagonal, within their intervals, say yes; then no calibration is
# needed.

ReliabilityDisplay.from_estimator(model, X_test, y_test, n_bins=8, class_of_interest="renewed")

# %%
# Coefficients are in the units of the columns. Multiplied by the standard deviations of what the classifier
# sees, they can be compared.

seen = columns.transform(X_train)
CoefficientsDisplay.from_estimator(model, feature_scale=seen.std(axis=0))

# %%
# One file, without pickle, holds the encoder, the penalty and the weights.

with tempfile.TemporaryDirectory() as folder:
    linclf.save(model, f"{folder}/renewals.linclf")
    loaded = linclf.load(f"{folder}/renewals.linclf")
print("the same probabilities:", np.array_equal(loaded.predict_proba(X_test), model.predict_proba(X_test)))
