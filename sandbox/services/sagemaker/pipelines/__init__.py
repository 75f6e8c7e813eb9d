"""SageMaker Pipelines: definitions validated as a whole, executed as a graph of steps."""
