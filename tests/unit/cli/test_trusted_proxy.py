"""The proxies that settings name, in either file: a mistake is one clear line."""

from pathlib import Path

import pytest

from services.cli.up_settings import UpConfig
from services.common.settings.files import Settings, load_settings
from services.core.errors import BadInputError
from services.web.settings import WebSettings


@pytest.mark.parametrize("kind", [UpConfig, WebSettings])
def test_proxies_that_are_no_networks_are_named_with_their_line(kind: type[Settings], tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("host: 0.0.0.0\ntrusted_proxy: the proxy\n")
    with pytest.raises(BadInputError, match="line 2: trusted_proxy: give addresses or networks"):
        load_settings(kind, file, {})
    file.write_text("trusted_proxy: 192.0.2.7, 2001:db8::/32, direct\n")
    assert load_settings(kind, file, {}).given["trusted_proxy"] == "192.0.2.7, 2001:db8::/32, direct"
