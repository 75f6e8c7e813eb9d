"""Hands `python -m pip …` to the sandbox, which serves it from a layer or by the real pip."""

import json
import os
import sys

if __name__ == "__main__":
    with open(os.path.join(sys.prefix, "sandbox.json")) as file:
        settings = json.load(file)
    program = [settings["installer"], "-I", "-m", "sandbox.runtimes.build_install", sys.prefix]
    os.execv(program[0], program + sys.argv[1:])
