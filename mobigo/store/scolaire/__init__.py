"""The store of school transport: sectors of a school year, their pupils, and what was decided about them."""
