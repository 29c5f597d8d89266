"""What the route of the system answers, put together from what services report: it asks nobody."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from services.common.database.probe import DatabaseProbe
from services.common.leases.protocol import RUNNING
from services.common.queues import QueueState
from services.common.wire import time_text
from services.core.costs import AnalysisCost, EngineChoice
from services.core.sentences.sentence import Sentence, sentence
from services.core.types import CameraId
from services.web.api.answers import ModelAnswer, QueueAnswer, ServiceAnswer
from services.web.api.system_answers import (
    CostAnswer,
    DiskAnswer,
    EngineAnswer,
    SystemAnswer,
    TrialAnswer,
)
from services.web.context import WebContext
from services.web.system import ServiceState, SystemInfo

TROUBLED = sentence("troubled")
"""What a viewer is told in place of a cause, which may name addresses and folders."""

Costs = dict[CameraId, AnalysisCost]


def costs_of(context: WebContext) -> Costs:
    """Give the cost of each camera that is analysed now."""
    found = ((camera, context.states.cost(camera)) for camera in context.mirror.cameras())
    return {camera: cost for camera, cost in found if cost is not None}


def choices_of(system: SystemInfo, costs: Costs) -> list[EngineChoice]:
    """Give the engines of this process and of those that report costs, each once."""
    choices = (*system.engines(), *(cost.engine for cost in costs.values()))
    return sorted(dict.fromkeys(choices), key=lambda choice: (choice.model, choice.chosen))


def service_answers(context: WebContext) -> list[ServiceAnswer]:
    """Give the services with their queues; those of web are its own."""
    slots = (context.streams, context.sockets, context.reading.slots, context.tests)
    own = [one.queue() for one in slots]
    return [
        ServiceAnswer(
            name=service.name,
            status=service.status.text,
            code=service.status.code,
            params=service.status.params,
            queues=_queues((*service.queues, *(own if _is_own(service, context.system) else ()))),
            **elsewhere_fields(service.elsewhere),
        )
        for service in context.system.services()
    ]


def elsewhere_fields(where: Sentence | None) -> dict[str, str | None]:
    """Give where to look for the rest, as keys of an answer."""
    return {
        "elsewhere": where.text if where else None,
        "elsewhere_code": where.code if where else None,
    }


def _is_own(service: ServiceState, system: SystemInfo) -> bool:
    return service.name == system.own_name


def _queues(queues: Iterable[QueueState]) -> list[QueueAnswer]:
    return [
        QueueAnswer(
            name=queue.name,
            length=queue.length,
            capacity=queue.capacity,
            dropped=queue.dropped,
            policy=queue.policy,
        )
        for queue in queues
    ]


def model_answers(system: SystemInfo, choices: Iterable[EngineChoice], sees_files: bool) -> list[ModelAnswer]:
    """Give the models; of one that runs on several machines the slowest counts."""
    times_ms: dict[str, float] = {}
    for choice in choices:
        if choice.cpu_ms is not None:
            times_ms[choice.model] = max(choice.cpu_ms, times_ms.get(choice.model, 0.0))
    return [
        ModelAnswer(
            name=model.name,
            task=model.task,
            classes=list(model.classes),
            aliases=list(model.aliases),
            ms_per_frame=times_ms.get(Path(model.name).stem if model.is_file else model.name),
        )
        for model in system.models()
        if sees_files or not model.is_file
    ]


def cost_answers(costs: Costs) -> Iterator[CostAnswer]:
    """Give the costs of cameras."""
    for camera, cost in costs.items():
        yield CostAnswer(
            camera=camera,
            model=cost.engine.model,
            engine=cost.engine.chosen,
            reason=cost.engine.reason,
            reason_code=cost.engine.code,
            ms_per_frame=cost.ms_per_frame,
            frames_per_s=cost.frames_per_s,
            cores=cost.cores,
            dropped=cost.dropped,
            received_fps=cost.received_fps,
            delay_ms=cost.delay_ms,
        )


def engine_answers(choices: Iterable[EngineChoice]) -> Iterator[EngineAnswer]:
    """Give why each model has its engine."""
    for choice in choices:
        tried = [
            TrialAnswer(
                engine=trial.engine,
                ms=trial.ms,
                passed=trial.passed,
                reason=trial.reason,
                reason_code=trial.code,
                precision=trial.precision,
                difference=trial.difference,
            )
            for trial in choice.tried
        ]
        yield EngineAnswer(
            model=choice.model,
            chosen=choice.chosen,
            reason=choice.reason,
            reason_code=choice.code,
            tried=tried,
            measured=None if choice.measured_s is None else time_text(choice.measured_s),
            remembered=choice.is_remembered,
        )


def disk_answer(system: SystemInfo, probe: DatabaseProbe) -> DiskAnswer | None:
    """Give the disk of the data folder, else that of the database as it reports it."""
    disk = system.disk()
    if disk is not None:
        path, free, used, total = disk.path or None, disk.free_bytes, disk.used_bytes, disk.total_bytes
        return DiskAnswer(path=path, free_bytes=free, used_bytes=used, total_bytes=total)
    free_bytes, total_bytes = probe.free_bytes, probe.total_bytes
    if free_bytes is None or total_bytes is None:
        return None
    used = max(0, total_bytes - free_bytes)
    return DiskAnswer(path=None, free_bytes=free_bytes, used_bytes=used, total_bytes=total_bytes)


def versions_of(context: WebContext) -> dict[str, str]:
    """Give the versions of what this process runs on, and of the database once it has answered."""
    database = context.database.probe.version
    found = {"sightline": context.system.version, **context.system.versions()}
    return found | ({"database": database} if database else {})


def as_viewers_see(answer: SystemAnswer, roles: dict[str, str]) -> SystemAnswer:
    """Leave out what helps an attacker more than a viewer: addresses, folders, machines, versions, causes."""
    database = answer.database
    numbers: dict[str, int] = {}
    services = []
    for service in answer.services:
        role = roles.get(service.name) or service.name
        numbers[role] = numbers.get(role, 0) + 1
        name = role if numbers[role] == 1 else f"{role} {numbers[role]}"
        shown = {"name": name, **elsewhere_fields(None), **_hidden(service.code, RUNNING.code)}
        services.append(service.model_copy(update=shown))
    return answer.model_copy(
        update={
            "address": "",
            "database": database.model_copy(update={"address": "", **_hidden(database.code, "up")}),
            "services": services,
            "disk": answer.disk and answer.disk.model_copy(update={"path": None}),
            "versions": {"sightline": answer.version},
        }
    )


def _hidden(code: str, good: str) -> dict[str, object]:
    """Give what takes the place of a status that is not the good one; its parameters may name addresses."""
    if code == good:
        return {}
    return {"status": TROUBLED.text, "code": TROUBLED.code, "params": TROUBLED.params}
