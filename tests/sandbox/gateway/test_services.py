"""The table of services says what botocore's models say."""

import botocore.session
import pytest

from sandbox.gateway.services import SERVICES, by_signing_name


@pytest.mark.parametrize("service", SERVICES)
def test_signing_name_is_the_models(service: str) -> None:
    model = botocore.session.get_session().get_service_model(service)
    assert service in by_signing_name()[model.signing_name]
