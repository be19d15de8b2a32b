"""Sounds that no model of the ear was fitted on: made by rule, or from packages kept for scoring."""
