"""Manifests for a cluster, made from a plan: what `changeover deploy` writes."""
