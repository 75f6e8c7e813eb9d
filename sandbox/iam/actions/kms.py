"""KMS: key ids, aliases and ciphertexts to key ARNs."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from sandbox.iam.actions import generic
from sandbox.iam.actions.check import Asked, Check


def checks(asked: Asked) -> list[Check]:
    operation = asked.operation
    if operation == "ReEncrypt":
        source = asked.first("SourceKeyId")
        first = key_arn(asked, source) if source else _of_ciphertext(asked)
        same = {
            "kms:ReEncryptOnSameKey": str(first == key_arn(asked, asked.params["DestinationKeyId"])).lower()
        }
        return [
            Check("kms:ReEncryptFrom", (first,), same),
            Check("kms:ReEncryptTo", (key_arn(asked, asked.params["DestinationKeyId"]),), same),
        ]
    if operation in ("CreateAlias", "UpdateAlias", "DeleteAlias"):
        name = asked.params["AliasName"]
        keys = [key_arn(asked, name)] if operation != "CreateAlias" and alias_target(asked, name) else []
        if asked.params.get("TargetKeyId"):
            keys.append(key_arn(asked, asked.params["TargetKeyId"]))
        return [Check(f"kms:{operation}", (asked.arn("kms", name), *keys))]
    if operation == "Decrypt" and not asked.first("KeyId"):
        return [Check("kms:Decrypt", (_of_ciphertext(asked),))]
    key = asked.first("KeyId")
    if key and operation != "ListAliases":
        return [Check(f"kms:{operation}", (key_arn(asked, key),))]
    if operation == "RetireGrant":
        return [Check("kms:RetireGrant", (asked.arn("kms", "key/*"),))]
    return [Check(f"kms:{operation}", generic.resources(asked, "kms", operation))]


def key_arn(asked: Asked, name: str) -> str:
    """ARN of a key by id, ARN, alias name or alias ARN."""
    if name.startswith("alias/") or ":alias/" in name:
        target = alias_target(asked, name)
        if target is None:
            return name if name.startswith("arn:") else asked.arn("kms", name)
        name = target
    return name if name.startswith("arn:") else asked.arn("kms", f"key/{name}")


def alias_target(asked: Asked, name: str) -> str | None:
    backend = kms_backend(asked.account, asked.region)
    plain = name.split(":", 5)[-1]
    return next((str(key.id) for key in list(backend.keys.values()) if plain in key.aliases), None)


def kms_backend(account: str, region: str) -> Any:
    from moto.backends import get_backend

    return get_backend("kms")[account][region]


def _of_ciphertext(asked: Asked) -> str:
    """moto writes the key's id at the head of a ciphertext, as AWS does in a form of its own."""
    blob = asked.params.get("CiphertextBlob") or b""
    if isinstance(blob, str):
        try:
            blob = base64.b64decode(blob, validate=True)
        except (binascii.Error, ValueError):
            blob = b""
    key = blob[:36].decode("ascii", "replace")
    return asked.arn("kms", f"key/{key}")
