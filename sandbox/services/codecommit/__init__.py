"""CodeCommit: real git repositories, over git's HTTP and over the API."""

from sandbox.services.codecommit import branches, commits, files, repositories

__all__ = ["branches", "commits", "files", "repositories"]
