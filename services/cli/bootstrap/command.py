"""`sightline bootstrap`: the secrets of a new installation, made where they are missing."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli.bootstrap.folder import FolderSink
from services.cli.bootstrap.kubernetes import SERVICE_ACCOUNT, Cluster, KubernetesSink
from services.cli.bootstrap.material import SecretSink, make_secrets
from services.core.errors import BadInputError


def bootstrap_command(
    folder: Annotated[
        Path | None, typer.Option(help="Write them as files into this folder.", metavar="DIR")
    ] = None,
    kubernetes: Annotated[
        bool, typer.Option("--kubernetes", help="Create them as Secrets in the namespace of this pod.")
    ] = False,
    service_account: Annotated[
        Path, typer.Option(help="Folder with the pod's token, ca.crt and namespace.", metavar="DIR")
    ] = SERVICE_ACCOUNT,
) -> None:
    """Make the passwords of MongoDB, NATS and the first account. What is there already stays as it is."""
    if (folder is not None) == kubernetes:
        raise BadInputError("give either --folder DIR or --kubernetes")
    sink: SecretSink
    sink = FolderSink(folder) if folder else KubernetesSink(Cluster.of_this_pod(service_account))
    for secret in make_secrets():
        made = sink.create(secret)
        typer.echo(f"{secret.name}: {'made' if made else 'already there, left as it is'}")
