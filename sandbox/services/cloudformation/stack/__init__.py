"""Stacks: what is kept of them, and what an operation on one will do."""
