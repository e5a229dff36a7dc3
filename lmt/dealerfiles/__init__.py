"""Files of dealers: read, compared with the network, checked, and applied."""
