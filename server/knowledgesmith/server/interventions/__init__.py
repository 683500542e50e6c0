"""Interventions in the front process: created, and watched."""
