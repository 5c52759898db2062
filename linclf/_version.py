"""The version of linclf, in a file that modules of the package and the build can read."""

__version__ = "0.2.0.dev0"
