"""Report: what became of the leads, as figures that say how they are made."""
