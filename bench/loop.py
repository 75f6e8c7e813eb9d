"""The whole loop, then pushes to its project: one that changes a hyperparameter, some that change nothing.

Everything that is downloaded or built once (libraries of containers and builds) is there before, by a push
whose seconds are not counted.
"""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.machine import Machine, machine, temporary_folder
from bench.measure import Measure, Result
from cli import executions
from cli.demo.follow import CodeExecution, Training
from cli.demo.loop import Loop
from cli.demo.workspace import Workspace
from cli.progress import Progress
from cli.waiting import Pace, Waiter
from project.names import Names

LOOP_SECONDS = 60.0
REGISTERED_SECONDS = 10.0
NOTHING_CHANGED_SECONDS = 6.0
MEMORY_MEGABYTES = 400.0
WAITER = Waiter(Pace(0.02, 0.1, timeout=900.0))


def run(*, quick: bool) -> list[Result]:
    began = time.perf_counter()
    with machine() as here, temporary_folder() as folder:
        loop = Loop(here.variables, Progress(quiet=True), name="bench", waiter=WAITER)
        made = loop.run()
        whole = time.perf_counter() - began
        stages = {"sandbox": whole - made["total_seconds"], **made["seconds"]}
        memory = here.resident_megabytes
        pushes = Pushes(here, _names(here), folder / "clone")
        changed = [pushes.changed() for _ in range(1 if quick else 2)]
        unchanged = [pushes.unchanged() for _ in range(1 if quick else 3)]
    told = ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in stages.items())
    beyond = [registered - compute for registered, compute in changed]
    steps = f"of {_several(changed)} s; the steps' jobs took the rest"
    return [
        Measure("whole loop, two trainings", "s", [whole], LOOP_SECONDS, note=told),
        Measure("push → registered, beyond the steps' jobs", "s", beyond, REGISTERED_SECONDS, note=steps),
        Measure("push that changes nothing → done", "s", unchanged, NOTHING_CHANGED_SECONDS),
        Measure("sandbox memory, after the loop", "MB", [memory], MEMORY_MEGABYTES),
    ]


def _names(here: Machine) -> Names:
    answer = here.access("engineer").client("sagemaker").describe_project(ProjectName="bench")
    return Names("bench", answer["ProjectId"], here.running.account)


def _several(changed: list[tuple[float, float]]) -> str:
    return ", ".join(f"{registered:.1f}" for registered, _ in changed)


class Pushes:
    """An engineer's clone of the project's model build repository."""

    def __init__(self, here: Machine, names: Names, folder: Path) -> None:
        self.names, self.access = names, here.access("engineer")
        self.workspace = Workspace(folder, here.variables("engineer"))
        repository = self.access.client("codecommit").get_repository(repositoryName=names.model_build)
        self.workspace.clone(repository["repositoryMetadata"]["cloneUrlHttp"])

    def changed(self) -> tuple[float, float]:
        """Seconds from the push to the registered version, and those in which a job of a step ran."""
        self.workspace.change_depth()
        _, training = self._push("another depth")
        registered = next(step for step in training.steps if step["StepName"] == "Register")
        jobs = [self._job_seconds(step) for step in training.steps]
        return (registered["EndTime"].timestamp() - self._pushed), sum(jobs)

    def unchanged(self) -> float:
        """Seconds from the push to the end of the build, which waits for the SageMaker pipeline's."""
        with (self.workspace.folder / "README.md").open("a") as readme:
            readme.write("\n")
        build, training = self._push("nothing that matters")
        for step in training.steps:
            if step["StepName"] in ("Preprocess", "Train", "Evaluate") and "CacheHitResult" not in step:
                raise RuntimeError(f"step {step['StepName']} ran although nothing had changed")
        answer = self.access.client("codepipeline").list_pipeline_executions(
            pipelineName=self.names.model_build
        )
        summaries = answer["pipelineExecutionSummaries"]
        ended = next(item for item in summaries if item["pipelineExecutionId"] == build.id)
        return float(ended["lastUpdateTime"].timestamp() - self._pushed)

    def _push(self, message: str) -> tuple[CodeExecution, Training]:
        commit = self.workspace.commit(message)
        self._pushed = time.time()
        self.workspace.push()
        build = CodeExecution(self.access, self.names.model_build, self.names, WAITER, Progress(quiet=True))
        build.await_start(lambda item: item["Commit"] == commit[:12], commit)
        training = Training(build, commit)
        training.await_start()
        training.until_succeeded()
        return build, training

    def _job_seconds(self, step: dict[str, Any]) -> float:
        """From the start of a step's job to its end as SageMaker tells them: its process and its uploads."""
        arn = executions.step_arn(step)
        if "CacheHitResult" in step or not arn:
            return 0.0
        sagemaker, name = self.access.client("sagemaker"), arn.rpartition("/")[2]
        if ":training-job/" in arn:
            job = sagemaker.describe_training_job(TrainingJobName=name)
            return _between(job["TrainingStartTime"], job["TrainingEndTime"])
        if ":processing-job/" in arn:
            job = sagemaker.describe_processing_job(ProcessingJobName=name)
            return _between(job["ProcessingStartTime"], job["ProcessingEndTime"])
        return 0.0


def _between(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds()
