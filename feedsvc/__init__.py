"""Publishes a directory of articles as Atom and RSS feeds, one for every topic and every provider."""

__version__ = "0.1.0"
