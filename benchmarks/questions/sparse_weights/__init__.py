"""Penalties that make weights zero: how long to the optimum at one alpha, and along a path of 100?"""

from benchmarks.data import generated, named, real
from benchmarks.peers import adelie_process
from benchmarks.peers.sparse_weights import absent
from benchmarks.question import Measurements, Question
from benchmarks.questions.sparse_weights import one_alpha, whole_path
from benchmarks.questions.sparse_weights.marks import MARKS
from benchmarks.questions.sparse_weights.tables import table


def run(quick: bool) -> Measurements:
    digits, messages = real.bundled("digits").scaled(), named.newsgroups(quick)
    halves = messages._replace(
        name=f"{messages.name}, two halves", y=messages.y % 2, y_test=messages.y_test % 2
    )
    shape = (1_000, 2_000, 20) if quick else (23_000, 47_000, 103)  # RCV1 has these
    topics = generated.texts(*shape, 75, 0.15, "like RCV1")
    words, missing = named.common_words(quick), absent()
    cases = (digits, "l1"), (digits, "group"), (messages, "l1"), (halves, "l1"), (topics, "l1")
    rows = [row for case in cases for row in one_alpha.rows(*case, quick, missing)]
    return {
        "data": [data.facts() for data in (digits, messages, halves, topics, words)],
        "settings": {
            "share_of_largest_alpha": one_alpha.SHARE,
            "n_alphas": whole_path.N_ALPHAS,
            "least_share": whole_path.LEAST_SHARE,
            "target": whole_path.TARGET,
            "adelie": None if "adelie" in missing else adelie_process.version(),
        },
        "rows": [*rows, *whole_path.rows(words, quick, missing)],
    }


QUESTION = Question("Weights that are zero", __doc__, run, table, MARKS)
