"""Kernels: the hot loops of the optimiser, over arrays and numbers only."""
