"""A state machine's definition: read once, held against what Step Functions accepts."""
