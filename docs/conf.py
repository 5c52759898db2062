"""The site: ``python -m sphinx -W -n docs OUT``."""

import os

import linclf

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"  # examples reach nothing outside of this machine
os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"

project, author, copyright = "linclf", "linclf developers", "linclf developers"
version = release = linclf.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
root_doc = "index"
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}  # the stubs of autosummary

myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3

autosummary_generate = True
autodoc_typehints = "none"  # the docstrings have the types, with shapes and ranges
autodoc_default_options = {"members": True, "inherited-members": True}
numpydoc_show_class_members = False
templates_path = ["templates"]
exclude_patterns = ["examples"]

nitpick_ignore = [("py:class", "linclf.heads.Cosine")]
nitpick_ignore_regex = [("py:.*", r"(sklearn|numpy|scipy|pandas|matplotlib|onnx)\..*")]


def is_foreign(app, what, name, obj, skip, options):
    """Whether scikit-learn defines a method, which is then left to its own reference."""
    module = getattr(obj, "__module__", None) or ""
    return True if what == "class" and not module.startswith("linclf") else None


def setup(app):
    app.connect("autodoc-skip-member", is_foreign)


sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "abort_on_example_error": True,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 1e9,
    "write_computation_times": False,
    "download_all_examples": False,
    "reference_url": {"linclf": None},
    "doc_module": ("linclf",),
    "backreferences_dir": None,
    "remove_config_comments": True,
}

copybutton_exclude = ".linenos, .gp, .go"

html_theme = "pydata_sphinx_theme"
html_title = f"linclf {release}"
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "show_prev_next": True,
    "header_links_before_dropdown": 8,
}
html_sidebars = {page: [] for page in ("index", "install", "choosing", "migrating", "benchmarks")}
html_context = {"default_mode": "auto"}
html_show_sourcelink = False
