"""``python -m linclf``."""

import sys

from linclf.cli import main

sys.exit(main())
