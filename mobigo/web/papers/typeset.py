"""Typeset: a sheet of this folder and what is to stand in it → PDF.

Typst sets the sheets: in milliseconds, tagged as PDF/UA-1 asks, with its own fonts, so that equal words are equal
bytes on any machine. What is handed over is text and never instructions: a name with brackets is printed as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import as_file, files
from typing import Any, Final, cast

import typst

STANDARD: Final = "ua-1"


def typeset(sheet: str, said: Mapping[str, Any]) -> bytes:
    """The PDF of a sheet, by the name of its file without the ending."""
    with as_file(files("mobigo.web.papers") / "sheets") as folder:
        compiler = typst.Compiler(folder / f"{sheet}.typ", root=folder, ignore_system_fonts=True)
        words = {"said": json.dumps(said, ensure_ascii=False)}
        return cast("bytes", compiler.compile(sys_inputs=words, pdf_standards=[STANDARD]))
