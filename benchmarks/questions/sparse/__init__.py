"""Texts as sparse TF-IDF rows with many classes: how fast, how accurate, and what does memory allow?"""

from benchmarks.data import named
from benchmarks.question import Measurements, Question
from benchmarks.questions.sparse import fits, hashed, passes, to_optimum
from benchmarks.questions.sparse.marks import MARKS
from benchmarks.questions.sparse.tables import table


def run(quick: bool) -> Measurements:
    queries, messages = named.clinc150(quick), named.newsgroups(quick)
    fewer, few = named.clinc77(quick), named.hashed(quick)
    return {
        "data": [data.facts() for data in (queries, messages, fewer, few)],
        "settings": {
            "alpha": fits.ALPHA,
            "LinearSVC_C": 1.0,
            "SGDClassifier_alpha": dict(zip((queries.name, messages.name), fits.HINGE_ALPHAS, strict=True)),
            "SGDClassifier_epochs": 20,
        },
        "rows": [
            *fits.rows((queries, messages)),
            *passes.rows(queries, messages),
            *hashed.rows(few),
            *to_optimum.rows((fewer, queries), quick),
        ],
    }


QUESTION = Question("Sparse text", __doc__, run, table, MARKS)
