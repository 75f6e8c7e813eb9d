"""One room an AWS service. A room's import registers its operations, tasks and listeners."""
