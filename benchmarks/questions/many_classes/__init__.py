"""What do many classes cost, and how much do methods lose that do not score all of them?"""

from benchmarks.question import Question
from benchmarks.questions.many_classes.marks import MARKS
from benchmarks.questions.many_classes.parts import run
from benchmarks.questions.many_classes.tables import pictures, table

QUESTION = Question("Many classes", __doc__, run, table, MARKS, pictures)
