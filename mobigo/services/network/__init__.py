"""Network: receive feeds, judge them, build a release from them, and serve the last good one."""
