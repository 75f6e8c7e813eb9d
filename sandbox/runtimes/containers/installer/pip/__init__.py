"""`pip` inside a job: installs into a folder of the job's own, never into the runtime all jobs share."""
