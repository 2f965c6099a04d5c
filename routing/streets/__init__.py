"""Streets: where one walks and drives."""
