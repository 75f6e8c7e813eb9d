"""Random requests from botocore's models: never a 500, never a malformed answer, always an error AWS knows.

`make fuzz` sends many, `test_fuzz.py` a few.
"""
