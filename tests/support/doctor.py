"""Ask the doctor about a deployment as it is at the moment."""

from __future__ import annotations

from app.core.config import load_settings
from app.core.doctor.examine import Check, examine
from app.core.doctor.findings import Finding, Health
from tests.support.deployment import Deployment, only_environment


class Report(dict[str, Finding]):
    """What was found, by check."""

    @property
    def failed(self) -> set[str]:
        return {check for check, finding in self.items() if finding.health is Health.FAIL}


async def look(deployment: Deployment, *checks: Check, **environment: str) -> Report:
    """By these checks alone, or by the whole examination."""
    with only_environment(deployment.environment(**environment)):
        if not checks:
            return Report({finding.check: finding for finding in await examine()})
        settings = load_settings()
        return Report({finding.check: finding for check in checks async for finding in check(settings)})


def assert_found(finding: Finding, health: Health, *words: str) -> None:
    """It is judged so, says these words, and says its cure unless all is well."""
    assert finding.health is health, finding
    assert (finding.cure is None) == (health is Health.OK), finding
    for word in words:
        assert word in f"{finding.found} {finding.cure}", finding
