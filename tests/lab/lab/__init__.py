"""The lab: a guest in which things go wrong, and what slowd says about it."""
