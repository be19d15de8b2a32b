"""The version of the analysis engine. Any process can import it: it loads nothing."""

ENGINE_VERSION = "1.5.0"
