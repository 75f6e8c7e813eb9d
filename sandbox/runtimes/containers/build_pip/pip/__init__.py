"""`pip` inside a build, see sandbox/runtimes/build_install.py."""
