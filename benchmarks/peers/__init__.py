"""The packages measured on one objective, and their judges: the exact objective and its optimum."""
