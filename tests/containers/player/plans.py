"""What the player runs: the manifests' pods, with all names resolved but nothing read from a disk."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Volume:
    """What a pod mounts, and from where it is filled."""

    name: str
    source: Literal["configMap", "secret", "emptyDir", "claim", "token"]
    reference: str = ""
    """The ConfigMap, Secret, claim or ServiceAccount."""
    items: dict[str, str] | None = None
    """Key to path in the volume; None: every key under its own name."""
    mode: int = 0o644
    memory: bool = False
    size_bytes: int | None = None


@dataclass(frozen=True)
class Mount:
    """A volume's place in the container."""

    volume: str
    path: str
    read_only: bool = False


@dataclass(frozen=True)
class Security:
    """What the container may do, already merged of the pod's word and its own."""

    user: int
    group: int
    fs_group: int | None = None
    read_only_root: bool = False
    privilege_escalation: bool = True
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True)
class Resources:
    """What it asks for and what it gets at most."""

    cpu_request: float
    memory_request_bytes: int
    cpu_limit: float | None
    memory_limit_bytes: int | None


@dataclass(frozen=True)
class Probe:
    """A question that the kubelet asks again and again."""

    kind: Literal["startup", "readiness", "liveness"]
    command: tuple[str, ...] = ()
    """Run in the container; empty: the port is asked by HTTP."""
    port: int = 0
    path: str = "/"
    period_s: float = 10
    timeout_s: float = 1
    failure_threshold: int = 3


@dataclass(frozen=True)
class Container:
    """The one container of a pod."""

    name: str
    image: str
    command: tuple[str, ...]
    arguments: tuple[str, ...]
    environment: dict[str, str]
    ports: dict[str, int]
    mounts: tuple[Mount, ...]
    security: Security
    resources: Resources
    probes: tuple[Probe, ...]


@dataclass(frozen=True)
class Pod:
    """One pod of a workload."""

    owner: str
    """Like `Deployment/web`."""
    name: str
    labels: dict[str, str]
    container: Container
    volumes: tuple[Volume, ...]
    restart_policy: str
    grace_s: int
    retries: int | None = None
    """For a Job: how often it may fail."""
    token_of: str = ""
    """The ServiceAccount whose token it holds: it talks to the API, which is on the host's loopback."""
    aliases: tuple[str, ...] = ()

    @property
    def workload(self) -> str:
        """The owner's name alone."""
        return self.owner.partition("/")[2]
