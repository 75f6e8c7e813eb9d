"""What survives a stop: the state folder, the clients' configuration, the snapshot of moto's records."""
