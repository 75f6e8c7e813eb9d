"""Processing step `Preprocess`: validate the raw CSV, split it, write the drift baselines.

Runs in the scikit-learn container with the standard library alone, which starts in milliseconds.
Outputs, each a folder under --output: train/train.csv and validation/validation.csv (numbers, label
first, no header), holdout/holdout.csv (raw rows with header, for evaluation and the staging test),
baseline/statistics.json and baseline/constraints.json (of the training rows).
"""

import argparse
import csv
import hashlib
import json
import os
from collections.abc import Iterable
from typing import Any

import baseline
import bikeshare
import outcome

FEWEST_ROWS = 1000


def main() -> None:
    """Parse the arguments, then run with failures reported to --message."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--input", required=True, help="folder with exactly one .csv file")
    parser.add_argument("--input-sha256", default="", help="expected digest of that file; empty: not checked")
    parser.add_argument("--output", required=True)
    parser.add_argument("--message", required=True, help="file for the reason of a failure")
    parser.add_argument("--validation-share", type=float, default=0.15)
    parser.add_argument("--holdout-share", type=float, default=0.15)
    arguments = parser.parse_args()
    with outcome.reported_to(arguments.message, expected=bikeshare.DataError):
        preprocess(arguments)


def preprocess(arguments: argparse.Namespace) -> None:
    """Write all outputs, or raise before the first of them."""
    path = only_csv(arguments.input)
    rows = load(path, arguments.input_sha256)
    parts = split(rows, arguments.validation_share, arguments.holdout_share)
    for name in ("train", "validation"):
        numbers = ((f"{row.label:g}", *map(repr, row.features)) for row in parts[name])
        write_csv(arguments.output, name, numbers)
    header = (bikeshare.TARGET, *bikeshare.FEATURE_NAMES)
    held_out = ((f"{row.label:g}", *row.text) for row in parts["holdout"])
    write_csv(arguments.output, "holdout", (header, *held_out))
    folder = os.path.join(arguments.output, "baseline")
    write_json(folder, "statistics.json", baseline.statistics(bikeshare.FEATURES, parts["train"]))
    write_json(folder, "constraints.json", baseline.constraints(bikeshare.FEATURES))
    print(json.dumps({"rows": len(rows)} | {name: len(part) for name, part in parts.items()}))


def only_csv(folder: str) -> str:
    """Path of the one CSV file in `folder`."""
    names = sorted(name for name in os.listdir(folder) if name.endswith(".csv"))
    if len(names) != 1:
        raise bikeshare.DataError(f"expected one .csv file in the input, found {names or 'none'}")
    return os.path.join(folder, names[0])


def load(path: str, expected_sha256: str) -> list[bikeshare.Row]:
    """Validated rows of the file; its digest must be the expected one, if one is given."""
    name = os.path.basename(path)
    with open(path, "rb") as file:
        content = file.read()
    digest = hashlib.sha256(content).hexdigest()
    if expected_sha256 and digest != expected_sha256:
        raise bikeshare.DataError(
            f"{name}: SHA-256 is {digest}, parameter InputDataSha256 says {expected_sha256}: "
            "give both InputDataUrl and InputDataSha256 for other data"
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise bikeshare.DataError(f"{name}: not UTF-8 text: {error}") from None
    rows = bikeshare.read_rows(text.splitlines(), name)
    if len(rows) < FEWEST_ROWS:
        raise bikeshare.DataError(f"{name}: {len(rows)} rows, at least {FEWEST_ROWS} are needed")
    return rows


def split(
    rows: list[bikeshare.Row], validation_share: float, holdout_share: float
) -> dict[str, list[bikeshare.Row]]:
    """Rows by part. A row's own content decides, so it stays in its part when data are added."""
    parts: dict[str, list[bikeshare.Row]] = {"train": [], "validation": [], "holdout": []}
    for row in rows:
        digest = hashlib.sha256(",".join(row.text).encode()).digest()
        place = int.from_bytes(digest[:8], "big") / 2**64
        part = "holdout" if place < holdout_share else "train"
        if holdout_share <= place < holdout_share + validation_share:
            part = "validation"
        parts[part].append(row)
    for name, part in parts.items():
        if not part:
            raise bikeshare.DataError(f"no rows left for the part '{name}'")
    return parts


def write_csv(output: str, name: str, lines: Iterable[Iterable[str]]) -> None:
    """Write `<output>/<name>/<name>.csv`."""
    folder = os.path.join(output, name)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, f"{name}.csv"), "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(lines)


def write_json(folder: str, name: str, document: Any) -> None:
    """Write a JSON document that holds no NaN and no infinity."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        json.dump(document, file, allow_nan=False)


if __name__ == "__main__":
    main()
