"""
How do I fit on the result of a query?
======================================

DuckDB and Polars can hand over Arrow streams. ``Batches`` runs the query again for each pass and reads its
result one part at a time.
"""

import tempfile
from pathlib import Path

import duckdb
import matplotlib.pyplot as plt
import numpy as np
import polars as pl

from linclf import Batches, SoftmaxClassifier

# %%
# There are two tables: customers, and their purchases.

rng = np.random.default_rng(0)
folder, n = Path(tempfile.mkdtemp()), 20_000
activity = rng.gamma(2, size=n)
pl.DataFrame(
    {
        "customer": np.arange(n),
        "age": rng.integers(18, 80, n),
        "left": rng.random(n) < 1 / (1 + np.exp(activity - 1)),
    }
).write_parquet(folder / "customers.parquet")
buyer = rng.choice(n, p=activity / activity.sum(), size=200_000)
pl.DataFrame(
    {"customer": buyer, "amount": rng.exponential(20, len(buyer)), "day": rng.integers(0, 365, len(buyer))}
).write_parquet(folder / "sales.parquet")

# %%
# First, compute the features with SQL. DuckDB works on files larger than memory and hands over its result in
# parts, so neither the tables nor the features have to fit into memory. The function returns a new stream
# each time it is called, and ``order by`` keeps the order of the rows the same in each pass.

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
print(f"{np.mean(clf.predict(rows) == database.sql(query).fetchnumpy()['left']):.1%} predicted correctly")

# %%
# Compute the same features with Polars, whose ``collect`` holds the result in memory. For comparison, fit on
# the table itself, too.

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
    print(f"{name}: largest difference in a coefficient {np.abs(model.coef_ - clf.coef_).max():.0e}")

# %%
# Transformers can be added with ``rows.map(...)``. The plot shows how the log-odds of leaving change if a
# feature grows by one standard deviation.

fig, ax = plt.subplots(figsize=(6.5, 3.2), layout="constrained")
ax.barh(clf.feature_names_in_, clf.coef_[0] * table.drop("left").to_numpy().std(axis=0))
ax.axvline(0, color="black", lw=0.8)
ax.set(xlabel="change in log-odds of leaving per standard deviation")
