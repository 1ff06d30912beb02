"""Budgets of the product, measured as ratios on the machine at hand: `python -m tests.benchmarks [P1 P4 …]`."""
