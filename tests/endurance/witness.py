"""What a sandbox acknowledged: a client that changes something of every kind all the time, and looks again.

A change whose answer was lost may have happened or not: nothing is expected of it. One that was answered must
be there after every kill, byte for byte, and once.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from tests.endurance.patient import Away, PatientSandbox
from tests.sandbox.sagemaker.definitions import pipeline
from tests.waiting import until

PAUSE = 0.05
BUCKET, REPOSITORY, ROLE, PIPELINE, GROUP = "witness-bucket", "witness", "witness", "witness", "/witness"
KEEP = 40
"""Things of a kind that are looked at after each kill: the newest. All of them in the end."""


def trust(*services: str) -> str:
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": list(services), "AWS": "arn:aws:iam::123456789012:root"},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
    )


class Witness:
    """`lost` and `doubled` hold what was found missing or twice, in words."""

    def __init__(self, sandbox: PatientSandbox, seed: int) -> None:
        self._sandbox, self._chance = sandbox, random.Random(seed)
        self._done, self._idle = threading.Event(), threading.Lock()
        self._thread = threading.Thread(target=self._run, name="witness", daemon=True)
        self._number = 0
        self._key = ""
        self._user: Any = None
        self.error: BaseException | None = None
        self.lost: list[str] = []
        self.doubled: list[str] = []
        self.objects: dict[str, bytes] = {}
        self.gone: set[str] = set()
        self.aliases: dict[str, str] = {}
        self.parameters: dict[str, str] = {}
        self.lines: list[str] = []
        self.lines_lost_answer: set[str] = set()
        self.roles: dict[str, str] = {}
        self.commits: list[str] = []
        self.sessions: list[dict[str, str]] = []
        self.events: list[str] = []
        self.metrics = 0
        self.groups: list[str] = []

    def __enter__(self) -> Witness:
        self._prepare()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _client(self, service: str) -> Any:
        return self._sandbox.client(service)

    def _prepare(self) -> None:
        client = self._client
        client("s3").create_bucket(Bucket=BUCKET)
        client("s3").put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        self._key = client("kms").create_key()["KeyMetadata"]["KeyId"]
        client("logs").create_log_group(logGroupName=GROUP)
        client("logs").create_log_stream(logGroupName=GROUP, logStreamName="lines")
        client("codecommit").create_repository(repositoryName=REPOSITORY)
        arn = client("iam").create_role(
            RoleName=ROLE, AssumeRolePolicyDocument=trust("sagemaker.amazonaws.com", "events.amazonaws.com")
        )["Role"]["Arn"]
        statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        client("iam").put_role_policy(RoleName=ROLE, PolicyName="all", PolicyDocument=document)
        condition = {
            "Name": "Seen",
            "Type": "Condition",
            "Arguments": {
                "Conditions": [
                    {"Type": "Equals", "LeftValue": {"Get": "Parameters.Number"}, "RightValue": "x"}
                ],
                "IfSteps": [],
                "ElseSteps": [],
            },
        }
        definition = json.loads(pipeline(condition))
        definition["Parameters"] = [{"Name": "Number", "Type": "String"}]
        client("sagemaker").create_pipeline(
            PipelineName=PIPELINE,
            PipelineDefinition=json.dumps(definition),
            RoleArn=arn,
            ClientRequestToken="w" * 32,
        )
        client("iam").create_user(UserName="witness")
        client("iam").put_user_policy(UserName="witness", PolicyName="all", PolicyDocument=document)
        key = client("iam").create_access_key(UserName="witness")["AccessKey"]
        self._user = self._sandbox.patient_client("sts", key["AccessKeyId"], key["SecretAccessKey"])
        events = client("events")
        events.put_rule(Name="witness", EventPattern=json.dumps({"source": ["witness"]}))
        target = {
            "Id": "pipeline",
            "Arn": f"arn:aws:sagemaker:us-east-1:123456789012:pipeline/{PIPELINE}",
            "RoleArn": arn,
            "SageMakerPipelineParameters": {
                "PipelineParameterList": [{"Name": "Number", "Value": "$.detail.number"}]
            },
        }
        events.put_targets(Rule="witness", Targets=[target])

    def _run(self) -> None:
        acts: list[Callable[[str], None]] = [
            *(self._object, self._object, self._overwrite, self._delete, self._alias, self._parameter),
            *(self._line, self._line, self._role, self._commit, self._session, self._event, self._metric),
            self._group,
        ]
        try:
            while not self._done.wait(PAUSE):
                with self._idle:
                    self._number += 1
                    try:
                        self._chance.choice(acts)(f"{self._number:05}")
                    except Away:
                        continue
        except BaseException as error:  # noqa: BLE001 - told by whoever waits for it
            self.error = error

    # --- one change each, remembered once it is answered

    def _object(self, number: str) -> None:
        body = self._chance.randbytes(self._chance.choice((10, 1000, 200_000)))
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self._key}
        chosen = encryption if self._chance.random() < 0.3 else {}
        self._client("s3").put_object(Bucket=BUCKET, Key=number, Body=body, **chosen)
        self.objects[number] = body

    def _overwrite(self, number: str) -> None:
        if self.objects:
            key = self._chance.choice(list(self.objects))
            del self.objects[key]  # until it is answered, either may be there
            body = number.encode()
            self._client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)
            self.objects[key] = body

    def _delete(self, number: str) -> None:
        if self.objects:
            key = self._chance.choice(list(self.objects))
            del self.objects[key]
            self._client("s3").delete_object(Bucket=BUCKET, Key=key)
            self.gone.add(key)

    def _alias(self, number: str) -> None:
        key = self._client("kms").create_key()["KeyMetadata"]["KeyId"]
        self._client("kms").create_alias(AliasName=f"alias/w{number}", TargetKeyId=key)
        self.aliases[f"alias/w{number}"] = key

    def _parameter(self, number: str) -> None:
        self._client("ssm").put_parameter(Name=f"/w/{number}", Value=number, Type="String")
        self.parameters[f"/w/{number}"] = number

    def _line(self, number: str) -> None:
        event = {"timestamp": int(time.time() * 1000), "message": number}
        self.lines_lost_answer.add(number)
        self._client("logs").put_log_events(logGroupName=GROUP, logStreamName="lines", logEvents=[event])
        self.lines_lost_answer.discard(number)
        self.lines.append(number)

    def _group(self, number: str) -> None:
        self._client("logs").create_log_group(logGroupName=f"{GROUP}/{number}")
        self.groups.append(f"{GROUP}/{number}")

    def _role(self, number: str) -> None:
        iam = self._client("iam")
        role = iam.create_role(
            RoleName=f"w{number}", AssumeRolePolicyDocument=trust("sagemaker.amazonaws.com")
        )
        statement = {
            "Effect": "Allow",
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{BUCKET}/{number}",
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_role_policy(RoleName=f"w{number}", PolicyName=number, PolicyDocument=document)
        self.roles[f"w{number}"] = role["Role"]["RoleId"]

    def _commit(self, number: str) -> None:
        parent = {"parentCommitId": self.commits[-1]} if self.commits else {}
        try:
            answer = self._client("codecommit").create_commit(
                repositoryName=REPOSITORY,
                branchName="main",
                putFiles=[{"filePath": number, "fileContent": number.encode()}],
                **parent,
            )
        except ClientError as error:
            # One whose answer was lost had happened.
            if error.response["Error"]["Code"] != "ParentCommitIdOutdatedException":
                raise
            branch = self._client("codecommit").get_branch(repositoryName=REPOSITORY, branchName="main")
            self.commits.append(branch["branch"]["commitId"])
            return
        except Away:
            if not self.commits:
                branch = self._client("codecommit").list_branches(repositoryName=REPOSITORY)["branches"]
                if branch:
                    head = self._client("codecommit").get_branch(repositoryName=REPOSITORY, branchName="main")
                    self.commits.append(head["branch"]["commitId"])
            raise
        self.commits.append(answer["commitId"])

    def _session(self, number: str) -> None:
        answer = self._user.assume_role(
            RoleArn=f"arn:aws:iam::123456789012:role/{ROLE}", RoleSessionName=f"w{number}"
        )
        self.sessions.append(answer["Credentials"])

    def _event(self, number: str) -> None:
        entry = {
            "Source": "witness",
            "DetailType": "w",
            "Detail": json.dumps({"number": number}),
        }
        answer = self._client("events").put_events(Entries=[entry])
        assert answer["FailedEntryCount"] == 0, answer
        self.events.append(number)

    def _metric(self, number: str) -> None:
        self._client("cloudwatch").put_metric_data(
            Namespace="Witness", MetricData=[{"MetricName": "n", "Value": 1.0}]
        )
        self.metrics += 1

    # --- looking again

    def look(self, *, all_of_it: bool = False) -> None:
        """Is everything that was answered there? Fills `lost` and `doubled`."""
        with self._idle:
            keep = 10**9 if all_of_it else KEEP
            self._look_at_objects(keep)
            self._look_at_small_things(keep)
            self._look_at_lines()
            self._look_at_sessions(keep)

    def _miss(self, what: str, wanted: object, found: object) -> None:
        if wanted != found:
            self.lost.append(f"{what}: {wanted!r} was acknowledged, {found!r} is there"[:300])

    def _look_at_objects(self, keep: int) -> None:
        s3 = self._client("s3")
        for key, body in list(self.objects.items())[-keep:]:
            try:
                found = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
            except ClientError as error:
                found = error.response["Error"]["Code"].encode()
            self._miss(f"object {key}", body, found)
        there = {
            item["Key"]
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
            for item in page.get("Contents", [])
        }
        for key in self.gone & there:
            self.lost.append(f"object {key}: its deletion was acknowledged")

    def _look_at_small_things(self, keep: int) -> None:
        pages = self._client("kms").get_paginator("list_aliases").paginate()
        aliases = {item["AliasName"]: item.get("TargetKeyId") for page in pages for item in page["Aliases"]}
        for name, key in self.aliases.items():
            self._miss(name, key, aliases.get(name))
        pages = self._client("iam").get_paginator("list_roles").paginate()
        roles = {item["RoleName"]: item["RoleId"] for page in pages for item in page["Roles"]}
        for name, identifier in self.roles.items():
            self._miss(f"role {name}", identifier, roles.get(name))
        for name in list(self.roles)[-keep:]:
            policies = self._client("iam").list_role_policies(RoleName=name)["PolicyNames"]
            self._miss(f"policies of role {name}", [name[1:]], policies)
        for name in list(self.parameters)[-keep:]:
            found = self._client("ssm").get_parameters(Names=[name])["Parameters"]
            self._miss(f"parameter {name}", [name[3:]], [item["Value"] for item in found])
        pages = self._client("logs").get_paginator("describe_log_groups").paginate()
        groups = {item["logGroupName"] for page in pages for item in page["logGroups"]}
        for name in self.groups:
            self._miss(f"log group {name}", True, name in groups)
        codecommit = self._client("codecommit")
        for commit in self.commits[-keep:]:
            found = codecommit.get_commit(repositoryName=REPOSITORY, commitId=commit)["commit"]["commitId"]
            self._miss("commit", commit, found)

    def _look_at_lines(self) -> None:
        found: list[str] = []
        token: dict[str, str] = {}
        while True:
            page = self._client("logs").get_log_events(
                logGroupName=GROUP, logStreamName="lines", startFromHead=True, **token
            )
            found += [event["message"] for event in page["events"]]
            if not page["events"]:
                break
            token = {"nextToken": page["nextForwardToken"]}
        self._miss("log lines", self.lines, [line for line in found if line not in self.lines_lost_answer])

    def _look_at_sessions(self, keep: int) -> None:
        import boto3

        for keys in self.sessions[-keep // 8 :]:
            session = boto3.Session(
                keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name="us-east-1"
            )
            client = session.client("sts", endpoint_url=self._sandbox.url)
            try:
                client.get_caller_identity()
            except ClientError as error:
                self.lost.append(f"session {keys['AccessKeyId']}: {error}")

    def close(self) -> None:
        """The last look: also at what is delivered at least once and acted on once."""
        if self.error:
            raise self.error
        self.look(all_of_it=True)
        sagemaker = self._client("sagemaker")

        def numbers() -> list[str]:
            pages = sagemaker.get_paginator("list_pipeline_executions").paginate(PipelineName=PIPELINE)
            arns = [
                item["PipelineExecutionArn"] for page in pages for item in page["PipelineExecutionSummaries"]
            ]
            values = []
            for arn in arns:
                parameters = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)
                status = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
                if status["PipelineExecutionStatus"] != "Executing":
                    values.append(parameters["PipelineParameters"][0]["Value"])
            return values

        def delivered() -> list[str] | None:
            found = numbers()
            return found if set(found) >= set(self.events) else None

        try:
            found = until(delivered, 30)
        except TimeoutError:
            found = numbers()
            missing = sorted(set(self.events) - set(found))
            self.lost.append(f"events {missing} started no execution that ended")
        self.doubled += [
            f"event {n} started {found.count(n)} executions" for n in set(found) if found.count(n) > 1
        ]
        now = datetime.now(UTC)
        points = self._client("cloudwatch").get_metric_statistics(
            Namespace="Witness",
            MetricName="n",
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(minutes=1),
            Period=3600,
            Statistics=["Sum"],
        )["Datapoints"]
        total = sum(point["Sum"] for point in points)
        if total < self.metrics:
            self.lost.append(f"metrics: {self.metrics} were acknowledged, {total} are there")
