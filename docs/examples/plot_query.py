"""
My rows are the result of a query: how do I fit on them?
========================================================

DuckDB and Polars hand over streams of Arrow. ``Batches`` runs the query again for each pass, and reads a part
of the result at a time.
"""

import tempfile
from pathlib import Path

import duckdb
import matplotlib.pyplot as plt
import numpy as np
import polars as pl

from linclf import Batches, SoftmaxClassifier

# %%
# Two tables: customers, and what they have bought.

rng = np.random.default_rng(0)
folder, n = Path(tempfile.mkdtemp()), 20_000
eager = rng.gamma(2, size=n)
pl.DataFrame(
    {
        "customer": np.arange(n),
        "age": rng.integers(18, 80, n),
        "left": rng.random(n) < 1 / (1 + np.exp(eager - 1)),
    }
).write_parquet(folder / "customers.parquet")
buyer = rng.choice(n, p=eager / eager.sum(), size=200_000)
pl.DataFrame(
    {"customer": buyer, "amount": rng.exponential(20, len(buyer)), "day": rng.integers(0, 365, len(buyer))}
).write_parquet(folder / "sales.parquet")

# %%
# Features by SQL. DuckDB works on files larger than memory and hands over its result in parts, so neither the
# tables nor the features have to fit. The function makes a new stream each time that it is called, and
# ``order by`` makes the rows the same in each pass.

database = duckdb.connect()
query = f"""
    select c.age, coalesce(s.number, 0) as number, coalesce(s.amount, 0) as amount,
           coalesce(365 - s.latest, 365) as idle, c."left"
    from '{folder}/customers.parquet' as c
    left join (
        select customer, count(*) as number, avg(amount) as amount, max(day) as latest
        from '{folder}/sales.parquet' group by customer
    ) as s using (customer)
    order by c.customer
"""
rows = Batches(lambda: database.sql(query), target="left", memory="256MiB")
clf = SoftmaxClassifier(standardize=True).fit(rows)
print(f"{np.mean(clf.predict(rows) == database.sql(query).fetchnumpy()['left']):.1%} are predicted right")

# %%
# The same features by Polars, whose ``collect`` holds the result in memory, and once more as a table.

sales = pl.scan_parquet(folder / "sales.parquet").group_by("customer")
lazy = (
    pl.scan_parquet(folder / "customers.parquet")
    .join(
        sales.agg(number=pl.len(), amount=pl.col("amount").mean(), latest=pl.col("day").max()),
        on="customer",
        how="left",
    )
    .sort("customer")
    .select(
        "age",
        pl.col("number").fill_null(0),
        pl.col("amount").fill_null(0),
        (365 - pl.col("latest")).fill_null(365).alias("idle"),
        "left",
    )
)
from_polars = SoftmaxClassifier(standardize=True).fit(Batches(lazy.collect, target="left"))
table = lazy.collect()
in_memory = SoftmaxClassifier(standardize=True).fit(table.drop("left"), table["left"])
for name, model in {"Polars": from_polars, "in memory": in_memory}.items():
    print(f"{name}: largest difference of a coefficient {np.abs(model.coef_ - clf.coef_).max():.0e}")

# %%
# A transformer could follow with ``rows.map(...)``. What the model says of whom: log-odds of leaving, by
# standard deviations of each feature.

fig, ax = plt.subplots(figsize=(6.5, 3.2), layout="constrained")
ax.barh(clf.feature_names_in_, clf.coef_[0] * table.drop("left").to_numpy().std(axis=0))
ax.axvline(0, color="black", lw=0.8)
ax.set(xlabel="log-odds of leaving for a standard deviation more")
