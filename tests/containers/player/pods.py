"""A pod template: from the manifest's fields to the pod that the player runs."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from tests.containers.player.containers import read_container
from tests.containers.player.fields import Fields, Unplayable
from tests.containers.player.plans import Pod, Volume
from tests.k8s.checks.quantities import amount

DEFAULT_GRACE_S = 30


def template_hash(template: Mapping[str, Any]) -> str:
    """What names the pods of one template, so that a changed one gets new pods."""
    return hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:8]


def read_pod(template: Fields, pod_name: str, claims: dict[str, Volume], retries: int | None = None) -> Pod:
    """The pod of a workload's template; `claims` are the volumes of a StatefulSet's claim templates."""
    with template.inner("metadata") as metadata:
        labels: dict[str, str] = metadata.take("labels", {})
    with template.inner("spec") as spec:
        if spec.take("enableServiceLinks", True):
            spec.change("enableServiceLinks", "as if false")
        security = _pod_security(spec)
        account = spec.take("serviceAccountName", "default")
        with_token = spec.take("automountServiceAccountToken", True)
        volumes = claims | {volume.name: volume for volume in map(_volume, spec.each("volumes"))}
        containers = [read_container(fields, security) for fields in spec.each("containers")]
        if len(containers) != 1:
            raise Unplayable(f"{spec.owner}: {len(containers)} containers; the player wants one in a pod")
        if with_token:
            volumes["token"] = Volume("token", "token", account)
            spec.change("hostNetwork", "the host's network, because the API is on loopback")
        return Pod(
            owner=template.owner,
            name=pod_name,
            labels=labels,
            container=containers[0],
            volumes=tuple(volumes.values()),
            restart_policy=spec.take("restartPolicy", "Always"),
            grace_s=spec.take("terminationGracePeriodSeconds", DEFAULT_GRACE_S),
            retries=retries,
            token_of=account if with_token else "",
        )


def _pod_security(spec: Fields) -> dict[str, Any]:
    with spec.inner("securityContext") as security:
        security.expect("seccompProfile", None, {"type": "RuntimeDefault"})
        security.expect("fsGroupChangePolicy", None, "Always", "OnRootMismatch")
        names = ("runAsUser", "runAsGroup", "runAsNonRoot", "fsGroup")
        values = {name: security.take(name) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def _volume(fields: Fields) -> Volume:
    name = fields.need("name")
    with fields.inner("emptyDir") as folder:
        medium, size = folder.take("medium"), folder.take("sizeLimit")
        if size and medium != "Memory":
            folder.change("sizeLimit")
    with fields.inner("persistentVolumeClaim") as claim:
        claim_name = claim.take("claimName")
    with fields.inner("configMap") as files:
        config, config_items, config_mode = (
            files.take("name"),
            _items(files),
            files.take("defaultMode", 0o644),
        )
    with fields.inner("secret") as files:
        secret, secret_items, secret_mode = (
            files.take("secretName"),
            _items(files),
            files.take("defaultMode", 0o644),
        )
    if claim_name:
        return Volume(name, "claim", claim_name)
    if config:
        return Volume(name, "configMap", config, config_items, config_mode)
    if secret:
        return Volume(name, "secret", secret, secret_items, secret_mode)
    return Volume(
        name, "emptyDir", memory=medium == "Memory", size_bytes=int(amount(size) or 0) if size else None
    )


def _items(fields: Fields) -> dict[str, str] | None:
    return {item.need("key"): item.need("path") for item in fields.each("items")} or None
