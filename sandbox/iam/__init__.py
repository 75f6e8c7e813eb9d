"""IAM: who signed a request, and may this principal do this?

`signature` proves who sent a request, `principals` finds who that is, `actions` says what the request does,
`context` what it carries, `policy` decides, `gate` puts these in order and writes the answer as AWS does.
"""
