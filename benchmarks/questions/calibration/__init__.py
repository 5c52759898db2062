"""Which calibration for which scores?"""

from benchmarks.question import Question
from benchmarks.questions.calibration.fits import run
from benchmarks.questions.calibration.marks import MARKS
from benchmarks.questions.calibration.tables import table

QUESTION = Question("Calibration", __doc__, run, table, MARKS)
