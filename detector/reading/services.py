"""What a resource says: the service, its process, its workflow, its environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import ref

from detector.reading import modes
from detector.reading.names import clean
from detector.records import Environment, Resource

MAX_SERVICES = 1024
"""Resources that are remembered as read."""

WHERE = (
    "host.name",
    "host.id",
    "process.pid",
    "container.id",
    "k8s.namespace.name",
    "k8s.pod.name",
    "k8s.pod.uid",
    "service.instance.id",
)
"""Resource attributes by which an enforcer finds the process."""

RESOURCE_WORKFLOW = "agent.workflow"
SERVICE_RANK = 4
"""Rank of a workflow that is only known by its service's name; RESOURCE_WORKFLOW has 0."""

_ENVIRONMENTS = {
    **dict.fromkeys("prod production prd live".split(), Environment.PRODUCTION),
    **dict.fromkeys("staging stage stg".split(), Environment.STAGING),
    **dict.fromkeys("preview review".split(), Environment.PREVIEW),
    **dict.fromkeys("test testing ci sandbox qa uat".split(), Environment.TEST),
    **dict.fromkeys("dev development local localhost".split(), Environment.LOCAL),
}


class Service:
    """What one resource says."""

    __slots__ = ("above", "environment", "mode", "name", "prefix", "run", "where", "workflow")

    def __init__(self, attributes: Mapping[str, Any]) -> None:
        def text(key: str) -> str:
            value = attributes.get(key)
            return "" if value is None else str(value)

        name = text("service.name") or "unknown_service"
        namespace = text("service.namespace")
        self.name = clean(f"{namespace}/{name}" if namespace else name, 120)
        self.prefix = self.name + "/"
        self.run = clean(text("agent.run.id"))
        above = clean(text("agent.run.parent"))
        self.above = above if self.run and above != self.run else ""
        self.where = {key: clean(value, 256) for key in WHERE if (value := text(key))}
        workflow = text(RESOURCE_WORKFLOW)
        self.workflow = (0, clean(workflow, 120)) if workflow else (SERVICE_RANK, clean(name, 120))
        environment = text("deployment.environment.name") or text("deployment.environment")
        self.mode = modes.clean(text(modes.RESOURCE_MODE))
        self.environment = int(_ENVIRONMENTS.get(environment.lower(), 0))


_services: dict[int, tuple[ref[Resource], Service]] = {}


def of(resource: Resource) -> Service:
    """The service that a resource names, read once for each object: the decoder gives equal resources as one."""
    known = _services.get(id(resource))
    # An id is used again, and what a resource says may be megabytes, so it must not be kept alive here.
    if known is None or known[0]() is not resource:
        if len(_services) >= MAX_SERVICES:
            _services.clear()
        known = _services[id(resource)] = (ref(resource), Service(resource.attributes))
    return known[1]
