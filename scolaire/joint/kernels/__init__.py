"""Kernels of the joint choice: functions of arrays and numbers, compiled."""
