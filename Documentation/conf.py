# SPDX-License-Identifier: GPL-2.0-only
"""Sphinx, 5.3 or later: nothing but what it comes with, and no network."""

project = "vfio-pci-subpage"
author = "The vfio-pci-subpage authors"
language = "en"

extensions = []
primary_domain = "c"
highlight_language = "none"
# Options are written with two hyphens, and must stay so.
smartquotes = False

html_theme = "alabaster"
html_copy_source = False
html_show_copyright = False
html_theme_options = {"page_width": "70em", "body_max_width": "none"}
