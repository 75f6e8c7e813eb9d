"""The admin's part: the templates, offered to the team beside those who have them already."""

from __future__ import annotations

from typing import Any

from cli import stacks
from cli.access import Access
from cli.errors import CliError
from cli.progress import Progress


def publish_for(admin: Access, principal: str, progress: Progress) -> dict[str, Any]:
    """Publish what these sources are, as a version of their own: a demo must not need a release."""
    from template.publish import PORTFOLIO_STACK, PublishError, publish

    def tell(line: str) -> None:
        (progress.now if "_IN_PROGRESS" in line else progress.line)(line)

    principals = {principal, *_principals(admin, PORTFOLIO_STACK)}
    try:
        return publish(admin, principals=sorted(principals), development=True, on_progress=tell)
    except PublishError as error:
        raise CliError(f"publishing failed: {error}") from error


def _principals(admin: Access, stack_name: str) -> list[str]:
    """Who may launch now: whom a publication leaves out loses access."""
    stack = stacks.describe(admin, stack_name)
    outputs = {item["OutputKey"]: item["OutputValue"] for item in (stack or {}).get("Outputs", [])}
    if "PortfolioId" not in outputs:
        return []
    pages = (
        admin.client("servicecatalog")
        .get_paginator("list_principals_for_portfolio")
        .paginate(PortfolioId=outputs["PortfolioId"])
    )
    return [item["PrincipalARN"] for page in pages for item in page["Principals"]]
