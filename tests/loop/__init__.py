"""Whole loops through the doors that people and programs use: AWS's APIs, git, the command line."""
