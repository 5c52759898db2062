"""How results become docs/benchmarks.md and its pictures."""
