"""Which engine has measured a sound; light enough for any process to import."""

ENGINE_VERSION = "1.2.0"
