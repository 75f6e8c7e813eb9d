"""What SageMaker keeps and the sandbox does not act on: nothing here runs, schedules or serves anything."""
