"""Cases from a seed: half of them about one condition, half about how policies of all kinds play together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

from conformance import conditions
from conformance import vocabulary as words
from conformance.cases import Case, Policy
from conformance.conditions import DRAWN, Wanted
from conformance.vocabulary import AWAY, HOME

Statement = dict[str, Any]


def cases(seed: int) -> Iterator[Case]:
    """Endlessly many; the same for the same seed."""
    random = Random(seed)
    number = 0
    while True:
        yield _about_one_condition(random, DRAWN[number % len(DRAWN)])
        yield _whole(random)
        number += 1


def _request(random: Random) -> Case:
    action = random.choice(tuple(words.ACTIONS))
    owner = HOME if random.random() < 0.8 else AWAY
    resource = random.choice(words.ACTIONS[action]).format(owner=owner)
    if resource == "*":
        owner = HOME
    return Case(random.choice(words.PRINCIPALS), action, resource, owner)


def _about_one_condition(random: Random, form: str) -> Case:
    """One statement that matches but for its condition, on top of an Allow where it denies."""
    wanted = conditions.make(random, form)
    request = _request(random)
    case = replace(request, owner=HOME, resource=words.ACTIONS[request.action][0].format(owner=HOME))
    statement: Statement = {"Effect": "Allow", "Action": "*", "Resource": "*", **_condition([wanted])}
    statements = [statement]
    if random.random() < 0.3:
        statement["Effect"] = "Deny"
        statements.append({"Effect": "Allow", "Action": "*", "Resource": "*"})
    trusts = {"Effect": "Allow", "Principal": {"AWS": HOME}, "Action": "*", "Resource": "*"}
    needs = case.action.startswith(("kms:", "sts:"))
    return replace(
        case,
        context=_context(random, [wanted]),
        identity=(_policy(random, statements),),
        resource_policy=_policy(random, [trusts]) if needs else None,
    )


def _whole(random: Random) -> Case:
    """Several policies with several statements each, of kinds that a requester of this sort may have."""
    case = _request(random)
    service = random.random() < 0.06
    if service:
        case = replace(case, principal=random.choice(words.SERVICES))
    asked: list[Wanted] = []
    identity: tuple[Policy, ...] = ()
    boundary = session = resource = None
    if not service:
        identity = tuple(_document(random, case, asked) for _ in range(random.choice((0, 1, 1, 1, 2))))
        if random.random() < 0.4:
            boundary = _document(random, case, asked)
        if ":assumed-role/" in case.principal and random.random() < 0.4:
            session = _document(random, case, asked)
    chance = 0.9 if service or case.owner != HOME or case.action.startswith("kms:") else 0.45
    if case.action.startswith("sts:"):
        chance = 1.0  # a role always has a trust policy
    if case.resource != "*" and random.random() < chance:
        resource = _document(random, case, asked, resource=True)
    return replace(
        case,
        context=_context(random, asked),
        identity=identity,
        boundary=boundary,
        session=session,
        resource_policy=resource,
    )


def _context(random: Random, asked: list[Wanted]) -> dict[str, str | list[str]]:
    names = {
        name.lower(): name for group in (words.KEYS, words.MANY) for keys in group.values() for name in keys
    }
    context: dict[str, str | list[str]] = {}
    for wanted in asked:
        if wanted.have is not None:
            context.setdefault(names[wanted.key.lower()], wanted.have)
    if random.random() < 0.8:
        context.setdefault("aws:username", random.choice(("alpha", "a*", "beta")))
    if random.random() < 0.5:
        context.setdefault("aws:PrincipalTag/team", random.choice(("alpha", "reports", "?")))
    return context


def _policy(random: Random, statements: list[Statement]) -> Policy:
    random.shuffle(statements)
    alone = len(statements) == 1 and random.random() < 0.3
    body: Policy = {"Statement": statements[0] if alone else statements}
    version = "2012-10-17" if random.random() < 0.93 else random.choice(("2008-10-17", None))
    return {"Version": version, **body} if version else body


def _document(random: Random, case: Case, asked: list[Wanted], *, resource: bool = False) -> Policy:
    count = random.choice((1, 1, 2, 2, 3))
    statements = [_statement(random, case, asked, resource) for _ in range(count)]
    return _policy(random, statements)


def _statement(random: Random, case: Case, asked: list[Wanted], resource: bool) -> Statement:
    statement: Statement = {"Effect": "Allow" if random.random() < 0.82 else "Deny"}
    if random.random() < 0.3:
        statement["Sid"] = f"S{random.randrange(100)}"
    if resource:
        statement |= _principal(random, case, deny=statement["Effect"] == "Deny")
    inverted = random.random() < 0.1
    statement["NotAction" if inverted else "Action"] = _some(random, lambda: _action(random, case, inverted))
    if not (resource and case.action.startswith("sts:")):
        inverted = random.random() < 0.1
        name = "NotResource" if inverted else "Resource"
        statement[name] = _some(random, lambda: _resource(random, case, inverted))
    if random.random() < 0.35:
        wanted = [conditions.make(random, random.choice(DRAWN)) for _ in range(random.choice((1, 1, 2)))]
        asked += wanted
        statement |= _condition(wanted)
    return statement


def _some(random: Random, make: Any) -> Any:
    """One value, a list of one, or several."""
    values = [make() for _ in range(random.choice((1, 1, 2, 3)))]
    return values[0] if len(values) == 1 and random.random() < 0.5 else values


def _condition(wanted: list[Wanted]) -> Statement:
    element: dict[str, dict[str, Any]] = {}
    for item in wanted:
        element.setdefault(item.operator, {})[item.key] = item.values
    return {"Condition": element}


def _action(random: Random, case: Case, inverted: bool) -> str:
    service, _, name = case.action.partition(":")
    choice = random.random()
    if inverted and choice < 0.6:
        return random.choice(("iam:*", "ec2:Run*", "S3:delete*", "sqs:Receive?essage"))
    if choice < 0.15:
        return "*"
    if choice < 0.3:
        return f"{service}:*"
    if choice < 0.45:
        return case.action
    if choice < 0.55:
        return random.choice((case.action.lower(), case.action.upper(), f"{service}:{name.swapcase()}"))
    if choice < 0.7:
        return f"{service}:{name[: random.randrange(1, len(name))]}*"
    if choice < 0.8:
        at = random.randrange(len(name))
        return f"{service}:{name[:at]}?{name[at + 1 :]}"
    if choice < 0.88:
        return f"{service}:*{name[random.randrange(1, len(name)) :]}"
    return random.choice((f"{service}:{name}s", f"{service}:?", "ec2:*", *words.ACTIONS))


def _resource(random: Random, case: Case, inverted: bool) -> str:
    choice = random.random()
    if case.resource == "*":
        return "*" if choice < 0.8 else "arn:aws:s3:::reports"
    pieces = case.resource.split(":", 5)
    if inverted and choice < 0.6:
        return random.choice(("arn:aws:s3:::other/*", f"arn:aws:iam::{HOME}:user/*", "arn:aws:sns:*:*:beta"))
    if choice < 0.2:
        return "*"
    if choice < 0.35:
        return case.resource
    if choice < 0.5:
        at = random.randrange(2, 5)
        pieces[at] = "*" if random.random() < 0.7 or not pieces[at] else f"{pieces[at][:-1]}?"
        return ":".join(pieces)
    if choice < 0.8:
        return ":".join([*pieces[:5], _tail(random, pieces[5])])
    if choice < 0.85:
        return random.choice((f"arn:aws:{pieces[2]}:*", "arn:aws:*", f"arn:aws:{pieces[2]}:::*"))
    pieces[5] = random.choice((pieces[5].swapcase(), pieces[5] + "x", pieces[5] + "/*", "beta/*"))
    return ":".join(pieces)


def _tail(random: Random, name: str) -> str:
    """The last part of an ARN with wildcards or variables in it."""
    choice = random.random()
    if choice < 0.3:
        return name[: random.randrange(1, len(name) + 1)] + "*"
    if choice < 0.45:
        at = random.randrange(len(name))
        return name[:at] + "?" + name[at + 1 :]
    if choice < 0.6:
        start = random.randrange(len(name))
        return name[:start] + "*" + name[random.randrange(start, len(name) + 1) :]
    for found in ("alpha", "reports", "*"):
        if found in name and random.random() < 0.7:
            variables = (
                "${aws:username}",
                "${aws:PrincipalTag/team}",
                "${AWS:PRINCIPALTAG/team, 'alpha'}",
                "${*}",
            )
            return name.replace(found, random.choice(variables))
    return name + random.choice(words.VARIABLES)


def _principal(random: Random, case: Case, *, deny: bool) -> Statement:
    own = [case.account, f"arn:aws:iam::{case.account}:root", case.principal]
    role = f"arn:aws:iam::{HOME}:role/builder"
    if ":assumed-role/" in case.principal:
        own += [role, role]
    if not case.principal.startswith("arn:"):
        return {"Principal": {"Service": random.choice([case.principal, [case.principal], *words.SERVICES])}}
    choice = random.random()
    if deny and choice < 0.35:
        everyone = sorted({*own[1:]})
        spared = random.choice((everyone, everyone, everyone[:1], random.sample(words.STRANGERS, 2)))
        return {"NotPrincipal": {"AWS": spared}}
    if not deny and choice < 0.05:
        return {"NotPrincipal": {"AWS": random.choice((*own, *words.STRANGERS))}}
    if choice < 0.2:
        return {"Principal": random.choice(("*", {"AWS": "*"}))}
    if choice < 0.75:
        return {"Principal": {"AWS": random.choice(own)}}
    if choice < 0.9:
        return {
            "Principal": {"AWS": [random.choice(words.STRANGERS), random.choice((*own, *words.STRANGERS))]}
        }
    return {"Principal": {"Service": random.choice(words.SERVICES), "AWS": random.choice(words.STRANGERS)}}
