"""GetRandomPassword.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html
"""

from __future__ import annotations

import secrets
import string
from typing import Any

from sandbox.engine.operations import AwsError, Call, operation

LENGTH = 32
PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"


@operation("secretsmanager", "GetRandomPassword")
def get_random_password(
    call: Call,
    PasswordLength: int = LENGTH,
    ExcludeCharacters: str = "",
    RequireEachIncludedType: bool = True,
    IncludeSpace: bool = False,
    **excluded: Any,
) -> dict[str, str]:
    kinds = {
        "ExcludeLowercase": string.ascii_lowercase,
        "ExcludeUppercase": string.ascii_uppercase,
        "ExcludeNumbers": string.digits,
        "ExcludePunctuation": PUNCTUATION,
    }
    alphabets = [letters for name, letters in kinds.items() if not excluded.get(name)]
    alphabets = ["".join(set(letters) - set(ExcludeCharacters)) for letters in alphabets]
    alphabets = [letters for letters in alphabets if letters]
    every = "".join(alphabets) + (" " if IncludeSpace and " " not in ExcludeCharacters else "")
    if not every:
        raise AwsError(
            "InvalidParameterException", "The password can't be generated: all characters are excluded."
        )
    required = alphabets if RequireEachIncludedType else []
    if len(required) > PasswordLength:
        raise AwsError(
            "InvalidParameterException", "The password length is less than the number of required types."
        )
    chosen = [secrets.choice(letters) for letters in required]
    chosen += [secrets.choice(every) for _ in range(PasswordLength - len(chosen))]
    secrets.SystemRandom().shuffle(chosen)
    return {"RandomPassword": "".join(chosen)}
