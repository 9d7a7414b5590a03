"""The one composition root: settings in, wired parts out."""
