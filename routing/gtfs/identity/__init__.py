"""Identity: what makes two objects of two sources the same one."""
