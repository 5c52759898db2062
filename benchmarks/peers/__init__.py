"""The packages measured on one objective, and what judges them: the exact objective and its optimum."""
