"""The brand's site of the demo: pages of another origin that embed our forms in every way."""
