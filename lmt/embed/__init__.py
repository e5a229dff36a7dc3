"""Forms where visitors meet them: pages of their own, frames and scripts on a brand's site."""
