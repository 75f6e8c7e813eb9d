"""What survives a stop: the state folder, the clients' configuration files, the snapshot of moto's records."""
