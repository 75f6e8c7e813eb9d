"""The door: HTTP in, one ordered chain of small handlers, HTTP out."""
