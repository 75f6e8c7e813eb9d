"""Killed sandboxes, crowds of projects: what must hold however long and full it gets."""
