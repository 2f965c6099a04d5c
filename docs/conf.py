"""Sphinx: the pages of this folder as one site, built by `make docs` into `dist/docs`."""

# ruff: noqa: INP001 -- read by Sphinx, never imported as a package

project = "Mobigo"
language = "en"
extensions = ["myst_parser"]
html_theme = "alabaster"
html_theme_options = {"page_width": "60rem", "show_powered_by": False}
html_copy_source = False
html_show_copyright = False
