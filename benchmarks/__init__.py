"""Comparisons with other packages; README.md says how to add one, ``python -m benchmarks`` runs them."""

from pathlib import Path

ROOT = Path(__file__).absolute().parent.parent  # of the checkout
