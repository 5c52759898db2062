"""
Which words decide?
===================

Every machine with NumPy and SciPy has some text: the docstrings of their functions. Which of the two
is a docstring from, and which words give it away?
"""

import inspect

import numpy as np
import scipy.linalg
import scipy.signal
import scipy.special
import scipy.stats
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from linclf import SoftmaxClassifier
from linclf.display import CoefficientsDisplay


def docstrings(*modules):
    found = [getattr(module, name) for module in modules for name in module.__all__]
    texts = {inspect.getdoc(each) or "" for each in found if callable(each)}
    return sorted(text for text in texts if len(text) > 400)


numpy_texts = docstrings(np, np.linalg, np.fft)
scipy_texts = docstrings(scipy.linalg, scipy.signal, scipy.stats, scipy.special)
texts = numpy_texts + scipy_texts
labels = ["numpy"] * len(numpy_texts) + ["scipy"] * len(scipy_texts)
print(len(numpy_texts), "docstrings of NumPy,", len(scipy_texts), "of SciPy")

# %%
# The names of the two packages would make it too easy, and so would their import statements.

words = TfidfVectorizer(token_pattern=r"[a-z]{3,}", stop_words=["numpy", "scipy", "import", "from"], min_df=3)
model = make_pipeline(words, SoftmaxClassifier(alpha=1e-4))
print(f"accuracy {cross_val_score(model, texts, labels).mean():.3f}")

# %%
# The words with the largest coefficients; those to the right count for SciPy.

model.fit(texts, labels)
names = words.get_feature_names_out()
CoefficientsDisplay.from_estimator(model)
