"""What share of the rate of matrix products, or of reading memory, does a pass over dense data reach?"""

from benchmarks.question import Measurements, Question
from benchmarks.questions.kernel_rate import fits, passes
from benchmarks.questions.kernel_rate.marks import MARKS
from benchmarks.questions.kernel_rate.tables import table


def run(quick: bool) -> Measurements:
    return {
        "data": [{"name": "Gaussian classes", "source": "generated"}],
        "settings": {"tol": "0 for lbfgs, None for sgd", "sgemm_size": fits.size_of(quick)},
        "rows": [*passes.rows(quick), *fits.rows(quick)],
    }


QUESTION = Question("Rate of the kernels", __doc__, run, table, MARKS)
