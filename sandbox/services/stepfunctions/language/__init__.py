"""The Amazon States Language's expressions: JSONPath, intrinsic functions, choice rules, JSONata. Pure functions."""
