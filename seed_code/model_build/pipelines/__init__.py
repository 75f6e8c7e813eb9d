"""Builds the SageMaker Pipeline of this repository and runs it: `python -m pipelines.run`."""
