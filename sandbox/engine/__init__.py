"""What every service stands on: records, clock, events, durable tasks, processes, clients."""
