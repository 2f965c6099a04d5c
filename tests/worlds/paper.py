"""Paper: what a PDF says of itself and the words on its pages, read by a library that did not make it."""

import io
from dataclasses import dataclass

from pypdf import PdfReader


@dataclass(frozen=True)
class Paper:
    title: str
    lang: str
    is_tagged: bool
    pages: tuple[str, ...]
    width_mm: int
    height_mm: int
    n_headings: int


def read_paper(content: bytes) -> Paper:
    reader = PdfReader(io.BytesIO(content))
    root = reader.trailer["/Root"]
    box = reader.pages[0].mediabox
    return Paper(
        title=reader.metadata.title.replace("\xa0", " "),
        lang=root["/Lang"],
        is_tagged=bool(root["/MarkInfo"]["/Marked"]) and "/StructTreeRoot" in root,
        pages=tuple(" ".join(page.extract_text().replace("\xa0", " ").split()) for page in reader.pages),
        width_mm=round(float(box.width) * 25.4 / 72),
        height_mm=round(float(box.height) * 25.4 / 72),
        n_headings=_count(root["/StructTreeRoot"], {"/H1", "/Title"}),
    )


def _count(element, kinds):
    kids = element.get("/K", []) if hasattr(element, "get") else []
    kids = kids if isinstance(kids, list) else [kids]
    found = (kid.get_object() if hasattr(kid, "get_object") else kid for kid in kids)
    below = sum(_count(kid, kinds) for kid in found if hasattr(kid, "get"))
    return below + (hasattr(element, "get") and element.get("/S") in kinds)
