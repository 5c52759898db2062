"""Measurements: seconds, the memory of a process, scores on test rows, and the machine itself."""
