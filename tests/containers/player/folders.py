"""The pods' volumes as folders of this machine, owned and moded as the kubelet does it."""

import base64
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.containers.player.fields import Unplayable
from tests.containers.player.plans import Pod, Volume
from tests.k8s.checks.manifest import Manifest, label


class Folders:
    """A place for the volumes of all pods; claims outlive their pods."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._mounted: list[Path] = []

    def fill(self, pod: Pod, objects: Mapping[str, Manifest], token: Mapping[str, bytes]) -> dict[str, Path]:
        """Make the folders of a pod that starts, each volume's by its name."""
        group = pod.container.security.fs_group or 0
        places = {}
        for volume in pod.volumes:
            if volume.source == "claim":
                place = self._root / "claims" / volume.reference
                _make(place, group, 0o2775 if group else 0o755)
            elif volume.source == "emptyDir":
                place = self._root / pod.name / volume.name
                _make(place, group, 0o2777 if group else 0o777)
                if volume.memory:
                    self._mount_memory(place, volume, group)
            else:
                place = self._root / pod.name / volume.name
                data = token if volume.source == "token" else _data(volume, objects)
                _write(place, _chosen(volume, data), volume.mode, group)
            places[volume.name] = place
        return places

    def empty(self) -> None:
        """Take back the memory; the folders are the caller's to remove."""
        while self._mounted:
            subprocess.run(["umount", self._mounted.pop()], check=True)

    def _mount_memory(self, place: Path, volume: Volume, group: int) -> None:
        if place in self._mounted:
            return
        options = f"mode=2777,gid={group}" + (f",size={volume.size_bytes}" if volume.size_bytes else "")
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], check=True)
        self._mounted.append(place)


def missing(pod: Pod, objects: Mapping[str, Manifest]) -> list[str]:
    """The ConfigMaps and Secrets that a pod waits for."""
    needed = (_label(volume) for volume in pod.volumes if volume.source in ("configMap", "secret"))
    return [name for name in needed if name not in objects]


def by_label(objects: list[Manifest]) -> dict[str, Manifest]:
    """Objects by kind and name, like `Secret/nats`."""
    return {label(found): found for found in objects}


def _label(volume: Volume) -> str:
    return f"{'Secret' if volume.source == 'secret' else 'ConfigMap'}/{volume.reference}"


def _data(volume: Volume, objects: Mapping[str, Manifest]) -> dict[str, bytes]:
    found = objects[_label(volume)]
    decode = base64.b64decode if volume.source == "secret" else str.encode
    return {key: decode(value) for key, value in (found.get("data") or {}).items()}


def _chosen(volume: Volume, data: Mapping[str, bytes]) -> dict[str, bytes]:
    if volume.items is None:
        return dict(data)
    absent = volume.items.keys() - data.keys()
    if absent:
        raise Unplayable(f"{_label(volume)} has no {', '.join(sorted(absent))}")
    return {path: data[key] for key, path in volume.items.items()}


def _make(place: Path, group: int, mode: int) -> None:
    """A folder that the group of the pod may write to, as it was left by the pod before."""
    if not place.exists():
        place.mkdir(parents=True)
        os.chown(place, 0, group)
        place.chmod(mode)


def _write(place: Path, files: Mapping[str, bytes], mode: int, group: int) -> None:
    """Files that the group of the pod may read, whatever the mode says of it."""
    place.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        file = place / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        os.chown(file, 0, group)
        file.chmod(mode | 0o440 if group else mode)
