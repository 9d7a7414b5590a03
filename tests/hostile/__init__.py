"""Floods of seeded hostile records: valid ones of every shape, mutated."""
