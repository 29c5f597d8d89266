"""Everything that keeps a set of objects from being applied and started, found with no cluster."""

from collections.abc import Iterable

from tests.k8s.checks.manifest import Manifest, label, workloads
from tests.k8s.checks.references import Secrets, reference_problems
from tests.k8s.checks.schema import KUBERNETES, is_custom, schema_problems
from tests.k8s.checks.targets import target_problems
from tests.k8s.checks.templates import template_problems
from tests.k8s.checks.values import value_problems


def object_problems(manifests: Iterable[Manifest], version: str = KUBERNETES) -> list[str]:
    """Say what is wrong with each object by itself."""
    known = list(manifests)
    found = [f"{label(one)}: {problem}" for one in known for problem in schema_problems(one, version)]
    if found:
        # What follows takes well-formed objects for granted.
        return found
    found = [f"{label(one)}: {problem}" for one in known for problem in value_problems(one)]
    for workload in workloads(known):
        found += [f"{label(workload.manifest)}: {problem}" for problem in template_problems(workload)]
    return found


def set_problems(manifests: Iterable[Manifest], secrets: Secrets, version: str = KUBERNETES) -> list[str]:
    """Say what is wrong with a whole set: each object, and how they fit together.

    Objects of custom kinds have no schema here and are left out.
    """
    known = [manifest for manifest in manifests if not is_custom(manifest)]
    found = object_problems(known, version)
    return found or [*reference_problems(known, secrets), *target_problems(known)]
