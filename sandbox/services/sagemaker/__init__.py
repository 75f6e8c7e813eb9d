"""SageMaker: registry, jobs, pipelines, models, endpoints, projects."""

import importlib
import pkgutil

# Every module beside this one registers its own operations, tasks and listeners.
for _module in pkgutil.walk_packages(__path__, prefix=f"{__name__}."):
    importlib.import_module(_module.name)
