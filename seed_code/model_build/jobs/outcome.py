"""How a job says why it failed: exit code 1 and one reason where SageMaker reads it.

Processing jobs show the file `/opt/ml/output/message` as ExitMessage, training jobs
`/opt/ml/output/failure` as FailureReason; SageMaker keeps the first 1,024 characters.
https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-output.html
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProcessingJob.html
"""

import contextlib
import os
import sys
import traceback
from collections.abc import Iterator

LONGEST_REASON = 1024


@contextlib.contextmanager
def reported_to(path: str, expected: type[Exception] | tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Run a block; if it raises, write the reason to the file `path` and exit with code 1.

    Args:
        path: the file that SageMaker reads the reason from.
        expected: exception types whose message is reason enough; others also log their traceback.
    """
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever failed is the reason to report
        if not isinstance(error, expected):
            traceback.print_exc()
            reason = f"{type(error).__name__}: {error}"
        else:
            reason = str(error)
        print(f"FAILED: {reason}", file=sys.stderr, flush=True)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(reason[:LONGEST_REASON])
        sys.exit(1)
