"""The ladder that ships."""

from servicelevel.adapters.files.pane_ladder import shipped_ladder

LADDER = shipped_ladder()
