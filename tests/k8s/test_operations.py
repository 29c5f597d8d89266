"""The commands of docs/operations.md for a cluster, in their order, against the API server."""

import os
import shlex
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.cli.bootstrap.kubernetes import Cluster, KubernetesSink
from services.cli.bootstrap.material import make_secrets
from tests.docs.commands import REPOSITORY, operations
from tests.docs.commands_on_path import write_commands
from tests.docs.shell import open_shell
from tests.k8s.api_server.server import HOST, ApiServer
from tests.k8s.kubectl import KUBECTL, Kubectl

NAMESPACE, JOB = "sightline", "bootstrap"
POLL_S = 0.05
COMPLETE = {"status": {"conditions": [{"type": "Complete", "status": "True"}]}}


@contextmanager
def job_controller(server: ApiServer, account: Path) -> Iterator[None]:
    """Do what the Job does, whenever there is one that has not been done."""
    is_over = threading.Event()

    def work() -> None:
        while not is_over.wait(POLL_S):
            job = server.api.store.find("jobs", NAMESPACE, JOB)
            if job is None or "status" in job:
                continue
            if not account.exists():
                server.service_account(account, NAMESPACE, JOB)
            sink = KubernetesSink(Cluster(HOST, server.port, account))
            for secret in make_secrets():
                sink.create(secret)
            server.api.store.keep(("jobs", NAMESPACE, JOB), {**job, **COMPLETE})

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def test_commands_of_the_operations_do_what_they_say(
    server: ApiServer, kubectl: Kubectl, tmp_path: Path
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    (here / "k8s").symlink_to(REPOSITORY / "k8s")
    (here / "uri").write_text("mongodb://elsewhere/", encoding="utf-8")
    command = shlex.join([str(KUBECTL), "--server", kubectl.url, *kubectl.options])
    found = write_commands(tmp_path / "bin", {"kubectl": f'exec {command} "$@"'})
    environment = {**found, "HOME": str(kubectl.home), "KUBECONFIG": os.devnull}
    with job_controller(server, tmp_path / "account"), open_shell(here, environment) as shell:
        for block in operations("kubectl"):
            shell.run(block)
    assert server.api.store.all("secrets") == [], "the last one removes everything"
