"""The durable advance of stack operations: one task a stack, resumable after a kill at any point."""
