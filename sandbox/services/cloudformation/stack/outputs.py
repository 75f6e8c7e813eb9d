"""Outputs and exports.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/outputs-section-structure.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.services.cloudformation.template.errors import TemplateError
from sandbox.services.cloudformation.template.functions import is_scalar
from sandbox.services.cloudformation.template.parameters import text_of
from sandbox.services.cloudformation.template.unknown import Unknown

if TYPE_CHECKING:
    from sandbox.services.cloudformation.stack.outline import Outline
    from sandbox.services.cloudformation.stack.records import Record, Stacks
    from sandbox.services.cloudformation.template.evaluate import Evaluator


def evaluate(evaluator: Evaluator, outline: Outline) -> list[dict[str, Any]]:
    """The stack's Outputs as DescribeStacks shows them."""
    result = []
    for name, declared in outline.outputs.items():
        value = evaluator.value(declared["Value"])
        if not is_scalar(value) and not isinstance(value, Unknown):
            raise TemplateError(
                f"Template format error: Output {name} is malformed. The Value field must be a String"
            )
        output = {"OutputKey": name, "OutputValue": value if isinstance(value, Unknown) else text_of(value)}
        if "Description" in declared:
            output["Description"] = text_of(declared["Description"])
        if "Export" in declared:
            export = evaluator.value(declared["Export"]["Name"])
            output["ExportName"] = export if isinstance(export, Unknown) else text_of(export)
        result.append(output)
    return result


def check_exports(stacks: Stacks, stack: Record, found: list[dict[str, Any]]) -> None:
    """Raises TemplateError for a name exported elsewhere, or a change of an export that is in use."""
    wanted = {output["ExportName"]: output["OutputValue"] for output in found if "ExportName" in output}
    if len(wanted) != sum("ExportName" in output for output in found):
        raise TemplateError("Duplicate export names found in the Outputs of the template")
    for name, value in wanted.items():
        other = stacks.exports.get(name)
        if other is None:
            continue
        if other["StackId"] != stack["StackId"]:
            owner = other["StackId"].split("/")[1]
            raise TemplateError(f"Export with name {name} is already exported by stack {owner}")
        if other["Value"] != value and stacks.importers(name):
            users = ", ".join(stacks.importers(name))
            raise TemplateError(f"Export {name} cannot be updated as it is in use by {users}")
    check_removal(stacks, stack, keep=set(wanted))


def check_removal(stacks: Stacks, stack: Record, keep: set[str]) -> None:
    """Raises TemplateError when an export that other stacks import would go."""
    for record in stacks.exports.list():
        if record["StackId"] != stack["StackId"] or record["Name"] in keep:
            continue
        users = [name for name in stacks.importers(record["Name"]) if name != stack["StackName"]]
        if users:
            raise TemplateError(
                f"Export {record['Name']} cannot be deleted as it is in use by {', '.join(users)}"
            )


def publish(stacks: Stacks, stack_id: str, found: list[dict[str, Any]], imports: set[str]) -> None:
    """Makes the exports and the imports of a stack what its template now says. Call inside a transaction."""
    wanted = {output["ExportName"]: output["OutputValue"] for output in found if "ExportName" in output}
    for record in stacks.exports.list():
        if record["StackId"] == stack_id and record["Name"] not in wanted:
            stacks.exports.delete(record["Name"])
    for name, value in wanted.items():
        stacks.exports.put(name, {"Name": name, "StackId": stack_id, "Value": value})
    for record in stacks.imports.list():
        if record["StackId"] == stack_id and record["Name"] not in imports:
            stacks.imports.delete(f"{record['Name']}|{stack_id}")
