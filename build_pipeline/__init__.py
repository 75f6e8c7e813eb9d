"""From a commit to a registered model: repository → CodeBuild → SageMaker pipeline → model package group."""
