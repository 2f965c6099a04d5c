"""What the office and local organisers do with the files of pupils."""
