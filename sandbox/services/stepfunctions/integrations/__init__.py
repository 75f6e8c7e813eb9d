"""What Task states call: any API by `aws-sdk:`, and the optimised integrations."""
