"""Kernels: searches compiled over flat arrays; they know numbers only."""
