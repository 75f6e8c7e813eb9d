"""`mlops`: an AWS client for SageMaker projects, for an account or the sandbox by endpoint alone.

main       the program: options, lazy command groups, exit codes
commands   one file a command group: arguments in, documents out
access     sessions and clients
projects, models, executions, logs, endpoints, stacks   what the commands do, by AWS's APIs
demo       the whole loop
output, progress, waiting, errors   how they speak and wait
"""
