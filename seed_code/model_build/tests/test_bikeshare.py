"""What a row may hold: every refusal names the column and the row."""

import sys
import unittest
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "jobs"))

import bikeshare  # noqa: E402

HEADER = ",".join([*bikeshare.FEATURE_NAMES, *bikeshare.LEAKING, bikeshare.TARGET])
GOOD = "1,Jan,1,0,0,6,0,clear,0.24,0.2879,0.81,0,3,13,16"


def read(*lines, header=HEADER):
    return bikeshare.read_rows([header, *lines], "data.csv")


def with_value(column, value):
    cells = GOOD.split(",")
    cells[HEADER.split(",").index(column)] = value
    return ",".join(cells)


class Rows(unittest.TestCase):
    def test_shipped_data(self):
        with open(REPOSITORY / "data" / "bikeshare.csv", newline="", encoding="utf-8") as file:
            rows = bikeshare.read_rows(file, "bikeshare.csv")
        self.assertGreater(len(rows), 1000)

    def test_a_row(self):
        (row,) = read(GOOD)
        self.assertEqual((1.0, 1.0, 1.0, 0.0, 0.0, 6.0, 0.0, 1.0, 0.24, 0.2879, 0.81, 0.0), row.features)
        self.assertEqual(16.0, row.label)

    def test_columns_are_found_by_name(self):
        order = sorted(HEADER.split(","))
        cells = dict(zip(HEADER.split(","), GOOD.split(","), strict=True))
        shuffled = read(",".join(cells[name] for name in order), header=",".join(order))
        self.assertEqual(read(GOOD), shuffled)

    def test_bad_values(self):
        for column, value, reason in [
            ("temp", "warm", "'warm' is not a number"),
            ("temp", "NaN", "is not a number (NaN)"),
            ("temp", "", "is empty"),
            ("hum", "inf", "is infinite"),
            ("hum", "-Infinity", "is infinite"),
            ("hum", "1e308", "1e308 is not between 0 and 1"),
            ("windspeed", "-0.1", "-0.1 is not between 0 and 1"),
            ("windspeed", "0_1", "'0_1' is not a number"),
            ("hr", "7.5", "7.5 is not a whole number"),
            ("hr", "24", "24 is not between 0 and 23"),
            ("mnth", "January", "'January' is not one of Jan, "),
            ("bikers", "-1", "-1 is not between 0 and 100000"),
            ("bikers", "NaN", "is not a number (NaN)"),
        ]:
            with self.subTest(column=column, value=value), self.assertRaises(bikeshare.DataError) as caught:
                read(GOOD, with_value(column, value))
            self.assertIn(f"data.csv: column '{column}', row 2: {reason}", str(caught.exception))

    def test_bad_header(self):
        for header, reason in [
            (HEADER.replace(",temp,", ",temperature,"), "missing column 'temp'"),
            (
                HEADER.replace(",temp,", ",hum,").replace(",casual,", ",temp,"),
                "column 'hum' appears more than once",
            ),
            (HEADER.replace(",casual,", ",passers,"), "unknown column 'passers'"),
            ("", "missing column 'season', 'mnth'"),
        ]:
            with self.subTest(header=header), self.assertRaisesRegex(bikeshare.DataError, reason):
                read(GOOD, header=header)

    def test_a_row_of_another_width(self):
        with self.assertRaisesRegex(bikeshare.DataError, "row 1: 14 values, the header has 15"):
            read(GOOD.rpartition(",")[0])

    def test_many_problems_are_counted(self):
        with self.assertRaises(bikeshare.DataError) as caught:
            read(*[with_value("temp", "warm")] * 12)
        self.assertEqual(5, str(caught.exception).count("row"))
        self.assertTrue(str(caught.exception).endswith("and 7 more"))

    def test_json_values(self):
        numbers = bikeshare.encode_features([1, "Jan", 1, 0, 0, 6, 0, "clear", 0.24, 0.2879, 0.81, 0], 1)
        self.assertEqual(read(GOOD)[0].features, tuple(numbers))
        for value in (None, True, [], {}, 10**400):
            with self.subTest(value=value), self.assertRaisesRegex(bikeshare.DataError, "column 'hr', row 3"):
                bikeshare.encode_features([1, "Jan", 1, value, 0, 6, 0, "clear", 0.2, 0.2, 0.8, 0], 3)


if __name__ == "__main__":
    unittest.main()
