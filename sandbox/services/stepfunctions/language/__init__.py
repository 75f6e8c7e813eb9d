"""The expressions of the Amazon States Language: JSONPath, intrinsic functions, choice rules, JSONata."""
