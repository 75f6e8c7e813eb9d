"""A ModelTrainer whose uploads have stable names."""

from pathlib import Path
from typing import Any

from sagemaker.core.training.configs import Channel
from sagemaker.train import ModelTrainer

from pipelines.staging import Staging, tree


class StagedTrainer(ModelTrainer):
    """ModelTrainer that stages local folders by content.

    The SDK uploads the container drivers of each training job under a name with a time stamp; with it, no
    build would ever meet SageMaker's step cache.
    """

    staging: Staging

    def create_input_data_channel(
        self, channel_name: str, data_source: Any, key_prefix: str | None = None, **options: Any
    ) -> Channel:
        """As in the base class; a local folder goes to `code/<channel>/<digest>/`."""
        if isinstance(data_source, str) and not data_source.startswith("s3://"):
            data_source = self.staging.code(channel_name, tree(Path(data_source)))
        return super().create_input_data_channel(channel_name, data_source, key_prefix, **options)
