"""How fast is a pass over rows that are not in memory, and how much memory does it take?"""

from benchmarks.question import Question
from benchmarks.questions.beyond_memory.marks import MARKS
from benchmarks.questions.beyond_memory.parts import run
from benchmarks.questions.beyond_memory.tables import table

QUESTION = Question("Beyond memory", __doc__, run, table, MARKS)
