"""The registry schemas of resource types: what a property may be, what a change of it means."""
