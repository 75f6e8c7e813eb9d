"""One file a command group: arguments in, documents out. What a command does lies in the modules above."""
