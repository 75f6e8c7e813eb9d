"""Project templates, one file each."""
