"""The whole loop, as its four people do it: only AWS's APIs and git, each with their own credentials.

loop        the stages, in order
workspace   the engineer's clone
follow      what pipelines do, live, and why they fail
closing     the answer and the page of commands to try next
"""
