"""The build hook: a wheel, a source distribution and an editable install carry the front-end libraries."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class FrontendHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs `mobigo/web/frontend/vendor.py` before anything is packed."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fetch what is missing; a build without npm warns and goes on."""
        vendor = runpy.run_path(str(Path(self.root, "mobigo", "web", "frontend", "vendor.py")))
        vendor["fetch_vendor"](self.app.display_warning)
