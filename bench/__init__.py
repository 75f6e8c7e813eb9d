"""Seconds and ratios, measured in one run, each beside its goal: `python -m bench`. Nothing is asserted.

measure    what a benchmark hands back
machine    a sandbox of its own in a temporary folder
report     the table, or JSON

One file a benchmark: start, gateway, steps, endpoint, synthesis, loop, set_up.
"""
