"""The job scripts' own logic: splitting, baselines, metrics, reading a model, reporting a failure."""

import contextlib
import io
import json
import math
import sys
import tarfile
import tempfile
import unittest
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "jobs"))

import baseline  # noqa: E402
import bikeshare  # noqa: E402
import evaluate  # noqa: E402
import outcome  # noqa: E402
import preprocess  # noqa: E402

DATA = (REPOSITORY / "data" / "bikeshare.csv").read_bytes()
FEWER_DATA = b"".join(DATA.splitlines(keepends=True)[:1201])


class InFolder(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))


class Preprocess(InFolder):
    def run_main(self, content, *arguments):
        """Run the script on a file; returns exit code and message."""
        (self.folder / "in").mkdir(exist_ok=True)
        (self.folder / "in" / "data.csv").write_bytes(content)
        message = self.folder / "ml" / "message"
        argv = ["preprocess.py", "--input", str(self.folder / "in"), "--output", str(self.folder / "out")]
        sys.argv = [*argv, "--message", str(message), *arguments]
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                preprocess.main()
        except SystemExit as error:
            return error.code, message.read_text()
        return 0, ""

    def test_outputs(self):
        self.assertEqual((0, ""), self.run_main(DATA))
        out = self.folder / "out"
        counts = {}
        for part in ("train", "validation"):
            lines = (out / part / f"{part}.csv").read_text().splitlines()
            self.assertEqual({13}, {len(line.split(",")) for line in lines})
            counts[part] = len(lines)
        with open(out / "holdout" / "holdout.csv", newline="") as file:
            counts["holdout"] = len(bikeshare.read_rows(file, "holdout.csv"))
        rows = len(DATA.splitlines()) - 1
        self.assertEqual(rows, sum(counts.values()))
        self.assertAlmostEqual(0.15, counts["holdout"] / rows, delta=0.02)
        statistics = json.loads((out / "baseline" / "statistics.json").read_text())
        self.assertEqual(counts["train"], statistics["dataset"]["item_count"])
        constraints = json.loads((out / "baseline" / "constraints.json").read_text())
        names = [feature["name"] for feature in constraints["features"]]
        self.assertEqual(list(bikeshare.FEATURE_NAMES), names)

    def test_bad_data_leaves_no_output_and_names_the_place(self):
        content = FEWER_DATA.replace(b",0.24,", b",warm,", 1)
        code, message = self.run_main(content)
        self.assertEqual(1, code)
        self.assertEqual("data.csv: column 'temp', row 1: 'warm' is not a number", message)
        self.assertFalse((self.folder / "out").exists())

    def test_other_data_than_expected(self):
        code, message = self.run_main(FEWER_DATA, "--input-sha256", "00")
        self.assertEqual(1, code)
        self.assertIn("InputDataSha256", message)

    def test_too_few_rows_and_binary(self):
        header = DATA.partition(b"\n")[0]
        self.assertIn("0 rows, at least 1000", self.run_main(header)[1])
        self.assertIn("not UTF-8", self.run_main(b"\xff\xfe")[1])

    def test_a_row_keeps_its_part_when_data_are_added(self):
        rows = bikeshare.read_rows(FEWER_DATA.decode().splitlines(), "data.csv")
        before, after = (preprocess.split(part, 0.15, 0.15) for part in (rows[:500], rows))
        for name in before:
            self.assertLessEqual(set(before[name]), set(after[name]))


class Baseline(unittest.TestCase):
    def test_numerical_statistics(self):
        values = [float(value) for value in range(1, 1001)]
        statistics = baseline.numerical_statistics(values)
        self.assertEqual((500.5, 1.0, 1000.0), (statistics["mean"], statistics["min"], statistics["max"]))
        self.assertAlmostEqual(288.675, statistics["std_dev"], places=3)
        buckets = statistics["distribution"]["kll"]["buckets"]
        self.assertEqual([100.0] * 10, [bucket["count"] for bucket in buckets])
        self.assertEqual((1.0, 1000.0), (buckets[0]["lower_bound"], buckets[-1]["upper_bound"]))

    def test_constant_column(self):
        buckets = baseline.numerical_statistics([2.0] * 7)["distribution"]["kll"]["buckets"]
        self.assertEqual([7.0] + [0.0] * 9, [bucket["count"] for bucket in buckets])

    def test_sketch_weighs_every_value_and_keeps_quantiles(self):
        for count in (1, 2048, 2049, 6041, 9001):
            values = [float(value) for value in range(count)]
            levels = baseline.sketch(values)["data"]
            self.assertEqual(count, sum(len(level) << height for height, level in enumerate(levels)))
            weighted = sorted((value, 1 << height) for height, level in enumerate(levels) for value in level)
            below = 0
            for value, weight in weighted:
                self.assertLessEqual(abs(below - value), 0.002 * count)
                below += weight


class Evaluate(InFolder):
    def test_metrics(self):
        metrics = evaluate.regression_metrics([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 6.0])[
            "regression_metrics"
        ]
        self.assertEqual(1.0, metrics["rmse"]["value"])
        self.assertEqual(0.5, metrics["mae"]["value"])
        self.assertAlmostEqual(1 - 4 / 5, metrics["r2"]["value"])

    def test_what_cannot_be_measured_fails(self):
        for labels, predictions in [
            ([], []),
            ([1.0], []),
            ([1.0, 2.0], [1.0, math.nan]),
            ([1.0, 1.0], [1.0, 1.0]),
        ]:
            with self.subTest(predictions=predictions), self.assertRaises(evaluate.ModelError):
                evaluate.regression_metrics(labels, predictions)

    def archive(self, **files):
        path = self.folder / "model.tar.gz"
        with tarfile.open(path, "w:gz") as tar:
            for name, content in files.items():
                member = tarfile.TarInfo(name.replace("__", "/").replace("_dot_", "."))
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        return path

    def test_model_archive(self):
        files = dict.fromkeys(evaluate.NEEDED, b"x")
        evaluate.extract(self.archive(**files, **{"../outside": b"x"}), str(self.folder / "to"))
        self.assertEqual(
            sorted(evaluate.NEEDED),
            sorted(
                path.relative_to(self.folder / "to").as_posix() for path in self.folder.rglob("to/**/*.*")
            ),
        )
        self.assertFalse((self.folder / "outside").exists())
        for missing in evaluate.NEEDED:
            part = {name: b"x" for name in files if name != missing}
            with self.assertRaisesRegex(evaluate.ModelError, missing):
                evaluate.extract(self.archive(**part), str(self.folder / "to"))

    def test_truncated_or_missing_archive(self):
        path = self.archive(**{name: bytes(range(256)) * 99 for name in evaluate.NEEDED})
        path.write_bytes(path.read_bytes()[:120])
        for archive in (path, self.folder / "none.tar.gz"):
            with self.assertRaisesRegex(evaluate.ModelError, "cannot be read"):
                evaluate.extract(archive, str(self.folder / "to"))


class Outcome(InFolder):
    def fail(self, error, expected=()):
        path = self.folder / "output" / "failure"
        with (
            self.assertRaises(SystemExit) as caught,
            contextlib.redirect_stderr(io.StringIO()) as log,
            outcome.reported_to(str(path), expected),
        ):
            raise error
        self.assertEqual(1, caught.exception.code)
        return path.read_text(), log.getvalue()

    def test_expected_and_unexpected(self):
        reason, log = self.fail(bikeshare.DataError("column 'temp'"), bikeshare.DataError)
        self.assertEqual("column 'temp'", reason)
        self.assertNotIn("Traceback", log)
        reason, log = self.fail(KeyError("temp"))
        self.assertEqual("KeyError: 'temp'", reason)
        self.assertIn("Traceback", log)

    def test_long_reasons_are_cut(self):
        self.assertEqual(1024, len(self.fail(ValueError("x" * 5000))[0]))


if __name__ == "__main__":
    unittest.main()
