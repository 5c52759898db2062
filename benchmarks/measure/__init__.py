"""How things are measured: seconds, memory of a process, scores on test rows, and what the machine is."""
