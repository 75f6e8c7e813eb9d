"""The ground floor of the product: what every project has, whatever its template adds on top.

names         physical names and the limits they keep
permissions   what a role may do, written as named activities
boundary      the most that any project's role may ever do
roles         IAM roles, one a task
storage       key and artifact bucket
hub           the bucket of an account and region that projects come from
project       `Project`: the above, mounted together
"""

from project.node import prepare_node

# Before anything in this house imports `aws_cdk`: the library starts node while it is imported.
prepare_node()
