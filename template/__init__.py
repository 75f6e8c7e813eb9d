"""Products, the portfolio that offers them, and publishing.

app        the CDK app; `python -m template.app` writes the cloud assembly
portfolio  the stack with portfolio, products, launch role and permissions boundary
products   one file a template, composition only
seeds      seed code as deterministic zips
versions   published versions never change
publish    the whole way from these sources to a portfolio in an account (boto3)
"""
