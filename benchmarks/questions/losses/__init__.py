"""Which loss wins on real data?"""

from benchmarks.question import Question
from benchmarks.questions.losses.fits import run
from benchmarks.questions.losses.tables import table

# no marks: the losses are compared with each other, whichever wins
QUESTION = Question("Losses", __doc__, run, table)
