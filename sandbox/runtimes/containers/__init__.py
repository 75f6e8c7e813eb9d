"""Programs that run inside a job's environment: each is started by path, with the runtime's Python."""
