"""`python -m pip …`, answered by uv at SANDBOX_UV, into the job's folder SANDBOX_PACKAGES (in PYTHONPATH)."""

import os
import sys

COMMANDS = ("install", "list", "freeze", "show", "check", "tree", "uninstall")
# pip's options that uv has no use for.
IGNORED = {
    "--no-cache-dir",
    "--disable-pip-version-check",
    "--user",
    "--no-input",
    "--root-user-action=ignore",
}


def main(arguments):
    if arguments[:1] in (["--version"], ["-V"]):
        print("pip of the sandbox, by uv (python {}.{})".format(*sys.version_info[:2]))
        return
    if not arguments or arguments[0] not in COMMANDS:
        raise SystemExit("ERROR: the sandbox's jobs have no `pip {}`".format(" ".join(arguments[:1])))
    command, rest = arguments[0], [argument for argument in arguments[1:] if argument not in IGNORED]
    target = ["--target", os.environ["SANDBOX_PACKAGES"]] if command in ("install", "uninstall") else []
    uv = os.environ["SANDBOX_UV"]
    os.execv(uv, [uv, "pip", command, "--no-config", "--python", sys.executable, *target, *rest])


if __name__ == "__main__":
    main(sys.argv[1:])
