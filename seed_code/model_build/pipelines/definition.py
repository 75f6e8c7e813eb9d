"""The pipeline: Preprocess → Train → Evaluate → CheckRmse → Register, or RmseAboveThreshold.

Edit this file to change the pipeline. `parameters` holds what an execution may set, with its defaults.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagemaker.core import image_uris
from sagemaker.core.drift_check_baselines import DriftCheckBaselines
from sagemaker.core.model_metrics import MetricsSource, ModelMetrics
from sagemaker.core.network import NetworkConfig
from sagemaker.core.processing import Processor
from sagemaker.core.shapes import (
    MetricDefinition,
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
    Tag,
)
from sagemaker.core.training.configs import (
    Compute,
    InputData,
    Networking,
    OutputDataConfig,
    SourceCode,
    StoppingCondition,
)
from sagemaker.core.workflow.conditions import ConditionLessThanOrEqualTo
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.parameters import ParameterFloat, ParameterInteger, ParameterString
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow import (
    CacheConfig,
    ConditionStep,
    FailStep,
    ModelStep,
    Pipeline,
    ProcessingStep,
    SageMakerJobExceptionTypeEnum,
    SageMakerJobStepRetryPolicy,
    StepExceptionTypeEnum,
    StepRetryPolicy,
    TrainingStep,
)
from sagemaker.serve.model_builder import ModelBuilder

from pipelines.session import ArtifactSession
from pipelines.settings import Settings
from pipelines.staging import Staging, tree
from pipelines.training import StagedTrainer

REPOSITORY = Path(__file__).resolve().parent.parent
JOBS = REPOSITORY / "jobs"
DATA = REPOSITORY / "data" / "bikeshare.csv"
SKLEARN_VERSION = "1.9-0"
XGBOOST_VERSION = "3.2-0"
INPUT = "/opt/ml/processing/input"
OUTPUT = "/opt/ml/processing/output"
MESSAGE = "/opt/ml/output/message"
LONGEST_JOB_SECONDS = 3600
INFERENCE_INSTANCES = ["ml.m5.large", "ml.m5.xlarge", "ml.c5.large", "ml.c5.xlarge"]
TRANSFORM_INSTANCES = ["ml.m5.large", "ml.m5.xlarge"]
CACHE = CacheConfig(enable_caching=True, expire_after="P30D")
CALL_RETRIES = StepRetryPolicy(
    exception_types=[StepExceptionTypeEnum.SERVICE_FAULT, StepExceptionTypeEnum.THROTTLING],
    interval_seconds=5,
    backoff_rate=2.0,
    max_attempts=5,
)
JOB_RETRIES = SageMakerJobStepRetryPolicy(
    exception_types=[
        SageMakerJobExceptionTypeEnum.CAPACITY_ERROR,
        SageMakerJobExceptionTypeEnum.INTERNAL_ERROR,
    ],
    interval_seconds=30,
    backoff_rate=2.0,
    max_attempts=5,
)


@dataclass(frozen=True)
class Parameters:
    """What StartPipelineExecution may set, with the defaults of this commit."""

    input_data_url: ParameterString
    input_data_sha256: ParameterString
    git_commit: ParameterString
    processing_instance_type: ParameterString
    training_instance_type: ParameterString
    max_depth: ParameterInteger
    eta: ParameterFloat
    num_round: ParameterInteger
    rmse_threshold: ParameterFloat
    model_approval_status: ParameterString

    def all(self) -> list[Any]:
        """All parameters, as the pipeline lists them."""
        return list(vars(self).values())


def parameters(data_url: str, data_sha256: str, commit: str) -> Parameters:
    """The pipeline's parameters."""
    return Parameters(
        input_data_url=ParameterString("InputDataUrl", default_value=data_url),
        input_data_sha256=ParameterString("InputDataSha256", default_value=data_sha256),
        git_commit=ParameterString("GitCommit", default_value=commit),
        processing_instance_type=ParameterString("ProcessingInstanceType", default_value="ml.m5.large"),
        training_instance_type=ParameterString("TrainingInstanceType", default_value="ml.m5.large"),
        max_depth=ParameterInteger("MaxDepth", default_value=6),
        eta=ParameterFloat("Eta", default_value=0.1),
        num_round=ParameterInteger("NumRound", default_value=200),
        rmse_threshold=ParameterFloat("RmseThreshold", default_value=45.0),
        model_approval_status=ParameterString(
            "ModelApprovalStatus",
            default_value="PendingManualApproval",
            enum_values=["PendingManualApproval", "Approved", "Rejected"],
        ),
    )


def build(settings: Settings, session: ArtifactSession, staging: Staging) -> Pipeline:
    """The pipeline; what it needs from this repository is staged in the artifact bucket."""
    params = parameters(*staging.data(DATA), settings.commit)
    steps = Steps(settings, session, staging, params)
    preprocess = steps.preprocess()
    train = steps.train(preprocess)
    evaluation = PropertyFile(name="EvaluationReport", output_name="evaluation", path="evaluation.json")
    evaluate = steps.evaluate(preprocess, train, evaluation)
    rmse = JsonGet(
        step_name=evaluate.name, property_file=evaluation, json_path="regression_metrics.rmse.value"
    )
    check = ConditionStep(
        "CheckRmse",
        conditions=[ConditionLessThanOrEqualTo(left=rmse, right=params.rmse_threshold)],
        if_steps=[steps.register(preprocess, train, evaluate)],
        else_steps=[
            FailStep(
                "RmseAboveThreshold",
                error_message=Join(
                    on="",
                    values=[
                        *("RMSE on held-out rows is above RmseThreshold ", params.rmse_threshold),
                        *("; measured in ", output_uri(evaluate, "evaluation"), "/evaluation.json"),
                    ],
                ),
            )
        ],
    )
    return Pipeline(
        name=settings.pipeline_name,
        parameters=params.all(),
        # Jobs find their own way through tags and lineage: no experiment is created beside them.
        pipeline_experiment_config=None,
        steps=[preprocess, train, evaluate, check],
        sagemaker_session=session,
    )


class Steps:
    """Makes the steps of the pipeline; what they have in common lives here."""

    def __init__(self, settings: Settings, session: ArtifactSession, staging: Staging, params: Parameters):
        self._settings, self._session, self._staging, self._params = settings, session, staging, params
        self._sklearn_image = self._image("sklearn", SKLEARN_VERSION)
        self._xgboost_image = self._image("xgboost", XGBOOST_VERSION)

    def preprocess(self) -> ProcessingStep:
        """Validate, split, write the baselines of the data."""
        return self._processing_step(
            "Preprocess",
            self._sklearn_image,
            code=("preprocess.py", "bikeshare.py", "baseline.py", "outcome.py"),
            inputs={"data": self._params.input_data_url},
            outputs=("train", "validation", "holdout", "baseline"),
            arguments=["--input", f"{INPUT}/data", "--input-sha256", self._params.input_data_sha256],
        )

    def train(self, preprocess: ProcessingStep) -> TrainingStep:
        """Train with XGBoost in script mode."""
        params, settings = self._params, self._settings
        code = tree(JOBS, ("train.py", "inference.py", "bikeshare.py", "outcome.py"))
        trainer = StagedTrainer(
            staging=self._staging,
            training_image=self._xgboost_image,
            role=settings.role_arn,
            sagemaker_session=self._session,
            base_job_name="train",
            source_code=SourceCode(source_dir=self._staging.code("train", code), entry_script="train.py"),
            compute=Compute(
                instance_type=params.training_instance_type, instance_count=1, volume_size_in_gb=30
            ),
            networking=Networking(enable_network_isolation=True),
            stopping_condition=StoppingCondition(max_runtime_in_seconds=LONGEST_JOB_SECONDS),
            output_data_config=OutputDataConfig(
                s3_output_path=f"s3://{settings.bucket}/models", kms_key_id=settings.kms_key_arn
            ),
            # As text: the API takes a map of strings.
            hyperparameters={
                "max_depth": params.max_depth.to_string(),
                "eta": params.eta.to_string(),
                "num_round": params.num_round.to_string(),
            },
            input_data_config=[
                InputData(
                    channel_name=name, data_source=output_uri(preprocess, name), content_type="text/csv"
                )
                for name in ("train", "validation")
            ],
            tags=[Tag(key=tag["Key"], value=tag["Value"]) for tag in settings.tags],
        ).with_metric_definitions(
            [
                MetricDefinition(name=f"{name}:rmse", regex=rf"\[[0-9]+\].*{name}-rmse:([0-9.]+)")
                for name in ("train", "validation")
            ]
        )
        return TrainingStep(
            "Train", step_args=trainer.train(), cache_config=CACHE, retry_policies=[CALL_RETRIES, JOB_RETRIES]
        )

    def evaluate(
        self, preprocess: ProcessingStep, train: TrainingStep, report: PropertyFile
    ) -> ProcessingStep:
        """Measure the model on held-out rows."""
        return self._processing_step(
            "Evaluate",
            self._xgboost_image,
            code=("evaluate.py", "outcome.py"),
            inputs={
                "model": train.properties.ModelArtifacts.S3ModelArtifacts,
                "holdout": output_uri(preprocess, "holdout"),
            },
            outputs=("evaluation",),
            arguments=[
                *("--model", f"{INPUT}/model", "--holdout", f"{INPUT}/holdout"),
                *("--rmse-threshold", self._params.rmse_threshold.to_string()),
            ],
            property_files=[report],
        )

    def register(
        self, preprocess: ProcessingStep, train: TrainingStep, evaluate: ProcessingStep
    ) -> ModelStep:
        """Register the model with its metrics, its baselines and where it came from."""
        settings, params = self._settings, self._params
        files = {
            "model_statistics": (evaluate, "evaluation", "evaluation.json"),
            "model_constraints": (evaluate, "evaluation", "quality_constraints.json"),
            "model_data_statistics": (preprocess, "baseline", "statistics.json"),
            "model_data_constraints": (preprocess, "baseline", "constraints.json"),
        }
        sources = {
            name: MetricsSource(
                content_type="application/json", s3_uri=Join(on="/", values=[output_uri(step, output), file])
            )
            for name, (step, output, file) in files.items()
        }
        builder = ModelBuilder(
            image_uri=self._xgboost_image,
            s3_model_data_url=train.properties.ModelArtifacts.S3ModelArtifacts,
            role_arn=settings.role_arn,
            sagemaker_session=self._session,
            env_vars={
                "SAGEMAKER_PROGRAM": "inference.py",
                "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
            },
        )
        return ModelStep(
            "Register",
            step_args=builder.register(
                model_package_group_name=settings.model_package_group_name,
                content_types=["text/csv", "application/json"],
                response_types=["text/csv", "application/json"],
                inference_instances=INFERENCE_INSTANCES,
                transform_instances=TRANSFORM_INSTANCES,
                approval_status=params.model_approval_status,
                model_metrics=ModelMetrics(**sources),
                drift_check_baselines=DriftCheckBaselines(**sources),
                customer_metadata_properties={
                    "GitCommit": params.git_commit,
                    "InputDataUrl": params.input_data_url,
                    "InputDataSha256": params.input_data_sha256,
                    "HeldOutDataUrl": Join(on="/", values=[output_uri(preprocess, "holdout"), "holdout.csv"]),
                    "PipelineExecutionArn": ExecutionVariables.PIPELINE_EXECUTION_ARN,
                },
            ),
            retry_policies=[CALL_RETRIES],
        )

    def _processing_step(
        self,
        name: str,
        image: str,
        *,
        code: Sequence[str],
        inputs: dict[str, Any],
        outputs: Sequence[str],
        arguments: list[Any],
        property_files: list[PropertyFile] | None = None,
    ) -> ProcessingStep:
        """A cached processing step that runs the first file of `code` with the given folders mounted."""
        settings = self._settings
        processor = Processor(
            role=settings.role_arn,
            image_uri=image,
            instance_count=1,
            instance_type=self._params.processing_instance_type,
            entrypoint=["python3", f"{INPUT}/code/{code[0]}"],
            output_kms_key=settings.kms_key_arn,
            max_runtime_in_seconds=LONGEST_JOB_SECONDS,
            base_job_name=name.lower(),
            sagemaker_session=self._session,
            tags=settings.tags,
            network_config=NetworkConfig(enable_network_isolation=True),
        )
        sources = {"code": self._staging.code(name.lower(), tree(JOBS, code)), **inputs}
        arguments = [*arguments, "--output", OUTPUT if len(outputs) > 1 else f"{OUTPUT}/{outputs[0]}"]
        step_args = processor.run(
            inputs=[processing_input(input_name, uri) for input_name, uri in sources.items()],
            outputs=[self._processing_output(output) for output in outputs],
            arguments=[*arguments, "--message", MESSAGE],
        )
        return ProcessingStep(
            name,
            step_args=step_args,
            property_files=property_files,
            cache_config=CACHE,
            retry_policies=[CALL_RETRIES, JOB_RETRIES],
        )

    def _processing_output(self, name: str) -> ProcessingOutput:
        """An output folder, uploaded under the execution that made it."""
        place = ["s3:/", self._settings.bucket, "executions", ExecutionVariables.PIPELINE_EXECUTION_ID, name]
        return ProcessingOutput(
            output_name=name,
            s3_output=ProcessingS3Output(
                s3_uri=Join(on="/", values=place), local_path=f"{OUTPUT}/{name}", s3_upload_mode="EndOfJob"
            ),
        )

    def _image(self, framework: str, version: str) -> str:
        """URI of AWS's public container."""
        return image_uris.retrieve(framework, self._settings.region, version=version)


def processing_input(name: str, uri: Any) -> ProcessingInput:
    """An input folder of a processing job."""
    return ProcessingInput(
        input_name=name,
        s3_input=ProcessingS3Input(
            s3_uri=uri, local_path=f"{INPUT}/{name}", s3_data_type="S3Prefix", s3_input_mode="File"
        ),
    )


def output_uri(step: ProcessingStep, name: str) -> Any:
    """S3 URI of a processing step's output."""
    return step.properties.ProcessingOutputConfig.Outputs[name].S3Output.S3Uri
