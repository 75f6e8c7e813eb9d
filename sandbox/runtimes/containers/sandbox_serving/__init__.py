"""The model server of the framework containers. Standard library, and what the runtime carries."""
